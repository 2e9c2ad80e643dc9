"""Puts a compound statement together from the parts that could be read."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from loopsafe.facts.headers import Header, Mended
from loopsafe.facts.syntax import split_lines

_FIELDS = ("body", "cases", "handlers", "orelse", "finalbody")


def wrapper(header: Header, body: list[ast.stmt]) -> ast.If:
    """A block whose header is lost; under which condition it runs is not known."""
    line, column = header.start + 1, len(header.indent.encode())
    test = ast.Name(
        "_", ast.Load(), lineno=line, col_offset=column, end_lineno=line, end_col_offset=column
    )
    end, end_column = body[-1].end_lineno, body[-1].end_col_offset
    return ast.If(
        test, body, [], lineno=line, col_offset=column, end_lineno=end, end_col_offset=end_column
    )


def place_of(header: Header, mended: Mended) -> tuple[int, int]:
    """Where the `pass` of a header's skeleton is."""
    lines = split_lines(header.indent + mended.text)
    return header.start + len(lines), len(lines[-1].encode()) + 1


def fill(statements: Sequence[ast.stmt], places: Mapping[tuple[int, int], list[ast.stmt]]) -> None:
    """Puts bodies where their `pass` is, and moves the ends of what holds them."""
    nodes = [node for statement in statements for node in ast.walk(statement)]
    for node in nodes:
        for name in _FIELDS:
            body = getattr(node, name, None)
            if isinstance(body, list) and len(body) == 1 and isinstance(body[0], ast.Pass):
                inner = places.get((body[0].lineno, body[0].col_offset))
                if inner:
                    setattr(node, name, inner)
    for node in reversed(nodes):
        if isinstance(node, (ast.stmt, ast.excepthandler)):
            last = [s for name in _FIELDS for s in _statements(node, name)[-1:]]
            last = [s.body[-1] if isinstance(s, ast.match_case) else s for s in last]
            if last:
                node.end_lineno = last[-1].end_lineno
                node.end_col_offset = last[-1].end_col_offset


def _statements(node: ast.AST, name: str) -> list[ast.stmt]:
    body = getattr(node, name, None)
    return body if isinstance(body, list) else []
