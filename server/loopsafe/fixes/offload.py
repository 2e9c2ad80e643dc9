"""Moves a blocking call to a worker thread, in the idiom of the project.

r = requests.get(url).json()
r = (await asyncio.to_thread(requests.get, url)).json()
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from loopsafe.fixes import eager
from loopsafe.fixes.data import table
from loopsafe.fixes.edits import span_of
from loopsafe.fixes.idioms import Idiom, choose
from loopsafe.fixes.iteration import (
    at_once,
    consumed,
    in_generator,
    is_consumer,
    is_lazy,
    shown_whole,
)
from loopsafe.fixes.operation import item_statement, operation
from loopsafe.fixes.place import awaiter, may_await
from loopsafe.fixes.rewrite import awaited, lambda_in_thread
from loopsafe.fixes.risk import risk
from loopsafe.fixes.site import Site
from loopsafe.model import Edit, Fix, Safety


def cures(site: Site) -> Iterator[Fix]:
    """The call itself in a thread; the whole expression where the call alone would not do."""
    if _is_asynchronous(site) or needs_loop(site):
        return
    if site.call is not None and awaiter(site, site.call) is not None:
        yield from eager.cures(site)
        return
    idiom = choose(site)
    if not may_await(site):
        yield from in_generator(site, idiom)
        return
    if is_lazy(site):
        yield from consumed(site, idiom)
        return
    for edits, moved in _ways(site, idiom):
        is_whole = moved is not site.call
        if edits and not (is_whole and site.context.loop_need(span_of(moved))):
            caveat = risk(site, moved)
            safety = Safety.UNSAFE if caveat else Safety.SAFE
            title = f"Run {shown_whole(site, moved)} in a thread with {idiom.shows}"
            yield Fix(title, safety, edits, caveat=caveat)
            yield from at_once(site, idiom, moved)


def needs_loop(site: Site) -> bool:
    """Whether the project's function that is called does, further down, what no thread can do."""
    return not site.direct and bool(site.context.loop_need(site.finding.span))


def makes_handle(site: Site) -> bool:
    """Whether the call gives an object that goes on blocking: a file, a connection."""
    names = {site.finding.sink, site.full_name(site.call.func) if site.call else ""}
    return site.direct and not names.isdisjoint(table("threads")["handles"])


def _ways(site: Site, idiom: Idiom) -> Iterator[tuple[tuple[Edit, ...] | None, ast.expr]]:
    """The edits and the expression that they move; at most one pair."""
    call = site.call
    if call is None:
        moved = operation(site)
        if moved and not is_bound(site):
            yield lambda_in_thread(site, idiom, moved), moved
        elif isinstance(site.node, ast.Subscript) and not is_bound(site):
            yield item_statement(site, idiom), site.node
    elif not (_is_context_manager(site, call) or _is_iterated(site, call) or is_bound(site)):
        on_handle = _on_handle(site)
        whole = _chain(site, call) if on_handle or makes_handle(site) else call
        if on_handle or whole is not call:
            yield lambda_in_thread(site, idiom, whole), whole
        else:
            yield awaited(site, idiom, call), call


def _is_asynchronous(site: Site) -> bool:
    """Whether the call gives something to await, so that a thread would not run its body."""
    blocking, call, context = site.context.blocking, site.call, site.context
    if blocking and blocking.awaitable and site.direct:
        return True
    if context.makes_coroutine or isinstance(site.local_definition(), ast.AsyncFunctionDef):
        return True
    if call is not None and awaiter(site, call) is not None:
        # Of what the catalogue knows it says what can be awaited; of the rest, the source may.
        is_known = blocking is not None and site.direct
        return not (is_known or context.gives_plainly(site.finding.span))
    is_awaited = call is not None and isinstance(site.parent(call), ast.Await)
    return is_awaited and site.finding.code != "await-sync"


def _is_context_manager(site: Site, call: ast.Call) -> bool:
    """Whether the call is what a `with` enters; of a handle, even as a part of that."""
    if isinstance(site.parent(call), ast.withitem):
        return True
    return makes_handle(site) and any(isinstance(n, ast.withitem) for n in site.above(call))


def _on_handle(site: Site) -> bool:
    """Whether the same expression opens the handle: `open(p).read()`, `json.load(open(p))`."""
    node = site.node
    if site.call and site.call.args and _reads(site, site.call) and _opens(site, site.call.args[0]):
        return True
    while isinstance(node, (ast.Attribute, ast.Call)):
        node = node.value if isinstance(node, ast.Attribute) else node.func
        if _opens(site, node):
            return True
    return False


def _opens(site: Site, node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and site.full_name(node.func) in table("threads")["handles"]


def _is_iterated(site: Site, call: ast.Call) -> bool:
    """`for line in open(path)`: the loop reads, not the call."""
    return makes_handle(site) and isinstance(
        site.parent(call), (ast.For, ast.comprehension, ast.YieldFrom, ast.Starred)
    )


def is_bound(site: Site) -> bool:
    """Whether what is called or given belongs to one thread.

    A function further up may keep such a thing to itself, if it is not given it and does not give
    it out; a property hands it out.
    """
    data, call = table("threads"), site.call
    if call is not None and not site.direct:
        return _matches(site.finding.sink, data["opened"]) and _is_opened_elsewhere(site)
    return _matches(site.finding.sink, data["bound"]) and not any(
        keyword.arg in data["lifted"] and ast.unparse(keyword.value) == data["lifted"][keyword.arg]
        for keyword in (call.keywords if call else ())
    )


def _is_opened_elsewhere(site: Site) -> bool:
    """Whether what blocks below a call is done on what the call is given, gives, or finds there."""
    data, context = table("threads"), site.context
    around = context.outliving()
    if around and not any(f"{name}={value}" in around for name, value in data["lifted"].items()):
        return True
    classes = context.exchanged(site.finding.span)
    return any(_matches(f"{cls}.", data["opened"]) for cls in classes)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _chain(site: Site, call: ast.Call) -> ast.Call:
    """The expression that is done with a handle: `json.load(open(p))`, `open(p).read()`."""
    moved, read = call, False
    for node in site.above(call):
        if isinstance(node, ast.Call):
            if node.func in site.path:
                read = True
            elif read or not _reads(site, node):
                break
            moved = node
            read = True
        elif not isinstance(node, (ast.Attribute, ast.keyword)):
            break
    return moved


def _reads(site: Site, call: ast.Call) -> bool:
    """Whether a call is done with the file that it is given."""
    return site.full_name(call.func) in table("threads")["readers"] or is_consumer(site, call)
