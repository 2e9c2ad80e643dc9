"""Holds the call graph against one that people wrote down: how many edges are found, and are right.

    python scripts/callgraph_check.py micro-benchmark/snippets

The folder is that of PyCG (github.com/vitsalis/PyCG, `micro-benchmark/snippets`), or one like it:
small programs, each in a folder of its own with a `callgraph.json` of callers and callees by their
dotted names. Only edges between functions of the program count.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from loopsafe.config import Settings
from loopsafe.deep import run_deep
from loopsafe.effects.dispatch import implementations
from loopsafe.effects.meetings import meetings
from loopsafe.effects.runs import Run
from loopsafe.engine import Engine
from loopsafe.modules.module import Module
from loopsafe.resolve.values import Frame, FunctionValue

_MOST_FRAMES = 2000

_ELSEWHERE = ("<builtin>", "<**", "ext.")
"""Names of callees that no file of a program defines."""

Edge = tuple[str, str]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--list", action="store_true", help="name every edge that differs")
    arguments = parser.parse_args()
    programs = sorted(arguments.folder.rglob("callgraph.json"))
    if not programs:
        print(f"{arguments.folder}: no callgraph.json", file=sys.stderr)
        return 2
    by_kind: dict[str, list[int]] = {}
    for program in programs:
        kind = program.relative_to(arguments.folder).parts[0]
        wanted = set(_written(json.loads(program.read_text("utf-8"))))
        found = run_deep(lambda folder=program.parent: set(_found(folder)))  # type: ignore[misc]
        counts = by_kind.setdefault(kind, [0, 0, 0])
        for index, count in enumerate((len(wanted), len(found), len(wanted & found))):
            counts[index] += count
        if arguments.list:
            name = program.parent.relative_to(arguments.folder)
            for sign, edges in (("-", wanted - found), ("+", found - wanted)):
                for caller, callee in sorted(edges):
                    print(f"{sign} {name}: {caller} -> {callee}")
    _print(by_kind)
    return 0


def _print(by_kind: dict[str, list[int]]) -> None:
    print("| kind | edges | found | right | recall | precision |")
    print("|---|---|---|---|---|---|")
    total = [sum(counts[index] for counts in by_kind.values()) for index in range(3)]
    for kind, (wanted, found, right) in [*sorted(by_kind.items()), ("all", total)]:
        recall, precision = _share(right, wanted), _share(right, found)
        print(f"| {kind} | {wanted} | {found} | {right} | {recall} | {precision} |")


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def _written(graph: dict[str, list[str]]) -> Iterator[Edge]:
    for caller, callees in graph.items():
        for callee in callees:
            if callee in graph and not callee.startswith(_ELSEWHERE):
                yield caller, callee


def _found(folder: Path) -> Iterator[Edge]:
    """The edges of all functions, however they are entered."""
    engine = Engine(folder, Settings(second_opinion=False))
    engine.index()
    paths = [str(path) for path in folder.rglob("*.py")]
    modules = [module for module in map(engine.table.at, paths) if module is not None]
    names = {(m.key, n): name for m in modules for n, name in _names(m, folder.name)}
    todo: list[tuple[tuple[str, int], Frame]] = []
    for module in modules:
        for number in range(len(module.facts.functions)):
            frame = engine.resolver.function_frame(FunctionValue(module.key, number))
            if frame is not None:
                todo.append(((module.key, number), frame))
    seen = set(todo)
    while todo and len(seen) < _MOST_FRAMES:
        caller, frame = todo.pop()
        for meeting in meetings(engine.resolver, frame):
            if not isinstance(meeting.target, Run):
                continue
            for target in implementations(engine.resolver, meeting.target):
                if not isinstance(target, Run):
                    continue
                callee = (target.function.module, target.function.number)
                if callee not in names:
                    continue
                yield names[caller], names[callee]
                entered = engine.resolver.function_frame(target.function, target.arguments)
                if entered is not None and (callee, entered) not in seen:
                    seen.add((callee, entered))
                    todo.append((callee, entered))


def _names(module: Module, folder: str) -> Iterator[tuple[int, str]]:
    """The dotted names of a module's functions; lambdas are counted in what they stand in."""
    lambdas: dict[str, int] = {}
    dotted = module.dotted.removeprefix(f"{folder}.")
    for number, function in enumerate(module.facts.functions):
        name = dotted if number == 0 else f"{dotted}.{function.qualname}"
        if function.name == "<lambda>":
            lambdas[name] = lambdas.get(name, 0) + 1
            name = f"{name[:-1]}{lambdas[name]}>"
        yield number, name


if __name__ == "__main__":
    sys.exit(main())
