"""Which files are edited, and how: what a keystroke leaves behind, one change at a time."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_STEPS = (7, 5, 3, 2, 1)
"""Functions from one edit to the next, so that edits lie all over a file."""

SHORTEST, LONGEST = 300, 2000
"""Lines of a file that is edited, where the project has such files."""


@dataclass(frozen=True, slots=True)
class Edited:
    """A file and the places in it where a statement may be added."""

    path: Path
    text: str
    places: tuple[tuple[int, str], ...]
    """Line number, from 0, and indentation of functions' first statements."""

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    def body(self, number: int) -> str:
        """One more statement in a function; those of the edits before stay."""
        return self._with(number, f"_benchmark = {number}")

    def half_typed(self, number: int) -> str:
        """The same, before the last one is finished: the file does not parse."""
        return self._with(number, f"_benchmark = print({number}, ")

    def interface(self, number: int) -> str:
        """One more function that other files could import."""
        return f"{self.text}\n\nasync def _benchmark_{number}():\n    return {number}\n"

    def _with(self, number: int, statement: str) -> str:
        lines = self.text.split("\n")
        chosen = {self._place(earlier): f"_benchmark = {earlier}" for earlier in range(number)}
        chosen[self._place(number)] = statement
        for (line, indent), text in sorted(chosen.items(), reverse=True):
            lines.insert(line, f"{indent}{text}")
        return "\n".join(lines)

    def _place(self, number: int) -> tuple[int, str]:
        count = len(self.places)
        step = next(step for step in _STEPS if math.gcd(step, count) == 1)
        return self.places[number * step % count]


KINDS: dict[str, Callable[[Edited, int], str]] = {
    "a statement in a function": Edited.body,
    "the same, half-typed": Edited.half_typed,
    "a new function": Edited.interface,
}


def chosen(folder: Path, wanted: int) -> list[Edited]:
    """Files with coroutine functions, of all sizes in between."""
    candidates = sorted(_candidates(folder), key=lambda file: (file.lines, file.path))
    fitting = [file for file in candidates if SHORTEST <= file.lines <= LONGEST]
    pool = fitting or candidates[-wanted:]
    if len(pool) <= wanted:
        return pool
    step = (len(pool) - 1) / max(wanted - 1, 1)
    return [pool[round(index * step)] for index in range(wanted)]


def _candidates(folder: Path) -> Iterator[Edited]:
    for path in sorted(folder.rglob("*.py")):
        try:
            text = path.read_bytes().decode()
            tree = ast.parse(text)
        except (ValueError, SyntaxError):
            continue
        lines = text.split("\n")
        found = (_place(node, lines) for node in ast.walk(tree))
        places = tuple(itertools.chain.from_iterable(found))
        if places and "async def " in text and "\r" not in text and "\f" not in text:
            yield Edited(path, text, places)


def _place(node: ast.AST, lines: list[str]) -> Iterator[tuple[int, str]]:
    """Before the last statement of a function whose body stands on lines of its own."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        last = node.body[-1]
        decorators = getattr(last, "decorator_list", [])
        line = min(part.lineno for part in (last, *decorators))
        indent = lines[line - 1][: last.col_offset]
        if line > node.body[0].lineno and not indent.strip():
            yield line - 1, indent
