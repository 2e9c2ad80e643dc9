"""Loops that a function starts only where none runs: elsewhere it hands the same to the loop."""

from __future__ import annotations

from loopsafe.facts.ir import Call, Function, Name, Site
from loopsafe.facts.reach import conditions_around, encloses
from loopsafe.knowledge.schema import Blocking
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame

_CHOICES = frozenset({"if", "else"})


def is_for_no_loop(
    resolver: Resolver, entry: Blocking, site: Site, function: Function, frame: Frame
) -> bool:
    """Whether a plain function starts a loop for what it is given under a condition, and beside
    that hands it to a loop that runs: `asyncio.run(job) if self.is_sync else create_task(job)`.

    Whatever the condition asks, it tells whether a loop runs: starting a second one fails.
    """
    given = _given(site)
    module = resolver.table.get(frame.module)
    if entry.category != "loop" or function.is_async or given is None or module is None:
        return False
    scope = module.facts.scopes[site.scope]
    if not any(conditions_around(scope, site.block, site.spot.line, _CHOICES)):
        return False
    # What the function does elsewhere counts as well.
    resolver.table.trace |= module.text_bit
    return any(
        other.scope == site.scope
        and not encloses(scope.blocks, site.block, other.block)
        and given in _names(other)
        and _goes_to_loop(resolver, other, frame)
        for other in function.sites
        if other.kind == "call" and other is not site
    )


def _given(site: Site) -> str | None:
    """The name of what a loop is started for."""
    call = site.expr
    first = call.args[0] if isinstance(call, Call) and call.args else None
    return first.id if isinstance(first, Name) else None


def _names(site: Site) -> list[str]:
    call = site.expr
    return [arg.id for arg in call.args if isinstance(arg, Name)] if isinstance(call, Call) else []


def _goes_to_loop(resolver: Resolver, site: Site, frame: Frame) -> bool:
    """Whether a call hands what it is given to an asynchronous library, and does not wait for it:
    `loop.create_task(job)`."""
    call = site.expr
    names = (
        dotted_name(resolver, value)
        for value in (resolver.values(call.func, frame) if isinstance(call, Call) else ())
    )
    catalogue = resolver.catalogue
    return any(
        name is not None
        and catalogue.in_asynchronous_module(name.lstrip("_"))
        and catalogue.callable(name) is None
        for name in names
    )
