"""Functions that run without parentheses: operators, properties, descriptors."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects.known import knowledge
from loopsafe.facts.ir import Attr, FunctionRef
from loopsafe.knowledge.schema import Blocking
from loopsafe.resolve.dynamic import getters_of
from loopsafe.resolve.finding import find
from loopsafe.resolve.metaclasses import metaclass_of
from loopsafe.resolve.naming import decorator_names, dotted_name, is_property
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    External,
    ExternalInstance,
    FunctionValue,
    Instance,
    Value,
    Values,
)


def operator_methods(resolver: Resolver, value: Value, name: str) -> Values:
    """What runs when an operator asks an object for a method, or else for the next best one."""
    if isinstance(value, ExternalInstance):
        return resolver.attribute(value, name)
    if isinstance(value, ClassValue):
        return resolver.of_metaclass(value, name)
    if not isinstance(value, Instance):
        return ()
    described: Values = ()
    for candidate in (name, *_NEXT_BEST.get(name, ())):
        member = find(resolver, value.cls, candidate)
        owner = dotted_name(resolver, member.owner) if member is not None else None
        if member is None or owner == "builtins.object":
            continue
        found = resolver.attribute(value, candidate)
        if owner == "builtins.dict" and candidate == "__getitem__":
            # A dict asks its own class for what it has not.
            return (*found, *resolver.attribute(value, "__missing__"))
        if not _is_only_described(resolver, member.owner) or any(
            isinstance(knowledge(resolver, method), Blocking) for method in found
        ):
            return found
        # A stub may declare a method that the class itself leaves to the next best.
        described = described or found
    return described


def _is_only_described(resolver: Resolver, owner: ClassValue | External) -> bool:
    """Whether a class of a package is known by a stub."""
    module = resolver.table.get(owner.module) if isinstance(owner, ClassValue) else None
    return module is not None and module.is_stub and module.name != "builtins"


def getters(resolver: Resolver, value: Value, name: str) -> Iterator[FunctionValue]:
    """What runs when an attribute is read: a property, a descriptor, or `__getattr__`."""
    if isinstance(value, ClassValue):
        yield from _getters_of_class(resolver, value, name)
    if not isinstance(value, Instance):
        return
    found = functions(resolver, value.cls, name)
    if found:
        named = [(function, decorator_names(resolver, function)) for function in found]
        yield from (function for function, names in named if is_property(names))
        if any(names and not is_property(names) for _, names in named):
            yield from _descriptor(resolver, value.cls, name, "__get__")
        return
    member = find(resolver, value.cls, name)
    if member is None:
        yield from functions(resolver, value.cls, "__getattr__")
    elif isinstance(member.owner, ClassValue):
        home = resolver.table.get(member.owner.module)
        scope = home.facts.classes[member.owner.number].scope if home is not None else 0
        frame = resolver.frame(member.owner.module, scope, value.cls)
        for binding in member.bindings:
            yield from getters_of(resolver, binding, frame)
        yield from _descriptor(resolver, value.cls, name, "__get__")


def _getters_of_class(resolver: Resolver, cls: ClassValue, name: str) -> Iterator[FunctionValue]:
    """The properties of a class's metaclass."""
    meta = metaclass_of(resolver, cls)
    if meta is not None and find(resolver, cls, name) is None:
        for function in functions(resolver, meta, name):
            if is_property(decorator_names(resolver, function)):
                yield function._replace(receiver=cls)


def setters(resolver: Resolver, value: Value, name: str) -> Iterator[FunctionValue]:
    """What runs when an attribute is assigned: a property's setter, or a descriptor."""
    if not isinstance(value, Instance):
        return
    for function in functions(resolver, value.cls, name):
        module = resolver.table.get(function.module)
        decorators = module.facts.functions[function.number].decorators if module else ()
        if any(isinstance(d, Attr) and d.name == "setter" for d in decorators):
            yield function
    yield from _descriptor(resolver, value.cls, name, "__set__")
    for function in functions(resolver, value.cls, "__setattr__"):
        module = resolver.table.get(function.module)
        if module is not None and module.is_project:
            yield function


def functions(resolver: Resolver, cls: ClassValue, name: str) -> tuple[FunctionValue, ...]:
    """The functions that a class's method name stands for, bound."""
    member = find(resolver, cls, name)
    if member is None or not isinstance(member.owner, ClassValue):
        return ()
    module = member.owner.module
    return tuple(
        FunctionValue(module, binding.value.number, cls, True)
        for binding in member.bindings
        if isinstance(binding.value, FunctionRef)
    )


def _descriptor(
    resolver: Resolver, cls: ClassValue, name: str, method: str
) -> Iterator[FunctionValue]:
    """A method of the objects that the class itself holds under a name."""
    member = find(resolver, cls, name)
    if member is None or not member.bindings or not isinstance(member.owner, ClassValue):
        return
    for held in resolver.attribute(member.owner, name):
        if isinstance(held, Instance):
            yield from functions(resolver, held.cls, method)


AFTER_MAKING = ("__post_init__", "__attrs_post_init__")
"""Methods that a constructor calls which a decorator writes."""

_NEXT_BEST = {
    "__contains__": ("__iter__", "__getitem__"),
    "__bool__": ("__len__",),
    "__format__": ("__str__", "__repr__"),
    "__str__": ("__repr__",),
    "__iter__": ("__getitem__",),
    **{
        f"__i{name}__": (f"__{name}__",)
        for name in (
            *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow"),
            *("lshift", "rshift", "and", "or", "xor"),
        )
    },
}
"""Which methods Python tries next where a class has not the first."""
