"""The steps of a chain, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from loopsafe.effects.derive import Step
from loopsafe.effects.known import knowledge
from loopsafe.effects.meetings import function_of
from loopsafe.facts.ir import Call, Site
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import Hop
from loopsafe.resolve.arguments import argument_at
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.runners import runner_of
from loopsafe.resolve.values import Frame
from loopsafe.rules.wording import call_label, sink_label


def hop(resolver: Resolver, frame: Frame, site: Site) -> Hop | None:
    """A site as a step of a chain."""
    module, owner = resolver.table.get(frame.module), function_of(resolver, frame)
    if module is None or owner is None:
        return None
    span = owner.in_file(site.spot)
    bundle, place = resolver.table.disk.bundle, ""
    if bundle.holds(module.path):
        place = f"{bundle.release(module.path)}, {bundle.place(module.path)}:{span.line}"
    function = f"{module.dotted}.{owner.qualname}"
    return Hop(module.path, span, function, call_label(site), place)


def inside(resolver: Resolver, steps: Iterable[Step], entry: Hop | None) -> Iterator[Hop]:
    """The steps through a package; those that nobody can open stand at the call that enters it."""
    for step in steps:
        found = hop(resolver, step.frame, step.site)
        if found is not None and found.place and entry is not None:
            yield replace(found, path=entry.path, span=entry.span)
        elif found is not None:
            yield found


def handed(
    resolver: Resolver, frame: Frame, site: Site, blocking: Blocking, last: Hop
) -> Hop | None:
    """The blocking call where a site only hands over what makes it: `sorted(urls, key=get)`."""
    call = site.expr
    if site.kind != "call" or not isinstance(call, Call):
        return None
    for value in resolver.values(call.func, frame):
        runner = runner_of(resolver, value)
        for one in (runner, *runner.also) if runner is not None else ():
            given = argument_at(call, one.position, one.argument)
            if one.takes == "callable" and given is not None:
                known = (knowledge(resolver, v) for v in resolver.values(given, frame))
                if any(entry is blocking for entry in known):
                    return replace(last, call=sink_label(blocking))
    return None
