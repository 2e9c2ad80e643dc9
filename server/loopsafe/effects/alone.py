"""Coroutines that are the only task of their event loop: a command of the terminal, or a test.

What they block stalls nobody but themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects.callers import Use
from loopsafe.effects.chains import Chains
from loopsafe.effects.drivers import is_driven_by_decorator
from loopsafe.effects.edges import function_of, meetings
from loopsafe.effects.places import Places
from loopsafe.facts.ir import Call, Site
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import Place
from loopsafe.modules.marks import is_test_file
from loopsafe.modules.table import Module
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.runners import runner_of
from loopsafe.resolve.values import CoroutineValue, Frame, FunctionValue

_MOST_CALLERS = 60
_MOST_FRAMES = 300
"""Looked at before nothing is said."""


def is_alone(places: Places, chains: Chains, module: Module, number: int) -> bool:
    """Whether a coroutine only ever runs awaited, step by step, by what a loop is started for, and
    nothing that is run so starts another task."""
    driven = _driven(places, module, number)
    return bool(driven) and all(_is_one_task(chains, *top) for top in driven)


def _driven(places: Places, module: Module, number: int) -> list[tuple[Module, int]]:
    """The coroutines by which a loop that is started for them comes to this one; empty where one
    of the ways to it begins elsewhere, or nobody can say."""
    todo = [(module, number)]
    seen = {(module.name, number)}
    tops: list[tuple[Module, int]] = []
    while todo:
        here, index = todo.pop()
        if len(seen) > _MOST_CALLERS or places.run(here, index).role:
            return []
        if _is_test(here, index):
            # Tests that call a function of the application say nothing of who else does.
            if not is_test_file(module.path):
                return []
            tops.append((here, index))
            continue
        if is_driven_by_decorator(places.resolver, here, index):
            tops.append((here, index))
            continue
        is_used = False
        for use in places.callers.uses(here, index):
            is_used = True
            if places.callers.is_driven(use):
                tops.append((here, index))
            elif not _awaits(places.resolver, use):
                return []
            elif (use.module.name, use.number) not in seen:
                seen.add((use.module.name, use.number))
                todo.append((use.module, use.number))
        if not is_used:
            return []
    return tops


def _is_test(module: Module, number: int) -> bool:
    """Whether a coroutine function is a test, for which its runner starts a loop."""
    return module.facts.functions[number].name.startswith("test") and is_test_file(module.path)


def _awaits(resolver: Resolver, use: Use) -> bool:
    """Whether a coroutine waits for the call of another one at once."""
    frame = resolver.function_frame(FunctionValue(use.module.name, use.number))
    function = use.module.facts.functions[use.number]
    return frame is not None and any(
        (site.awaited and site.expr is use.call) or _waited_for(resolver, site, frame) is use.call
        for site in function.sites
        if use.call is not None
    )


def _is_one_task(chains: Chains, module: Module, number: int) -> bool:
    """Whether a coroutine and what it reaches in the project start no task."""
    start = chains.resolver.function_frame(FunctionValue(module.name, number))
    todo = [start] if start is not None else []
    seen = set(todo)
    for frame in todo:
        if len(todo) > _MOST_FRAMES or _starts_tasks(chains.resolver, frame):
            return False
        for reached in _reached(chains, frame):
            if reached not in seen:
                seen.add(reached)
                todo.append(reached)
    return bool(todo)


def _reached(chains: Chains, frame: Frame) -> Iterator[Frame]:
    """The functions of the project that one calls, coroutines too."""
    resolver = chains.resolver
    for meeting in meetings(resolver, frame):
        if isinstance(meeting.target, Blocking):
            continue
        function = meeting.target.function
        for chosen in (function, *chains.overrides.of(resolver, function)):
            module = resolver.table.get(chosen.module)
            found = resolver.function_frame(chosen, meeting.target.arguments)
            if module is not None and module.is_project and found is not None:
                yield found


def _starts_tasks(resolver: Resolver, frame: Frame) -> bool:
    module = resolver.table.get(frame.module)
    resolver.table.trace |= module.text_bit if module is not None else 0
    found = resolver.remember(
        ("starts tasks", frame), frame.module, lambda: (any(_tasks(resolver, frame)),)
    )
    return any(found)


def _tasks(resolver: Resolver, frame: Frame) -> Iterator[bool]:
    """Of a function's calls, whether they make a coroutine that is not awaited at once, or hand
    a function to the loop."""
    function = function_of(resolver, frame)
    sites = function.sites if function is not None else ()
    waited = {id(found) for site in sites if (found := _waited_for(resolver, site, frame))}
    for site in sites:
        call = site.expr
        if site.kind != "call" or not isinstance(call, Call):
            continue
        here = frame if site.scope == frame.scope else resolver.frame(frame.module, site.scope)
        if not site.awaited and id(call) not in waited:
            yield any(isinstance(v, CoroutineValue) for v in resolver.values(call, here))
        for value in resolver.values(call.func, here):
            runner = runner_of(resolver, value)
            if runner is not None and not runner.inline and not runner.offloads:
                yield Place.LOOP in (runner.sync, runner.coroutine)


def _waited_for(resolver: Resolver, site: Site, frame: Frame) -> Call | None:
    """The one call that is made for what the standard library awaits: `await wait_for(f(), 5)`."""
    call = site.expr
    if not site.awaited or not isinstance(call, Call):
        return None
    given = [part for part in call.args if isinstance(part, Call)]
    modules = [
        resolver.table.get(value.module) if isinstance(value, FunctionValue) else None
        for value in resolver.values(call.func, frame)
    ]
    is_known = all(module is not None and module.is_stub for module in modules)
    return given[0] if len(given) == 1 and modules and is_known else None
