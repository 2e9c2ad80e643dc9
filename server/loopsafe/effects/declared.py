"""Parameters that are annotated with the synchronous one of two classes of a name, and are given
the asynchronous one: what every caller gives says more than the annotation."""

from __future__ import annotations

from loopsafe.effects.callers import Callers
from loopsafe.effects.edges import Edge
from loopsafe.effects.fixtures import fixture_values
from loopsafe.facts.ir import Attr, Call, Filled, Function, Name, Param
from loopsafe.knowledge.schema import Blocking
from loopsafe.modules.module import Module
from loopsafe.resolve.arguments import matched
from loopsafe.resolve.names import definitions
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import CoroutineValue, Frame, Values

_LONGEST = 4
"""Functions in a row that hand on a parameter."""


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
    asked = call.func.name, edge.target.twin
    prepared = fixture_values(resolver, module, number, index)
    if prepared:
        return _gives_coroutine(resolver, prepared, *asked)
    return _all_give(callers, module, number, index, asked, _LONGEST)


def _all_give(
    callers: Callers, module: Module, number: int, index: int, asked: tuple[str, str], steps: int
) -> bool:
    """Whether a method gives a coroutine of all that the uses of a function give for a parameter;
    not where that is open, or nobody uses it.

    A caller may hand on what it is given itself, under the same wrong annotation.
    """
    function, resolver, has_uses = module.facts.functions[number], callers.resolver, False
    for use in callers.uses(module, number):
        has_uses = True
        given = dict(matched(function, use.call, function.owner >= 0)) if use.call else {}
        passed, frame = given.get(index), resolver.frame(use.module.name, use.scope)
        if passed is None:
            return False
        if _gives_coroutine(resolver, resolver.values(passed, frame), *asked):
            continue
        caller = use.module.facts.functions[use.number]
        own = _parameter(resolver, passed, caller, frame) if isinstance(passed, Name) else -1
        if own < 0 or not steps:
            return False
        if not _all_give(callers, use.module, use.number, own, asked, steps - 1):
            return False
    return has_uses


def _parameter(resolver: Resolver, name: Name, function: Function, frame: Frame) -> int:
    """The number of the parameter that a name stands for, if its callers have to give it."""
    # What is put into it, as by `session.add(row)`, makes it nothing else.
    found = [
        d for d in definitions(resolver, name, frame) if not isinstance(d.binding.value, Filled)
    ]
    value = found[0].binding.value if len(found) == 1 else None
    if not isinstance(value, Param) or found[0].binding.scope != function.scope:
        return -1
    return value.number if function.parameters[value.number].default is None else -1


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
