"""A function's sites -> where each may lead: the edges of the call graph, made when asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from loopsafe.effects.conditions import makers
from loopsafe.effects.drivers import is_driving, is_driving_aside, takers
from loopsafe.effects.holding import Holder
from loopsafe.effects.meant import for_await, gives_awaitable
from loopsafe.effects.meetings import Meeting, function_of, meetings
from loopsafe.effects.overrides import MOST, Overrides, decorated
from loopsafe.effects.relief import Relief
from loopsafe.effects.runs import Run, Target
from loopsafe.facts.ir import Attr, Call, Expr, Function, Name, Param, Site, last_name
from loopsafe.knowledge.schema import Blocking
from loopsafe.resolve.arguments import says_what_runs
from loopsafe.resolve.given import Arguments
from loopsafe.resolve.names import definitions
from loopsafe.resolve.naming import of_project
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    CoroutineValue,
    External,
    Frame,
    FunctionValue,
    Instance,
    Value,
)


class Edge(NamedTuple):
    """One way that a site leads on, to a blocking callable or into a function's frame."""

    site: Site
    target: Blocking | Frame
    members: int
    """How many different things the site may lead to, blocking or not."""
    relief: Relief
    """Whether the site runs every time."""
    fresh: bool = False
    """A coroutine passes on what it is given itself: something else from one call to the next."""
    holder: Holder = Holder.OTHER
    """Whose object it is of which a method runs."""
    apart: bool = False
    """The loop runs the target later, by itself; the site is the call that it makes."""


def edges(resolver: Resolver, overrides: Overrides, frame: Frame) -> tuple[Edge, ...]:
    """Where the sites of a frame's function lead."""
    return resolver.remember(
        ("edges", frame), frame.module, lambda: tuple(_edges(resolver, overrides, frame))
    )


def _edges(resolver: Resolver, overrides: Overrides, frame: Frame) -> list[Edge]:
    function, module = function_of(resolver, frame), resolver.table.get(frame.module)
    if function is None or module is None:
        return []
    is_root = function.is_async and not frame.arguments
    handed = _given(frame)
    runners = takers(module, function) if is_root or handed else {}
    for_async = ForAsync(function)
    found: dict[tuple[Site, Blocking | Frame], Edge] = {}
    for meeting in meetings(resolver, frame):
        if for_async.has(meeting.site) and (
            _is_made_async(resolver, meeting.value)
            or _is_for_subclasses(resolver, overrides, meeting, frame)
        ):
            continue
        target = meeting.target
        begins = (is_root or _hands_on(target, handed)) and (
            isinstance(target, Blocking)
            or not target.arguments
            or not any(
                _is_elsewhere(resolver, function, call, meeting.site.expr, frame)
                for call in runners.get(id(meeting.site.expr), ())
            )
        )
        ends = _ends(resolver, overrides, target, begins, for_async.has(meeting.site))
        # Any of a few implementations is run sooner or later; of many, who knows.
        members = meeting.members if len(ends) <= MOST else max(meeting.members, len(ends))
        for end in ends:
            fresh = isinstance(end, Frame) and _passes_data(resolver, meeting.site, frame)
            edge = edge_of(meeting, end, members, fresh)
            found.setdefault((meeting.site, end), edge)
    sure = [
        edge
        for edge in found.values()
        if not _is_declared_wrongly(resolver, edge, for_async, frame)
    ]
    return _without_doubtful(for_async, sure)


def _is_elsewhere(
    resolver: Resolver, function: Function, taker: Call, made: Expr, frame: Frame
) -> bool:
    """Whether a call runs the coroutine that it is given on another loop than this: a thread's, or
    one that a plain function starts, which fails where one runs."""
    if is_driving_aside(resolver, taker, frame):
        return True
    return not function.is_async and is_driving(resolver, taker, made, frame)


def edge_of(meeting: Meeting, end: Blocking | Frame, members: int, fresh: bool = False) -> Edge:
    """The way from a site to one of the things that what runs there stands for."""
    later = meeting.target.apart if isinstance(meeting.target, Run) else None
    site = meeting.site if later is None else meeting.site._replace(expr=later)
    return Edge(site, end, members, meeting.relief, fresh, meeting.holder, later is not None)


def ends_of(resolver: Resolver, overrides: Overrides, run: Run) -> list[Frame]:
    """What begins where a coroutine is made, or something is handed to the loop, with what it is
    given."""
    return [
        end
        for end in _ends(resolver, overrides, run, True, True)
        if isinstance(end, Frame)
        and end.arguments
        and (run.apart is not None or _is_coroutine_function(resolver, end))
    ]


def _is_coroutine_function(resolver: Resolver, frame: Frame) -> bool:
    function = function_of(resolver, frame)
    return function is not None and function.is_async


def _given(frame: Frame) -> frozenset[Value]:
    """What a call gives a function to call, and to call the methods of."""
    return frozenset(filter(says_what_runs, (v for _, values in frame.arguments for v in values)))


def _hands_on(target: Target, handed: frozenset[Value]) -> bool:
    """Whether a function is given one of some values."""
    return isinstance(target, Run) and any(
        value in handed for _, values in target.arguments for value in values
    )


def _passes_data(resolver: Resolver, site: Site, frame: Frame) -> bool:
    """Whether a coroutine's call passes a text or a number that comes from its parameters."""
    call, function = site.expr, function_of(resolver, frame)
    if not isinstance(call, Call) or function is None or not function.is_async:
        return False
    return any(
        isinstance(definition.binding.value, Param)
        and all(
            isinstance(value, Instance) and value.cls.module == "builtins"
            for value in resolver.values(arg, frame) or (None,)
        )
        for arg in (*call.args, *(value for _, value in call.keywords))
        if (name := _root(arg)) is not None
        for definition in definitions(resolver, name, frame)
    )


def _root(expr: Expr) -> Name | None:
    while isinstance(expr, Attr):
        expr = expr.value
    return expr if isinstance(expr, Name) else None


class ForAsync:
    """Which calls of a function give what is awaited, or what `async for` and `async with` ask."""

    def __init__(self, function: Function) -> None:
        self._asked: list[object] = [s.expr for s in function.sites if s.kind in _ASKING]

    def has(self, site: Site) -> bool:
        """Whether a site is one of them."""
        return site.is_awaited or (site.kind == "call" and site.expr in self._asked)


_ASKING = ("aenter", "aiterate")


def _without_doubtful(for_async: ForAsync, edges: list[Edge]) -> list[Edge]:
    """Edges without calls that block, where what is awaited may be something else: then it is that.

    A receiver may be a client of either kind, and only the asynchronous one's result is awaited.
    """
    leading: dict[Site, set[Blocking | Frame]] = {}
    for edge in edges:
        if edge.members > 1 and for_async.has(edge.site):
            leading.setdefault(edge.site, set()).add(edge.target)
    return [
        edge
        for edge in edges
        if isinstance(edge.target, Frame)
        or edge.site not in leading
        or edge.members <= len(leading[edge.site])
    ]


def _is_made_async(resolver: Resolver, value: Value) -> bool:
    """Whether a decorator that nobody knows must make a coroutine function of a plain one.

    `await load()` of a `def load` works in no other way: as a rule it runs in a thread.
    """
    own = of_project(resolver, value)
    if own is None:
        return False
    value, module = own
    function = module.facts.functions[value.number]
    if function.is_async or not function.decorators:
        return False
    outer = resolver.frame(value.module, function.outer)
    callees = (d.func if isinstance(d, Call) else d for d in function.decorators)
    is_open = any(
        all(isinstance(made, External) for made in resolver.values(callee, outer))
        for callee in callees
    )
    gives = resolver.function_result(value, ()) if is_open else ()
    return is_open and not any(isinstance(given, CoroutineValue) for given in gives)


def _is_for_subclasses(
    resolver: Resolver, overrides: Overrides, meeting: Meeting, frame: Frame
) -> bool:
    """Whether an awaited plain method is one that subclasses make a coroutine function.

    Its own class is no receiver then: awaiting what it gives would fail. Unless the object is
    made in sight, and is of that class.
    """
    value, call = meeting.value, meeting.site.expr
    if not isinstance(value, FunctionValue) or not isinstance(call, Call):
        return False
    module = resolver.table.get(value.module)
    receiver = call.func.value if isinstance(call.func, Attr) else None
    if module is None or receiver is None or module.facts.functions[value.number].is_async:
        return False
    is_an_object = all(isinstance(v, Instance) for v in resolver.values(receiver, frame))
    if not is_an_object or any(makers(resolver, receiver, frame)):
        return False
    return not gives_awaitable(resolver, value) and overrides.are_coroutines(resolver, value)


def _is_declared_wrongly(resolver: Resolver, edge: Edge, for_async: ForAsync, frame: Frame) -> bool:
    """Whether only a variable's annotation says that what is awaited is the synchronous client.

    `client: redis.Redis = context["redis"]`: that its results are awaited says more.
    """
    call, target = edge.site.expr, edge.target
    if not isinstance(target, Blocking) or not isinstance(call, Call):
        return False
    receiver = call.func.value if isinstance(call.func, Attr) else None
    has_twin = target.twin.rpartition(".")[2] == last_name(call.func)
    if not isinstance(receiver, Name) or not has_twin or not for_async.has(edge.site):
        return False
    found = definitions(resolver, receiver, frame)
    return bool(found) and all(
        d.binding.annotation is not None
        and d.binding.value is not None
        and not isinstance(d.binding.value, Param)
        and not resolver.values(d.binding.value, d.frame)
        for d in found
    )


def _ends(
    resolver: Resolver,
    overrides: Overrides,
    target: Target,
    from_root: bool,
    is_awaited: bool,
) -> list[Blocking | Frame]:
    """The frames that a target runs.

    A coroutine's own body, or that of what the loop calls back, is looked at by itself. From a
    coroutine at the root it counts for what it does with what it is given there, or what is
    handed on to it.
    """
    if isinstance(target, Blocking):
        return [target]
    frames: list[Blocking | Frame] = []
    for chosen, arguments in _chosen(resolver, overrides, target, is_awaited):
        module = resolver.table.get(chosen.module)
        if module is None or not module.is_project:
            continue
        facts = module.facts.functions[chosen.number]
        if facts.is_async or target.apart is not None:
            is_run = target.iterated or not facts.is_generator
            runs = from_root and is_run and bool(arguments)
        else:
            runs = target.iterated or not facts.is_generator
        frame = resolver.function_frame(chosen, arguments) if runs else None
        if frame is not None:
            frames.append(frame)
    return frames


def _chosen(
    resolver: Resolver, overrides: Overrides, run: Run, is_awaited: bool
) -> Iterator[tuple[FunctionValue, Arguments]]:
    """The functions that run where one is called, and what they are given: itself, and what
    stands in for it."""
    yield (for_await(resolver, run.function) if is_awaited else run.function), run.arguments
    for override in overrides.of(resolver, run.function):
        for made in decorated(resolver, override):
            # A decorator's wrapper has parameters of its own.
            arguments = run.arguments if made.definition == override.definition else ()
            yield (for_await(resolver, made) if is_awaited else made), arguments
