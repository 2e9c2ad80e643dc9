"""Where a coroutine starts what runs beside it: tasks, callbacks, what is not awaited at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from loopsafe.effects.chains import Chains, Step
from loopsafe.effects.edges import function_of, meetings
from loopsafe.facts.ir import Call, Comprehension, Display, Expr, Scope, Site, Starred
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import Place
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.runners import runner_of
from loopsafe.resolve.values import CoroutineValue, Frame, FunctionValue, Value

_MOST_FRAMES = 300
"""Looked at before a call is taken to start a task."""


class Beginning(NamedTuple):
    """The sites of a function that run before it starts anything beside it."""

    sites: int
    opens: bool
    """The site after them starts it, and comes but once: what it does first is of the beginning."""

    def has(self, number: int) -> bool:
        """Whether what a site does first belongs to the beginning."""
        return number < self.sites or (number == self.sites and self.opens)


def beginning(chains: Chains, frame: Frame) -> Beginning:
    """What comes in a function before the first site by which anything else may run."""
    found = chains.resolver.remember(
        ("beginning", frame), frame.module, lambda: (_beginning(chains, frame),)
    )
    return found[0] if found else Beginning(0, False)


def is_before_tasks(chains: Chains, steps: Sequence[Step]) -> bool:
    """Whether the end of a chain runs before anything on its way starts a task."""
    for step in steps:
        function = function_of(chains.resolver, step.frame)
        if function is None or step.edge.site not in function.sites:
            return False
        number, start = function.sites.index(step.edge.site), beginning(chains, step.frame)
        if number != start.sites or not start.opens:
            return number < start.sites
    return False


def waited_for(resolver: Resolver, site: Site, frame: Frame) -> Call | None:
    """The one call that is made for what the standard library awaits: `await wait_for(f(), 5)`."""
    together = _waited_together(resolver, site, frame)
    is_one = len(together) == 1 and isinstance(site.expr, Call) and together[0] in site.expr.args
    return together[0] if is_one else None


def _beginning(chains: Chains, frame: Frame) -> Beginning:
    function, module = function_of(chains.resolver, frame), chains.resolver.table.get(frame.module)
    if function is None or module is None:
        return Beginning(0, False)
    sites = function.sites
    first = _first(chains, frame, sites)
    if first == len(sites):
        return Beginning(first, False)
    # In a loop, what stands before it comes after it as well.
    scope = module.facts.scopes[sites[first].scope]
    loop = _outermost_loop(scope, sites[first].block)
    if not loop:
        return Beginning(first, True)
    same = (at for at, site in enumerate(sites) if site.scope == sites[first].scope)
    inside = (at for at in same if _outermost_loop(scope, sites[at].block) == loop)
    return Beginning(next(inside, first), False)


def _first(chains: Chains, frame: Frame, sites: tuple[Site, ...]) -> int:
    """The number of the first site that starts a task, by itself or by what it calls."""
    own = next(iter(_starting(chains.resolver, frame)), len(sites))
    by_site: dict[int, list[Frame]] = {}
    for site, found in _reached(chains, frame):
        by_site.setdefault(id(site), []).append(found)
    seen = {frame}
    for number, site in enumerate(sites[:own]):
        if any(_leads_to_tasks(chains, found, seen) for found in by_site.get(id(site), ())):
            return number
    return own


def _leads_to_tasks(chains: Chains, start: Frame, seen: set[Frame]) -> bool:
    """Whether a function, or what it reaches in the project, starts a task.

    `seen` are functions that start none; those that are looked at are added.
    """
    todo = [start] if start not in seen else []
    seen.update(todo)
    for frame in todo:
        if len(seen) > _MOST_FRAMES or _starting(chains.resolver, frame):
            return True
        for _, reached in _reached(chains, frame):
            if reached not in seen:
                seen.add(reached)
                todo.append(reached)
    return False


def _reached(chains: Chains, frame: Frame) -> Iterator[tuple[Site, Frame]]:
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


def _starting(resolver: Resolver, frame: Frame) -> tuple[int, ...]:
    """The numbers of a function's sites that start a task by themselves, in order."""
    module = resolver.table.get(frame.module)
    resolver.table.trace |= module.text_bit if module is not None else 0
    return (
        resolver.remember(
            ("starts tasks", frame), frame.module, lambda: tuple(_tasks(resolver, frame))
        )
        or ()
    )


def _tasks(resolver: Resolver, frame: Frame) -> Iterator[int]:
    """Calls that make a coroutine which is not awaited here, or hand a function to the loop.

    A coroutine that is given back does not run before somebody awaits it.
    """
    function = function_of(resolver, frame)
    sites = function.sites if function is not None else ()
    waited = {id(found) for site in sites for found in _waited_together(resolver, site, frame)}
    waited |= {id(value) for value in function.values} if function is not None else set()
    for number, site in enumerate(sites):
        call = site.expr
        if site.kind != "call" or not isinstance(call, Call):
            continue
        here = frame if site.scope == frame.scope else resolver.frame(frame.module, site.scope)
        is_left = not site.is_awaited and id(call) not in waited
        if (is_left and _makes_coroutine(resolver, call, here)) or any(
            _hands_to_loop(resolver, value) for value in resolver.values(call.func, here)
        ):
            yield number


def _waited_together(resolver: Resolver, site: Site, frame: Frame) -> list[Call]:
    """The calls that are made for what the standard library awaits: `await gather(f(), g())`.

    What they start runs beside each other, and has ended behind it.
    """
    call = site.expr
    if not site.awaited or not isinstance(call, Call):
        return []
    modules = [
        resolver.table.get(value.module) if isinstance(value, FunctionValue) else None
        for value in resolver.values(call.func, frame)
    ]
    is_known = all(module is not None and module.is_stub for module in modules)
    return list(_given(call)) if modules and is_known else []


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


def _makes_coroutine(resolver: Resolver, call: Call, frame: Frame) -> bool:
    return any(isinstance(value, CoroutineValue) for value in resolver.values(call, frame))


def _hands_to_loop(resolver: Resolver, callee: Value) -> bool:
    runner = runner_of(resolver, callee)
    if runner is None or runner.inline or runner.offloads:
        return False
    return Place.LOOP in (runner.sync, runner.coroutine)


def _outermost_loop(scope: Scope, block: int) -> int:
    """The outermost loop around a block; 0 where there is none."""
    found = 0
    while block > 0:
        if scope.blocks[block].kind == "loop":
            found = block
        block = scope.blocks[block].parent
    return found
