"""The order in which classes are searched for an attribute, and the sources of stubs' classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.resolve.names import module_member
from loopsafe.resolve.types import classes
from loopsafe.resolve.values import ClassValue, External, TypeVariable, Values
from loopsafe.resolve.variables import passes_on_plainly, type_parameters

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


_LONGEST_MRO = 60

_LONGEST_WAY = 4
"""Re-exports between a stub's name and its source."""


def linearise(resolver: Resolver, cls: ClassValue) -> tuple[ClassValue | External, ...]:
    """The class and its bases; C3 where it works out, depth first where it does not."""
    if cls.literals:
        return (cls, *resolver.mro(cls._replace(literals=()))[1:])
    if cls.arguments and all(cls.arguments) and cls.outer is None and not cls.holds:
        count = len(cls.arguments)
        pattern = resolver.remember(
            ("pattern", cls.module, cls.number, count),
            cls.module,
            lambda: _pattern(resolver, cls, count),
        )
        if pattern:
            return (cls, *(_applied(base, cls.arguments) for base in pattern))
    return _linearised(resolver, cls)


def _pattern(resolver: Resolver, cls: ClassValue, count: int) -> tuple[ClassValue | External, ...]:
    """The bases of a generic class for any arguments; nothing where it takes more to apply them.

    Containers of all kinds are made everywhere, each with a line of eight classes.
    """
    if len(type_parameters(resolver, cls)) != count:
        return ()
    given: tuple[Values, ...] = tuple((TypeVariable(index),) for index in range(count))
    line = _linearised(resolver, cls._replace(arguments=given))
    owners = (owner for owner in line if isinstance(owner, ClassValue))
    return line[1:] if all(passes_on_plainly(resolver, owner) for owner in owners) else ()


def _applied(base: ClassValue | External, arguments: tuple[Values, ...]) -> ClassValue | External:
    """One of these bases, for a class with these arguments."""
    if isinstance(base, External) or not base.arguments:
        return base
    given = (_argument(values, arguments) for values in base.arguments)
    return base._replace(arguments=tuple(given))


def _argument(values: Values, arguments: tuple[Values, ...]) -> Values:
    first = values[0] if values else None
    return arguments[first.number] if isinstance(first, TypeVariable) else values


def _linearised(resolver: Resolver, cls: ClassValue) -> tuple[ClassValue | External, ...]:
    module = resolver.table.get(cls.module)
    if module is None or cls.number >= len(module.facts.classes):
        return (cls,)
    facts = module.facts.classes[cls.number]
    frame = resolver.frame(cls.module, facts.outer, cls if cls.arguments else None)
    bases: list[ClassValue | External] = []
    for expr in facts.bases:
        bases.extend(classes(resolver, expr, frame)[:1])
    if cls.arguments and not type_parameters(resolver, cls):
        # More is known of its objects than the class says itself: its open bases are for that.
        bases = [_for(base, cls.arguments) for base in bases]
    lines = [list(_line_of(resolver, base)) for base in bases]
    merged = _merged([*lines, list(bases)])
    return (cls, *merged[:_LONGEST_MRO])


def _for(base: ClassValue | External, arguments: tuple[Values, ...]) -> ClassValue | External:
    """A base for these arguments, where it is given none."""
    is_open = isinstance(base, ClassValue) and not any(base.arguments)
    return base._replace(arguments=arguments) if isinstance(base, ClassValue) and is_open else base


def class_source(resolver: Resolver, cls: ClassValue) -> ClassValue | None:
    """The class that a stub's class describes; the class itself where it is no stub's."""
    module = resolver.table.get(cls.module)
    if module is None or not module.is_stub:
        return cls if module is not None else None
    source = resolver.table.source(module)
    qualname = module.facts.classes[cls.number].qualname
    for _ in range(_LONGEST_WAY):
        if source is None:
            return None
        for number, facts in enumerate(source.facts.classes):
            if facts.qualname == qualname:
                return ClassValue(source.key, number, cls.arguments, holds=cls.holds)
        found = module_member(resolver, source.key, qualname)
        value = found[0] if len(found) == 1 else None
        if not isinstance(value, ClassValue):
            return None
        owner = resolver.table.get(value.module)
        if owner is None or not owner.is_stub:
            return value._replace(arguments=cls.arguments, holds=cls.holds) if owner else None
        source, qualname = resolver.table.source(owner), owner.facts.classes[value.number].qualname
    return None


def _line_of(resolver: Resolver, base: ClassValue | External) -> tuple[ClassValue | External, ...]:
    return resolver.mro(base) if isinstance(base, ClassValue) else (base,)


def _merged(lines: list[list[ClassValue | External]]) -> list[ClassValue | External]:
    merged: list[ClassValue | External] = []
    lines = [line for line in lines if line]
    while lines:
        head = next(
            (line[0] for line in lines if not any(line[0] in other[1:] for other in lines)),
            lines[0][0],
        )
        merged.append(head)
        lines = [[c for c in line if c != head] for line in lines]
        lines = [line for line in lines if line]
    return merged
