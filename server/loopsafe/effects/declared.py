"""Parameters that are annotated with the synchronous one of two classes of a name, and are given
the asynchronous one: what every caller gives says more than the annotation."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects.callers import Callers
from loopsafe.effects.edges import Edge
from loopsafe.facts.ir import Attr, Call, Function, Name, Param
from loopsafe.knowledge.schema import Blocking
from loopsafe.modules.module import Module
from loopsafe.resolve.arguments import matched
from loopsafe.resolve.names import definitions
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import CoroutineValue, Frame, Values


def is_given_asynchronous(
    callers: Callers, module: Module, number: int, edge: Edge, frame: Frame
) -> bool:
    """Whether a call that is awaited, and blocks by the annotation of its receiver, gives a
    coroutine of all that the function's callers give for that."""
    call, resolver = edge.site.expr, callers.resolver
    if not isinstance(edge.target, Blocking) or not isinstance(call, Call):
        return False
    receiver = call.func.value if isinstance(call.func, Attr) else None
    function = module.facts.functions[number]
    index = _parameter(resolver, receiver, function, frame) if isinstance(receiver, Name) else -1
    if index < 0 or not isinstance(call.func, Attr):
        return False
    given = list(_given(callers, module, number, index))
    return bool(given) and all(
        _gives_coroutine(resolver, values, call.func.name, edge.target.twin) for values in given
    )


def _parameter(resolver: Resolver, name: Name, function: Function, frame: Frame) -> int:
    """The number of the parameter that a name stands for, if its callers have to give it."""
    found = definitions(resolver, name, frame)
    value = found[0].binding.value if len(found) == 1 else None
    if not isinstance(value, Param) or found[0].binding.scope != function.scope:
        return -1
    return value.number if function.parameters[value.number].default is None else -1


def _given(callers: Callers, module: Module, number: int, index: int) -> Iterator[Values]:
    """What each use of a function gives for one of its parameters; nothing where that is open."""
    function = module.facts.functions[number]
    for use in callers.uses(module, number):
        given = dict(matched(function, use.call, function.owner >= 0)) if use.call else {}
        frame = callers.resolver.frame(use.module.name, use.scope)
        yield callers.resolver.values(given[index], frame) if index in given else ()


def _gives_coroutine(resolver: Resolver, values: Values, method: str, twin: str) -> bool:
    """Whether a method of each value gives a coroutine: by its source, or as the twin that the
    catalogue knows."""
    found = [f for value in values for f in resolver.attribute(value, method) or (None,)]
    return bool(found) and all(
        function is not None
        and (
            dotted_name(resolver, function) == twin
            or any(isinstance(result, CoroutineValue) for result in resolver.called(function))
        )
        for function in found
    )
