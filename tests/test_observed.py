"""The calls whose truth was observed: the table is whole, and the observer sees what it claims."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from observe import HEADER
from precision import HALVES, OBSERVED, Call, _module, _row, observed

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ONE = Path(__file__).parents[1] / "scripts" / "observe_one.py"


def test_every_line_of_the_table_is_a_call_of_the_list() -> None:
    with (OBSERVED / "calls.toml").open("rb") as file:
        packages = tomllib.load(file)
    header, *lines = (OBSERVED / "truth.tsv").read_text("utf-8").splitlines(keepends=True)
    assert header == HEADER
    for line in lines:
        package, version, call, truth, _ = line.split("\t")
        assert call in packages[package]["calls"].splitlines()
        assert version
        assert truth in ("blocks", "clear", "unknown")


def test_there_is_enough_to_say_something_in_both_halves() -> None:
    calls = list(observed(OBSERVED / "truth.tsv"))
    assert len(calls) >= 300
    assert len({call.package for call in calls}) >= 60
    for half in HALVES:
        mine = [call for call in calls if call.half == half]
        assert min(sum(c.blocks for c in mine), sum(not c.blocks for c in mine)) >= 40


def test_a_row_counts_what_was_found_and_what_was_missed() -> None:
    calls = [Call("a", "1", f"f({n})", n < 3, "") for n in range(4)]
    finding: object = object()
    found = dict(zip(calls, (finding, finding, None, finding), strict=True))
    assert _row("both", found) == "| both | 1 | 4 | 3 | 3 | 2 | 1 | 67 % | 67 % |"  # type: ignore[arg-type]


def test_each_call_stands_on_a_line_of_its_own() -> None:
    calls = [Call("a", "1", f"f({n})", False, "") for n in range(2)]
    text, lines = _module("import a", calls)
    assert [text.splitlines()[line - 1].strip() for line in lines] == ["f(0)", "f(1)"]


@pytest.mark.skipif(sys.platform != "linux", reason="it asks /proc whether a thread sleeps")
@pytest.mark.parametrize(
    ("setup", "call", "events", "ended"),
    [
        ("import time", "time.sleep(1)", ["sleep"], "returned"),
        ("import json", "json.dumps(1)", [], "returned"),
        ("import subprocess", "subprocess.run(['true'])", ["subprocess"], "returned"),
        ("import sqlite3", "sqlite3.connect(':memory:')", ["sqlite"], "returned"),
        ("import asyncio", "await asyncio.sleep(0.01)", [], "returned"),
        ("import asyncio", "await asyncio.open_connection('a.example', 80)", [], "returned"),
        ("import threading", "threading.Event().wait(9)", [], "stalled"),
        ("", "1 / 0", [], "ZeroDivisionError: division by zero"),
        (
            "from urllib.request import urlopen",
            "urlopen('http://a.example')",
            ["lookup", "connect"],
            "stalled",
        ),
    ],
)
def test_the_observer_sees_what_waits(
    setup: str, call: str, events: list[str], ended: str, tmp_path: Path
) -> None:
    told = json.dumps({"setup": setup, "call": call})
    done = subprocess.run(
        [sys.executable, str(ONE), told], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    line = next(x for x in done.stdout.splitlines() if x.startswith("OBSERVED "))
    seen = json.loads(line.removeprefix("OBSERVED "))
    assert (list(dict.fromkeys(seen["events"])), seen["ended"]) == (events, ended)
