"""The catalogue's entries for callables that take another one and decide where it runs."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.facts.ir import Expr
from loopsafe.knowledge.schema import Runner
from loopsafe.resolve.members import dotted_name
from loopsafe.resolve.names import own_name, qualified
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    External,
    ExternalInstance,
    Frame,
    FunctionValue,
    Instance,
    Value,
)


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


def runners_of(resolver: Resolver, callee: Expr, frame: Frame) -> Iterator[Runner]:
    """The entries for a callee as it is written, one for each argument that is a callable."""
    found = [runner_of(resolver, value) for value in resolver.values(callee, frame)]
    if not any(found):
        # What makes it is beyond its source, or left out of a stub: `path = partial(...)`.
        name = qualified(resolver, callee, frame)
        found = [resolver.catalogue.runner(name)] if name is not None else []
    for runner in found:
        if runner is not None:
            yield from (runner, *runner.also)


def _method_runner(resolver: Resolver, cls: ClassValue, method: str) -> Runner | None:
    for owner in resolver.mro(cls):
        known = resolver.knowledge(owner)
        if known is not None and method in known.runners:
            return known.runners[method]
    return None
