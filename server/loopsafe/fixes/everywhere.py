"""Edits of one file of several: functions become coroutine functions, and calls await them.

def load(url):                       async def load(url):
    return requests.get(url)             return await asyncio.to_thread(requests.get, url)

async def show(url):                 async def show(url):
    return load(url).text                return (await load(url)).text
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from loopsafe.fixes.combine import combined, overlap
from loopsafe.fixes.context import FixContext
from loopsafe.fixes.edits import Draft
from loopsafe.fixes.imports import spell
from loopsafe.fixes.leftovers import removes, tidied
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import opening_await
from loopsafe.fixes.site import Site, place_in
from loopsafe.model import Edit, Finding, Fix, Span
from loopsafe.text import SourceText, difference

_ASYNC = "async "
_DEF = re.compile(r"def\b")
_FAILURES = (SyntaxError, ValueError, RecursionError, MemoryError)
_INVALID = "the result would not be valid Python"

Cures = Callable[[Finding, FixContext], Sequence[Fix]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to change in one file; spans are those of the present text."""

    functions: Sequence[Span] = ()
    """Names after `def`."""
    awaited: Sequence[Span] = ()
    """Callees of calls that are to be awaited."""
    run: Sequence[Span] = ()
    """Callees of calls that `asyncio.run` is to run."""
    unawaited: Sequence[Span] = ()
    """Callees of awaited calls that are to lose their `await`."""
    cured: Sequence[tuple[Finding, FixContext]] = ()
    """Blocking calls in the functions. The first is cured in any case, the others where nothing
    is to be said of their cure that is not said of the first."""


class Rewritten(NamedTuple):
    """What becomes of one file."""

    edits: tuple[Edit, ...]
    caveat: str = ""
    """Of the cures."""
    left: tuple[Finding, ...] = ()
    """What is not cured."""


class Stuck(Exception):
    """Why the edits cannot be made, for the user."""


def rewritten(context: FixContext, wanted: Wanted, cures: Cures) -> Rewritten:
    """The edits of one file. Raises Stuck."""
    first = Draft(context.path, context.source)
    openings = [first.insert(_keyword(first, span), _ASYNC) for span in wanted.functions]
    here = context
    if openings:
        source = SourceText(context.source.apply(tuple(openings)))
        here = replace(context, source=source, tree=_parsed(source.text))
    draft = Draft(context.path, here.source)
    edits: list[Edit] = []
    for span in wanted.awaited:
        edits += _awaited(here, _moved(span, openings))
    for span in wanted.run:
        edits += _run(here, _moved(span, openings))
    for span in wanted.unawaited:
        edits += _unawaited(here, _moved(span, openings))
    caveat, left = "", []
    for number, (finding, known) in enumerate(wanted.cured):
        moved = replace(finding, span=_moved(finding.span, openings))
        cure = _cure(moved, replace(known, source=here.source, tree=here.tree), cures)
        if number == 0:
            if cure is None:
                raise Stuck(f"there is no fix for {finding.sink}()")
            caveat = cure.caveat
        elif _is_within(moved.span, edits):
            continue  # It goes with a block that moves as a whole.
        elif cure is None or cure.caveat not in ("", caveat) or not _fits(draft, cure, edits):
            left.append(finding)
            continue
        edits += [e for e in cure.edits if not removes(draft, here.tree, e) and e not in edits]
    together = combined(edits)
    if any(overlap(a, b) for a, b in pairwise(together)):
        raise Stuck("the changes are in each other's way")
    text = here.source.apply(combined(tidied(draft, here.tree, together)))
    _check(text, context.path)
    return Rewritten(difference(context.path, context.source, text), caveat, tuple(left))


def _cure(finding: Finding, context: FixContext, cures: Cures) -> Fix | None:
    """The first fix of a finding that keeps to its file."""
    for fix in cures(finding, context):
        if fix.kind == "quickfix" and all(edit.path == context.path for edit in fix.edits):
            return fix
    return None


def _is_within(span: Span, edits: Sequence[Edit]) -> bool:
    """Whether an edit writes a place anew."""
    return any(e.span[:2] <= span[:2] and span[2:] <= e.span[2:] for e in edits)


def _fits(draft: Draft, cure: Fix, edits: Sequence[Edit]) -> bool:
    """Whether a cure is in no other's way."""
    new = [edit for edit in cure.edits if edit not in edits]
    if any(overlap(edit, other) for edit in new for other in edits):
        return False
    together = combined((*edits, *new))
    return not any(overlap(a, b) for a, b in pairwise(together))


def _awaited(context: FixContext, span: Span) -> list[Edit]:
    site, call = _call(context, span)
    if not may_await(site):
        raise Stuck(f"`await` may not stand in line {span.line}")
    before, after = opening_await(site, call)
    return _around(site, call, before, after)


def _run(context: FixContext, span: Span) -> list[Edit]:
    site, call = _call(context, span)
    spelling = spell(site, "asyncio", "run")
    if spelling is None:
        raise Stuck(f"`asyncio` is another thing in line {span.line}")
    return [*spelling.edits, *_around(site, call, f"{spelling.text}(", ")")]


def _unawaited(context: FixContext, span: Span) -> list[Edit]:
    site, call = _call(context, span)
    outer, draft = site.parent(call), site.draft
    if not isinstance(outer, ast.Await):
        raise Stuck(f"the call in line {span.line} is not awaited where it is made")
    return [draft.replace(draft.start(outer), draft.start(call), "")]


def _around(site: Site, call: ast.Call, before: str, after: str) -> list[Edit]:
    draft = site.draft
    edits = [draft.insert(draft.start(call), before)] if before else []
    return [*edits, draft.insert(draft.stop(call), after)] if after else edits


def _call(context: FixContext, span: Span) -> tuple[Site, ast.Call]:
    site = place_in(context, span)
    if site.call is None or not site.draft.faithful(site.call):
        raise Stuck(f"the call in line {span.line} cannot be rewritten")
    return site, site.call


def _keyword(draft: Draft, name: Span) -> int:
    """Where the `def` before a function's name stands."""
    text = draft.source.text
    at = draft.source.offset(name.line, name.column)
    found = [m.start() for m in _DEF.finditer(text, draft.source.offset(name.line, 0), at)]
    if not found or text[found[-1] + 3 : at].strip(" \t\f"):
        raise Stuck(f"the function in line {name.line} cannot be rewritten")
    return found[-1]


def _moved(span: Span, openings: Sequence[Edit]) -> Span:
    """A span of the text before `async` was put in, in the text after."""

    def shift(line: int, column: int) -> int:
        before = [e for e in openings if e.span.line == line and e.span.column <= column]
        return column + len(_ASYNC) * len(before)

    return Span(
        span.line,
        shift(span.line, span.column),
        span.end_line,
        shift(span.end_line, span.end_column),
    )


def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except _FAILURES:
        raise Stuck(_INVALID) from None


def _check(text: str, path: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, path, "exec", dont_inherit=True)
    except _FAILURES:
        raise Stuck(_INVALID) from None
