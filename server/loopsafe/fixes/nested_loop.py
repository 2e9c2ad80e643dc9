"""Awaits a coroutine instead of running a second loop for it.

user = asyncio.run(load(uid))
user = await load(uid)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from loopsafe.fixes.data import table
from loopsafe.fixes.names import bindings, own_nodes
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import opening_await
from loopsafe.fixes.site import Site
from loopsafe.model import Edit, Fix, Safety

_SIMPLE = (ast.Call, ast.Name, ast.Attribute, ast.Subscript)


def cures(site: Site) -> Iterator[Fix]:
    """`await` before what the second loop was given."""
    call = site.call
    if call is None or not may_await(site) or not site.draft.faithful(call):
        return
    outer = site.parent(call)
    if isinstance(outer, ast.Call) and outer.func is call:
        call = outer
    for form in table("nested_loop")["form"]:
        edits = _edits(site, call, form) if _matches(site, call, form) else None
        if edits:
            yield Fix(form["title"], Safety.UNSAFE, edits, caveat=form["caveat"])
            return


def _matches(site: Site, call: ast.Call, form: dict[str, Any]) -> bool:
    """Whether the call is written as the form says: by its full name, or by its method's."""
    wraps = form["awaits"] == "wraps" and isinstance(call.func, ast.Call)
    function = call.func.func if wraps and isinstance(call.func, ast.Call) else call.func
    if site.full_name(function) in form.get("names", ()):
        return True
    return isinstance(call.func, ast.Attribute) and call.func.attr in form.get("methods", ())


def _edits(site: Site, call: ast.Call, form: dict[str, Any]) -> tuple[Edit, ...] | None:
    if form["awaits"] == "argument":
        return _await_argument(site, call, call)
    if form["awaits"] == "receiver":
        made = call.func.value if isinstance(call.func, ast.Attribute) else None
        made_by = site.full_name(made.func) if isinstance(made, ast.Call) else ""
        if not isinstance(made, ast.Call) or made_by not in form["of"]:
            return None
        if call.args or call.keywords or not _is_own_loop(site, made, form["loop"]):
            return None
        return _await_argument(site, made, call)
    return _await_call(site, call)


def _is_own_loop(site: Site, made: ast.Call, getters: list[str]) -> bool:
    """Whether the second argument is the loop that is running, as the function says itself."""
    loop = made.args[1] if len(made.args) == 2 else None
    if isinstance(loop, ast.Name) and site.function is not None:
        found = bindings(site.function).get(loop.id, [])
        values = [
            n.value
            for n in own_nodes(site.function)
            if isinstance(n, ast.Assign)
            if n.targets == found
        ]
        loop = values[0] if len(values) == 1 else None
    return isinstance(loop, ast.Call) and site.full_name(loop.func) in getters


def _await_argument(site: Site, holder: ast.Call, whole: ast.Call) -> tuple[Edit, ...] | None:
    """`run(c)` to `await c`: what stands around the coroutine goes."""
    if not holder.args or isinstance(holder.args[0], ast.Starred):
        return None
    coroutine = holder.args[0]
    draft, text = site.draft, site.draft.source.text
    start, stop = draft.start(coroutine), draft.stop(coroutine)
    left, right = text[draft.start(whole) : start], text[stop : draft.stop(whole)]
    if "#" in left or "#" in right:
        return None
    before, after = opening_await(site, whole)
    # The brackets that go may have joined several lines.
    head = coroutine.func if isinstance(coroutine, ast.Call) else coroutine
    if not isinstance(coroutine, _SIMPLE) or head.lineno != head.end_lineno:
        before, after = before + "(", ")" + after
    return (
        draft.replace(draft.start(whole), start, before),
        draft.replace(stop, draft.stop(whole), after),
    )


def _await_call(site: Site, call: ast.Call) -> tuple[Edit, ...] | None:
    """`async_to_sync(f)(a)` to `await f(a)`."""
    made = call.func
    if not isinstance(made, ast.Call) or len(made.args) != 1 or made.keywords:
        return None
    if not isinstance(made.args[0], (ast.Name, ast.Attribute)):
        return None
    draft = site.draft
    before, after = opening_await(site, call)
    content = before + draft.code(made.args[0])
    edits = [draft.replace(draft.start(call), draft.callee_stop(call), content)]
    if after:
        edits.append(draft.insert(draft.stop(call), after))
    return tuple(edits)
