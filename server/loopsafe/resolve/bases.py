"""The order in which classes are searched for an attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.resolve.types import classes
from loopsafe.resolve.values import ClassValue, External

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


_LONGEST_MRO = 60


def linearise(resolver: Resolver, cls: ClassValue) -> tuple[ClassValue | External, ...]:
    """The class and its bases; C3 where it works out, depth first where it does not."""
    module = resolver.table.get(cls.module)
    if module is None or cls.number >= len(module.facts.classes):
        return (cls,)
    facts = module.facts.classes[cls.number]
    frame = resolver.frame(cls.module, facts.outer, cls if cls.arguments else None)
    bases: list[ClassValue | External] = []
    for expr in facts.bases:
        bases.extend(classes(resolver, expr, frame)[:1])
    lines = [list(_line_of(resolver, base)) for base in bases]
    merged = _merged([*lines, list(bases)])
    return (cls, *merged[:_LONGEST_MRO])


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
