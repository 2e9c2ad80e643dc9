"""Literals that a constructor has stored when it calls a method of its own object.

def __init__(self, token=None):
    self.token = token
    self.login()            asks nobody where no token is given: `if self.token: ...`
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from loopsafe.facts.ir import Attr, Binding, Call, Choice, Compared, Expr, Function, Has, Name, Test
from loopsafe.modules.module import Module
from loopsafe.resolve.given import Arguments
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    Frame,
    FunctionValue,
    StoredValue,
    Values,
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
    for name, value in _storing(resolver, module, caller, frame.receiver):
        literals = told(value) if value.order < own.order else ()
        if literals and all(isinstance(one, ConstantValue) for one in literals):
            kept[name] = literals
    return ((_STORED, (StoredValue(tuple(sorted(kept.items()))),)),) if kept else ()


def kept_literals(resolver: Resolver, attribute: Attr, frame: Frame) -> Values:
    """The literals that an attribute of a method's own object has while that is made, as far as
    the call which is followed says."""
    kept = dict(_kept(frame))
    caller = method_of(resolver.table.get(frame.module), frame) if kept else None
    return kept.get(attribute.name, ()) if caller and own_object(attribute, caller) else ()


def decided_later(resolver: Resolver, function: Function, frame: Frame) -> Iterator[Name]:
    """The names that a constructor stores where other methods, that it calls, ask for them."""
    module = resolver.table.get(frame.module)
    if module is not None and any(
        isinstance(site.expr, Call) and own_object(site.expr.func, function)
        for site in function.sites
    ):
        yield from (name for _, name in _storing(resolver, module, function, frame.receiver))


def method_of(module: Module | None, frame: Frame) -> Function | None:
    """The method that a frame is of."""
    scope = module.facts.scopes[frame.scope] if module is not None else None
    if module is None or scope is None or scope.kind != "function":
        return None
    function = module.facts.functions[scope.owner]
    return function if function.owner >= 0 and function.parameters else None


def own_object(expr: Expr, method: Function) -> Name | None:
    """The name of a method's own object, where an expression is an attribute of it: `self` of
    `self.token`."""
    receiver = expr.value if isinstance(expr, Attr) else None
    if not isinstance(receiver, Name) or not method.parameters:
        return None
    return receiver if receiver.id == method.parameters[0].name else None


def _kept(frame: Frame) -> tuple[tuple[str, Values], ...]:
    for index, values in reversed(frame.arguments):
        if index == _STORED and isinstance(values[0], StoredValue):
            return values[0].attributes
    return ()


def _storing(
    resolver: Resolver, module: Module, function: Function, receiver: ClassValue | None
) -> Iterator[tuple[str, Name]]:
    """What a constructor stores by a name, and nobody else, in attributes for which conditions of
    the class's methods ask; with the name."""
    if function.name != "__init__" or function.owner < 0:
        return
    # What other methods ask for stands elsewhere in the text.
    resolver.table.trace |= module.text_bit
    asked = resolver.remember(
        ("asked of itself", function.owner),
        module.key,
        lambda: tuple(sorted(_asked(module, function.owner))),
    )
    for name in asked:
        bound = list(_bound(resolver, module, function.owner, receiver, name))
        value = bound[0].value if len(bound) == 1 else None
        is_here = len(bound) == 1 and bound[0].scope == function.scope
        if is_here and isinstance(value, Name) and value.block == 0:
            yield name, value


def _bound(
    resolver: Resolver, module: Module, owner: int, receiver: ClassValue | None, name: str
) -> Iterator[Binding]:
    """All that an object's classes give an attribute of this name."""
    own = ClassValue(module.key, owner)
    for cls in resolver.mro(receiver or own):
        home = resolver.table.get(cls.module) if isinstance(cls, ClassValue) else None
        if home is not None and isinstance(cls, ClassValue):
            resolver.table.trace |= home.text_bit
            facts = home.facts.classes[cls.number]
            # What is stored under a name that is computed may be this.
            yield from (*facts.attributes.get(name, ()), *facts.attributes.get("", ()))
            yield from home.facts.scopes[facts.scope].bindings.get(name, ())


def _asked(module: Module, owner: int) -> Iterator[str]:
    """The attributes for which the conditions of a class's methods ask."""
    for function in module.facts.functions:
        if function.owner != owner:
            continue
        blocks = module.facts.scopes[function.scope].blocks
        tests = [block.test for block in blocks]
        tests += [leaving.test for block in blocks for leaving in block.exits]
        tests += [value for value in function.values if isinstance(value, (Compared, Has, Test))]
        for test in tests:
            yield from _attributes(test, function)


def _attributes(test: Expr | None, method: Function) -> Iterator[str]:
    if isinstance(test, Attr):
        if own_object(test, method) is not None:
            yield test.name
    elif isinstance(test, (Compared, Has, Test)):
        yield from _attributes(test.value, method)
    elif isinstance(test, Choice):
        for option in test.options:
            yield from _attributes(option, method)
