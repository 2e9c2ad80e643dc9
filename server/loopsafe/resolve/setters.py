"""What a package gives to its objects after they are made: `client.set_session(Session())`.

Where no annotation tells what a setter keeps, the places in the same package that call it do, and
for the setter of a property those that assign to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Attr, Binding, Call, Function, last_name
from loopsafe.resolve.given import Arguments, given
from loopsafe.resolve.neighbours import neighbours
from loopsafe.resolve.values import ClassValue, FunctionValue, Instance, Value, Values, union

if TYPE_CHECKING:
    from loopsafe.modules.module import Module
    from loopsafe.resolve.resolver import Resolver

_MOST = 4
"""Places that use a setter, and modules that do; more tell too little apart."""


def set_later(
    resolver: Resolver,
    module: Module,
    cls: ClassValue,
    owner: ClassValue,
    stored: tuple[Binding, ...],
) -> Values:
    """What a package's objects hold in an attribute that a method stores for others."""
    found: list[Values] = []
    for binding in stored:
        setter = _setter(module, owner, binding)
        if setter is None:
            continue
        method = FunctionValue(owner.module, setter, cls, True, owner.outer)
        for arguments in _passed(resolver, module, cls, method):
            frame = resolver.function_frame(method, arguments)
            if frame is not None:
                found.append(resolver.known(resolver.bound(binding, frame)))
    return union(found)


def _setter(module: Module, owner: ClassValue, binding: Binding) -> int | None:
    """The method that stores a value which it may have been given; no constructor."""
    scope = module.facts.scopes[binding.scope]
    if binding.value is None or scope.kind != "function":
        return None
    facts = module.facts.functions[scope.owner]
    is_method = facts.owner == owner.number and len(facts.parameters) > 1
    return scope.owner if is_method and not facts.name.startswith("__") else None


def _passed(
    resolver: Resolver, module: Module, cls: ClassValue, method: FunctionValue
) -> tuple[Arguments, ...]:
    """What a setter is given by its package."""
    facts = module.facts.functions[method.number]
    find = _assigned if _is_property(facts) else _called
    return resolver.remember(
        ("set with", cls, method),
        cls.module,
        lambda: tuple(dict.fromkeys(islice(find(resolver, module, facts, method), _MOST))),
    )


def _is_property(facts: Function) -> bool:
    return any(isinstance(d, Attr) and d.name == "setter" for d in facts.decorators)


def _assigned(
    resolver: Resolver, module: Module, facts: Function, method: FunctionValue
) -> Iterator[Arguments]:
    """What is assigned to a property: by its class, and by others in its module."""
    number = facts.owner
    for binding in module.facts.classes[number].attributes.get(facts.name, ()):
        frame = resolver.frame(module.key, binding.scope, method.receiver)
        values = resolver.known(resolver.bound(binding, frame))
        if values:
            yield ((1, values),)
    for target, name, binding in module.facts.assigned:
        if name != facts.name or binding.value is None:
            continue
        frame = resolver.frame(module.key, binding.scope)
        values = resolver.known(resolver.values(binding.value, frame))
        if values and _may_be(resolver, resolver.values(target, frame), method):
            yield ((1, values),)


def _called(
    resolver: Resolver, module: Module, facts: Function, method: FunctionValue
) -> Iterator[Arguments]:
    """What the calls of a method pass, in its package."""
    for home in _users(resolver, module, facts.name):
        for function in home.facts.functions:
            for site in function.sites:
                call = site.expr
                if not isinstance(call, Call) or last_name(call.func) != facts.name:
                    continue
                if not isinstance(call.func, Attr):
                    continue
                receiver = _own(resolver, home, function, call.func, method)
                frame = resolver.frame(home.key, site.scope, receiver)
                if _may_be(resolver, resolver.values(call.func.value, frame), method):
                    arguments = given(resolver, method, call, frame)
                    if any(values for _, values in arguments):
                        yield arguments


def _own(
    resolver: Resolver, home: Module, function: Function, func: Attr, method: FunctionValue
) -> ClassValue | None:
    """The class whose object calls its own setter, if a method of it or its bases does."""
    if function.owner < 0 or method.receiver is None:
        return None
    owners = _definitions(resolver, method.receiver)
    return method.receiver if (home.key, function.owner) in owners else None


def _may_be(resolver: Resolver, values: Values, method: FunctionValue) -> bool:
    """Whether one of some objects has the setter."""
    return any(_has(resolver, value, method) for value in values)


def _has(resolver: Resolver, value: Value, method: FunctionValue) -> bool:
    cls = resolver.source(value.cls) if isinstance(value, Instance) else None
    module = resolver.table.get(method.module)
    if cls is None or module is None:
        return False
    wanted = (method.module, module.facts.functions[method.number].owner)
    return wanted in _definitions(resolver, cls)


def _definitions(resolver: Resolver, cls: ClassValue) -> set[tuple[str, int]]:
    """A class and what it inherits from, by where they are defined."""
    return {base.definition for base in resolver.mro(cls) if isinstance(base, ClassValue)}


def _users(resolver: Resolver, module: Module, name: str) -> Iterator[Module]:
    """The modules near a class that use the name of its setter, if they are few."""
    found = (resolver.table.user(key, name) for key in neighbours(resolver, module))
    others = [home for home in found if home is not None and home.key != module.key]
    yield module
    yield from others if len(others) <= _MOST else ()
