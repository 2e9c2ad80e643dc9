"""Literals that an object keeps from its making on, where conditions of its methods ask for them.

class Client:
    def __init__(self, is_cached=False):
        self.is_cached = is_cached

    def load(self):
        if self.is_cached: ...      never of `Client()`
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING

from loopsafe.facts.ir import (
    Attr,
    Binding,
    Call,
    Choice,
    Compared,
    Const,
    Expr,
    Function,
    FunctionRef,
    Has,
    ModuleFacts,
    Name,
    Param,
    Starred,
    Test,
)
from loopsafe.resolve.arguments import matched
from loopsafe.resolve.finding import find
from loopsafe.resolve.methods import own_object
from loopsafe.resolve.values import ClassValue, ConstantValue, Values

if TYPE_CHECKING:
    from loopsafe.facts.kept import Kept
    from loopsafe.modules.module import Module
    from loopsafe.modules.units import Unit
    from loopsafe.resolve.resolver import Resolver


def literals_kept(
    resolver: Resolver, cls: ClassValue, call: Call
) -> tuple[tuple[str, Values], ...]:
    """The literals that an object of the project keeps that this call makes, by attribute."""
    module = resolver.table.get(cls.module)
    if module is None or not module.is_project or any(isinstance(a, Starred) for a in call.args):
        return ()
    if any(name is None for name, _ in call.keywords):
        return ()
    member = find(resolver, cls, "__init__")
    ref = member.bindings[0].value if member is not None and len(member.bindings) == 1 else None
    owner = member.owner if member is not None else None
    home = resolver.table.get(owner.module) if isinstance(owner, ClassValue) else None
    if home is None or not home.is_project or not isinstance(ref, FunctionRef):
        return ()
    kept = _kept_parameters(resolver, home, ref.number, cls)
    return tuple(_literals(home.facts.functions[ref.number], call, kept)) if kept else ()


def storing(
    resolver: Resolver, module: Module, function: Function, cls: ClassValue
) -> tuple[tuple[str, Name], ...]:
    """What a constructor stores by a name, and nobody else, in attributes for which conditions of
    its class's methods ask; with the name. `cls` is the class of the object that is made."""
    if function.name != "__init__" or function.owner < 0:
        return ()
    return resolver.remember(
        ("stores", function.scope, cls.definition),
        module.key,
        lambda: tuple(_storing(resolver, module, function, ClassValue(*cls.definition))),
    )


def asking(module: Module) -> Unit:
    """Stands for what the methods of a module's classes store in their objects and ask of them."""
    return ("asks itself", module.key)


def ask_otherwise(before: ModuleFacts, after: ModuleFacts, kept: Kept | None) -> bool:
    """Whether that is something else after an edit."""
    changed = [
        number
        for number in range(max(len(before.functions), len(after.functions)))
        if kept is None or number not in kept.functions
    ]
    return any(_told(before, number) != _told(after, number) for number in changed)


def _kept_parameters(
    resolver: Resolver, home: Module, number: int, cls: ClassValue
) -> tuple[tuple[str, int], ...]:
    """The attributes that keep a parameter of an `__init__`, each with that one's index."""
    resolver.table.trace |= resolver.table.bit(asking(home))
    return resolver.remember(
        ("kept parameters", number, cls.definition),
        home.key,
        lambda: tuple(_parameters(resolver, home, home.facts.functions[number], cls)),
    )


def _parameters(
    resolver: Resolver, home: Module, constructor: Function, cls: ClassValue
) -> Iterator[tuple[str, int]]:
    scope = home.facts.scopes[constructor.scope]
    for attribute, name in storing(resolver, home, constructor, cls):
        bound = scope.bindings.get(name.id, ())
        value = bound[0].value if len(bound) == 1 else None
        if isinstance(value, Param) and not resolver.outside.is_given(resolver, attribute):
            yield attribute, value.number


def _literals(
    constructor: Function, call: Call, kept: tuple[tuple[str, int], ...]
) -> Iterator[tuple[str, Values]]:
    """What a call passes to parameters, or their defaults, where that is written as a literal."""
    placed = dict(matched(constructor, call, True))
    for attribute, index in kept:
        value = placed.get(index, constructor.parameters[index].default)
        if isinstance(value, Const):
            yield attribute, (ConstantValue(value.value),)


def _storing(
    resolver: Resolver, module: Module, function: Function, cls: ClassValue
) -> Iterator[tuple[str, Name]]:
    for name in _asked_of(resolver, module, function.owner):
        bound = list(_bound(resolver, cls, name))
        value = bound[0].value if len(bound) == 1 else None
        is_here = len(bound) == 1 and bound[0].scope == function.scope
        if is_here and isinstance(value, Name) and value.block == 0:
            yield name, value


def _asked_of(resolver: Resolver, module: Module, owner: int) -> tuple[str, ...]:
    """The attributes for which the conditions of a class's methods ask."""
    resolver.table.trace |= resolver.table.bit(asking(module))
    return resolver.remember(
        ("asked of itself", owner),
        module.key,
        lambda: tuple(
            sorted(
                {
                    name
                    for function in module.facts.functions
                    if function.owner == owner
                    for name in _asked(module.facts, function)
                }
            )
        ),
    )


def _bound(resolver: Resolver, cls: ClassValue, name: str) -> Iterator[Binding]:
    """All that an object's classes give an attribute of this name."""
    for owner in resolver.mro(cls):
        home = resolver.table.get(owner.module) if isinstance(owner, ClassValue) else None
        if home is not None and isinstance(owner, ClassValue):
            resolver.table.trace |= resolver.table.bit(asking(home))
            facts = home.facts.classes[owner.number]
            # What is stored under a name that is computed may be this.
            yield from (*facts.attributes.get(name, ()), *facts.attributes.get("", ()))
            yield from home.facts.scopes[facts.scope].bindings.get(name, ())


def _asked(facts: ModuleFacts, method: Function) -> Iterator[str]:
    """The attributes of its own object for which a method's conditions ask."""
    blocks = facts.scopes[method.scope].blocks
    tests = [block.test for block in blocks]
    tests += [leaving.test for block in blocks for leaving in block.exits]
    tests += [value for value in method.values if isinstance(value, (Compared, Has, Test))]
    for test in tests:
        yield from _attributes(test, method)


def _attributes(test: Expr | None, method: Function) -> Iterator[str]:
    if isinstance(test, Attr):
        if own_object(test, method) is not None:
            yield test.name
    elif isinstance(test, (Compared, Has, Test)):
        yield from _attributes(test.value, method)
    elif isinstance(test, Choice):
        for option in test.options:
            yield from _attributes(option, method)


def _told(facts: ModuleFacts, number: int) -> Hashable:
    """What a method asks of its own object, and how it stores what."""
    method = facts.functions[number] if number < len(facts.functions) else None
    if method is None or method.owner < 0:
        return None
    stored = (
        (name, binding.block, binding.value.id if isinstance(binding.value, Name) else None)
        for name, bindings in facts.classes[method.owner].attributes.items()
        for binding in bindings
        if binding.scope == method.scope
    )
    return frozenset(_asked(facts, method)), frozenset(stored)
