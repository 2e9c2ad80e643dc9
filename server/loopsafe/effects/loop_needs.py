"""What keeps code from moving to a thread: it starts or wakes tasks, or sets its caller's context.

def notify(text):
    asyncio.get_running_loop().create_task(send(text))  # In a thread there is no such loop.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from importlib import resources

from loopsafe.effects.callees import near
from loopsafe.effects.chains import Chains
from loopsafe.effects.edges import edges
from loopsafe.effects.guards import never_on_loop
from loopsafe.effects.meant import meant
from loopsafe.effects.meetings import function_of
from loopsafe.effects.targets import site_values
from loopsafe.facts.ir import Site
from loopsafe.model import Span, Spot
from loopsafe.modules.module import Module
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame, FunctionValue

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_MOST_FRAMES = 300
"""Functions that are looked at below one; what is behind them is not known."""


def loop_need(chains: Chains, module: Module, span: Span) -> str:
    """What the calls that are written in a span, or what they reach in the project, do of this.

    The dotted name of the callable; empty if nothing is found. What a coroutine function does that
    is defined there is done by whoever awaits it.
    """
    for number, function in enumerate(module.facts.functions):
        sites = [s for s in near(function, span) if _within(function.in_file(s.spot), span)]
        is_inner = function.is_async and _within(function.span, span)
        frame = chains.resolver.function_frame(FunctionValue(module.name, number))
        if not sites or is_inner or frame is None:
            continue
        own = _done(chains.resolver, frame)
        for site in sites:
            name = own.get(site.spot, "") or _below(chains, frame, site)
            if name:
                return name
    return ""


def _within(inner: Span, outer: Span) -> bool:
    return outer[:2] <= inner[:2] and inner[2:] <= outer[2:]


def _below(chains: Chains, frame: Frame, site: Site) -> str:
    """The same of the plain functions that one site leads to."""
    todo = [found for other, found in _reached(chains, frame) if other == site]
    seen = set(todo)
    for found in todo:
        name = next(iter(_done(chains.resolver, found).values()), "")
        if name or len(seen) > _MOST_FRAMES:
            return name
        for _, reached in _reached(chains, found):
            if reached not in seen:
                seen.add(reached)
                todo.append(reached)
    return ""


def _reached(chains: Chains, frame: Frame) -> Iterator[tuple[Site, Frame]]:
    for edge in edges(chains.resolver, chains.overrides, frame):
        if isinstance(edge.target, Frame):
            function = function_of(chains.resolver, edge.target)
            if function is not None and not function.is_async:
                yield edge.site, edge.target


def _done(resolver: Resolver, frame: Frame) -> dict[Spot, str]:
    """What a function itself does of it, by the spots of the calls."""
    module = resolver.table.get(frame.module)
    resolver.table.trace |= module.text_bit if module is not None else 0
    found = resolver.remember(
        ("loop need", frame), frame.module, lambda: tuple(_calls(resolver, frame))
    )
    undone, context = _names()["undone"], _names()["context"]
    is_undone = any(_is_named(name, undone) for _, name in found)
    return {
        spot: name
        for spot, name in found
        if not _is_named(name, undone) and not (is_undone and _is_named(name, context))
    }


def _calls(resolver: Resolver, frame: Frame) -> Iterator[tuple[Spot, str]]:
    function, module = function_of(resolver, frame), resolver.table.get(frame.module)
    for site in function.sites if function is not None and module is not None else ():
        if site.kind != "call" or module is None:
            continue
        scope = module.facts.scopes[site.scope]
        here = frame if site.scope == frame.scope else resolver.frame(frame.module, site.scope)
        if never_on_loop(resolver, scope, site.block, site.spot.line, here):
            continue
        for value in meant(resolver, site, site_values(resolver, site, here), scope, here):
            name = dotted_name(resolver, value) or ""
            if _is_counted(resolver, name):
                yield site.spot, name
                break


def _is_counted(resolver: Resolver, name: str) -> bool:
    names = _names()
    if _is_named(name, names["loop"]):
        return resolver.catalogue.in_asynchronous_module(name.lstrip("_"))
    return _is_named(name, names["context"]) or _is_named(name, names["undone"])


def _is_named(name: str, names: frozenset[str]) -> bool:
    """Whether a dotted name ends with one of these, as a whole or by its last part or two."""
    parts = name.lstrip("_").split(".")
    return any(".".join(parts[-length:]) in names for length in (1, 2, 3))


@cache
def _names() -> dict[str, frozenset[str]]:
    text = resources.files(__package__).joinpath("loop_needs.toml").read_text("utf-8")
    return {key: frozenset(names) for key, names in tomllib.loads(text).items()}
