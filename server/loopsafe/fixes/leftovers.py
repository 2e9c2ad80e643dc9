"""Takes out the imports that nothing in the file uses any more, once its edits are made.

import time
time.sleep(1)       ->      await asyncio.sleep(1)
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from loopsafe import notebook
from loopsafe.fixes.edits import Draft, first_line
from loopsafe.fixes.layout import alone
from loopsafe.fixes.names import survey
from loopsafe.model import Edit

_WORD = re.compile(r"\w+")


def tidied(draft: Draft, tree: ast.Module, edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits, with those that remove what they leave unused."""
    kept = tuple(edits)
    if draft.path.endswith("__init__.py"):
        return kept  # An import there may be for others.
    gone = [_offsets(draft, edit) for edit in kept if edit.span[:2] != edit.span[2:]]
    written = {word for edit in kept for word in _WORD.findall(edit.content)}
    found = survey(tree)
    removals: list[Edit] = []
    for node in tree.body:
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        unused = []
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            places = found.loads.get(bound, ())
            if not places or bound in written or len(found.bindings.get(bound, ())) != 1:
                continue
            at = (draft.source.offset(*place) for place in places)
            if all(any(start <= offset < stop for start, stop in gone) for offset in at):
                unused.append(alias)
        if not unused:
            continue
        added = [edit for edit in kept if _is_touched(draft, node, edit)]
        if added:
            kept = _renamed(draft, node, unused, added, kept)
        elif len(unused) == len(node.names):
            removals += _line(draft, tree, node, kept)
        elif len(unused) == 1:
            removals.append(_name(draft, node, unused[0]))
    return (*kept, *removals)


def removes(draft: Draft, tree: ast.Module, edit: Edit) -> bool:
    """Whether an edit only takes imports out, which another fix of the file may still need."""
    if edit.content:
        return False
    text = draft.source.text[slice(*_offsets(draft, edit))].strip(" \t\r\n,")
    return any(
        isinstance(node, (ast.Import, ast.ImportFrom))
        and first_line(node) <= edit.span.line <= (node.end_lineno or node.lineno)
        and (text == draft.code(node) or text in map(ast.unparse, node.names))
        for node in tree.body
    )


def _offsets(draft: Draft, edit: Edit) -> tuple[int, int]:
    span = edit.span
    start = draft.source.offset(span.line, span.column)
    return start, draft.source.offset(span.end_line, span.end_column)


def _is_touched(draft: Draft, node: ast.stmt, edit: Edit) -> bool:
    start, stop = _offsets(draft, edit)
    return start <= draft.stop(node) and draft.start(node) < stop


def _renamed(
    draft: Draft,
    node: ast.Import | ast.ImportFrom,
    unused: list[ast.alias],
    added: list[Edit],
    edits: tuple[Edit, ...],
) -> tuple[Edit, ...]:
    """Lets a name that is added to a statement take the place of the one that goes."""
    new = added[0].content.strip(", \t\r\n")
    if len(unused) != 1 or len(added) != 1 or not added[0].content.startswith(","):
        return edits
    alias = unused[0]
    start = draft.source.offset(alias.lineno, alias.col_offset)
    stop = draft.source.offset(alias.end_lineno or 0, alias.end_col_offset or 0)
    return (*(edit for edit in edits if edit is not added[0]), draft.replace(start, stop, new))


def _line(
    draft: Draft, tree: ast.Module, node: ast.Import | ast.ImportFrom, edits: Iterable[Edit]
) -> list[Edit]:
    """Takes a whole statement out, with its line; not one that a comment speaks of."""
    first, last = node.lineno, node.end_lineno or node.lineno
    whole = "".join(draft.source.line(line) for line in range(first, last + 1))
    if not alone(draft, [node]) or "#" in whole or len(tree.body) == 1:
        return []
    if last >= draft.source.line_count or draft.path.endswith(notebook.SUFFIX):
        return []  # A line's end may be a cell's, which no edit may reach across.
    start = draft.source.offset(first, 0)
    stop = _below_blank_lines(draft, first, last + 1, {edit.span.line for edit in edits})
    return [draft.replace(start, stop, "")]


def _below_blank_lines(draft: Draft, first: int, after: int, touched: set[int]) -> int:
    """Where text goes on after lines that go, so that two gaps become one, and none on top.

    Gaps that an edit puts something into stay as they are.
    """
    above = first - 1
    while above and not draft.source.line(above).strip():
        above -= 1
    most = first - 1 - above if above else draft.source.line_count
    if first in touched or (not above and any(line < first for line in touched)):
        most = 0
    line = after
    while line < after + most and line < draft.source.line_count and line not in touched:
        if draft.source.line(line).strip():
            break
        line += 1
    return draft.source.offset(line, 0)


def _name(draft: Draft, node: ast.Import | ast.ImportFrom, alias: ast.alias) -> Edit:
    """Takes one of several names out, with the comma beside it."""
    index = node.names.index(alias)
    start = draft.source.offset(alias.lineno, alias.col_offset)
    stop = draft.source.offset(alias.end_lineno or 0, alias.end_col_offset or 0)
    if index:
        before = node.names[index - 1]
        start = draft.source.offset(before.end_lineno or 0, before.end_col_offset or 0)
    else:
        after = node.names[1]
        stop = draft.source.offset(after.lineno, after.col_offset)
    return draft.replace(start, stop, "")
