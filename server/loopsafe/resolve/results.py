"""What the catalogue says that calls give, for libraries whose source does not say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.facts.ir import Attr, Call
from loopsafe.knowledge.schema import Result
from loopsafe.resolve.conditions import outcome
from loopsafe.resolve.names import own_name
from loopsafe.resolve.values import (
    ClassValue,
    Frame,
    FunctionValue,
    Values,
    as_instance,
    union,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def known_result(
    resolver: Resolver,
    function: FunctionValue,
    name: str,
    call: Call | None = None,
    frame: Frame | None = None,
) -> Values | None:
    """What the catalogue says a call gives, for libraries whose source does not say it.

    None where it says nothing; empty where the source says what is not so.
    """
    result = told_result(resolver, name, call, frame)
    if result is not None:
        return resolver.given_by(result)
    if function.receiver is None:
        return None
    method = own_name(resolver, function)
    for owner in resolver.mro(function.receiver):
        known = resolver.knowledge(owner)
        if known is not None and method in known.outcomes:
            given_then = outcome(resolver, known.outcomes[method], call, frame)
            if given_then is not None:
                return resolver.given_by(given_then, function.receiver)
        if known is not None and method in known.returns:
            return resolver.given_by(known.returns[method], function.receiver)
        if isinstance(owner, ClassValue) and _defines(resolver, owner, function):
            break  # What its bases give, this method need not.
        if known is not None and known.asynchronous:
            # An async twin that inherits a blocking class's method gives something else.
            return None if _is_asynchronous(resolver, function) else ()
    return None


def _is_asynchronous(resolver: Resolver, function: FunctionValue) -> bool:
    """Whether the class that defines a method is one of which no method blocks, like a `Future`."""
    module = resolver.table.get(function.module)
    owner = module.facts.functions[function.number].owner if module is not None else -1
    known = resolver.knowledge(ClassValue(function.module, owner)) if owner >= 0 else None
    return known is not None and known.asynchronous


def _defines(resolver: Resolver, cls: ClassValue, function: FunctionValue) -> bool:
    module = resolver.table.get(function.module)
    if module is None or cls.module != function.module:
        return False
    return module.facts.functions[function.number].owner == cls.number


def told_result(
    resolver: Resolver, name: str, call: Call | None, frame: Frame | None
) -> Result | None:
    """What the catalogue says that calling this name gives, with these arguments."""
    outcomes, usual = resolver.catalogue.outcomes(name), resolver.catalogue.returns(name)
    return outcome(resolver, outcomes, call, frame) or usual


def maker(resolver: Resolver, name: str, call: Call | None, frame: Frame | None) -> Values:
    """The class that a call is told to make objects of: its result stands for the class."""
    told = resolver.catalogue.makes(name)
    if told is None or call is None or frame is None:
        return ()
    if isinstance(told, int):
        return union(resolver.values(value, frame) for value in call.args[told : told + 1])
    return union(resolver.values(value, frame) for key, value in call.keywords if key == told)


def itself(resolver: Resolver, call: Call | None, frame: Frame | None) -> Values:
    """An object of the class of that on which a method is called, of whatever it is that."""
    if call is None or frame is None or not isinstance(call.func, Attr):
        return ()
    return tuple(as_instance(value) for value in resolver.values(call.func.value, frame))
