"""Moves what an iterator does while it is iterated: a thread must not only make it.

for row in rows():                  async for row in iterate_in_threadpool(rows()):
names = sorted(path.iterdir())      names = await asyncio.to_thread(lambda: sorted(path.iterdir()))
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase

from loopsafe.fixes.data import table
from loopsafe.fixes.idioms import Idiom, module_of, of_nothing
from loopsafe.fixes.imports import spell
from loopsafe.fixes.names import FUNCTIONS, bindings, dotted
from loopsafe.fixes.object_uses import streams
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import in_thread, lambda_in_thread, may_move, opening_await
from loopsafe.fixes.risk import risk
from loopsafe.fixes.site import Site, is_generator, site_at
from loopsafe.model import Edit, Fix, Safety

_ALL = "All items are read before the first one is used."
_LONG = 40
"""Characters of an expression that a title shows."""


def is_lazy(site: Site) -> bool:
    """Whether the work is done by who iterates what is underlined, or what it gives."""
    if site.context.lazy:
        return True
    sink = site.finding.sink
    if site.call is None and _is_iterated(site):
        return True
    if site.direct and any(fnmatchcase(sink, p) for p in table("threads")["lazy"]):
        return True
    if site.direct and site.call is not None and _gives_parts(site, site.call):
        return True
    function = site.local_definition()
    return function is not None and not function.decorator_list and is_generator(function)


def consumed(site: Site, idiom: Idiom) -> Iterator[Fix]:
    """What iterates is moved: `list(rows())`, `for row in rows():`."""
    if any(fnmatchcase(site.finding.sink, pattern) for pattern in table("threads")["bound"]):
        return
    held = site.call or site.node
    while isinstance(held, ast.expr):
        outer = site.parent(held)
        if isinstance(outer, ast.Call) and outer.args[:1] == [held] and is_consumer(site, outer):
            caveat = risk(site, outer if site.call is None else site.call)
            yield from _fix(site, idiom, lambda_in_thread(site, idiom, outer), caveat)
            return
        is_passed = isinstance(outer, ast.Call) and _is_builtin(site, outer, "passing")
        if not is_passed or held not in getattr(outer, "args", ()):
            break
        held = outer  # type: ignore[assignment]
    if not isinstance(held, ast.expr):
        return
    outer = site.parent(held)
    if isinstance(outer, ast.For) and outer.iter is held and not _steers(site, outer):
        edits = _async_for(site, idiom, outer) if idiom.iterates else None
        if edits:
            yield from _fix(site, idiom, edits, risk(site, site.call or held))
        else:
            yield from _fix(site, idiom, _all_first(site, idiom, held), _ALL)
    elif isinstance(outer, ast.comprehension) and outer.iter is held:
        yield from _fix(site, idiom, _all_first(site, idiom, held), _ALL)


def in_generator(site: Site, idiom: Idiom) -> Iterator[Fix]:
    """`sum(load(u) for u in urls)`: no generator can await, so what consumes it is moved."""
    for node in site.above(site.node):
        if isinstance(node, (*FUNCTIONS, ast.stmt)):
            return
        outer = site.parent(node)
        if not isinstance(node, ast.GeneratorExp) or not isinstance(outer, ast.Call):
            continue
        if outer.args != [node] or not is_consumer(site, outer):
            return
        if may_await(site_at(site, outer)):
            caveat = risk(site, outer)
            yield from _fix(site, idiom, lambda_in_thread(site, idiom, outer), caveat, outer)
        return


def at_once(site: Site, idiom: Idiom, moved: ast.expr) -> Iterator[Fix]:
    """`[load(u) for u in urls]` to `await asyncio.gather(*(to_thread(load, u) for u in urls))`."""
    comprehension = site.parent(moved)
    if not isinstance(moved, ast.Call) or not isinstance(comprehension, ast.ListComp):
        return
    if comprehension.elt is not moved or len(comprehension.generators) != 1:
        return
    generator = comprehension.generators[0]
    if generator.is_async or idiom.name not in table("threads")["gathered"]:
        return
    given = (*moved.args, *(keyword.value for keyword in moved.keywords))
    calls = any(isinstance(node, ast.Call) for argument in given for node in ast.walk(argument))
    if calls or not may_move(comprehension):
        return  # What its arguments call would be called before all of the others.
    gather, edits = spell(site, "asyncio", "gather"), in_thread(site, idiom, moved)
    if gather is None or edits is None:
        return
    draft = site.draft
    start, stop = draft.start(comprehension), draft.stop(comprehension)
    before, after = opening_await(site, comprehension)
    title = f"Run all {shown(moved)} at once, in threads with asyncio.gather()"
    opened = draft.replace(start, start + 1, f"{before}{gather.text}(*(")
    closed = draft.replace(stop - 1, stop, f")){after}")
    caveat = "They then run side by side: what they share must be thread-safe."
    yield Fix(title, Safety.UNSAFE, (*gather.edits, opened, *edits, closed), caveat=caveat)


def shown(moved: ast.expr) -> str:
    """An expression as a title names it: `requests.get()`, `urlopen(...).read()`, `user.name`."""
    called = isinstance(moved, ast.Call)
    name = moved.func if isinstance(moved, ast.Call) else moved
    if isinstance(moved, ast.Subscript):
        return f"{shown(moved.value)}[...]"
    text = dotted(name) or _chained(name)
    if not text and not called:
        return "the operation"
    if not text:
        text = f".{name.attr}" if isinstance(name, ast.Attribute) else "the call"
        called = called and text != "the call"
    return text + "()" * called


def _chained(name: ast.expr) -> str:
    """`db.query(...).first` of a chain of calls; empty where that would be long."""
    parts: list[str] = []
    while not dotted(name):
        if isinstance(name, ast.Attribute):
            parts.append(f".{name.attr}")
            name = name.value
        elif isinstance(name, ast.Call):
            parts.append("(...)" if name.args or name.keywords else "()")
            name = name.func
        else:
            return ""
    text = dotted(name) + "".join(reversed(parts))
    return text if len(text) <= _LONG else ""


def shown_whole(site: Site, moved: ast.expr) -> str:
    """The same, with what a builtin goes through: `list(rows())`."""
    text = shown(moved)
    given = moved.args[0] if isinstance(moved, ast.Call) and moved.args else None
    if isinstance(moved, ast.Call) and isinstance(given, ast.Call) and is_consumer(site, moved):
        longer = f"{text[:-1]}{shown(given)})"
        return longer if dotted(given.func) and len(longer) <= _LONG else text
    return text


def is_consumer(site: Site, call: ast.Call) -> bool:
    """Whether a call is one of the builtins that iterate what they are given."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr == "join" and isinstance(function.value, ast.Constant)
    return _is_builtin(site, call, "consumers")


def _gives_parts(site: Site, call: ast.Call) -> bool:
    """Whether a call asks for an answer in parts, and is what a loop goes through."""
    outer, package = site.parent(call), site.finding.sink.partition(".")[0]
    is_iterated = isinstance(outer, (ast.For, ast.comprehension)) and outer.iter is call
    return is_iterated and streams(call) is True and package in table("objects")["streams"]


def _is_iterated(site: Site) -> bool:
    """Whether what is underlined is what a loop, or a builtin, goes through."""
    outer = site.parent(site.node)
    if isinstance(outer, (ast.For, ast.comprehension)):
        return outer.iter is site.node
    is_first = isinstance(outer, ast.Call) and outer.args[:1] == [site.node]
    return is_first and isinstance(outer, ast.Call) and is_consumer(site, outer)


def _is_builtin(site: Site, call: ast.Call, kind: str) -> bool:
    function = call.func
    if not isinstance(function, ast.Name) or function.id not in table("threads")[kind]:
        return False
    scopes = (*site.scopes(), site.context.tree)
    return not any(function.id in bindings(scope) for scope in scopes)


def _fix(
    site: Site,
    idiom: Idiom,
    edits: tuple[Edit, ...] | None,
    caveat: str,
    moved: ast.expr | None = None,
) -> Iterator[Fix]:
    if edits:
        node = moved or site.call or site.node
        what = shown(node) if isinstance(node, ast.expr) else "the iteration"
        what = what if moved or site.call else f"the iteration of {what}"
        safety = Safety.UNSAFE if caveat else Safety.SAFE
        yield Fix(f"Run {what} in a thread with {idiom.shows}", safety, edits, caveat=caveat)


def _async_for(site: Site, idiom: Idiom, loop: ast.For) -> tuple[Edit, ...] | None:
    """`for x in f():` becomes `async for x in iterate_in_threadpool(f()):`."""
    spelling = spell(site, module_of(site, idiom), idiom.iterates, by_name=True)
    if spelling is None:
        return None
    draft = site.draft
    return (
        *spelling.edits,
        draft.insert(draft.start(loop), "async "),
        draft.insert(draft.start(loop.iter), f"{spelling.text}("),
        draft.insert(draft.stop(loop.iter), ")"),
    )


def _all_first(site: Site, idiom: Idiom, held: ast.expr) -> tuple[Edit, ...] | None:
    """`for x in f():` becomes `for x in await asyncio.to_thread(lambda: list(f())):`."""
    around = of_nothing(site, idiom)
    shadowed = any("list" in bindings(scope) for scope in (*site.scopes(), site.context.tree))
    if around is None or shadowed or not site.draft.faithful(held) or not may_move(held):
        return None
    head, tail, imports = around
    before, after = opening_await(site, held)
    draft = site.draft
    return (
        *imports,
        draft.insert(draft.start(held), f"{before}{head}lambda: list("),
        draft.insert(draft.stop(held), f"){tail}{after}"),
    )


def _steers(site: Site, loop: ast.For) -> bool:
    """Whether the loop's body tells the iterator where to go on, as with `os.walk()`."""
    if site.finding.sink not in table("threads")["steered"]:
        return False
    target = loop.target
    names = target.elts[1:2] if isinstance(target, ast.Tuple) else [target]
    wanted = {dotted(name) for name in names}
    inside = (node for statement in loop.body for node in ast.walk(statement))
    return any(isinstance(node, ast.Name) and node.id in wanted for node in inside)
