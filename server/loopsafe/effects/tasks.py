"""Where a coroutine starts what runs beside it: tasks, callbacks, what is not awaited at once."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from loopsafe.effects.chains import Chains
from loopsafe.effects.drivers import is_driving, is_driving_aside, takers
from loopsafe.effects.ended import end_of, is_standard
from loopsafe.effects.known import serves
from loopsafe.effects.meetings import function_of, meetings
from loopsafe.facts.ir import Call, Comprehension, Display, Expr, Function, Scope, Site, Starred
from loopsafe.facts.reach import encloses
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import Place
from loopsafe.resolve.protocols import makes_coroutine
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.runners import runner_of
from loopsafe.resolve.values import Frame, Value

_MOST_FRAMES = 300
"""Looked at before a call is taken to start a task, and none to serve."""


class Quiet(NamedTuple):
    """Where in a function nothing runs beside it that it has started itself."""

    busy: tuple[tuple[int, int], ...]
    """The sites, from one to another, in which a task that it has started may run."""
    opening: frozenset[int]
    """Sites that start one, and come but once: what they do first is before it."""

    def has(self, number: int) -> bool:
        """Whether nothing else runs during what a site does first."""
        return all(
            not first <= number <= last or (number == first and number in self.opening)
            for first, last in self.busy
        )


def quiet(chains: Chains, frame: Frame) -> Quiet:
    """Where in a function nothing else may run by what it does itself."""
    found = chains.resolver.remember(
        ("quiet", frame), frame.module, lambda: (_quiet(chains, frame),)
    )
    return found[0] if found else _NOWHERE


def waited_for(resolver: Resolver, site: Site, frame: Frame) -> Call | None:
    """The one call that is made for what the standard library awaits: `await wait_for(f(), 5)`."""
    together = _waited_together(resolver, site, frame)
    is_one = len(together) == 1 and isinstance(site.expr, Call) and together[0] in site.expr.args
    return together[0] if is_one else None


def reached(chains: Chains, frame: Frame) -> Iterator[tuple[Site, Frame]]:
    """The functions of the project that one calls, coroutines too, and where."""
    resolver = chains.resolver
    for meeting in meetings(resolver, frame):
        if isinstance(meeting.target, Blocking):
            continue
        function = meeting.target.function
        for chosen in (function, *chains.overrides.of(resolver, function)):
            module = resolver.table.get(chosen.module)
            found = resolver.function_frame(chosen, meeting.target.arguments)
            if module is not None and module.is_project and found is not None:
                yield meeting.site, found


def below(chains: Chains, frame: Frame, seen: set[Frame]) -> Iterator[tuple[int, Frame]]:
    """The functions of the project that one reaches, with the number of the site that leads there
    first. Those of one site come the nearest first; `seen` are left out, and are added."""
    function = function_of(chains.resolver, frame)
    by_site: dict[int, list[Frame]] = {}
    for site, found in reached(chains, frame):
        by_site.setdefault(id(site), []).append(found)
    for number, site in enumerate(function.sites if function is not None else ()):
        for start in by_site.get(id(site), ()):
            for found in _with_below(chains, start, seen):
                yield number, found


def _with_below(chains: Chains, start: Frame, seen: set[Frame]) -> Iterator[Frame]:
    todo = [start] if start not in seen else []
    seen.update(todo)
    for frame in todo:
        yield frame
        if len(seen) > _MOST_FRAMES:
            return
        for _, further in reached(chains, frame):
            if further not in seen:
                seen.add(further)
                todo.append(further)


_NOWHERE = Quiet(((0, sys.maxsize),), frozenset())


def _quiet(chains: Chains, frame: Frame) -> Quiet:
    function, module = function_of(chains.resolver, frame), chains.resolver.table.get(frame.module)
    if function is None or module is None:
        return _NOWHERE
    busy: list[tuple[int, int]] = []
    opening: set[int] = set()
    for number, end in _starts(chains, frame, function):
        scope = module.facts.scopes[function.sites[number].scope]
        loop = outermost_loop(scope, function, number)
        is_round = bool(loop) and end <= loop[-1]
        if not loop or is_round:
            # What ends in the round that starts it is over when the next one begins.
            opening.add(number)
            busy.append((number, end if loop else min(end, _last_behind(scope, function, number))))
        else:
            # In a loop, what stands before it comes after it as well.
            busy.append((loop[0], end))
    return Quiet(tuple(busy), frozenset(opening))


def _starts(chains: Chains, frame: Frame, function: Function) -> Iterator[tuple[int, int]]:
    """The sites that start a task, by themselves or by what they call, and the number of the site
    with which it has ended."""
    yield from _starting(chains.resolver, frame)
    seen = {frame}
    for number, found in below(chains, frame, seen):
        if len(seen) > _MOST_FRAMES or _leaves(chains.resolver, found):
            yield number, len(function.sites)
            return  # Others run beside whatever comes then.


def _leaves(resolver: Resolver, frame: Frame) -> bool:
    """Whether a function itself starts a task that nobody sees end."""
    function = function_of(resolver, frame)
    never = len(function.sites) if function is not None else 0
    return any(end >= never for _, end in _starting(resolver, frame))


def _starting(resolver: Resolver, frame: Frame) -> tuple[tuple[int, int], ...]:
    """The numbers of a function's sites that start a task by themselves, in order, each with that
    of the site with which the task has ended."""
    module = resolver.table.get(frame.module)
    resolver.table.trace |= module.text_bit if module is not None else 0
    return (
        resolver.remember(
            ("starts tasks", frame), frame.module, lambda: tuple(_tasks(resolver, frame))
        )
        or ()
    )


def _tasks(resolver: Resolver, frame: Frame) -> Iterator[tuple[int, int]]:
    """Calls that make a coroutine which is not awaited here, or hand a function to the loop, or
    from which on a library serves others.

    A coroutine that is given back does not run before somebody awaits it.
    """
    function, module = function_of(resolver, frame), resolver.table.get(frame.module)
    if function is None or module is None:
        return
    waited = {id(c) for site in function.sites for c in _waited_together(resolver, site, frame)}
    waited |= {id(value) for value in function.values}
    taking = takers(module, function)
    for number, site in enumerate(function.sites):
        call = site.expr
        if site.kind != "call" or not isinstance(call, Call):
            continue
        here = frame if site.scope == frame.scope else resolver.frame(frame.module, site.scope)
        callees = resolver.values(call.func, here)
        is_left = not site.is_awaited and id(call) not in waited
        is_left = is_left and not _is_driven(resolver, taking.get(id(call), ()), call, here)
        if any(serves(resolver, value) for value in callees):
            yield number, len(function.sites)
        elif (is_left and makes_coroutine(resolver, call, here)) or any(
            _hands_to_loop(resolver, value) for value in callees
        ):
            yield number, end_of(resolver, frame, function, number)


def _is_driven(resolver: Resolver, taking: Iterable[Call], call: Call, frame: Frame) -> bool:
    """Whether a coroutine is given to what runs it to its end on a loop of its own."""
    return any(
        is_driving(resolver, taker, call, frame) or is_driving_aside(resolver, taker, frame)
        for taker in taking
    )


def _waited_together(resolver: Resolver, site: Site, frame: Frame) -> list[Call]:
    """The calls that are made for what the standard library awaits: `await gather(f(), g())`.

    What they start runs beside each other, and has ended behind it.
    """
    call = site.expr
    if not site.awaited or not isinstance(call, Call):
        return []
    return list(_given(call)) if is_standard(resolver, call, frame) else []


def _given(call: Call) -> Iterator[Call]:
    for part in call.args:
        items: tuple[Expr, ...] = (part,)
        if isinstance(part, Starred):
            inner = part.value
            items = inner.items if isinstance(inner, Display) else (inner,)
        for item in items:
            made = item.element if isinstance(item, Comprehension) else item
            if isinstance(made, Call):
                yield made


def _hands_to_loop(resolver: Resolver, callee: Value) -> bool:
    runner = runner_of(resolver, callee)
    if runner is None or runner.inline or runner.offloads or runner.follows:
        return False
    return Place.LOOP in (runner.sync, runner.coroutine)


def _last_behind(scope: Scope, function: Function, number: int) -> int:
    """The last site that comes behind one: of its branch, where the function ends with that."""
    here = function.sites[number]
    block = here.block
    while block > 0:
        found = scope.blocks[block]
        leaving = scope.blocks[found.parent].exits
        test: object = found.test
        if any(test == exit.test and here.spot.line <= exit.line for exit in leaving):
            return max(
                at
                for at, site in enumerate(function.sites)
                if site.scope == here.scope and encloses(scope.blocks, block, site.block)
            )
        block = found.parent
    return len(function.sites)


def outermost_loop(scope: Scope, function: Function, number: int) -> list[int]:
    """The numbers of the sites in the outermost loop around one; none where there is no loop."""
    here = function.sites[number]
    block, found = here.block, 0
    while block > 0:
        found = block if scope.blocks[block].kind == "loop" else found
        block = scope.blocks[block].parent
    return [
        at
        for at, site in enumerate(function.sites)
        if found and site.scope == here.scope and encloses(scope.blocks, found, site.block)
    ]
