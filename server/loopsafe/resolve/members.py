"""Attributes: lookup on modules, classes and instances, through bases, properties and `super()`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Attr, Call, Expr, Filled, FunctionRef, Imported
from loopsafe.resolve.callbacks import is_promise
from loopsafe.resolve.containers import filled
from loopsafe.resolve.descriptors import held_by, method_value, through_descriptors
from loopsafe.resolve.dynamic import getters_of, made_by_name, named_in_loop
from loopsafe.resolve.external import (
    class_attribute,
    declared_attribute,
    external_attribute,
    known_attribute,
)
from loopsafe.resolve.fields import made_for_field
from loopsafe.resolve.finding import Member, find
from loopsafe.resolve.names import module_member
from loopsafe.resolve.naming import dotted_name, scope_of
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    External,
    ExternalInstance,
    Frame,
    FunctionValue,
    Instance,
    ModuleValue,
    SuperValue,
    TupleValue,
    Value,
    Values,
    union,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def attribute(resolver: Resolver, value: Value, name: str) -> Values:
    """What `value.name` may be."""
    if isinstance(value, ModuleValue):
        return module_member(resolver, value.name, name)
    if isinstance(value, Instance):
        if name == "__class__":
            return (value.cls,)
        return _remembered(resolver, value.cls, name, bound=True)
    if isinstance(value, ClassValue):
        return _remembered(resolver, value, name, bound=False)
    if isinstance(value, External):
        return class_attribute(resolver, value.name, name)
    if isinstance(value, ExternalInstance):
        return external_attribute(resolver, value.name, name)
    if isinstance(value, SuperValue):
        member = find(resolver, value.receiver, name, after=value.after)
        if member is None:
            return _of_object(resolver, name)
        return member_values(resolver, member, name, value.receiver, True)
    if isinstance(value, ConstantValue) and value.value is not None:
        kind = type(value.value).__name__
        return union(attribute(resolver, v, name) for v in resolver.builtin(kind))
    if isinstance(value, TupleValue):
        return union(attribute(resolver, v, name) for v in resolver.builtin("tuple"))
    return ()


def _remembered(resolver: Resolver, cls: ClassValue, name: str, bound: bool) -> Values:
    def compute() -> Values:
        member = find(resolver, cls, name)
        if member is None and (given := _of_object(resolver, name)):
            return given
        if member is None:
            known = dict(cls.holds).get(name, ()) or known_attribute(resolver, cls, name)
            known = known or named_in_loop(resolver, cls, name, bound)
            known = known or (_delegated(resolver, cls, name) if bound else ())
            known = known or made_by_name(resolver, cls, name, bound)
            known = known or (() if bound else resolver.of_metaclass(cls, name))
        else:
            known = member_values(resolver, member, name, cls, bound)
        return known if bound else held_by(resolver, cls, known)

    return resolver.remember(("attribute", cls, name, bound), cls.module, compute)


def _of_object(resolver: Resolver, name: str) -> Values:
    """What every class has, and none inherits here: `__new__`."""
    base = resolver.named("builtins.object") if name == "__new__" else ()
    return union(attribute(resolver, cls, name) for cls in base)


def member_values(
    resolver: Resolver, member: Member, name: str, cls: ClassValue, bound: bool
) -> Values:
    """What a class, or an object of it, gives for an attribute that one of its bases has."""
    owner = member.owner
    if isinstance(owner, External):
        return declared_attribute(resolver, cls, name) or external_attribute(
            resolver, owner.name, name
        )
    is_own = owner.definition == cls.definition
    if bound and name in _STOOD_FOR and not is_own and is_enumeration(resolver, cls):
        stands_for = dict(cls.holds).get("value", ()) or resolver.of_any(cls, name)
        if stands_for:
            return stands_for
    found: list[Values] = []
    declared = resolver.frame(owner.module, scope_of(resolver, owner), cls)
    for binding in member.bindings:
        if isinstance(binding.value, FunctionRef):
            method = FunctionValue(owner.module, binding.value.number, cls, bound, owner.outer)
            held = method_value(resolver, method)
            found.append(through_descriptors(resolver, owner, cls, held) if bound else held)
        elif bound and (getters := getters_of(resolver, binding, declared)):
            found.extend(resolver.function_result(getter, ()) for getter in getters)
        elif binding.value is not None and is_enumeration(resolver, cls):
            found.append(resolver.listed(cls, binding, declared))
        else:
            held = resolver.bound(binding, declared)
            if bound:
                held = held_by(resolver, cls, held)
                is_imported = isinstance(binding.value, Imported)
                held = through_descriptors(resolver, owner, cls, held, is_imported)
            found.append(held)
    found.extend(
        resolver.bound(binding, resolver.frame(owner.module, binding.scope, cls))
        for binding in member.stored
        if not isinstance(binding.value, Filled)
    )
    if not member.bindings and any(_is_around(b.value, name) for b in member.stored):
        inner = find(resolver, cls, name, after=owner)
        found.append(member_values(resolver, inner, name, cls, bound) if inner else ())
    held = dict(cls.holds).get(name, ()) if bound else ()
    if held:
        # What an object was given says more than what it asks for.
        found = [tuple(v for v in part if not is_promise(resolver, v)) for part in found]
        found.append(held)
    containers = union(found)
    found.extend(
        filled(resolver, containers, filling.element, frame)
        for filling, frame in _fillings(resolver, cls, name)
    )
    values = union(found)
    if bound and values and all(is_promise(resolver, value) for value in values):
        # A protocol says what is asked of it, who makes the objects what they are given.
        values = resolver.known(_by_source(resolver, member, name, cls)) or values
    if bound and not resolver.known(values):
        values = union((values, _by_source(resolver, member, name, cls)))
        if not resolver.known(values):
            values = made_for_field(resolver, member, name, cls) or values
        if not resolver.known(values) and not cls.holds and is_enumeration(resolver, cls):
            values = resolver.of_any(cls, name)
    return values or known_attribute(resolver, cls, name)


def _is_around(value: Expr | None, name: str) -> bool:
    """Whether an object keeps what is made of its own method: `self.load = traced(self.load)`."""
    return isinstance(value, Call) and any(
        isinstance(arg, Attr) and arg.name == name for arg in value.args
    )


def is_enumeration(resolver: Resolver, cls: ClassValue) -> bool:
    """Whether a class is an `Enum`, whose body lists its objects."""
    found = resolver.remember(
        ("enumeration", cls.module, cls.number),
        cls.module,
        lambda: (ConstantValue(_is_enumeration(resolver, cls)),),
    )
    return found == (ConstantValue(True),)


def _is_enumeration(resolver: Resolver, cls: ClassValue) -> bool:
    module = resolver.table.get(cls.module)
    return (
        module is not None
        and module.is_project
        and any(dotted_name(resolver, base) == "enum.Enum" for base in resolver.mro(cls)[1:])
    )


def _by_source(resolver: Resolver, member: Member, name: str, cls: ClassValue) -> Values:
    """What a package's text tells of an attribute that no annotation tells of."""
    owner = member.owner
    source = resolver.source(owner) if isinstance(owner, ClassValue) else None
    if source is None:
        return ()
    if isinstance(owner, ClassValue) and source.module == owner.module:
        return resolver.kept(cls, owner, member.stored) if member.stored else ()
    found = find(resolver, source, name)
    return member_values(resolver, found, name, cls, True) if found is not None else ()


def _fillings(resolver: Resolver, cls: ClassValue, name: str) -> Iterator[tuple[Filled, Frame]]:
    """What a class and its bases put into an attribute, whichever of them makes it."""
    for owner in resolver.mro(cls):
        module = resolver.table.get(owner.module) if isinstance(owner, ClassValue) else None
        if module is None or not isinstance(owner, ClassValue):
            continue
        for binding in module.facts.classes[owner.number].attributes.get(name, ()):
            if isinstance(binding.value, Filled):
                yield binding.value, resolver.frame(owner.module, binding.scope, cls)


def _delegated(resolver: Resolver, cls: ClassValue, name: str) -> Values:
    """What a class's own `__getattr__` gives for a name that it has not."""
    member = find(resolver, cls, "__getattr__") if not name.startswith("__") else None
    owner = member.owner if member is not None else None
    source = resolver.source(owner) if isinstance(owner, ClassValue) else None
    if source is not None and source is not owner:
        member = find(resolver, source, "__getattr__")  # What stands behind the stub.
    if member is None or not isinstance(member.owner, ClassValue):
        return ()
    module = resolver.table.get(member.owner.module)
    if module is None or module.is_stub:
        return ()
    getters = (b.value for b in member.bindings if isinstance(b.value, FunctionRef))
    values: tuple[tuple[int, Values], ...] = ((1, (ConstantValue(name),)),)
    found = union(
        resolver.function_result(
            FunctionValue(member.owner.module, getter.number, cls, True, member.owner.outer), values
        )
        for getter in getters
    )
    # Which of several ways is for which name, nobody can tell; overloads are one.
    ways = {dotted_name(resolver, v) if isinstance(v, FunctionValue) else v for v in found}
    return found if len(ways) <= (1 if module.is_project else _MOST_WAYS) else ()


_STOOD_FOR = ("value", "_value_")
"""What the members of an enumeration stand for, which no annotation tells."""

_MOST_WAYS = 3
"""Of what a package gives for a name that it makes up, such as a part of a path and its end."""
