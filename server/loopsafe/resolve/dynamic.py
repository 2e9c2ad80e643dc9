"""Attributes that code makes by name when it runs: `setattr`, `x = property(get_x)`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Binding, Call, last_name
from loopsafe.resolve.arguments import argument_at
from loopsafe.resolve.values import (
    ClassValue,
    Frame,
    FunctionValue,
    Instance,
    Value,
    Values,
    union,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver

_MOST = 3
"""Values that code stores under computed names, where their own names tell nothing."""


def getters_of(resolver: Resolver, binding: Binding, frame: Frame) -> tuple[FunctionValue, ...]:
    """The functions that compute an attribute which a class makes by `property(function)`."""
    call = binding.value
    if not isinstance(call, Call) or last_name(call.func) != "property":
        return ()
    getter = argument_at(call, 0, "fget")
    values = resolver.values(getter, frame) if getter is not None else ()
    cls = frame.receiver
    return tuple(
        value._replace(receiver=cls, bound=True)
        for value in values
        if isinstance(value, FunctionValue)
    )


def made_by_name(resolver: Resolver, cls: ClassValue, name: str, bound: bool) -> Values:
    """What a class has under a name that its code computes: `setattr(self, cls.__name__, cls())`.

    Where it is one of several, the one that is called like the attribute.
    """
    if name.startswith("__"):
        return ()
    found = _stored(resolver, resolver.source(cls) or cls, bound)
    plain = name.replace("_", "").lower()
    alike = tuple(v for v in found if _name(resolver, v).replace("_", "").lower() == plain)
    chosen = alike or (found if len(found) <= _MOST else ())
    return tuple(
        v._replace(receiver=cls, bound=True)
        if bound and isinstance(v, FunctionValue) and v.receiver is None
        else v
        for v in chosen
    )


def _stored(resolver: Resolver, cls: ClassValue, bound: bool) -> Values:
    return resolver.remember(
        ("stored by name", cls, bound),
        cls.module,
        lambda: union(_storing(resolver, cls, bound)),
    )


def _storing(resolver: Resolver, cls: ClassValue, bound: bool) -> Iterator[Values]:
    for base in resolver.mro(cls):
        owner = resolver.source(base) if isinstance(base, ClassValue) else None
        module = resolver.table.get(owner.module) if owner is not None else None
        if owner is None or module is None or module.is_stub:
            continue
        facts = module.facts
        for binding in facts.classes[owner.number].attributes.get("", ()) if bound else ():
            yield resolver.bound(binding, resolver.frame(owner.module, binding.scope, cls))
        for assigned in facts.assigned:
            if assigned.name == "" and assigned.binding.scope == 0:
                frame = resolver.frame(owner.module, 0)
                if any(_is(value, owner) for value in resolver.values(assigned.target, frame)):
                    yield resolver.bound(assigned.binding, frame)


def _is(value: Value, cls: ClassValue) -> bool:
    return isinstance(value, ClassValue) and value[:2] == cls[:2]


def _name(resolver: Resolver, value: Value) -> str:
    """What a value's class or function is called."""
    cls = value.cls if isinstance(value, Instance) else value
    if not isinstance(cls, (ClassValue, FunctionValue)):
        return ""
    module = resolver.table.get(cls.module)
    if module is None:
        return ""
    owners = module.facts.classes if isinstance(cls, ClassValue) else module.facts.functions
    return owners[cls.number].name
