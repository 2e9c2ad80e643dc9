"""Hands a function to the offloading call instead of its result.

await asyncio.to_thread(load(uid))
await asyncio.to_thread(load, uid)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from loopsafe.fixes.data import table
from loopsafe.fixes.idioms import choose
from loopsafe.fixes.imports import spell
from loopsafe.fixes.names import dotted
from loopsafe.fixes.place import awaiter, last_name
from loopsafe.fixes.rewrite import callee_as_argument, has_bare_generator, in_thread
from loopsafe.fixes.site import Site, site_at
from loopsafe.model import Edit, Fix, Safety

_CAVEAT = "Today the call runs on the loop and its result is what the thread tries to call."


def cures(site: Site) -> Iterator[Fix]:
    """`to_thread(f(a))` to `to_thread(f, a)`, `gather(f(a))` to `gather(to_thread(f, a))`."""
    outer, inner = _calls(site)
    inner = site.call if inner is None else inner
    if inner is None or not site.draft.faithful(outer or inner):
        return
    waiting = awaiter(site_at(site, inner.func), inner)
    if waiting is not None:
        yield from _wrapped(site, inner, last_name(waiting))
        return
    if outer is None:
        return
    takes = table("eager")["taking"].get(last_name(outer))
    # Arguments behind the call would be the function's, so that the call may well give a function.
    if takes is None or outer.args[takes["position"] :] != [inner]:
        return
    edits = _unpacked(site, inner, takes["keywords"] and not outer.keywords)
    if edits:
        title = f"Pass the function to {_shown(site, outer)}() instead of calling it"
        yield Fix(title, Safety.UNSAFE, edits, caveat=_CAVEAT)


def _calls(site: Site) -> tuple[ast.Call | None, ast.Call | None]:
    """The offloading call and the call among its arguments, whichever of them is underlined."""
    call = site.call
    if call is None:
        return None, None
    takes = table("eager")["taking"].get(last_name(call))
    position = takes["position"] if takes else 0
    if takes or last_name(call) in table("eager")["awaiting"]:
        inner = call.args[position] if len(call.args) == position + 1 else None
        if isinstance(inner, ast.Call):
            return call, inner
    outer = site.parent(call)
    return (outer, call) if isinstance(outer, ast.Call) and call in outer.args else (None, None)


def _unpacked(site: Site, inner: ast.Call, keywords: bool) -> tuple[Edit, ...] | None:
    """`f(a, k=v)` to `f, a, k=v`, or to `functools.partial(f, a, k=v)`."""
    draft, text = site.draft, site.draft.source.text
    start, bracket, stop = draft.start(inner), draft.bracket(inner), draft.stop(inner)
    callee = draft.callee_stop(inner)
    if inner.keywords and not keywords:
        partial = spell(site, "functools", "partial")
        if partial is None:
            return None
        given, at = callee_as_argument(site, inner)
        return (*partial.edits, draft.replace(start, at, f"{partial.text}({given}"))
    if not inner.args and not inner.keywords:
        return (draft.replace(callee, stop, ""),)
    if has_bare_generator(site, inner):
        return (draft.replace(callee, bracket, ", "),)
    given, at = callee_as_argument(site, inner)
    head_edit = draft.replace(start, at, given)
    end = len(text[: stop - 1].rstrip(" \t\f\r\n"))
    # A comma before the closing bracket goes with it, unless a comment stands between them.
    end = end - 1 if text[end - 1] == "," else stop - 1
    return (head_edit, draft.replace(end, stop, ""))


def _shown(site: Site, call: ast.Call) -> str:
    return dotted(call.func) or f".{last_name(call)}"


def _wrapped(site: Site, inner: ast.Call, outer: str) -> Iterator[Fix]:
    """`gather(f(a))` needs something to await: `gather(asyncio.to_thread(f, a))`."""
    idiom = choose(site)
    if not idiom.coroutine:
        return
    edits = in_thread(site, idiom, inner)
    if edits:
        title = f"Run {dotted(inner.func) or 'the call'}() in a thread with {idiom.shows}"
        caveat = f"Today the call runs on the loop, and {outer}() fails on its result."
        yield Fix(title, Safety.UNSAFE, edits, caveat=caveat)
