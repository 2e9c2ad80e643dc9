"""Jupyter notebooks as one module: the code cells one after the other, without their magics.

Every line keeps its place in its cell; what only IPython understands becomes `pass` or a comment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from loopsafe.model import Span

SUFFIX = ".ipynb"
_LINE_END = re.compile(r"\r\n|\r|\n")
_PYTHON_CELLS = re.compile(
    r"%%(?:time|timeit|capture|prun|python3?|debug|memit|mprun|snakeviz|scalene|chime)\b"
)
"""Cell magics below which the cell is Python all the same."""
_MAGIC = re.compile(r"(\s*)(?:%|!|\?|/\w|,\w|;\w)")
_ASSIGNED = re.compile(r"(\s*[\w., ]+=\s*)[%!]")
_HELP = re.compile(r"\s*[\w.%*]+\?\??\s*$")


@dataclass(frozen=True, slots=True)
class Cell:
    """One code cell's lines in the joined text."""

    number: int
    """Among all cells of the notebook, from 1, as people count."""
    first: int
    """The 1-based line where it starts."""
    lines: int


@dataclass(frozen=True, slots=True)
class Notebook:
    """The code cells of a notebook as one text."""

    text: str
    cells: tuple[Cell, ...]
    masked: frozenset[int] = frozenset()
    """1-based lines whose text is not the notebook's: magics."""

    def cell(self, line: int) -> Cell | None:
        """The cell that a line of the joined text is in."""
        return next((c for c in self.cells if c.first <= line < c.first + c.lines), None)

    def may_edit(self, span: Span) -> bool:
        """Whether a span is within one cell and touches no line that reads otherwise there."""
        cell = self.cell(span.line)
        if cell is None or cell != self.cell(span.end_line):
            return False
        # At the start of a line nothing of the line itself is touched.
        last = span.end_line if span.end_column else span.end_line - 1
        return not self.masked & {*range(span.line, last + 1)}


def join(cells: Iterable[tuple[int, str]]) -> Notebook:
    """Code cells, each with its number, as one text."""
    parts: list[str] = []
    placed: list[Cell] = []
    masked: set[int] = set()
    first = 1
    for number, source in cells:
        lines = _LINE_END.split(source)
        plain = _without_magics(lines)
        masked.update(first + i for i, line in enumerate(lines) if plain[i] != line)
        parts += plain
        placed.append(Cell(number, first, len(lines)))
        first += len(lines)
    return Notebook("\n".join(parts), tuple(placed), frozenset(masked))


def read(text: str) -> Notebook:
    """A notebook's file; of other languages nothing. Raises SyntaxError where it is no notebook."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise SyntaxError("not a notebook: the file is no JSON") from None
    cells = data.get("cells") if isinstance(data, dict) else None
    if not isinstance(cells, list):
        raise SyntaxError("not a notebook of format 4")
    if _language(data) != "python":
        return Notebook("", ())
    return join(
        (number, _source(cell))
        for number, cell in enumerate(cells, 1)
        if isinstance(cell, dict) and cell.get("cell_type") == "code"
    )


def _language(data: dict[str, Any]) -> str:
    """The kernel's language; Python where the notebook does not say."""
    metadata = data.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        part = metadata.get(key)
        value = part.get(name) if isinstance(part, dict) else None
        if isinstance(value, str):
            return "python" if value.lower().startswith(("python", "ipython")) else value
    return "python"


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source")
    if isinstance(source, list):
        return "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""


def _without_magics(lines: list[str]) -> list[str]:
    """As many lines, all of them Python's."""
    start = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if lines[start].startswith("%%") and not _PYTHON_CELLS.match(lines[start]):
        return ["#" for _ in lines]
    plain: list[str] = []
    open_brackets, in_string, continues, is_magic = 0, "", False, False
    for line in lines:
        if open_brackets or in_string or (continues and not is_magic):
            plain.append(line)  # Inside an expression `%` and `!` are operators.
        elif continues:
            plain.append("#")
        else:
            plain.append(_python(line))
        continues, is_magic = line.endswith("\\"), plain[-1] != line
        if not is_magic:
            open_brackets, in_string = _state(line, open_brackets, in_string)
    return plain


def _python(line: str) -> str:
    if line.startswith("%%"):
        return "#"
    if _MAGIC.match(line) or (_HELP.match(line) and "#" not in line):
        return _indent(line) + "pass"
    assigned = _ASSIGNED.match(line)
    if assigned and "==" not in assigned[1]:
        return f"{assigned[1]}[]"
    return line


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _state(line: str, brackets: int, string: str) -> tuple[int, str]:
    """Open brackets, and the quotes of an open string, behind a line."""
    index = 0
    while index < len(line):
        if string:
            if line[index] == "\\":
                index += 1
            elif line.startswith(string, index):
                index += len(string) - 1
                string = ""
        elif line[index] == "#":
            break
        elif line[index] in "\"'":
            triple = line[index] * 3
            string = triple if line.startswith(triple, index) else line[index]
            index += len(string) - 1
        elif line[index] in "([{":
            brackets += 1
        elif line[index] in ")]}":
            brackets = max(brackets - 1, 0)
        index += 1
    if len(string) == 1 and not line.endswith("\\"):
        string = ""
    return brackets, string
