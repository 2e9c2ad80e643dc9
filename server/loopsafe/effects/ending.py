"""What a function does before it ends the program, which it comes to but once."""

from __future__ import annotations

from loopsafe.effects.chains import Step
from loopsafe.effects.known import ends
from loopsafe.effects.meetings import function_of
from loopsafe.facts.ir import Call, Scope
from loopsafe.facts.reach import encloses
from loopsafe.resolve.resolver import Resolver


def ends_behind(resolver: Resolver, step: Step) -> bool:
    """Whether a function that comes to one of its sites surely ends the program behind it."""
    frame, here = step.frame, step.edge.site
    module, function = resolver.table.get(frame.module), function_of(resolver, frame)
    if module is None or function is None or here not in function.sites:
        return False
    if here.scope != frame.scope:
        return False
    resolver.table.trace |= module.text_bit
    scope = module.facts.scopes[here.scope]
    for site in function.sites[function.sites.index(here) + 1 :]:
        call = site.expr
        if site.kind != "call" or not isinstance(call, Call) or site.scope != here.scope:
            continue
        if not _is_reached(scope, here.block, here.spot.line, site.block, site.spot.line):
            continue
        if any(ends(resolver, value) for value in resolver.values(call.func, frame)):
            return True
    return False


def _is_reached(scope: Scope, block: int, line: int, later: int, end: int) -> bool:
    """Whether a line behind another one is come to from there, whatever is asked between."""
    if not encloses(scope.blocks, later, block):
        return False
    while block >= 0:
        found = scope.blocks[block]
        if any(line <= leaving.line < end for leaving in found.exits):
            return False
        if block == later:
            return True
        block = found.parent
    return False
