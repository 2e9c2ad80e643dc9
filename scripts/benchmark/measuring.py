"""What is measured: whole runs in alternating order, and edits through the language servers."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark.client import Client
from benchmark.edits import KINDS, Edited
from benchmark.processes import Cost
from benchmark.tools import Tool

COLD, WARM, EDITED = "without a cache", "again, nothing changed", "again, one line changed"
SCENARIOS = (COLD, WARM, EDITED)
ASKED, RESOLVED = "what it offers", "an edit that is made when it is chosen"
_PAUSE_SECONDS = 0.1
"""Between two keystrokes of a fast typist."""


@dataclass(slots=True)
class Runs:
    """The runs of one tool in one situation, in the order of rounds."""

    costs: list[Cost] = field(default_factory=list)
    findings: int = 0


@dataclass(slots=True)
class Typing:
    """What one language server did with a series of edits. Times in seconds."""

    first: float = 0.0
    """From the start of the process to the first file's diagnostics."""
    opened: list[float] = field(default_factory=list)
    """From opening each further file to its diagnostics."""
    complete: float = 0.0
    """From the start of the process to the last change of what is told of these files."""
    edits: dict[str, list[float]] = field(default_factory=dict)
    """From an edit to its diagnostics, by kind of edit."""
    work: dict[str, float] = field(default_factory=dict)
    """Processor time of an edit with what it leads to in the background, by kind of edit."""
    offered: dict[str, list[float]] = field(default_factory=dict)
    """From opening the light bulb of a finding to what it offers, and from choosing a part of that
    whose edit is made only then to the edit."""
    findings: int = 0
    cost: Cost | None = None


def whole_runs(tools: Sequence[Tool], edited: Edited, rounds: int) -> dict[str, dict[str, Runs]]:
    """By scenario and tool. Every tool runs once before, for the system's file cache."""
    found = {scenario: {tool.name: Runs() for tool in tools} for scenario in SCENARIOS}
    for tool in tools:
        _say(f"warming up {tool.name}")
        tool.run()
    for number in range(rounds):
        _say(f"round {number + 1} of {rounds}")
        for tool in tools:
            tool.forget()
        for scenario in SCENARIOS:
            if scenario is EDITED:
                edited.path.write_text(edited.body(number), "utf-8", newline="\n")
            for tool in _rotated(tools, number):
                run = tool.run()
                runs = found[scenario][tool.name]
                runs.costs.append(run.cost)
                runs.findings = tool.count(run.output)
        edited.path.write_text(edited.text, "utf-8", newline="\n")
    return found


def typing(tool: Tool, files: Sequence[Edited], edits: int) -> Typing:
    """Opens the files in one server, lets it come to rest, and edits them in turn."""
    _say(f"editing with {tool.name}")
    result = Typing(edits={kind: [] for kind in KINDS})
    with Client(tool.server, tool.folder, tool.settings or {}, tool.variables) as client:
        for file in files:
            began = time.perf_counter()
            client.open(file.path, file.text)
            client.diagnostics(file.path)
            result.opened.append(time.perf_counter() - began)
            result.first = result.first or client.age
        del result.opened[0]
        result.complete, result.findings = _completed(client, files)
        for kind, edit in KINDS.items():
            before = client.cpu
            for number, file in _turns(files, edits):
                result.edits[kind].append(_answered(client, file.path, edit(file, number)))
                time.sleep(_PAUSE_SECONDS)
            client.rest()
            after = client.cpu
            if before is not None and after is not None:
                result.work[kind] = (after - before) / len(result.edits[kind])
            for file in files:
                _answered(client, file.path, file.text)
            client.rest()
        result.offered = _offered(client, files)
    result.cost = client.cost
    return result


def _completed(client: Client, files: Sequence[Edited]) -> tuple[float, int]:
    """The age of the server when it had told all that it finds by itself, and how much that is.

    A server may first tell what it knows soon.
    """
    told: list[list[Any]] = []
    age = client.age

    def look() -> None:
        nonlocal age
        now = [client.diagnostics(file.path) for file in files]
        if now != told:
            told[:], age = now, client.age

    look()
    client.rest(look)
    return age, sum(map(len, told))


def _answered(client: Client, path: Path, text: str) -> float:
    began = time.perf_counter()
    client.change(path, text)
    client.diagnostics(path)
    return time.perf_counter() - began


def _offered(client: Client, files: Sequence[Edited]) -> dict[str, list[float]]:
    """The light bulb of each finding, after an edit, so that nothing is known of its fixes."""
    times: dict[str, list[float]] = {ASKED: [], RESOLVED: []}
    for file in files:
        client.change(file.path, file.body(0))
        later: dict[str, Any] = {}
        for finding in client.diagnostics(file.path):
            began = time.perf_counter()
            actions = client.actions(file.path, finding)
            times[ASKED].append(time.perf_counter() - began)
            later |= {a["title"]: a for a in actions if a.get("edit") is None and "data" in a}
        for action in later.values():
            began = time.perf_counter()
            client.ask("codeAction/resolve", action)
            times[RESOLVED].append(time.perf_counter() - began)
        _answered(client, file.path, file.text)
    return {kind: found for kind, found in times.items() if found}


def _turns(files: Sequence[Edited], edits: int) -> Iterator[tuple[int, Edited]]:
    """Several edits of one file in a row, as people type."""
    share = max(edits // len(files), 1)
    for file in files:
        for number in range(share):
            yield number, file


def _rotated(tools: Sequence[Tool], number: int) -> list[Tool]:
    start = number % len(tools)
    return [*tools[start:], *tools[:start]]


def _say(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)
