"""Goes through an object asynchronously that can be gone through both ways: a queryset.

for book in books:                  async for book in books:
titles = list(books)                titles = [item async for item in books]
for part in client.stream(text):    async for part in client.astream(text):
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from loopsafe.fixes.drop_in import sibling
from loopsafe.fixes.iteration import is_consumer, shown
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import async_loop
from loopsafe.fixes.site import Site
from loopsafe.model import Edit, Fix, Safety

_LIST = ("[", "]")
_DISPLAYS = {"list": _LIST, "set": ("{", "}")}
"""Builtins that give what a comprehension gives; others are given one."""
_NEEDS_BRACKETS = (ast.IfExp, ast.Lambda, ast.NamedExpr)


def cures(site: Site) -> Iterator[Fix]:
    """`async for` in place of `for`, and in a comprehension in place of a builtin that iterates."""
    twin = sibling(site, "iterator")
    if not twin or not site.direct or not may_await(site):
        return
    iterated, outer = site.call or site.node, site.parent(site.call or site.node)
    if isinstance(iterated, ast.Call) and iterated.args and is_consumer(site, iterated):
        iterated, outer = iterated.args[0], iterated
    renamed = _renamed(site, twin) if twin != "__aiter__" else ()
    if renamed is None or not isinstance(iterated, ast.expr):
        return
    edits = _gone_through(site, iterated, outer)
    if edits:
        title = f"Iterate {shown(iterated)} with async for"
        yield Fix(title, Safety.SAFE, (*renamed, *edits))


def _renamed(site: Site, twin: str) -> tuple[Edit, ...] | None:
    callee = site.call.func if site.call is not None else None
    if not isinstance(callee, ast.Attribute) or not site.draft.faithful(callee):
        return None
    stop = site.draft.stop(callee)
    return (site.draft.replace(stop - len(callee.attr), stop, twin),)


def _gone_through(site: Site, iterated: ast.expr, outer: ast.AST | None) -> tuple[Edit, ...]:
    """What makes the loop, the comprehension or the builtin around an expression asynchronous."""
    if isinstance(outer, ast.Call) and outer.args[:1] == [iterated] and is_consumer(site, outer):
        return _consumed(site, outer)
    if not isinstance(outer, (ast.For, ast.comprehension)) or outer.iter is not iterated:
        return ()
    edit = async_loop(site, outer, site.parent(outer))
    return (edit,) if edit is not None else ()


def _consumed(site: Site, call: ast.Call) -> tuple[Edit, ...]:
    """The argument as a list made by a comprehension; of `list()` and `set()` the whole call."""
    given, draft = call.args[0], site.draft
    if isinstance(given, (ast.Starred, ast.GeneratorExp)) or not draft.faithful(call):
        return ()
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    is_whole = name in _DISPLAYS and len(call.args) == 1 and not call.keywords
    opening, closing = _DISPLAYS[name] if is_whole else _LIST
    before, after = ("(", ")") if isinstance(given, _NEEDS_BRACKETS) else ("", "")
    around = call if is_whole else given
    head = f"{opening}item async for item in {before}"
    return (
        draft.replace(draft.start(around), draft.start(given), head),
        draft.replace(draft.stop(given), draft.stop(around), f"{after}{closing}"),
    )
