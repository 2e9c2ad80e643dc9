"""What the catalogue calls blocking holds a running loop up, and what it calls async does not.

Each library's client talks to a service on this machine that does not answer, on a loop of its own.
`python scripts/catalogue.py --observe` prints what was seen, and what could not be run.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from knowledge import clients
from knowledge.observe import observe
from knowledge.stand_in import StandIn
from knowledge.sweep import entry, sweep
from loopsafe.knowledge.catalogue import load

MOST = 24
"""Methods of a class that are alike: observing all takes the script."""
LIBRARIES = sorted(path.stem for path in Path(clients.__path__[0]).glob("[a-z]*.py"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("library", LIBRARIES)
def test_calls_hold_the_loop_up_where_the_catalogue_says_so(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    module = clients.load(library)
    if module is None:
        pytest.skip(f"{library} is not installed")
    results = list(sweep(module, MOST))
    wrong = [
        f"{item.name}: the catalogue says {_word(item.blocks)}, the loop {_word(item.seen.blocked)}"
        for item in results
        if item.is_wrong
    ]
    assert not wrong, "\n".join(wrong)
    waiting = {item.name for item in results if item.seen.blocked}
    never = [
        name
        for name in _expected_to_wait(module)
        if not any(item == name or item.startswith(f"{name}.") for item in waiting)
    ]
    assert not never, f"nothing of it reached the service: {', '.join(never)}"


def _expected_to_wait(module: ModuleType) -> Iterator[str]:
    for name in getattr(module, "RECEIVERS", {}):
        known = load().klass(name)
        if known is not None and (known.methods or known.patterns):
            yield name
    yield from (name for name in getattr(module, "CALLS", {}) if entry(name) is not None)


def _word(blocks: bool) -> str:
    return "blocks" if blocks else "does not block"


def test_an_observation_tells_waiting_from_awaiting() -> None:
    def waits(at: StandIn) -> None:
        with socket.create_connection((at.host, at.port)) as connection:
            connection.recv(1)

    async def awaits(at: StandIn) -> None:
        reader, _ = await asyncio.open_connection(at.host, at.port)
        await reader.read(1)

    async def waits_in_a_coroutine(at: StandIn) -> None:
        waits(at)

    def seen(call: object) -> tuple[bool, bool]:
        at = StandIn()
        observation = observe(at, call, lambda: at)  # type: ignore[arg-type]
        return observation.reached, observation.blocked

    assert seen(waits) == (True, True)
    assert seen(waits_in_a_coroutine) == (True, True)
    assert seen(awaits) == (True, False)
    assert seen(lambda at: None) == (False, False)
