"""What classes make of what they hold: methods, descriptors, fields of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.facts.ir import Function, Name
from loopsafe.resolve.finding import find
from loopsafe.resolve.naming import decorator_names, is_property
from loopsafe.resolve.values import (
    ClassValue,
    FunctionValue,
    Instance,
    PartialValue,
    Values,
    union,
)
from loopsafe.resolve.variables import type_parameters

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def method_value(resolver: Resolver, method: FunctionValue) -> Values:
    names = decorator_names(resolver, method)
    if not names:
        return (method,)
    shorts = {name.rpartition(".")[2] for name in names}
    if is_property(names):
        return resolver.function_result(method._replace(bound=True), ()) if method.bound else ()
    if "staticmethod" in shorts:
        return resolver.decorated(method._replace(bound=False, receiver=None))
    if "classmethod" in shorts:
        return resolver.decorated(method._replace(bound=True))
    return resolver.decorated(method)


def through_descriptors(
    resolver: Resolver,
    owner: ClassValue,
    cls: ClassValue,
    held: Values,
    is_imported: bool = False,
) -> Values:
    """What an object gives where its class holds these: a descriptor's `__get__` decides.

    A method under a second name is bound as under its first: `__enter__ = acquire`. So is what a
    function makes for the class, `get = request_of("GET")`, and what its body imports.
    """
    found: list[Values] = []
    module = resolver.table.get(owner.module)
    for value in held:
        if isinstance(value, FunctionValue) and module is not None and value.receiver is None:
            is_own = value.module == owner.module
            function = module.facts.functions[value.number] if is_own else None
            is_own = function is not None and function.owner == owner.number
            if function is not None and is_own and _is_static(function):
                found.append((value,))
                continue
            is_own = is_own or value.outer is not None or is_imported
            found.append((value._replace(receiver=cls, bound=True) if is_own else value,))
            continue
        if isinstance(value, PartialValue) and isinstance(value.function, FunctionValue):
            # `partialmethod` of one of the class's own.
            inner = value.function
            home = resolver.table.get(inner.module)
            is_own = home is not None and home.facts.functions[inner.number].owner == owner.number
            is_own = is_own and inner.module == owner.module and inner.receiver is None
            inner = inner._replace(receiver=cls, bound=True) if is_own else inner
            found.append((value._replace(function=inner),))
            continue
        got: Values = ()
        if isinstance(value, Instance) and find(resolver, value.cls, "__get__") is not None:
            got = union(resolver.called(get) for get in resolver.attribute(value, "__get__"))
        found.append(got or (value,))
    return union(found)


def held_by(resolver: Resolver, cls: ClassValue, values: Values) -> Values:
    """What a class makes of objects that it holds, as the catalogue knows: a field of a model is a
    descriptor, and a manager is for the model's own objects."""
    found: list[Values] = []
    for value in values:
        bases = resolver.mro(value.cls) if isinstance(value, Instance) else ()
        known = [(b, entry) for b in bases if (entry := resolver.knowledge(b)) is not None]
        other = next((entry.becomes for _, entry in known if entry.becomes), "")
        generic = next((b for b, entry in known if entry.of_holder), None)
        if other:
            found.append(resolver.instance_of(other))
        elif isinstance(value, Instance) and generic is not None and not any(value.cls.arguments):
            names = type_parameters(resolver, generic) if isinstance(generic, ClassValue) else ()
            arguments: tuple[Values, ...] = ((Instance(cls),),) * max(len(names), 1)
            found.append((Instance(value.cls._replace(arguments=arguments)),))
        else:
            found.append((value,))
    return union(found)


def _is_static(function: Function) -> bool:
    return any(isinstance(d, Name) and d.id == "staticmethod" for d in function.decorators)
