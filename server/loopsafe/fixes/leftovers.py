"""Takes out the imports that nothing in the file uses any more, once its edits are made.

import time
time.sleep(1)       ->      await asyncio.sleep(1)
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from loopsafe import notebook
from loopsafe.fixes.edits import Draft, first_line
from loopsafe.fixes.layout import alone, suites
from loopsafe.fixes.names import Bindings, bindings, imported_names, survey
from loopsafe.model import Edit

# Not what stands behind a dot: it is an attribute.
_WORD = re.compile(r"(?<![\w.])\w+")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an import stands, and what its scope reads and binds."""

    suite: Sequence[ast.stmt]
    loads: Mapping[str, Sequence[tuple[int, int]]]
    bindings: Bindings


def tidied(draft: Draft, tree: ast.Module, edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits, with those that remove what they leave unused."""
    kept = tuple(edits)
    if draft.path.endswith("__init__.py"):
        return kept  # An import there may be for others.
    gone = [_offsets(draft, edit) for edit in kept if edit.span[:2] != edit.span[2:]]
    written = {word for edit in kept for word in _words(edit.content)}
    removals: list[Edit] = []
    for place, node in _imports(draft, tree, kept):
        unused = []
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            places = place.loads.get(bound, ())
            if not places or bound in written or len(place.bindings.get(bound, ())) != 1:
                continue
            at = (draft.source.offset(*point) for point in places)
            if all(any(start <= offset < stop for start, stop in gone) for offset in at):
                unused.append(alias)
        if not unused:
            continue
        added = [edit for edit in kept if _is_touched(draft, node, edit)]
        if added:
            kept = _renamed(draft, node, unused, added, kept)
        elif len(unused) == len(node.names):
            removals += _line(draft, place, node, kept)
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
        for node in ast.walk(tree)
    )


def _words(content: str) -> Iterator[str]:
    """The names that an inserted text may use; of imports, those that they bind."""
    try:
        nodes = ast.parse(content.strip()).body
    except SyntaxError:
        nodes = []
    imports = [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]
    if nodes and len(imports) == len(nodes):
        yield from (bound for node in imports for bound, _ in imported_names(node))
    else:
        yield from _WORD.findall(content)


def _imports(
    draft: Draft, tree: ast.Module, edits: Iterable[Edit]
) -> Iterator[tuple[_Place, ast.Import | ast.ImportFrom]]:
    """The imports of the module, and those of the functions that the edits are in."""
    found = survey(tree)
    whole = _Place(tree.body, found.loads, found.bindings)
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield whole, node
    for function in _functions(tree, {edit.span.line for edit in edits}):
        inner = [
            (suite, node)
            for suite in suites(function)
            for node in suite
            if isinstance(node, (ast.Import, ast.ImportFrom))
        ]
        loads: dict[str, list[tuple[int, int]]] = {}
        for name in ast.walk(function) if inner else ():
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Load):
                loads.setdefault(name.id, []).append((name.lineno, name.col_offset))
        for suite, node in inner:
            yield _Place(suite, loads, bindings(function)), node


def _functions(
    node: ast.AST, lines: Collection[int]
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions in a node that have one of these lines."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.stmt, ast.excepthandler)) and any(
            child.lineno <= line <= (child.end_lineno or child.lineno) for line in lines
        ):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield child
            yield from _functions(child, lines)
        elif isinstance(child, ast.match_case):
            yield from _functions(child, lines)


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
    draft: Draft, place: _Place, node: ast.Import | ast.ImportFrom, edits: Iterable[Edit]
) -> list[Edit]:
    """Takes a whole statement out, with its line; not one that a comment speaks of."""
    first, last = node.lineno, node.end_lineno or node.lineno
    whole = "".join(draft.source.line(line) for line in range(first, last + 1))
    if not alone(draft, [node]) or "#" in whole or len(place.suite) == 1:
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
