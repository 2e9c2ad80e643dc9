"""Moves the statements that somebody has selected to a worker thread: a refactoring."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from loopsafe.fixes.combine import combined
from loopsafe.fixes.context import FixContext
from loopsafe.fixes.edits import Draft, compiles, first_line
from loopsafe.fixes.extract import CAVEAT, extracted
from loopsafe.fixes.idioms import choose
from loopsafe.fixes.site import place_in
from loopsafe.model import Fix, Safety, Span

_SUITES = ("body", "orelse", "finalbody", "handlers", "cases")


class _Selected(NamedTuple):
    function: ast.AsyncFunctionDef
    block: Sequence[ast.stmt]


def moves(context: FixContext, span: Span) -> Iterator[Fix]:
    """The refactoring, where whole statements of a coroutine function are selected that can leave.

    Of statements that are selected in part, all counts if the selection has more than one line.
    """
    draft = Draft(context.path, context.source)
    selected = _selected(context, draft, span)
    if selected is None:
        return
    first = selected.block[0]
    place = Span(first.lineno, first.col_offset, first.end_lineno or 0, first.end_col_offset or 0)
    site = place_in(context, place)
    idiom = choose(site)
    edits = extracted(site, selected.function, selected.block, idiom)
    if edits and compiles(draft, context.tree, edits := combined(edits)):
        what = "line" if _one_line(selected.block) else "lines"
        title = f"Move the selected {what} to a thread with {idiom.shows}"
        yield Fix(title, Safety.UNSAFE, edits, "extract", CAVEAT)


def _selected(context: FixContext, draft: Draft, span: Span) -> _Selected | None:
    text = context.source.text
    start = context.source.offset(span.line, span.column)
    stop = context.source.offset(span.end_line, span.end_column)
    chosen = text[start:stop]
    start, stop = stop - len(chosen.lstrip()), start + len(chosen.rstrip())
    if start >= stop:
        return None
    function: ast.AsyncFunctionDef | None = None
    suite: Sequence[ast.AST] = context.tree.body
    while True:
        block = [s for s in suite if _start(draft, s) < stop and start < _stop(draft, s)]
        inner = _suite_around(draft, block[0], start) if len(block) == 1 else None
        if inner is None:
            break
        if isinstance(block[0], ast.AsyncFunctionDef):
            function = block[0]
        elif isinstance(block[0], (ast.FunctionDef, ast.ClassDef)):
            function = None
        suite = inner
    statements = [node for node in block if isinstance(node, ast.stmt)]
    if function is None or not statements or len(statements) < len(block):
        return None
    whole = start <= _start(draft, block[0]) and _stop(draft, block[-1]) <= stop
    return _Selected(function, statements) if whole or "\n" in text[start:stop] else None


def _suite_around(draft: Draft, node: ast.AST, start: int) -> Sequence[ast.AST] | None:
    """The part of a compound statement that a selection begins in."""
    found: Sequence[ast.AST] | None = None
    for field in _SUITES:
        suite: list[ast.AST] = getattr(node, field, [])
        if isinstance(suite, list) and suite and _start(draft, suite[0]) <= start:
            found = suite
    return found


def _start(draft: Draft, node: ast.AST) -> int:
    if isinstance(node, ast.stmt):
        line = first_line(node)
        column = node.col_offset if line == node.lineno else len(draft.indent(line).encode())
        return draft.source.offset(line, column)
    inner = getattr(node, "pattern", node)
    return draft.source.offset(getattr(inner, "lineno", 1), getattr(inner, "col_offset", 0))


def _stop(draft: Draft, node: ast.AST) -> int:
    if isinstance(node, ast.match_case):
        node = node.body[-1]
    line, column = getattr(node, "end_lineno", 1), getattr(node, "end_col_offset", 0)
    return draft.source.offset(line, column)


def _one_line(block: Sequence[ast.stmt]) -> bool:
    return first_line(block[0]) == block[-1].end_lineno
