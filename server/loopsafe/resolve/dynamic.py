"""Attributes that code makes by name when it runs: `setattr`, `x = property(get_x)`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Binding, Call, Const, Expr, Name, last_name
from loopsafe.resolve.arguments import argument_at
from loopsafe.resolve.names import definitions, own_name
from loopsafe.resolve.registered import registered
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    Frame,
    FunctionValue,
    Instance,
    Value,
    Values,
    is_same_class,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver

_MOST = 3
"""Values that code stores under computed names, where their own names tell nothing."""


def getters_of(resolver: Resolver, binding: Binding, frame: Frame) -> tuple[FunctionValue, ...]:
    """The functions that compute an attribute which a class makes by `property(function)`."""
    call = binding.value
    if not isinstance(call, Call) or last_name(call.func) != "property":
        return ()
    getter = argument_at(call, 0, "fget")
    values = resolver.values(getter, frame) if getter is not None else ()
    cls = frame.receiver
    return tuple(
        value._replace(receiver=cls, bound=True)
        for value in values
        if isinstance(value, FunctionValue)
    )


def made_by_name(resolver: Resolver, cls: ClassValue, name: str, bound: bool) -> Values:
    """What a class has under a name that its code computes: `setattr(self, cls.__name__, cls())`.

    Where it is one of several, the one that is called like the attribute.
    """
    if name.startswith("__"):
        return ()
    source = resolver.source(cls) or cls
    given = tuple(chain.from_iterable(_given(resolver, source, name, bound)))
    given = given or registered(resolver, source, name, bound)
    if given:
        return given
    found = _stored(resolver, source, bound)
    plain = name.replace("_", "").lower()
    alike = tuple(v for v in found if _name(resolver, v) == plain)
    return alike or (found if len(found) <= _MOST else ())


def named_in_loop(resolver: Resolver, cls: ClassValue, name: str, bound: bool) -> Values:
    """What a module stores on its class under names that a loop goes through:
    `for verb in VERBS: setattr(Client, verb.upper(), call(verb))`."""
    source = resolver.source(cls) or cls
    if name.startswith("__"):
        return ()
    told = resolver.remember(
        ("named in a loop", source, bound),
        source.module,
        lambda: (_loops(resolver, source, bound),),
    )
    return dict(told[0]).get(name, ()) if told else ()


def _loops(resolver: Resolver, cls: ClassValue, bound: bool) -> tuple[tuple[str, Values], ...]:
    found: dict[str, Values] = {}
    for base in resolver.mro(cls):
        owner = resolver.source(base) if isinstance(base, ClassValue) else None
        module = resolver.table.get(owner.module) if owner is not None else None
        if owner is None or module is None or module.is_project or module.is_stub:
            continue
        frame = resolver.frame(owner.module, 0)
        for site in module.facts.functions[0].sites:
            call = site.expr
            if not isinstance(call, Call) or last_name(call.func) != "setattr" or site.scope != 0:
                continue
            if len(call.args) != 3 or isinstance(call.args[1], Const):
                continue
            targets = resolver.values(call.args[0], frame)
            if any(is_same_class(target, owner) for target in targets):
                held = _objects(resolver, call.args[2], frame)
                methods = tuple(_as_method(value, cls, bound) for value in held)
                for key in resolver.values(call.args[1], frame):
                    if isinstance(key, ConstantValue) and isinstance(key.value, str):
                        found.setdefault(key.value, methods)
    return tuple(found.items())


def _stored(resolver: Resolver, cls: ClassValue, bound: bool) -> Values:
    return resolver.remember(
        ("stored by name", cls, bound),
        cls.module,
        lambda: tuple(dict.fromkeys(chain.from_iterable(_storing(resolver, cls, bound)))),
    )


def _storing(resolver: Resolver, cls: ClassValue, bound: bool) -> Iterator[Values]:
    for base in resolver.mro(cls):
        owner = resolver.source(base) if isinstance(base, ClassValue) else None
        module = resolver.table.get(owner.module) if owner is not None else None
        if owner is None or module is None or module.is_stub:
            continue
        if bound:
            for binding in module.facts.classes[owner.number].attributes.get("", ()):
                frame = resolver.frame(owner.module, binding.scope, cls)
                yield _objects(resolver, binding.value, frame)
    yield from _given(resolver, cls, "", bound)


def _given(resolver: Resolver, cls: ClassValue, name: str, bound: bool) -> Iterator[Values]:
    """What modules give to their classes behind the definition: `Client.load = call(load)`."""
    for base in resolver.mro(cls):
        owner = resolver.source(base) if isinstance(base, ClassValue) else None
        module = resolver.table.get(owner.module) if owner is not None else None
        if owner is None or module is None or (name and module.is_project):
            continue
        frame = resolver.frame(owner.module, 0)
        for target, given, binding in module.facts.assigned:
            if given != name or binding.scope != 0:
                continue
            if any(is_same_class(value, owner) for value in resolver.values(target, frame)):
                held = _objects(resolver, binding.value, frame)
                yield tuple(_as_method(value, cls, bound) for value in held)


def _as_method(value: Value, cls: ClassValue, bound: bool) -> Value:
    if isinstance(value, FunctionValue) and value.receiver is None:
        return value._replace(receiver=cls, bound=bound)
    return value


def _objects(resolver: Resolver, expr: Expr | None, frame: Frame) -> Values:
    """What an expression may be; all the objects that one call makes of a table of classes."""
    if isinstance(expr, Name):
        found = definitions(resolver, expr, frame)
        if len(found) == 1 and isinstance(found[0].binding.value, Call):
            expr, frame = found[0].binding.value, found[0].frame
    if isinstance(expr, Call):
        classes = [v for v in resolver.values(expr.func, frame) if isinstance(v, ClassValue)]
        if classes:
            return tuple(Instance(cls) for cls in classes)
    return resolver.values(expr, frame) if expr is not None else ()


def _name(resolver: Resolver, value: Value) -> str:
    """What a value's class or function is called, in small letters."""
    named = value.cls if isinstance(value, Instance) else value
    return own_name(resolver, named).replace("_", "").lower()
