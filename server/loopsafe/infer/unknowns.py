"""The calls on the way of the event loop whose callee `resolve` leaves unknown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from loopsafe.effects.chains import Chains
from loopsafe.effects.guards import never_on_loop
from loopsafe.effects.meetings import function_of
from loopsafe.effects.places import Places
from loopsafe.facts.ir import Attr, Call, Const, Function, Site, Unknown
from loopsafe.infer.interest import BORING, Interest
from loopsafe.model import Place
from loopsafe.modules.module import Module
from loopsafe.resolve.expressions import evaluate
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame, FunctionValue

_MOST_FRAMES = 400
_MOST_BORING = 40


class OpenCall(NamedTuple):
    """A call that may run anything, for all that is known."""

    module: Module
    function: Function
    site: Site
    call: Call


def open_calls(
    resolver: Resolver, chains: Chains, places: Places, module: Module
) -> list[OpenCall]:
    """Those of a module's loop-run functions and of what they call, the likeliest first."""
    found: dict[tuple[str, int], OpenCall | None] = {}
    for frame in _reached(resolver, chains, places, module):
        function = function_of(resolver, frame)
        here = resolver.table.get(frame.module)
        if function is None or here is None or not here.is_project:
            continue
        for call, known in _in_function(resolver, here, function, frame):
            key = (here.key, id(call.call))
            # Known from one of its callers, it is followed from there.
            found[key] = None if known else found.get(key, call)
    interest = Interest(resolver.catalogue, resolver.table)
    ranked = [(interest.rank(c.call), c.module.key != module.key, c) for c in found.values() if c]
    ranked.sort(key=lambda item: item[:2])
    boring = [call for rank, _, call in ranked if rank >= BORING]
    return [call for rank, _, call in ranked if rank < BORING] + boring[:_MOST_BORING]


def askable(call: Call) -> bool:
    """Whether the callee is an expression of its own, that an answer can be kept for."""
    func = call.func
    if isinstance(func, (Unknown, Const)):
        return False
    return not isinstance(func, Attr) or not isinstance(func.value, Const)


def _reached(resolver: Resolver, chains: Chains, places: Places, module: Module) -> Iterator[Frame]:
    """The frames that the module's loop-run functions enter, nearest first."""
    todo: list[Frame] = []
    for number in range(len(module.facts.functions)):
        if places.run(module, number).place is Place.LOOP:
            frame = resolver.function_frame(FunctionValue(module.key, number))
            if frame is not None:
                todo.append(frame)
    seen = set(todo)
    for frame in todo:
        yield frame
        for edge in chains.edges(frame):
            target = edge.target
            if isinstance(target, Frame) and target not in seen and len(seen) < _MOST_FRAMES:
                seen.add(target)
                todo.append(target)


def _in_function(
    resolver: Resolver, module: Module, function: Function, frame: Frame
) -> Iterator[tuple[OpenCall, bool]]:
    """The calls of a function, and whether it is known here what they run."""
    for site in function.sites:
        call = site.expr
        # What is awaited is a coroutine's work in all but broken code.
        if site.kind != "call" or site.awaited or not isinstance(call, Call) or not askable(call):
            continue
        here = frame if site.scope == frame.scope else resolver.frame(frame.module, site.scope)
        if never_on_loop(
            resolver, module.facts.scopes[site.scope], site.block, site.spot.line, here
        ):
            continue
        hinted = (module.key, id(call.func)) in resolver.hints
        values = evaluate(resolver, call.func, here) if hinted else resolver.values(call.func, here)
        yield OpenCall(module, function, site, call), bool(resolver.known(values))
