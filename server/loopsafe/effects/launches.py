"""What plain code gives to what a loop runs by itself: `asyncio.run(serve(client))`.

Nothing of a coroutine's body that rests on what it is given shows where the body stands. A
coroutine that begins it tells of that; where plain code does, that has to.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects.callers import Callers
from loopsafe.effects.drivers import is_driving_aside, takers
from loopsafe.effects.edges import Edge, edge_of, ends_of
from loopsafe.effects.meetings import meetings
from loopsafe.effects.overrides import Overrides
from loopsafe.effects.runs import Run
from loopsafe.facts.ir import Call, Function, Name, Param, last_name
from loopsafe.modules.module import Module
from loopsafe.resolve.names import definitions
from loopsafe.resolve.protocols import makes_coroutine
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame, FunctionValue

_MOST_USES = 8
"""Callers of a plain function that are looked at for what they give it."""


def launched(
    resolver: Resolver, overrides: Overrides, callers: Callers, module: Module, number: int
) -> Iterator[tuple[Frame, Edge]]:
    """What a plain function gives something and has a loop run, each as seen from a frame of the
    function."""
    function = module.facts.functions[number]
    own = resolver.function_frame(FunctionValue(module.name, number))
    if own is None or function.is_async:
        return
    for call in _begun(resolver, module, function, own):
        passes_on = _passes_on(resolver, call, own)
        for frame in _frames(resolver, callers, module, number) if passes_on else (own,):
            yield from ((frame, edge) for edge in _edges(resolver, overrides, call, frame))


def _begun(resolver: Resolver, module: Module, function: Function, frame: Frame) -> list[Call]:
    """The calls of a function that make a coroutine with arguments and hand it on, and those by
    which the loop calls something with arguments later."""
    found: list[Call] = []
    around = takers(module, function)
    for site in function.sites:
        call = site.expr
        if site.kind != "call" or not isinstance(call, Call) or not (call.args or call.keywords):
            continue
        given_to = around.get(id(call), ())
        # Most of what calls are given is no coroutine, which is soon known.
        if given_to and makes_coroutine(resolver, call, frame):
            if not any(is_driving_aside(resolver, taker, frame) for taker in given_to):
                found.append(call)
        elif last_name(call.func) in resolver.catalogue.words.calling:
            found.append(call)
    return found


def _passes_on(resolver: Resolver, call: Call, frame: Frame) -> bool:
    """Whether a call passes what the function is given itself."""
    return any(
        isinstance(definition.binding.value, Param)
        for arg in (*call.args, *(value for _, value in call.keywords))
        if isinstance(arg, Name)
        for definition in definitions(resolver, arg, frame)
    )


def _frames(resolver: Resolver, callers: Callers, module: Module, number: int) -> Iterator[Frame]:
    """A plain function as it is called by others, with what these give it."""
    for at, use in enumerate(callers.uses(module, number)):
        if at >= _MOST_USES:
            return
        here = resolver.function_frame(FunctionValue(use.module.name, use.number))
        if use.call is None or here is None or use.module.facts.functions[use.number].is_async:
            continue
        resolver.table.trace |= use.module.text_bit
        targets = (m.target for m in meetings(resolver, here) if m.site.expr is use.call)
        for run in (target for target in targets if isinstance(target, Run) and target.arguments):
            frame = resolver.function_frame(run.function, run.arguments)
            if frame is not None and run.function.definition == (module.name, number):
                yield frame


def _edges(resolver: Resolver, overrides: Overrides, call: Call, frame: Frame) -> list[Edge]:
    """Where a call leads that begins something on the loop, by what it gives that."""
    return [
        edge_of(meeting, end, meeting.members)
        for meeting in meetings(resolver, frame)
        if meeting.site.expr is call and isinstance(meeting.target, Run)
        for end in ends_of(resolver, overrides, meeting.target)
    ]
