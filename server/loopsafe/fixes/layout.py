"""How statements lie on their lines: what may be indented, and what shares a line."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from loopsafe.fixes.edits import Draft, first_line
from loopsafe.fixes.names import own_nodes


def string_lines(node: ast.AST) -> frozenset[int]:
    """The lines that begin inside a string literal, where white space counts."""
    lines: set[int] = set()
    for inner in ast.walk(node):
        text = isinstance(inner, ast.Constant) and isinstance(inner.value, (str, bytes))
        if isinstance(inner, ast.expr) and (text or type(inner).__name__ in _TEMPLATES):
            lines.update(range(inner.lineno + 1, (inner.end_lineno or inner.lineno) + 1))
    return frozenset(lines)


_TEMPLATES = ("JoinedStr", "TemplateStr")


def suites(function: ast.AST) -> Iterator[list[ast.stmt]]:
    """The lists of statements in a function, from the outside in."""
    for node in (function, *own_nodes(function)):
        for field in ("body", "orelse", "finalbody"):
            suite = getattr(node, field, None)
            if isinstance(suite, list) and suite and isinstance(suite[0], ast.stmt):
                yield suite


def alone(draft: Draft, block: Sequence[ast.stmt]) -> bool:
    """Whether statements that follow each other share their lines with no other."""
    first, last = block[0], block[-1]
    line = draft.source.line(last.end_lineno or last.lineno)
    behind = line[draft.source.point(last.end_lineno or 0, last.end_col_offset or 0) :].strip()
    before = draft.source.line(first.lineno)[: draft.source.point(first.lineno, first.col_offset)]
    return not before.strip() and (not behind or behind.startswith("#"))


def opened(draft: Draft, call: ast.Call, position: int) -> int:
    """Where a positional argument begins, brackets around it included."""
    before = draft.stop(call.args[position - 1]) if position else draft.bracket(call) + 1
    start = draft.start(call.args[position])
    bracket = draft.source.text.find("(", before, start)
    return start if bracket < 0 else bracket


def deeper(draft: Draft, block: Sequence[ast.stmt], unit: str) -> list[tuple[int, int, str]]:
    """Insertions that indent the lines of some statements after the first by one more level."""
    protected = frozenset[int]().union(*map(string_lines, block))
    first, last = first_line(block[0]), block[-1]
    changes = []
    for line in range(first + 1, (last.end_lineno or last.lineno) + 1):
        if line not in protected and draft.source.line(line).strip():
            at = draft.source.offset(line, 0)
            changes.append((at, at, unit))
    return changes


def changed(draft: Draft, start: int, stop: int, changes: list[tuple[int, int, str]]) -> str:
    """A range of the text after replacements in it; insertions inside of what goes are dropped."""
    gone = [(first, last) for first, last, _ in changes if first < last]
    text, limit = draft.source.text[start:stop], stop
    for first, last, content in sorted(changes, key=lambda c: c[:2], reverse=True):
        if first == last and any(a < first < b for a, b in gone):
            continue
        assert last <= limit, "changes overlap"
        text = text[: first - start] + content + text[last - start :]
        limit = first
    return text
