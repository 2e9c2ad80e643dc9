"""The catalogue's entry for a callable that takes another one and decides where it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.knowledge.schema import Runner
from loopsafe.resolve.names import own_name
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.values import (
    ClassValue,
    External,
    ExternalInstance,
    FunctionValue,
    Instance,
    Value,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def runner_of(resolver: Resolver, value: Value) -> Runner | None:
    """The catalogue's entry for a callable that takes another one."""
    if isinstance(value, (FunctionValue, ClassValue)):
        found = resolver.remember(
            ("runner", value), value.module, lambda: (_runner_of(resolver, value),)
        )
        return found[0] if found else None  # Empty while it is being asked.
    return _runner_of(resolver, value)


def _runner_of(resolver: Resolver, value: Value) -> Runner | None:
    if isinstance(value, ExternalInstance):
        known = resolver.catalogue.klass(value.name)
        return known.runners.get("__call__") if known is not None else None
    if isinstance(value, Instance):
        return _method_runner(resolver, value.cls, "__call__")
    name = dotted_name(resolver, value)
    if name is not None and (found := resolver.catalogue.runner(name)) is not None:
        return found
    if isinstance(value, FunctionValue) and value.receiver is not None:
        method = own_name(resolver, value)
        return _method_runner(resolver, value.receiver, method) if method else None
    if isinstance(value, External) and (member := resolver.catalogue.member(value.name)):
        return member[0].runners.get(member[1])
    return None


def _method_runner(resolver: Resolver, cls: ClassValue, method: str) -> Runner | None:
    for owner in resolver.mro(cls):
        known = resolver.knowledge(owner)
        if known is not None and method in known.runners:
            return known.runners[method]
    return None
