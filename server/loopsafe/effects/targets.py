"""What runs when a value is called, entered, iterated or read: library knowledge or a function."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects.begun import is_fresh
from loopsafe.effects.conditions import blocks
from loopsafe.effects.doors import made_call, runs_on_loop
from loopsafe.effects.hooks import behind_stub, hooks, is_hooked
from loopsafe.effects.implicit import AFTER_MAKING, functions, getters, operator_methods, setters
from loopsafe.effects.known import as_written, knowledge
from loopsafe.effects.literals import passed
from loopsafe.effects.models import MAKING, model_call, running
from loopsafe.effects.runs import Run, Target, up_to_first_yield
from loopsafe.effects.wrapping import added_by_decorators
from loopsafe.facts.ir import Attr, Call, Expr, Name, Site
from loopsafe.knowledge.schema import Blocking, Runner
from loopsafe.model import Place
from loopsafe.resolve.arguments import argument_at
from loopsafe.resolve.dispatching import dispatched
from loopsafe.resolve.names import definitions, qualified
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.runners import runner_of
from loopsafe.resolve.values import (
    ClassValue,
    External,
    ExternalInstance,
    Frame,
    FunctionValue,
    GeneratorValue,
    Instance,
    ManagerFactory,
    ManagerValue,
    MethodCaller,
    PartialValue,
    Value,
    Values,
)

_CALLED_BACK = frozenset({"callback", "signal handler"})
"""Roles of what the loop calls with the arguments that stand behind it."""

_COMPARING = frozenset({"__lt__", "each __lt__"})
"""What is not called where a key is compared instead."""

_ITERATED = frozenset({"iterator", "first"})
_KINDS = _ITERATED | {"callable", "context manager", "async context manager"}
"""What a runner takes that is not an object of which a method is called."""

_METHODS = {
    "enter": "__enter__",
    "exit": "__exit__",
    "aenter": "__aenter__",
    "aexit": "__aexit__",
    "iterate": "__iter__",
    "aiterate": "__aiter__",
}


def site_values(resolver: Resolver, site: Site, frame: Frame) -> Values:
    """What is called, entered, iterated or read at a site."""
    expr = site.expr
    if site.kind in ("call", "decorate") and isinstance(expr, Call):
        callees = dispatched(resolver, resolver.values(expr.func, frame), expr, frame)
        return resolver.known(callees)
    if site.kind in ("get", "set") and isinstance(expr, Attr):
        return resolver.known(resolver.values(expr.value, frame))
    if site.kind == "operator" and isinstance(expr, Call) and isinstance(expr.func, Attr):
        return resolver.known(resolver.values(expr.func.value, frame))
    return resolver.known(resolver.values(expr, frame))


def targets(resolver: Resolver, site: Site, value: Value, frame: Frame) -> Iterator[Target]:
    """What may run at a site, for one of its values."""
    expr = site.expr
    if site.kind in ("call", "decorate") and isinstance(expr, Call):
        if not _is_known_harmless(resolver, value, expr, frame):
            yield from called(resolver, value, expr, frame)
        for run in model_call(resolver, expr, frame):
            yield from called(resolver, run.value, None, frame)
    elif site.kind == "get" and isinstance(expr, Attr):
        if isinstance(value, ExternalInstance):
            yield from _read(resolver, value, expr)
        for getter in getters(resolver, value, expr.name):
            yield from called(resolver, getter, None, frame, expr)
    elif site.kind == "set" and isinstance(expr, Attr):
        for setter in setters(resolver, value, expr.name):
            yield from called(resolver, setter, None, frame)
    elif site.kind == "operator" and isinstance(expr, Call) and isinstance(expr.func, Attr):
        for method in operator_methods(resolver, value, expr.func.name):
            if isinstance(method, (FunctionValue, External)):
                yield from called(resolver, method, expr, frame)
    elif site.kind in _METHODS:
        yield from _protocol(resolver, value, site.kind, site.expr, frame)


def _read(resolver: Resolver, value: ExternalInstance, read: Attr) -> Iterator[Blocking]:
    """A property that waits, of an object whose class nobody sees."""
    known = resolver.catalogue.klass(value.name)
    entry = known.methods.get(read.name) if known is not None else None
    if entry is not None and entry.is_property:
        yield entry


def _is_known_harmless(resolver: Resolver, value: Value, call: Call, frame: Frame) -> bool:
    """Whether the catalogue knows a library's object better by its name: `sys.stdout.write`."""
    if not isinstance(value, FunctionValue) or value.receiver is None:
        return False
    module = resolver.table.get(value.module)
    if module is None or module.is_project:
        return False
    name = qualified(resolver, call.func, frame)
    if name is not None and resolver.catalogue.harmless(name):
        return True
    sources = _sources(resolver, call.func, value.receiver, frame)
    return bool(sources) and all(
        source is not None and resolver.catalogue.harmless(source) for source in sources
    )


def _sources(resolver: Resolver, callee: Expr, cls: ClassValue, frame: Frame) -> list[str | None]:
    """A method by the names of the objects of a class that its receiver was bound to:
    `sys.stdout.write` of `out.write` after `out = sys.stdout`."""
    if not isinstance(callee, Attr) or not isinstance(callee.value, Name):
        return []
    return [
        qualified(resolver, Attr(value, callee.name), found.frame)
        for found in definitions(resolver, callee.value, frame)
        if (value := found.binding.value) is not None
        and any(
            isinstance(given, Instance) and given.cls.definition == cls.definition
            for given in resolver.bound(found.binding, found.frame)
        )
    ]


def called(
    resolver: Resolver,
    value: Value,
    call: Call | None,
    frame: Frame,
    receiver: Expr | None = None,
) -> Iterator[Target]:
    """What runs when a value is called; without a call, by a statement over `receiver`."""
    entry = knowledge(resolver, value)
    if entry is None and call is not None:
        entry = _spelled(resolver, value, call, frame)
    if entry is not None:
        if isinstance(entry, Blocking) and blocks(resolver, entry, call, frame, receiver):
            yield as_written(resolver, entry, call)
            # Whoever waits for workers first goes through what it has for them.
            yield from _inline(resolver, value, call, frame)
        else:
            for hook in hooks(resolver, value) if entry is False else ():
                yield from called(resolver, hook, None, frame)
            yield from _later(resolver, value, call, frame)
        return
    if isinstance(value, FunctionValue):
        yield Run(value, passed(resolver, value, call, frame), False)
        yield from _inline(resolver, value, call, frame)
        yield from added_by_decorators(resolver, value)
        for hook in hooks(resolver, value) if is_hooked(resolver, value) else ():
            yield from called(resolver, hook, None, frame)
    elif isinstance(value, ClassValue):
        yield from _constructed(resolver, value, call, frame)
        yield from _inline(resolver, value, call, frame)
    elif isinstance(value, (Instance, ExternalInstance)):
        for method in resolver.attribute(value, "__call__"):
            if not isinstance(method, Instance):
                yield from called(resolver, method, call, frame)
    elif isinstance(value, PartialValue):
        yield from called(resolver, value.function, value.called(call), frame)
    elif isinstance(value, MethodCaller):
        made = value.called(call)
        for method in resolver.known(resolver.values(made.func, frame)) if made else ():
            yield from called(resolver, method, made, frame)
    elif isinstance(value, External):
        yield from _later(resolver, value, call, frame)


def _spelled(resolver: Resolver, value: Value, call: Call, frame: Frame) -> Blocking | bool | None:
    """The catalogue's word on what a library makes of its functions, by the name that the project
    calls the result by: `stream = partial(_request, ...)`, `get = _client.get`."""
    while isinstance(value, PartialValue):
        value = value.function
    module = resolver.table.get(value.module) if isinstance(value, FunctionValue) else None
    here = resolver.table.get(frame.module)
    if module is None or module.is_project or here is None or not here.is_project:
        return None
    name = qualified(resolver, call.func, frame)
    if name is None:
        return None
    entry = resolver.catalogue.function(name)
    return False if entry is None and resolver.catalogue.harmless(name) else entry


def _constructed(
    resolver: Resolver, cls: ClassValue, call: Call | None, frame: Frame
) -> Iterator[Target]:
    found_init = False
    for function in resolver.of_metaclass(cls, "__call__"):
        if isinstance(function, FunctionValue):
            yield Run(function, (), False)
    for name in ("__new__", "__init__"):
        for function in functions(resolver, cls, name):
            found_init = found_init or name == "__init__"
            yield Run(function, passed(resolver, function, call, frame), False)
    if not found_init:
        for name in AFTER_MAKING:
            for function in functions(resolver, cls, name):
                yield Run(function, (), False)
    given_names = {name for name, _ in call.keywords} if call is not None else set()
    for part in running(resolver, cls, MAKING):
        if not part.default_of or part.default_of not in given_names:
            yield from called(resolver, part.value, None, frame)


def _protocol(
    resolver: Resolver, value: Value, kind: str, expr: Expr, frame: Frame
) -> Iterator[Target]:
    """What runs when a value is entered, left or iterated."""
    if isinstance(value, ManagerValue):
        if kind in ("enter", "aenter"):
            yield _run_of(resolver, value, expr, frame)
        return
    if isinstance(value, GeneratorValue):
        lazy = knowledge(resolver, value.function) if kind == "iterate" else None
        if isinstance(lazy, Blocking) and lazy.lazy:
            yield lazy
        elif kind in ("iterate", "aiterate"):
            yield _run_of(resolver, value, expr, frame)
        return
    method = _METHODS[kind]
    if isinstance(value, ExternalInstance):
        lazy = knowledge(resolver, External(value.name)) if kind == "iterate" else None
        if isinstance(lazy, Blocking) and lazy.lazy:
            yield lazy
            return
        entry = knowledge(resolver, External(f"{value.name}.{method}"))
        if isinstance(entry, Blocking) and blocks(resolver, entry, None, frame, expr):
            yield entry
        return
    if isinstance(value, ClassValue):
        for function in resolver.of_metaclass(value, method):
            if isinstance(function, FunctionValue):
                yield Run(function, (), True)
    if isinstance(value, Instance):
        if kind == "iterate":
            for generator in behind_stub(resolver, value, expr, frame):
                yield Run(generator, (), True)
        names = (method, "__next__") if kind == "iterate" else (method,)
        for name in names:
            for function in resolver.attribute(value, name):
                if isinstance(function, (FunctionValue, External)):
                    for target in called(resolver, function, None, frame, expr):
                        # An `__iter__` that yields runs while its result is iterated.
                        yield target._replace(iterated=True) if isinstance(target, Run) else target


def _run_of(
    resolver: Resolver, value: ManagerValue | GeneratorValue, expr: Expr, frame: Frame
) -> Run:
    """The body of what is entered or iterated, with the literals of the call that makes it there:
    `with heartbeats(join=False)`, or `beats = heartbeats(join=False)` before."""
    function, arguments = value.function, value.arguments
    if isinstance(expr, Name):
        made_at = definitions(resolver, expr, frame)
        if len(made_at) == 1 and isinstance(made_at[0].binding.value, Call):
            expr, frame = made_at[0].binding.value, made_at[0].frame
    if isinstance(expr, Call):
        callees = resolver.values(expr.func, frame)
        made = (c.function if isinstance(c, ManagerFactory) else c for c in callees)
        if any(isinstance(c, FunctionValue) and c.definition == function.definition for c in made):
            known = dict(passed(resolver, function, expr, frame))
            arguments = tuple(sorted((known | dict(arguments)).items(), key=lambda item: item[0]))
    return Run(function, arguments, True)


def _inline(resolver: Resolver, value: Value, call: Call | None, frame: Frame) -> Iterator[Target]:
    """Callables that the callee calls before it returns: `sorted(key=f)`, `list(generator())`."""
    runner = runner_of(resolver, value) if call is not None else None
    if runner is None or call is None:
        return
    is_by_key = argument_at(call, runner.position, runner.argument) is not None
    for one in (runner, *runner.also):
        if one.takes in _COMPARING and is_by_key and runner.takes == "callable":
            continue
        argument = argument_at(call, one.position, one.argument) if one.inline else None
        if argument is not None:
            yield from _run_inline(resolver, one, argument, made_call(one, call), frame)
    yield from _later(resolver, value, call, frame)


def _later(resolver: Resolver, value: Value, call: Call | None, frame: Frame) -> Iterator[Target]:
    """What the loop runs with what a call gives it: `loop.call_soon(time.sleep, 1)`.

    Functions with a body here have a place of their own when they are given away: of these only
    what rests on their arguments is told here.
    """
    runner = runner_of(resolver, value) if call is not None else None
    made = made_call(runner, call) if runner is not None and call is not None else None
    if runner is None or call is None or made is None or runner.inline:
        return
    is_called_back = runner.role in _CALLED_BACK and runner.sync is Place.LOOP
    is_given = is_called_back or bool(made.args or made.keywords)
    for given_value in resolver.values(made.func, frame):
        if not is_given and not isinstance(given_value, PartialValue):
            continue
        for target in called(resolver, given_value, made, frame):
            if isinstance(target, Blocking):
                if is_called_back:
                    yield target
            elif target.arguments and runs_on_loop(resolver, runner, call, target.function, frame):
                yield target._replace(apart=made)


def _run_inline(
    resolver: Resolver, runner: Runner, argument: Expr, made: Call | None, frame: Frame
) -> Iterator[Target]:
    each, _, name = ("", "", "") if runner.takes in _KINDS else runner.takes.rpartition(" ")
    values = resolver.values(argument, frame)
    for given_value in resolver.elements(values) if each else values:
        if runner.takes == "callable":
            yield from called(resolver, given_value, made, frame)
        elif name:
            for method in operator_methods(resolver, given_value, name):
                if isinstance(method, (FunctionValue, External)):
                    yield from called(resolver, method, None, frame)
        elif runner.takes == "async context manager":
            yield from _protocol(resolver, given_value, "aenter", argument, frame)
        elif isinstance(given_value, ManagerValue):
            yield Run(given_value.function, given_value.arguments, True)
        elif runner.takes == "context manager":
            yield from _protocol(resolver, given_value, "enter", argument, frame)
        elif runner.takes in _ITERATED:
            gone_through = _protocol(resolver, given_value, "iterate", argument, frame)
            is_begun = runner.takes == "first" and is_fresh(resolver, given_value, argument, frame)
            how = "held" if isinstance(argument, Name) else "dropped"
            for target in gone_through:
                yield up_to_first_yield(target, how) if is_begun else target
