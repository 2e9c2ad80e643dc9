"""Which files are edited, and how: what a keystroke leaves behind, one change at a time."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

STATEMENTS = tuple(
    tuple(statement.split("|"))
    for statement in (
        "_benchmark = print(|1, 2)",
        "time.sleep(|1)",
        "await asyncio.sleep(|1)",
        "value = open('settings|.json').read()",
        "requests.get(url, timeout=|5).json()",
        "result = helper(value, key=[1,| 2])",
        "if user is None|:\n    raise ValueError('no user')",
        "with lock:|\n    items.append(1)",
        "for item in |items:\n    print(item)",
        "return await self.|get(name)",
        "data = json.loads(path.|read_text())",
    )
)
"""What is typed, in two parts: behind the first it does not parse."""

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
        return self._with(number, is_whole=True)

    def half_typed(self, number: int) -> str:
        """The same, before the last one is finished: the file does not parse."""
        return self._with(number, is_whole=False)

    def interface(self, number: int) -> str:
        """One more function that other files could import."""
        return f"{self.text}\n\nasync def _benchmark_{number}():\n    return {number}\n"

    def imported(self, number: int) -> str:
        """One more module, imported in front of the others."""
        lines = self.text.split("\n")
        first = min(
            node.lineno
            for node in ast.parse(self.text).body
            if isinstance(node, (ast.Import, ast.ImportFrom)) and not _is_future(node)
        )
        fresh = [f"import colorsys as _benchmark_{each}" for each in range(number + 1)]
        return "\n".join([*lines[: first - 1], *fresh, *lines[first - 1 :]])

    def having(self, statements: Mapping[tuple[int, str], str]) -> str:
        """The text with statements put in at some of its places."""
        lines = self.text.split("\n")
        for (line, indent), text in sorted(statements.items(), reverse=True):
            lines[line:line] = [indent + part for part in text.split("\n")]
        return "\n".join(lines)

    def _with(self, number: int, is_whole: bool) -> str:
        chosen: dict[tuple[int, str], str] = {}
        for each in range(number + 1):
            start, rest = STATEMENTS[each % len(STATEMENTS)]
            chosen[self._place(each)] = start + rest if is_whole or each < number else start
        return self.having(chosen)

    def _place(self, number: int) -> tuple[int, str]:
        count = len(self.places)
        step = next(step for step in _STEPS if math.gcd(step, count) == 1)
        return self.places[number * step % count]


KINDS: dict[str, Callable[[Edited, int], str]] = {
    "a statement in a function": Edited.body,
    "the same, half-typed": Edited.half_typed,
    "a new function": Edited.interface,
    "a new import": Edited.imported,
}


def _is_future(node: ast.Import | ast.ImportFrom) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


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
