"""Conditions that ask for the class of a literal that a call passes, or of the text of a path:
`isinstance(source, Response)`."""

from __future__ import annotations

from collections.abc import Iterable

from loopsafe.facts.ir import Call, Display, Expr, Name
from loopsafe.resolve.callbacks import is_protocol
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    Frame,
    Instance,
    PathText,
    Value,
    Values,
)

_OPEN = frozenset({"abc.ABC", "builtins.object"})
"""What any class may be one of without saying so, and what says little of an object."""
_ABSTRACT = ("typing.", "collections.abc.", "numbers.", "_typeshed.")


def asked_about(test: Call) -> Expr | None:
    """Of what a condition asks the class."""
    is_asking = isinstance(test.func, Name) and test.func.id == "isinstance"
    return test.args[0] if is_asking and len(test.args) == 2 and not test.keywords else None


def is_instance(
    resolver: Resolver, test: Call, given: Iterable[Values], frame: Frame
) -> bool | None:
    """Whether all that is passed is of a class that a condition asks for, or none of it is; None
    where nobody can say."""
    wanted = _classes(resolver, test.args[1], frame)
    values = [value for each in given for value in each or (None,)]
    if not wanted or not values:
        return None
    answers = {_is_one_of(resolver, value, wanted) for value in values}
    return answers.pop() if len(answers) == 1 else None


def _classes(resolver: Resolver, expr: Expr, frame: Frame) -> list[ClassValue]:
    """The classes that are asked for; none unless each is known, and says who its objects are."""
    found: list[ClassValue] = []
    for option in expr.items if isinstance(expr, Display) else (expr,):
        values = resolver.values(option, frame)
        known = [value for value in values if isinstance(value, ClassValue)]
        if not known or len(known) < len(values):
            return []
        found += known
    return [] if any(_is_open(resolver, cls) for cls in found) else found


def _is_open(resolver: Resolver, cls: ClassValue) -> bool:
    """Whether objects of a class may be of others that do not name it, nor it them."""
    name = dotted_name(resolver, cls) or ""
    bases = resolver.mro(cls)
    if name in _OPEN or name.startswith(_ABSTRACT):
        return True
    if cls.module == "builtins":
        return False
    if not all(isinstance(base, ClassValue) for base in bases):
        return True
    names = {dotted_name(resolver, base) or "" for base in bases} - {"builtins.object"}
    return not names.isdisjoint(_OPEN) or any(_is_protocol(resolver, base) for base in bases)


def _is_protocol(resolver: Resolver, cls: Value) -> bool:
    """Whether a class is a protocol of somebody else than the standard library, whose containers
    are written as such."""
    module = resolver.table.get(cls.module) if isinstance(cls, ClassValue) else None
    if module is None or module.is_stub or not isinstance(cls, ClassValue):
        return False
    return is_protocol(module.facts.classes[cls.number])


def _is_one_of(resolver: Resolver, value: Value | None, wanted: list[ClassValue]) -> bool | None:
    cls = _class_of(resolver, value)
    if cls is None:
        return None
    own = {base.definition for base in resolver.mro(cls) if isinstance(base, ClassValue)}
    return any(one.definition in own for one in wanted)


def _class_of(resolver: Resolver, value: Value | None) -> ClassValue | None:
    """The class of what is passed, where nothing else may be.

    Of objects it is not known whether they are all that may be passed: what is unknown is left out.
    """
    if isinstance(value, PathText):
        return _builtin(resolver, "str")
    if isinstance(value, ConstantValue) and value.value is not None:
        return _builtin(resolver, type(value.value).__name__)
    return None


def _builtin(resolver: Resolver, name: str) -> ClassValue | None:
    found = resolver.builtin(name)
    return found[0].cls if found and isinstance(found[0], Instance) else None
