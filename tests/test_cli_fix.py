"""`loopsafe check --fix` and its options: what is written, what is told, exit codes."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from loopsafe.cli import main
from loopsafe.engine import Engine
from loopsafe.model import Edit, Fix, Safety, Span

SLEEPS = "import time\n\n\nasync def tick():\n    time.sleep(1)\n    time.sleep(2)\n"
AWAKE = "import asyncio\n\n\nasync def tick():\n    await asyncio.sleep(1)\n"
READS = "async def load(path):\n    with open(path) as file:\n        return file.read()\n"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `loopsafe check` in an empty project."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("LOOPSAFE_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "pyproject.toml").touch()

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["check", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_safe_fixes_are_written_and_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SLEEPS)
    (tmp_path / "b.py").write_text(READS)
    code, out, err = run("--fix", "--output-format", "concise")
    assert (code, err) == (1, "")
    assert out.splitlines()[-2:] == [
        "Found 4 findings (2 fixed, 2 remaining).",
        "2 fixable with the `--fix --unsafe-fixes` options.",
    ]
    assert (tmp_path / "a.py").read_text() == AWAKE + "    await asyncio.sleep(2)\n"
    assert (tmp_path / "b.py").read_text() == READS
    assert "fixed" not in run("--fix")[1], "a second run has nothing safe to do"


def test_unsafe_fixes_are_applied_on_demand(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(READS)
    code, out, _ = run("--fix", "--unsafe-fixes")
    assert (code, out) == (0, "Found 2 findings (2 fixed, 0 remaining).\n")
    assert "await asyncio.to_thread(work)" in (tmp_path / "a.py").read_text()
    assert run() == (0, "All checks passed!\n", "")


def test_a_diff_writes_nothing_and_can_be_applied(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SLEEPS)
    (tmp_path / "b.py").write_text(READS)
    code, out, err = run("--diff")
    assert code == 1
    assert err == "Would fix 2 findings (2 additional fixes available with `--unsafe-fixes`).\n"
    assert (tmp_path / "a.py").read_text() == SLEEPS
    subprocess.run(["patch", "-p0"], input=out, text=True, check=True, cwd=tmp_path)
    assert (tmp_path / "a.py").read_text() == AWAKE + "    await asyncio.sleep(2)\n"
    hidden = "No findings would be fixed (2 fixes available with `--unsafe-fixes`).\n"
    assert run("--diff") == (0, "", hidden)


def test_fixes_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SLEEPS)
    (tmp_path / "b.py").write_text(READS)
    told = "Fixed 2 findings (2 additional fixes available with `--unsafe-fixes`).\n"
    assert run("--fix-only") == (0, told, "")
    assert (tmp_path / "a.py").read_text() != SLEEPS


def test_fixes_are_counted_by_file_and_rule(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SLEEPS)
    _, out, _ = run("--fix", "--show-fixes")
    assert out.startswith("Fixed 2 findings:\n- a.py:\n    2 × blocking-sleep\n")


def test_a_check_says_what_could_be_fixed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SLEEPS + READS)
    last = run()[1].splitlines()[-1]
    assert last == ("2 fixable with the `--fix` option (2 more with the `--unsafe-fixes` option).")


@pytest.mark.parametrize(
    ("head", "encoding", "newline"),
    [
        ("", "utf-8-sig", "\r\n"),
        ("# coding: latin-1\n# caf\u00e9\n", "latin-1", "\n"),
        ("# -*- coding: cp1252 -*-\n# \u20ac\n", "cp1252", "\r\n"),
        ("# caf\u00e9 \U0001f600\n", "utf-8", "\r"),
    ],
)
def test_encoding_and_line_ends_stay(
    run: Run, tmp_path: Path, head: str, encoding: str, newline: str
) -> None:
    def stored(text: str) -> bytes:
        return (head + text).replace("\n", newline).encode(encoding)

    (tmp_path / "a.py").write_bytes(stored(SLEEPS.rstrip("\n")))
    run("--fix")
    assert (tmp_path / "a.py").read_bytes() == stored(AWAKE + "    await asyncio.sleep(2)")


def test_only_what_is_asked_for_is_fixed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SLEEPS)
    (tmp_path / "b.py").write_text(SLEEPS)
    (tmp_path / "c.py").write_text(SLEEPS.replace("(1)", "(1)  # loopsafe: ignore"))
    run("--fix", "a.py")
    run("--fix", "--select", "blocking-http", "b.py")
    run("--fix", "c.py")
    assert "await" in (tmp_path / "a.py").read_text()
    assert (tmp_path / "b.py").read_text() == SLEEPS
    assert (tmp_path / "c.py").read_text().count("await") == 1


def test_a_broken_file_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SLEEPS + "def broken(:\n")
    _, _, err = run("--fix", "--unsafe-fixes")
    assert "a.py" in err
    assert (tmp_path / "a.py").read_text() == SLEEPS + "def broken(:\n"


def test_what_cannot_be_written_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.py").write_text(SLEEPS)

    def refuse(_path: Path, _data: bytes) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    code, out, err = run("--fix")
    assert code == 2
    assert "cannot write the file: Permission denied" in err
    assert "fixed" not in out
    assert (tmp_path / "a.py").read_text() == SLEEPS


def _bad(finding_path: str, content: str) -> Fix:
    return Fix("Bad", Safety.SAFE, (Edit(finding_path, Span(5, 4, 5, 4), content),))


@pytest.mark.parametrize("content", ["await await ", "(", "x = 1; "])
def test_a_fix_that_does_no_good_is_taken_back(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    """Whatever a cure does, the file parses afterwards, and the rounds end."""
    (tmp_path / "a.py").write_text(SLEEPS)
    monkeypatch.setattr(Engine, "fixes", lambda _self, f: (_bad(f.path, content),))
    monkeypatch.setattr(
        Engine, "merged", lambda _self, _path, fixes: tuple({e for f in fixes for e in f.edits})
    )
    run("--fix")
    text = (tmp_path / "a.py").read_text()
    ast.parse(text)
    assert text == SLEEPS


def test_fixes_in_each_others_way_are_applied_in_rounds(run: Run, tmp_path: Path) -> None:
    """The arguments of a call are fixed with it: both edits cannot be made at once."""
    (tmp_path / "a.py").write_text(
        "import requests\n\n\nasync def f(u):\n"
        "    return requests.get(requests.get(requests.get(u).text).text)\n"
    )
    _, out, _ = run("--fix", "--unsafe-fixes")
    assert out == "Found 3 findings (3 fixed, 0 remaining).\n"
    assert (tmp_path / "a.py").read_text().count("asyncio.to_thread(requests.get, ") == 3
