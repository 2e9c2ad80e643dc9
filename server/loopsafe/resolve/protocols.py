"""What `await`, `for` and `with` give, and what generators yield."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.facts.ir import Expr
from loopsafe.resolve.given import Arguments
from loopsafe.resolve.members import is_enumeration
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    CoroutineValue,
    ExternalInstance,
    Frame,
    FunctionValue,
    GeneratorValue,
    Instance,
    ManagerValue,
    TupleValue,
    Value,
    Values,
    union,
)

if TYPE_CHECKING:
    from loopsafe.knowledge.schema import ClassKnowledge
    from loopsafe.resolve.resolver import Resolver


def makes_coroutine(resolver: Resolver, call: Expr, frame: Frame) -> bool:
    """Whether a call may make a coroutine, which something has to run."""
    return any(isinstance(value, CoroutineValue) for value in resolver.values(call, frame))


def awaited(resolver: Resolver, values: Values) -> Values:
    """What awaiting gives."""
    found: list[Values] = []
    for value in values:
        if isinstance(value, CoroutineValue):
            found.append(value.result)
        elif isinstance(value, Instance):
            for method in resolver.attribute(value, "__await__"):
                results = resolver.called(method)
                generators = (r for r in results if isinstance(r, Instance))
                found.extend(g.cls.arguments[-1] for g in generators if g.cls.arguments)
    return union(found)


def elements(resolver: Resolver, values: Values, is_async: bool = False) -> Values:
    """What iterating gives, item by item."""
    found: list[Values] = []
    for value in values:
        if isinstance(value, TupleValue):
            found.extend(value.items)
        elif isinstance(value, GeneratorValue):
            found.append(yielded(resolver, value.function, value.arguments))
        elif isinstance(value, ClassValue) and is_enumeration(resolver, value):
            found.append((Instance(value),))
        elif isinstance(value, (Instance, ConstantValue, ExternalInstance)):
            found.append(_iterated(resolver, value, is_async))
    return union(found)


def entered(resolver: Resolver, values: Values, is_async: bool) -> Values:
    """What `with value as target` gives the target."""
    found: list[Values] = []
    for value in values:
        if isinstance(value, ManagerValue):
            found.append(yielded(resolver, value.function, value.arguments))
        elif isinstance(value, CoroutineValue) and is_async:
            found.append(entered(resolver, value.result, is_async))
        else:
            name = "__aenter__" if is_async else "__enter__"
            methods = resolver.attribute(value, name)
            result = union(resolver.called(m) for m in methods)
            found.append(awaited(resolver, result) if is_async else result)
            if not methods or isinstance(value, ExternalInstance):
                found.append((value,) if isinstance(value, (Instance, ExternalInstance)) else ())
    return union(found)


def yielded(resolver: Resolver, function: FunctionValue, arguments: Arguments) -> Values:
    """What a generator function yields: by its annotation, else by its `yield`s.

    An annotation that names the synchronous client of what is yielded is wrong.
    """
    frame = resolver.function_frame(function, arguments)
    module = resolver.table.get(function.module)
    if frame is None or module is None:
        return ()
    facts = resolver.table.inside(module, function.number)
    declared: Values = ()
    if facts.returns is not None:
        declared = union(
            value.cls.arguments[0]
            for value in resolver.instances(facts.returns, frame)
            if isinstance(value, Instance) and value.cls.arguments
        )
    if resolver.known(declared) and not any(_twin(resolver, value) for value in declared):
        return declared
    own = union(resolver.values(expr, frame) for expr in facts.yields)
    told = resolver.known(own)
    are_twins = bool(told) and all(_is_asynchronous(resolver, value) for value in told)
    return own if are_twins or not resolver.known(declared) else declared


def _twin(resolver: Resolver, value: Value) -> str:
    """The asynchronous class beside that of a value, if the catalogue knows one."""
    known = _knowledge(resolver, value)
    return known.twin if known is not None else ""


def _is_asynchronous(resolver: Resolver, value: Value) -> bool:
    """Whether a value's class is known as an asynchronous one."""
    known = _knowledge(resolver, value)
    return known is not None and known.asynchronous


def _knowledge(resolver: Resolver, value: Value) -> ClassKnowledge | None:
    if isinstance(value, Instance):
        return resolver.knowledge(value.cls)
    if isinstance(value, ExternalInstance):
        return resolver.catalogue.klass(value.name)
    return None


def _iterated(resolver: Resolver, value: Value, is_async: bool) -> Values:
    if is_async and resolver.known(plain := _iterated(resolver, value, False)):
        return plain  # What can be iterated in both ways gives the same in each.
    enter, step = ("__aiter__", "__anext__") if is_async else ("__iter__", "__next__")
    found: list[Values] = []
    for method in resolver.attribute(value, enter):
        for iterator in resolver.called(method):
            if isinstance(iterator, GeneratorValue):
                found.append(yielded(resolver, iterator.function, iterator.arguments))
                continue
            for following in resolver.attribute(iterator, step):
                items = resolver.called(following)
                found.append(awaited(resolver, items) if is_async else items)
    return union(found)
