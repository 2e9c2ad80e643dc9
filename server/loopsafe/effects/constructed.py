"""Literals that an object keeps, also those that its constructor has stored when it calls a method.

def __init__(self, token=None):
    self.token = token
    self.login()            asks nobody where no token is given: `if self.token: ...`
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from loopsafe.facts.ir import Attr, Call, Expr, Function, Name
from loopsafe.resolve.given import Arguments
from loopsafe.resolve.kept_literals import storing
from loopsafe.resolve.methods import method_of, own_object
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    Frame,
    FunctionValue,
    Instance,
    StoredValue,
    Values,
    union,
)

_STORED = 1 << 14
"""Stands among what a method is given; no parameter has this number."""


def stored(
    resolver: Resolver,
    function: FunctionValue,
    call: Call,
    frame: Frame,
    told: Callable[[Expr], Values],
) -> Arguments:
    """What a method is given besides its arguments by a method of the same object: the literals
    that the object's constructor has stored. `told` says which literal an expression of the
    caller is, if that is known."""
    module, home = resolver.table.get(frame.module), resolver.table.get(function.module)
    caller = method_of(module, frame)
    own = own_object(call.func, caller) if caller is not None else None
    if module is None or home is None or caller is None or own is None:
        return ()
    if home.facts.functions[function.number].owner < 0:
        return ()
    kept = dict(_kept(frame))
    cls = frame.receiver or ClassValue(frame.module, caller.owner)
    for name, value in storing(resolver, module, caller, cls):
        literals = told(value) if value.order < own.order else ()
        if literals and all(isinstance(one, ConstantValue) for one in literals):
            kept[name] = literals
    return ((_STORED, (StoredValue(tuple(sorted(kept.items()))),)),) if kept else ()


def known_literals(resolver: Resolver, attribute: Attr, frame: Frame) -> Values:
    """The literals that an attribute keeps of what its object was made with; of a method's own
    object also while that is made, as far as the call which is followed says."""
    kept = dict(_kept(frame))
    caller = method_of(resolver.table.get(frame.module), frame) if kept else None
    if caller and attribute.name in kept and own_object(attribute, caller):
        return kept[attribute.name]
    owners = resolver.values(attribute.value, frame)
    classes = [owner.cls for owner in owners if isinstance(owner, Instance)]
    found = [dict(cls.literals).get(attribute.name, ()) for cls in classes if cls.literals]
    return union(found) if found and len(found) == len(owners) and all(found) else ()


def decided_later(resolver: Resolver, function: Function, frame: Frame) -> Iterator[Name]:
    """The names that a constructor stores where other methods, that it calls, ask for them."""
    module = resolver.table.get(frame.module)
    if module is not None and any(
        isinstance(site.expr, Call) and own_object(site.expr.func, function)
        for site in function.sites
    ):
        cls = frame.receiver or ClassValue(frame.module, function.owner)
        yield from (name for _, name in storing(resolver, module, function, cls))


def _kept(frame: Frame) -> tuple[tuple[str, Values], ...]:
    for index, values in reversed(frame.arguments):
        if index == _STORED and isinstance(values[0], StoredValue):
            return values[0].attributes
    return ()
