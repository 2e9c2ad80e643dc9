"""The catalogue's entries for callables that take another one and decide where it runs."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.facts.ir import Expr
from loopsafe.knowledge.schema import Runner
from loopsafe.resolve.members import dotted_name
from loopsafe.resolve.names import own_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import External, Frame, FunctionValue, Value


def runner_of(resolver: Resolver, value: Value) -> Runner | None:
    """The catalogue's entry for a callable that takes another one."""
    name = dotted_name(resolver, value)
    if name is not None and (found := resolver.catalogue.runner(name)) is not None:
        return found
    if isinstance(value, FunctionValue) and value.receiver is not None:
        method = own_name(resolver, value)
        for owner in resolver.mro(value.receiver):
            known = resolver.knowledge(owner)
            if known is not None and method in known.runners:
                return known.runners[method]
    if isinstance(value, External) and (member := resolver.catalogue.member(value.name)):
        return member[0].runners.get(member[1])
    return None


def runners_of(resolver: Resolver, callee: Expr, frame: Frame) -> Iterator[Runner]:
    """The entries for a callee as it is written, one for each argument that is a callable."""
    for value in resolver.values(callee, frame):
        runner = runner_of(resolver, value)
        if runner is not None:
            yield from (runner, *runner.also)
