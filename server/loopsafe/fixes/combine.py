"""Joins edits of one file: each once, and one where several insert at the same place."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from itertools import groupby

from loopsafe.fixes.imports import section, sort_key
from loopsafe.model import Edit, Span


def combined(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits in the order of the text, imports of one place sorted and without repetition."""
    distinct = sorted(dict.fromkeys(edits), key=lambda edit: edit.span)
    found: list[Edit] = []
    for span, group in groupby(distinct, key=lambda edit: edit.span):
        same = list(group)
        if not _is_empty(span):
            found += same
        elif any(edit.content for edit in same):
            found.append(Edit(same[0].path, span, _joined([edit.content for edit in same])))
    return tuple(found)


def overlap(first: Edit, second: Edit) -> bool:
    """Whether two different edits cannot be applied together."""
    (a, b), (c, d) = _ends(first), _ends(second)
    if a == c:
        return not (_is_empty(first.span) and _is_empty(second.span))
    return a < d and c < b


def _joined(contents: list[str]) -> str:
    parsed = [_imports(content) for content in contents]
    if len(contents) == 1 or not all(parsed):
        return "".join(contents)
    statements = {ast.unparse(node): node for nodes in parsed for node in nodes}
    ordered = sorted(statements.items(), key=lambda item: sort_key(item[1]))
    newline = "\r\n" if "\r\n" in contents[0] else "\n"
    text, before = "", None
    for written, node in ordered:
        here = section(node)
        text += newline * (before not in (None, here)) + written + newline
        before = here
    first = min(contents, key=lambda content: sort_key(_imports(content)[0]))
    last = max(contents, key=lambda content: sort_key(_imports(content)[-1]))
    lead = first[: len(first) - len(first.lstrip("\r\n"))]
    trail = last[len(last.rstrip("\r\n")) :]
    return lead + text.rstrip("\r\n") + trail


def _imports(content: str) -> list[ast.Import | ast.ImportFrom]:
    """The statements of an inserted text that consists of imports."""
    try:
        body = ast.parse(content).body
    except SyntaxError:
        return []
    imports = [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
    return imports if len(imports) == len(body) else []


def _is_empty(span: Span) -> bool:
    return span[:2] == span[2:]


def _ends(edit: Edit) -> tuple[tuple[int, int], tuple[int, int]]:
    span = edit.span
    return (span.line, span.column), (span.end_line, span.end_column)
