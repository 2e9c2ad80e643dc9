"""Edits of a text, and the way back from the places in what they make to those in the text."""

from __future__ import annotations

import ast
import re
import sys
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from loopsafe.facts.generics import remember

_GENERIC = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
LINE_END = re.compile(r"\r\n|\r|\n")


class Edit(NamedTuple):
    """Replaces what is between two offsets by a text with as many lines."""

    start: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class Rewriting:
    """Older text with as many lines as the newer one, and the way back from its positions."""

    text: str
    _ways: dict[int, list[tuple[int, int, bool]]]
    """By line: from which column on, what the column was, and whether it stays there."""
    _strings: dict[tuple[int, int], tuple[int, int]]
    """Starts of the expressions that replaced f-strings, and where those ended."""
    _parameters: dict[int, str]
    """Type parameters that became blanks, by line."""

    def restore(self, tree: ast.Module, first_line: int = 1) -> None:
        """Moves the nodes of the parsed older text to where they are in the newer one."""
        before = first_line - 1
        ends: dict[int, tuple[int, int]] = {}
        if self._strings:
            restorer = _Restorer(self._strings, before)
            restorer.visit(tree)
            ends = restorer.ends
        for node in ast.walk(tree):
            if isinstance(node, _GENERIC) and (node.lineno - before) in self._parameters:
                remember(node, self._parameters[node.lineno - before])
            if hasattr(node, "col_offset"):
                self._move(node, before)
                if isinstance(node, ast.JoinedStr) and (end := ends.get(id(node))):
                    node.end_lineno, node.end_col_offset = end[0] + before, end[1]

    def _move(self, node: ast.AST, before: int) -> None:
        place: ast.expr = node  # type: ignore[assignment]
        if place.lineno - before in self._ways:
            place.col_offset = self._column(place.lineno - before, place.col_offset)
        end, column = place.end_lineno, place.end_col_offset
        if end is not None and column is not None and end - before in self._ways:
            place.end_col_offset = self._column(end - before, column)

    def _column(self, line: int, column: int) -> int:
        ways = self._ways[line]
        index = bisect_right(ways, (column, sys.maxsize, True)) - 1
        if index < 0:
            return column
        start, origin, stays = ways[index]
        return origin if stays else origin + column - start


def apply(text: str, edits: Sequence[Edit], replaced_strings: Mapping[int, int]) -> Rewriting:
    """Applies edits that are in order, noting on each line how columns shift.

    `replaced_strings` are the offsets of f-strings that became expressions, and of their ends.
    """
    parts: list[str] = []
    ways: dict[int, list[tuple[int, int, bool]]] = {}
    strings: dict[tuple[int, int], tuple[int, int]] = {}
    parameters: dict[int, str] = {}
    old, new = _Cursor(), _Cursor()
    previous = 0
    for start, end, content in edits:
        if start < previous:
            continue
        kept, replaced = text[previous:start], text[start:end]
        parts += (kept, content)
        old.advance(kept)
        new.advance(kept)
        begin = (new.line, new.column + 1)
        if replaced.startswith("[") and not content.strip(" \\\n"):
            parameters[new.line] = replaced[1:-1]
        ways.setdefault(new.line, []).append((new.column, old.column, True))
        old.advance(replaced)
        for _ in range(new.advance(content)):
            ways.setdefault(new.line, []).append((0, 0, True))
        ways.setdefault(new.line, []).append((new.column, old.column, False))
        if (stop := replaced_strings.get(start)) is not None and content.startswith('(""%'):
            close = _Cursor(old.line, old.column)
            close.advance(text[end:stop])
            strings[begin] = (close.line, close.column)
        previous = end
    parts.append(text[previous:])
    return Rewriting("".join(parts), ways, strings, parameters)


@dataclass(slots=True)
class _Cursor:
    line: int = 1
    column: int = 0

    def advance(self, text: str) -> int:
        """Moves over a text; how many lines on."""
        lines = LINE_END.split(text)
        if len(lines) > 1:
            self.line += len(lines) - 1
            self.column = 0
        self.column += len(lines[-1].encode())
        return len(lines) - 1


class _Restorer(ast.NodeTransformer):
    """Makes f-strings again of the expressions that stand for them."""

    def __init__(self, strings: dict[tuple[int, int], tuple[int, int]], before: int) -> None:
        self._strings = strings
        self._before = before
        self.ends: dict[int, tuple[int, int]] = {}
        """By identity of the f-strings made."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """`"" % (a, b)` where an f-string was."""
        self.generic_visit(node)
        end = self._strings.get((node.lineno - self._before, node.col_offset))
        if end is None or not isinstance(node.right, ast.Tuple):
            return node
        values: list[ast.expr] = [
            ast.copy_location(ast.FormattedValue(value, -1, None), value)
            for value in node.right.elts
        ]
        string = ast.copy_location(ast.JoinedStr(values), node)
        self.ends[id(string)] = end
        return string
