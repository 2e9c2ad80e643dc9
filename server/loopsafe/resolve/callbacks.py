"""Annotations of what is there to be called: they say what a call gives, not what runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.facts.ir import Attr, Class, FunctionRef, Name, Subscript
from loopsafe.resolve.names import own_name
from loopsafe.resolve.values import ClassValue, Instance, ReturningValue, Values, without_none

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


_ANYTHING = frozenset({"type", "object"})
"""Classes of which every class, or every object, is one."""


def is_protocol(cls: Class) -> bool:
    """Whether a class is written as a `Protocol`, or a `Protocol[T]`."""
    bases = (b.value if isinstance(b, Subscript) else b for b in cls.bases)
    return any(
        (base.id if isinstance(base, Name) else base.name) == "Protocol"
        for base in bases
        if isinstance(base, (Name, Attr))
    )


def only_to_call(resolver: Resolver, declared: Values) -> bool:
    """Whether values are of `Callable[..., T]`, of protocols that ask for `__call__` alone, or of
    what any class or object is: `type`, `object`."""
    return all(
        isinstance(value, ReturningValue)
        or (isinstance(value, Instance) and _is_callback(resolver, value.cls))
        for value in without_none(declared)
    )


def _is_callback(resolver: Resolver, cls: ClassValue) -> bool:
    if cls.module == "builtins":
        return own_name(resolver, cls) in _ANYTHING
    module = resolver.table.get(cls.module)
    if module is None or module.is_stub or not is_protocol(module.facts.classes[cls.number]):
        return False
    scope = module.facts.scopes[module.facts.classes[cls.number].scope]
    methods = [
        module.facts.functions[binding.value.number]
        for bindings in scope.bindings.values()
        for binding in bindings
        if isinstance(binding.value, FunctionRef)
    ]
    return bool(methods) and all(m.name == "__call__" and m.bare for m in methods)
