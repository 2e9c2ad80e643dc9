"""Annotations of what is there to be called: they say what a call gives, not what runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Class, Expr, FunctionRef, Subscript, last_name
from loopsafe.resolve.names import own_name
from loopsafe.resolve.values import (
    ClassValue,
    Instance,
    ReturningValue,
    Value,
    Values,
    without_none,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


_ABSTRACT = frozenset({"ABC", "ABCMeta"})

_ANYTHING = frozenset({"type", "object"})
"""Classes of which every class, or every object, is one."""


def is_protocol(cls: Class) -> bool:
    """Whether a class is written as a `Protocol`, or a `Protocol[T]`."""
    return any(last_name(base) == "Protocol" for base in _bases(cls))


def only_to_call(resolver: Resolver, declared: Values) -> bool:
    """Whether values are of `Callable[..., T]`, of protocols that ask for `__call__` alone, or of
    what any class or object is: `type`, `object`."""
    return all(
        isinstance(value, ReturningValue)
        or (isinstance(value, Instance) and _is_callback(resolver, value.cls))
        for value in without_none(declared)
    )


def is_promise(resolver: Resolver, value: Value) -> bool:
    """Whether a value is of a class that only says what others do: a protocol, or an abstract class
    of the project."""
    module = resolver.table.get(value.cls.module) if isinstance(value, Instance) else None
    if module is None or module.is_stub or not isinstance(value, Instance):
        return False
    cls = module.facts.classes[value.cls.number]
    if not module.is_project:
        return is_protocol(cls)
    return is_protocol(cls) or any(last_name(base) in _ABSTRACT for base in _bases(cls))


def _bases(cls: Class) -> Iterator[Expr]:
    """What a class names as its bases, of `Protocol[T]` the `Protocol`; and its metaclass."""
    yield from (base.value if isinstance(base, Subscript) else base for base in cls.bases)
    yield from (value for name, value in cls.keywords if name == "metaclass")


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
