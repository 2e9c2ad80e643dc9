"""Calls: what a call gives, and what decorators make of functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.facts.ir import Call, last_name
from loopsafe.resolve.arguments import argument_at, fitting, is_callable
from loopsafe.resolve.choosing import returned
from loopsafe.resolve.conditions import outcome
from loopsafe.resolve.dispatching import DISPATCHERS, dispatched, implementations
from loopsafe.resolve.given import Arguments, given, instances_made
from loopsafe.resolve.held import decorating, holding
from loopsafe.resolve.lookups import looked_up, of_class
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.results import itself, known_result, maker, told_result
from loopsafe.resolve.runners import runner_of
from loopsafe.resolve.special import DECORATORS, SPECIAL, has_next
from loopsafe.resolve.values import (
    ClassValue,
    CoroutineValue,
    External,
    ExternalInstance,
    Frame,
    FunctionValue,
    GeneratorValue,
    Instance,
    ManagerFactory,
    ManagerValue,
    MethodCaller,
    OffloadingValue,
    PartialValue,
    ReturningValue,
    Value,
    Values,
    union,
)
from loopsafe.resolve.wrappers import around

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


_LOOKUPS = frozenset(
    f"{kind}.{name}"
    for kind in ("builtins.dict", "typing.Mapping", "typing._TypedDict")
    for name in ("get", "pop", "setdefault")
)
"""What looks for a key, as `table[key]` does."""

ITERATORS = frozenset(
    f"{module}.{name}"
    for module in ("typing", "collections.abc")
    for name in ("Iterable", "Iterator", "Generator")
)
"""Annotations that a generator fits as well as a list."""


def call_values(resolver: Resolver, call: Call, frame: Frame) -> Values:
    """What a call may give."""
    callees = dispatched(resolver, resolver.values(call.func, frame), call, frame)
    callees = fitting(resolver, callees, call, frame)
    if last_name(call.func) in resolver.catalogue.words.handing:
        run = union(_run(resolver, callee, call, frame) for callee in callees)
        if run:
            return run
    return union(call_value(resolver, callee, call, frame) for callee in callees)


def call_value(resolver: Resolver, value: Value, call: Call | None, frame: Frame | None) -> Values:
    """What calling a value gives; without a call, whatever the arguments."""
    if isinstance(value, FunctionValue):
        return _call_function(resolver, value, call, frame)
    if isinstance(value, ClassValue):
        return _call_class(resolver, value, call, frame)
    if isinstance(value, External):
        return _call_external(resolver, value, call, frame)
    if isinstance(value, Instance):
        methods = resolver.attribute(value, "__call__")
        return union(call_value(resolver, m, call, frame) for m in methods if m != value)
    if isinstance(value, ExternalInstance):
        known = resolver.catalogue.klass(value.name)
        result = known.returns.get("__call__") if known else None
        return resolver.given_by(result) if result else ()
    if isinstance(value, PartialValue):
        whole = value.called(call) if call is not None else None
        return call_value(resolver, value.function, whole, frame)
    if isinstance(value, MethodCaller):
        made = value.called(call)
        return resolver.values(made, frame) if made is not None and frame is not None else ()
    if isinstance(value, ReturningValue):
        return value.result
    if isinstance(value, OffloadingValue):
        return (CoroutineValue(call_value(resolver, value.function, call, frame)),)
    if isinstance(value, ManagerFactory):
        arguments = given(resolver, value.function, call, frame)
        return (ManagerValue(value.function, arguments),)
    return ()


def function_result(resolver: Resolver, function: FunctionValue, arguments: Arguments) -> Values:
    """What a function returns: by its annotation, else by its `return` statements."""
    frame = resolver.function_frame(function, arguments)
    module = resolver.table.get(function.module)
    if frame is None or module is None:
        return ()
    facts = resolver.table.inside(module, function.number)
    if facts.is_generator and not facts.returns:
        return (GeneratorValue(function, arguments),)
    declared = resolver.instances(facts.returns, frame) if facts.returns is not None else ()
    if facts.is_generator:
        return (GeneratorValue(function, arguments), *declared)
    values = declared
    if not resolver.tells(declared) and not module.is_stub:
        given_back = returned(resolver, facts, frame)
        values = given_back if resolver.known(given_back) else union((declared, given_back))
    elif not module.is_stub and _is_iterator(resolver, declared):
        given_back = returned(resolver, facts, frame)
        running = (v for v in given_back if isinstance(v, GeneratorValue) or has_next(resolver, v))
        values = (*running, *declared)
    return (CoroutineValue(values),) if facts.is_async else values


def _is_iterator(resolver: Resolver, declared: Values) -> bool:
    """Whether an annotation only says that something can be iterated, not what that runs."""
    return any(
        isinstance(value, Instance) and dotted_name(resolver, value.cls) in ITERATORS
        for value in declared
    )


def decorated(resolver: Resolver, function: FunctionValue) -> Values:
    """What a function's name stands for: decorators without known source leave it as it is."""
    module = resolver.table.get(function.module)
    if module is None:
        return (function,)
    facts = module.facts.functions[function.number]
    values: Values = (function,)
    frame = function.outer or resolver.frame(function.module, facts.outer)
    for decorator in reversed(facts.decorators):
        applied: list[Values] = []
        for callee in resolver.values(decorator, frame):
            applied.extend(_apply(resolver, callee, value) for value in values)
        if not applied and isinstance(decorator, Call) and _offloads(resolver, decorator, frame):
            applied = [tuple(OffloadingValue(value) for value in values)]
        values = union(applied) or values
    return values


def _offloads(resolver: Resolver, decorator: Call, frame: Frame) -> bool:
    """Whether what a library's decorator makes runs off the loop: `@work(thread=True)`."""
    names = (dotted_name(resolver, callee) for callee in resolver.values(decorator.func, frame))
    runners = [resolver.catalogue.runner(name) for name in names if name]
    return any(r is not None and r.decorated and r.gives == "callable" for r in runners)


def _run(resolver: Resolver, callee: Value, call: Call, frame: Frame) -> Values:
    """What to await for the result of what a call hands on: `loop.run_in_executor(None, f)`."""
    runner = runner_of(resolver, callee)
    if runner is None or runner.gives != "awaitable":
        return ()
    target = argument_at(call, runner.position, runner.argument)
    functions = resolver.values(target, frame) if target is not None else ()
    result = union(call_value(resolver, function, None, None) for function in functions)
    if not result:
        return ()
    # A future has callbacks and a result besides.
    declared = call_value(resolver, callee, call, frame)
    futures = [v.cls for v in declared if isinstance(v, Instance) and len(v.cls.arguments) == 1]
    made = tuple(Instance(future._replace(arguments=(result,))) for future in futures)
    return made or (CoroutineValue(result),)


def _call_function(
    resolver: Resolver, function: FunctionValue, call: Call | None, frame: Frame | None
) -> Values:
    name = dotted_name(resolver, function) or ""
    special = SPECIAL.get(name)
    if special is not None and call is not None and frame is not None:
        found = special(resolver, call, frame)
        if found is not None:
            return found
    known = maker(resolver, name, call, frame) or known_result(
        resolver, function, name, call, frame
    )
    if known is not None:
        return known
    runner = resolver.catalogue.runner(name)
    if runner is not None and runner.gives == "callable" and call is not None and frame is not None:
        targets = call.args[runner.position : runner.position + 1] or call.args[:1]
        found = union(resolver.values(target, frame) for target in targets)
        return tuple(OffloadingValue(v) for v in found if is_callable(v))
    result = resolver.function_result(function, given(resolver, function, call, frame))
    waits = resolver.catalogue.callable(name)
    if waits is not None and waits.lazy:
        result = (*result, ExternalInstance(name))
    if call is not None and frame is not None:
        result = resolver.giving.back(resolver, function, call, frame, result)
    if name in _LOOKUPS and call is not None and frame is not None and call.args:
        receiver = function.receiver
        entry = looked_up(resolver, receiver, call, frame) if receiver is not None else ()
        if entry:
            return entry
        return of_class(resolver, result, resolver.values(call.args[0], frame))
    if result:
        return result
    # What a package's decorator gives instead: `clone = self.clone(); method(clone); return clone`.
    wrappers = around(resolver, function)
    return union(function_result(resolver, w, given(resolver, w, call, frame)) for w in wrappers)


def _call_class(
    resolver: Resolver, cls: ClassValue, call: Call | None, frame: Frame | None
) -> Values:
    name = dotted_name(resolver, cls) or ""
    special = SPECIAL.get(name)
    if special is not None and call is not None and frame is not None:
        found = special(resolver, call, frame)
        if found is not None:
            return found
    result = told_result(resolver, name, call, frame)
    told = maker(resolver, name, call, frame)
    if told:
        return told
    if result is not None:
        return resolver.given_by(result)
    if call is None or frame is None:
        return (Instance(cls),)
    made = instances_made(resolver, cls, call, frame)
    kinds = [value.cls for value in made if isinstance(value, Instance)] or [cls]
    return tuple(Instance(holding(resolver, kind, call, frame)) for kind in kinds)


def _call_external(
    resolver: Resolver, value: External, call: Call | None, frame: Frame | None
) -> Values:
    catalogue = resolver.catalogue
    member = catalogue.member(value.name)
    told = member[0].outcomes.get(member[1], ()) if member else catalogue.outcomes(value.name)
    result = outcome(resolver, told, call, frame) or catalogue.returns(value.name)
    if result is None:
        result = member[0].returns.get(member[1]) if member else None
    made = maker(resolver, value.name, call, frame)
    if made:
        return made
    if result == "Self":
        return itself(resolver, call, frame)
    if result is not None:
        return resolver.given_by(result)
    special = SPECIAL.get(value.name)
    if special is not None and call is not None and frame is not None:
        return special(resolver, call, frame) or ()
    entry = catalogue.callable(value.name)
    if entry is not None and entry.lazy:
        return (ExternalInstance(value.name),)
    if catalogue.is_class(value.name) or value.name.rpartition(".")[2][:1].isupper():
        return (ExternalInstance(value.name),)
    return ()


def _apply(resolver: Resolver, decorator: Value, value: Value) -> Values:
    """What a decorator makes of a function."""
    name = dotted_name(resolver, decorator) or ""
    if name in DISPATCHERS and isinstance(value, FunctionValue):
        return (value, *implementations(resolver, value))
    known = DECORATORS.get(name)
    if known is not None:
        return known(value)
    runner = resolver.catalogue.runner(name)
    if runner is not None and runner.gives == "callable":
        return (OffloadingValue(value),)
    if isinstance(decorator, Instance) and resolver.knowledge(decorator.cls) is not None:
        # `@app.task(bind=True)`: the catalogue knows the object that stands for the function.
        return (decorator, value)
    if isinstance(decorator, ExternalInstance):
        return (decorator, value)
    if isinstance(decorator, External):
        return (*_call_external(resolver, decorator, None, None), value)
    if isinstance(decorator, ClassValue) and isinstance(value, FunctionValue):
        made = decorating(resolver, decorator, value._replace(bound=False))
        return (Instance(made),) if made is not None else ()
    if isinstance(decorator, Instance):
        return _around_by(resolver, decorator, value)
    if not isinstance(decorator, FunctionValue):
        return ()
    module = resolver.table.get(decorator.module)
    if module is None:
        return ()
    if not module.is_project:
        return (*(known_result(resolver, decorator, name) or ()), value)
    first = 1 if decorator.bound else 0
    given_back = resolver.function_result(decorator, ((first, (value,)),))
    return tuple(v for v in given_back if is_callable(v))


def _around_by(resolver: Resolver, decorator: Instance, value: Value) -> Values:
    """What an object of the project makes of a function that it decorates: `@Retry(times=3)`."""
    found: list[Value] = []
    for method in resolver.attribute(decorator, "__call__"):
        module = resolver.table.get(method.module) if isinstance(method, FunctionValue) else None
        if module is not None and module.is_project and isinstance(method, FunctionValue):
            found.extend(_apply(resolver, method, value))
    return tuple(found)
