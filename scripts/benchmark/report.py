"""Measurements as Markdown tables, with ratios against the other tools of the same run."""

from __future__ import annotations

import datetime
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark.edits import Edited
from benchmark.measuring import SCENARIOS, Runs, Typing
from benchmark.processes import Cost
from benchmark.subject import Subject
from benchmark.tools import Tool

_MEGABYTE = 1_000_000
_OWN = "loopsafe"


def heading(subject: Subject, tools: Sequence[Tool]) -> list[str]:
    """What was measured, with what, where and when."""
    versions = ", ".join(f"{tool.name} {tool.version}" for tool in tools)
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return [
        f"- Project: {subject.name}, {subject.files} files, {subject.lines:,} lines",
        f"- Tools: {versions}",
        f"- Machine: {_processor()}, {os.cpu_count()} processors, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}{load}",
        f"- Date: {datetime.date.today().isoformat()}",
    ]


def whole(found: Mapping[str, Mapping[str, Runs]]) -> list[str]:
    """A table of each scenario: medians, and medians of the ratios within a round."""
    lines = []
    for scenario in SCENARIOS:
        runs = found[scenario]
        others = [name for name in runs if name != _OWN]
        ratios = [f"{what} ÷ {name}" for name in others for what in ("time", "CPU", "memory")]
        head = ["", "time", "CPU", "peak memory", "findings", *(ratios if _OWN in runs else ())]
        rows = [_row(name, runs, others) for name in runs]
        lines += ["", f"### Whole project, {scenario}", "", *_table(head, rows)]
    return lines


def growth(found: Mapping[int, Mapping[str, Mapping[str, Runs]]]) -> list[str]:
    """A row for each size and situation: by number of files, scenario and tool."""
    names = list(next(iter(found.values()))[SCENARIOS[0]])
    figures = ("time", "CPU", "memory", "findings")
    head = ["files", "", *(f"{name}: {figure}" for name in names for figure in figures)]
    rows = [
        [f"{count:,}", scenario, *(cell for name in names for cell in _row(name, runs, ())[1:5])]
        for count, scenarios in found.items()
        for scenario, runs in scenarios.items()
    ]
    return _table(head, rows)


def median_wall(runs: Runs) -> float:
    """Seconds on the clock."""
    return statistics.median(cost.wall for cost in runs.costs)


def editing(
    typed: Mapping[str, Typing], files: Sequence[Edited], again: Mapping[str, Runs]
) -> list[str]:
    """A table of the language servers, beside what running again takes."""
    sizes = ", ".join(f"{file.lines:,}" for file in files)
    head = ["", "edit", "p50", "p95", "longest", "edits", "CPU each"]
    rows = []
    for name, result in typed.items():
        for kind, times in result.edits.items():
            work = result.work.get(kind)
            each = "–" if work is None else _seconds(work)
            rows.append([f"{name} server", kind, *_spread(times), each])
    for name, runs in again.items():
        spread = _spread([cost.wall for cost in runs.costs])
        rows.append([f"{name}, run again", "a statement", *spread, _cpu(*runs.costs)])
    lines = ["", f"### From an edit to its diagnostics, {len(files)} files of {sizes} lines", ""]
    lines += [*_table(head, rows), *_edit_ratios(typed, again)]
    head = ["", "asked for", "p50", "p95", "longest", "requests"]
    rows = [
        [f"{name} server", kind, *_spread(times)]
        for name, result in typed.items()
        for kind, times in result.offered.items()
    ]
    lines += ["", "### The light bulb of each finding", "", *_table(head, rows)]
    head = [
        *("", "first diagnostics after start", "next file, p50", "longest"),
        *("all diagnostics after start", "diagnostics", "peak memory", "CPU"),
    ]
    rows = [
        [
            f"{name} server",
            _seconds(result.first),
            _seconds(percentile(result.opened, 50)) if result.opened else "",
            _seconds(max(result.opened)) if result.opened else "",
            _seconds(result.complete),
            str(result.findings),
            _memory(result.cost),
            _cpu(result.cost),
        ]
        for name, result in typed.items()
    ]
    return [*lines, "", "### Opening files, and the whole editing session", "", *_table(head, rows)]


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that this share of all does not exceed."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(int(rank), 1) - 1]


def ratio(own: Sequence[float | None], other: Sequence[float | None]) -> str:
    """The median of ratios between runs of the same round."""
    pairs = zip(own, other, strict=True)
    found = [mine / theirs for mine, theirs in pairs if mine is not None and theirs]
    if not found:
        return "–"
    value = statistics.median(found)
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def _row(name: str, runs: Mapping[str, Runs], others: Sequence[str]) -> list[str]:
    costs = runs[name].costs
    row = [
        name,
        _seconds(median_wall(runs[name])),
        _cpu(*costs),
        _memory(*costs),
        str(runs[name].findings),
    ]
    if _OWN not in runs:
        return row
    if name != _OWN:
        return [*row, *[""] * (3 * len(others))]
    for other in others:
        theirs = runs[other].costs
        row.append(ratio([c.wall for c in costs], [c.wall for c in theirs]))
        row.append(ratio([c.cpu for c in costs], [c.cpu for c in theirs]))
        row.append(ratio([c.memory for c in costs], [c.memory for c in theirs]))
    return row


def _edit_ratios(typed: Mapping[str, Typing], again: Mapping[str, Runs]) -> list[str]:
    """One sentence for each tool that Loopsafe's p50 can be held against."""
    if _OWN not in typed:
        return []
    kind, times = next(iter(typed[_OWN].edits.items()))
    own = percentile(times, 50)
    others = {
        f"{name}'s server": percentile(result.edits[kind], 50)
        for name, result in typed.items()
        if name != _OWN
    }
    for name, runs in again.items():
        others[f"running {name} again"] = statistics.median(c.wall for c in runs.costs)
    lines = [f"- {ratio([own], [value])} times {name}" for name, value in others.items()]
    return ["", f"Loopsafe's server takes for {kind} (p50):", "", *lines] if lines else []


def _spread(times: Sequence[float]) -> list[str]:
    figures = (percentile(times, 50), percentile(times, 95), max(times))
    return [*map(_seconds, figures), str(len(times))]


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _cpu(*costs: Cost | None) -> str:
    known = [cost.cpu for cost in costs if cost and cost.cpu is not None]
    return _seconds(statistics.median(known)) if known else "–"


def _memory(*costs: Cost | None) -> str:
    known = [cost.memory for cost in costs if cost and cost.memory is not None]
    return f"{statistics.median(known) / _MEGABYTE:.0f} MB" if known else "–"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    ruler = ["---", *["---:" for _ in head[1:]]]
    return [f"| {' | '.join(cells)} |" for cells in (head, ruler, *rows)]


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
