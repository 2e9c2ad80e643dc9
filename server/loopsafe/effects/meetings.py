"""What runs at the sites of a function, by what is called there, entered, iterated or read."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import partial
from typing import NamedTuple

from loopsafe.effects.either import is_for_no_loop
from loopsafe.effects.filling import fill_relief
from loopsafe.effects.guards import never_on_loop
from loopsafe.effects.holding import Holder, holder
from loopsafe.effects.meant import meant
from loopsafe.effects.readiness import is_ready
from loopsafe.effects.registries import registry_relief
from loopsafe.effects.relief import (
    Relief,
    block_relief,
    class_relief,
    idle_relief,
    lasting,
)
from loopsafe.effects.runs import Target
from loopsafe.effects.targets import site_values, targets
from loopsafe.facts.ir import Function, Site
from loopsafe.knowledge.schema import Blocking
from loopsafe.modules.module import Module
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    Frame,
    FunctionValue,
    Value,
)


def function_of(resolver: Resolver, frame: Frame) -> Function | None:
    """The function whose body a frame reads."""
    module = resolver.table.get(frame.module)
    if module is None:
        return None
    owner = module.facts.scopes[frame.scope].owner
    return module.facts.functions[owner] if owner >= 0 else module.facts.functions[0]


class Meeting(NamedTuple):
    """What runs at a site, for one of its values."""

    site: Site
    value: Value
    target: Target
    members: int
    """How many different things the site may lead to."""
    names: int
    """How many names they have: methods of one name count once, whatever they are looked up on."""
    relief: Relief
    holder: Holder
    """Whose object it is of which a method runs."""


def meetings(resolver: Resolver, frame: Frame) -> tuple[Meeting, ...]:
    """What the sites of a frame's function run: the project's own, library code, known calls."""
    return resolver.remember(
        ("meetings", frame), frame.module, lambda: tuple(_meetings(resolver, frame))
    )


def _meetings(resolver: Resolver, frame: Frame) -> Iterator[Meeting]:
    function = function_of(resolver, frame)
    module = resolver.table.get(frame.module)
    if function is None or module is None:
        return
    for site in function.sites:
        if site.kind != "await":
            # By site: an edit of a function leaves most of its calls as they were.
            yield from resolver.remember(
                ("meets", id(site), frame),
                frame.module,
                partial(_meets, resolver, module, function, site, frame),
            )


def _meets(
    resolver: Resolver, module: Module, function: Function, site: Site, frame: Frame
) -> tuple[Meeting, ...]:
    """What one site of a function runs."""
    scope = module.facts.scopes[site.scope]
    here = frame if site.scope == frame.scope else resolver.frame(frame.module, site.scope)
    if never_on_loop(resolver, scope, site.block, site.spot.line, here):
        return ()
    values = meant(resolver, site, site_values(resolver, site, here), scope, here)
    if not values:
        return ()
    here_only = block_relief(scope, site.block)
    if here_only is not Relief.PROCESS:
        idle = idle_relief(resolver, scope, site.block, here)
        here_only = here_only if idle is Relief.NONE else idle
    if here_only is Relief.NONE:
        here_only = registry_relief(resolver, site, scope, function, here)
    identities = {_identity(resolver, value) for value in values}
    members, names = len(identities), len({name for name, _ in identities})
    found: list[Meeting] = []
    for value in values:
        relief = _relief(resolver, value, here_only)
        if relief is Relief.NONE and site.block:
            relief = fill_relief(resolver, value, site, scope, here)
        relief = lasting(resolver, relief, here)
        for target in targets(resolver, site, value, here):
            if isinstance(target, Blocking) and (
                is_ready(resolver, target, site, scope, here)
                or is_for_no_loop(resolver, target, site, function, here)
            ):
                continue
            # Only what a function keeps may last as long as the object that it is called on.
            is_followed = not isinstance(target, Blocking)
            whose = holder(resolver, site, here) if is_followed else Holder.OTHER
            found.append(Meeting(site, value, target, members, names, relief, whose))
    return tuple(found)


def _relief(resolver: Resolver, value: Value, block: Relief) -> Relief:
    """How often a value is called: as its block runs, or once if the object it makes is kept."""
    kept = class_relief(resolver, value) if isinstance(value, ClassValue) else Relief.NONE
    return kept if kept is Relief.PROCESS else block


def _identity(resolver: Resolver, value: Value) -> tuple[Hashable, Hashable]:
    """What tells two values apart: overloads of one function are one, its receivers are not."""
    receiver = value.receiver if isinstance(value, FunctionValue) else None
    return (dotted_name(resolver, value) or value, receiver)
