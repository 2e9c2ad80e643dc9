"""Mutexes that are held for a computation only, wherever the project takes them.

Waiting for such a one takes microseconds, so it is no finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loopsafe.effects.meetings import Meeting, function_of, meetings
from loopsafe.facts.ir import AWAITING, Attr, Call, Function, Name, Site, last_name
from loopsafe.knowledge.schema import Blocking
from loopsafe.modules.module import Module
from loopsafe.resolve.containers import container_methods
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, Frame, FunctionValue

_DEEPEST = 4
"""Beyond so many calls nothing is said."""


def is_held_briefly(resolver: Resolver, site: Site, module: str) -> bool:
    """Whether whoever takes a mutex of this name in the project only computes until it is free.

    False where somebody takes it in another way than by `with`, or by `acquire()` above `release()`
    in one function, and where what is done with it is not known.
    """
    name = acquired(site) or (last_name(site.expr) if site.expr is not None else "")
    if not name:
        return False
    found = resolver.remember(
        ("held briefly", name), module, lambda: (_is_brief(resolver, name, module),)
    )
    return found == (True,)


def acquired(site: Site) -> str:
    """The name of the mutex of a call like `lock.acquire()`."""
    return _name_before(site, "acquire")


def _name_before(site: Site, method: str) -> str:
    func = site.expr.func if site.kind == "call" and isinstance(site.expr, Call) else None
    return last_name(func.value) if isinstance(func, Attr) and func.name == method else ""


def _is_brief(resolver: Resolver, name: str, module: str) -> bool:
    holders = _holders(resolver, name, module)
    return all(_computes(resolver, frame, sites, 0) for frame, sites in holders)


def _holders(
    resolver: Resolver, name: str, module: str
) -> Iterator[tuple[Frame, Sequence[Site] | None]]:
    """The functions that take the mutex, with what they do meanwhile; None where nobody can say."""
    table = resolver.table
    trace = table.trace | table.bit(("used", name))
    modules = [m for m in resolver.outside.project() if _may_take(m, name, module)]
    table.trace = trace
    for other in modules:
        for number, function in enumerate(other.facts.functions):
            frame = resolver.function_frame(FunctionValue(other.name, number))
            for sites in _held_at(function, name):
                if frame is not None:
                    yield frame, sites


def _may_take(module: Module, name: str, home: str) -> bool:
    # A private name of another module is another mutex.
    return module.name == home or (not name.startswith("_") and name in module.facts.words)


def _held_at(function: Function, name: str) -> Iterator[Sequence[Site] | None]:
    sites = function.sites
    for number, site in enumerate(sites):
        call = site.expr
        if site.kind == "enter" and last_name(call) == name:
            ends = (i for i in range(number, len(sites)) if _is_exit(sites[i], site))
            yield sites[number + 1 : next(ends, len(sites))]
        elif acquired(site) == name:
            ends = (i for i, s in enumerate(sites) if _name_before(s, "release") == name)
            end = max(ends, default=-1)
            yield sites[number + 1 : end] if end > number else None
        elif isinstance(call, Call) and site.kind == "call" and _hands_on(call, name):
            yield None


def _is_exit(site: Site, entered: Site) -> bool:
    return site.kind == "exit" and site.expr == entered.expr


def _hands_on(call: Call, name: str) -> bool:
    """Whether a call is given the mutex."""
    given = (*call.args, *(value for _, value in call.keywords))
    return any(isinstance(part, (Name, Attr)) and last_name(part) == name for part in given)


def _computes(resolver: Resolver, frame: Frame, sites: Sequence[Site] | None, depth: int) -> bool:
    """Whether nothing that is done at some sites of a function waits, as far as all is known."""
    if sites is None or depth > _DEEPEST or any(site.awaited for site in sites):
        return False
    wanted = {id(site) for site in sites}
    met = [m for m in meetings(resolver, frame) if id(m.site) in wanted]
    open_calls = wanted - {id(m.site) for m in met}
    return all(_is_quick(resolver, m, depth) for m in met) and all(
        _is_harmless(resolver, site, frame) for site in sites if id(site) in open_calls
    )


def _is_quick(resolver: Resolver, meeting: Meeting, depth: int) -> bool:
    target = meeting.target
    if isinstance(target, Blocking):
        is_taken = meeting.site.kind == "enter" or bool(acquired(meeting.site))
        return target.category == "lock" and is_taken
    module = resolver.table.get(target.function.module)
    if module is None or not module.is_project:
        # What the standard library has is known to the catalogue, where it blocks.
        return module is not None and module.is_stub
    frame = resolver.function_frame(target.function, target.arguments)
    function = function_of(resolver, frame) if frame is not None else None
    if frame is None or function is None:
        return False
    runs = not function.is_async and (target.iterated or not function.is_generator)
    return not runs or _computes(resolver, frame, function.sites, depth + 1)


def _is_harmless(resolver: Resolver, site: Site, frame: Frame) -> bool:
    """Whether a site runs nothing of which anybody knows."""
    call = site.expr
    if site.kind != "call" or not isinstance(call, Call):
        return site.kind not in AWAITING
    if _name_before(site, "release"):
        return True
    here = frame if site.scope == frame.scope else resolver.frame(frame.module, site.scope)
    values = resolver.values(call.func, here)
    if not values:
        return isinstance(call.func, Attr) and call.func.name in container_methods()
    return all(
        isinstance(value, ClassValue)
        or resolver.catalogue.harmless(dotted_name(resolver, value) or "")
        for value in values
    )
