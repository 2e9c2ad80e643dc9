"""Functions chosen by the class of what they are given first: `functools.singledispatch`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Attr, Call, Expr, Function, Name
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.values import (
    ConstantValue,
    Frame,
    FunctionValue,
    Instance,
    Value,
    Values,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver

DISPATCHERS = frozenset({"functools.singledispatch", "functools.singledispatchmethod"})
"""The decorators that make such a function."""


def implementations(resolver: Resolver, function: FunctionValue) -> Values:
    """What a module registers for such a function of its own: `@load.register`."""
    module = resolver.table.get(function.module)
    if module is None:
        return ()
    facts = module.facts.functions[function.number]
    return tuple(
        function._replace(number=number)
        for number, other in enumerate(module.facts.functions)
        if other.outer == facts.outer and _registration(other, facts.name) is not None
    )


def dispatched(resolver: Resolver, callees: Values, call: Call, frame: Frame) -> Values:
    """Of such a function's implementations those for what a call passes; all where nobody knows."""
    generic = callees[0] if callees else None
    if len(callees) < 2 or not call.args or not isinstance(generic, FunctionValue):
        return callees
    registered = dict(_registered(resolver, generic, callees))
    passed = [_names(resolver, value) for value in resolver.values(call.args[0], frame)]
    if not registered or not passed or not all(passed):
        return callees
    chosen = (
        next((registered[name] for name in names if name in registered), generic)
        for names in passed
    )
    return tuple(dict.fromkeys(chosen))


def _registered(
    resolver: Resolver, generic: FunctionValue, callees: Values
) -> Iterator[tuple[str, FunctionValue]]:
    """The implementations by the names of their classes; none where one of them is unclear."""
    module = resolver.table.get(generic.module)
    facts = module.facts if module is not None else None
    for value in callees[1:] if facts is not None else ():
        if not isinstance(value, FunctionValue) or value.module != generic.module:
            return
        function = facts.functions[value.number] if facts is not None else None
        name = facts.functions[generic.number].name if facts is not None else ""
        decorator = _registration(function, name) if function is not None else None
        if function is None or decorator is None:
            return
        outer = resolver.frame(value.module, function.outer)
        for cls in _classes(resolver, decorator, function, outer):
            yield dotted_name(resolver, cls) or "", value


def _classes(resolver: Resolver, decorator: Expr, function: Function, frame: Frame) -> Values:
    """What an implementation is for, by the argument of its decorator or by its annotation."""
    if isinstance(decorator, Call):
        return resolver.values(decorator.args[0], frame) if decorator.args else ()
    first = function.parameters[function.owner >= 0 :][:1]
    annotations = (p.annotation for p in first if p.annotation is not None)
    return tuple(
        value.cls
        for annotation in annotations
        for value in resolver.instances(annotation, frame)
        if isinstance(value, Instance)
    )


def _registration(function: Function, name: str) -> Expr | None:
    """The decorator by which a function is registered under another one's name."""
    for decorator in function.decorators:
        callee = decorator.func if isinstance(decorator, Call) else decorator
        owner = callee.value if isinstance(callee, Attr) and callee.name == "register" else None
        if isinstance(owner, Name) and owner.id == name:
            return decorator
    return None


def _names(resolver: Resolver, value: Value) -> tuple[str, ...]:
    """The names of an object's class and its bases, the nearest first."""
    if isinstance(value, ConstantValue):
        return tuple(f"builtins.{cls.__name__}" for cls in type(value.value).__mro__)
    if not isinstance(value, Instance):
        return ()
    return tuple(dotted_name(resolver, base) or "" for base in resolver.mro(value.cls))
