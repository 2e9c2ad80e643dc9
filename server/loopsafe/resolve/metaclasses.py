"""What makes classes: metaclasses of the project, what classes have of them, and what they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.facts.ir import Call
from loopsafe.resolve.finding import find
from loopsafe.resolve.members import member_values
from loopsafe.resolve.names import own_name
from loopsafe.resolve.values import ClassValue, Frame, Values, union

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def of_metaclass(resolver: Resolver, cls: ClassValue, name: str) -> Values:
    """What a class has under a name that neither it nor a base has: its metaclass has it."""
    meta = metaclass_of(resolver, cls)
    if meta is not None:
        member = find(resolver, meta, name)
        owner = member.owner if member is not None else None
        home = resolver.table.get(owner.module) if isinstance(owner, ClassValue) else None
        if member is not None and home is not None and home.is_project:
            return member_values(resolver, member, name, cls, True)
    if name != "__subclasses__":
        return ()
    return union(
        member_values(resolver, member, name, kind, True)
        for kind in resolver.named("builtins.type")
        if isinstance(kind, ClassValue) and (member := find(resolver, kind, name)) is not None
    )


def is_metaclass(resolver: Resolver, cls: ClassValue) -> bool:
    """Whether the objects of a class of the project are classes."""
    module = resolver.table.get(cls.module)
    return (
        module is not None
        and module.is_project
        and any(
            isinstance(base, ClassValue)
            and base.module == "builtins"
            and own_name(resolver, base) == "type"
            for base in resolver.mro(cls)[1:]
        )
    )


def classes_in(resolver: Resolver, method: str, owner: ClassValue, receiver: ClassValue) -> Values:
    """What classes the first parameter of a method stands for, where it is more than one.

    `__init_subclass__` runs for each class below its own, a metaclass's methods for each that the
    metaclass makes.
    """
    if method == "__init_subclass__":
        return resolver.outside.subclasses(resolver, receiver)
    if method.startswith("__new__") or not is_metaclass(resolver, owner):
        return ()
    if is_metaclass(resolver, receiver):
        return resolver.outside.classes_of(resolver, receiver)
    return (receiver,)


def subclasses(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    """`cls.__subclasses__()` is a list of classes of the project."""
    values = resolver.values(getattr(call.func, "value", call.func), frame)
    below = union(
        resolver.outside.subclasses(resolver, value)
        for value in values
        if isinstance(value, ClassValue)
    )
    return resolver.builtin("list", below) if below else None


def made(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    """`type.__new__(mcs, name, bases, namespace)` is a class that the metaclass makes."""
    values = resolver.values(call.args[0], frame) if call.args else ()
    classes = union(
        resolver.outside.classes_of(resolver, value)
        for value in values
        if isinstance(value, ClassValue)
    )
    return classes or None


def metaclass_of(resolver: Resolver, cls: ClassValue) -> ClassValue | None:
    """The metaclass of a class, where it is one of the project."""
    found = resolver.remember(
        ("metaclass", cls.module, cls.number), cls.module, lambda: _named(resolver, cls)
    )
    return next((value for value in found if isinstance(value, ClassValue)), None)


def _named(resolver: Resolver, cls: ClassValue) -> Values:
    for base in resolver.mro(cls):
        module = resolver.table.get(base.module) if isinstance(base, ClassValue) else None
        if module is None or not module.is_project or not isinstance(base, ClassValue):
            continue
        facts = module.facts.classes[base.number]
        for name, expr in facts.keywords:
            if name == "metaclass":
                return resolver.values(expr, resolver.frame(base.module, facts.outer))
    return ()
