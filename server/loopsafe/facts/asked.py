"""Which names others look up inside a function: what they see of it rests on these alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from loopsafe.facts.ir import Class, Function, FunctionRef, ModuleFacts, Name, Scope
from loopsafe.model import Spot


class Asked(NamedTuple):
    """Names that are looked up in the scope of a function."""

    before: set[str]
    """By what is read in it for others."""
    later: set[str]
    """By what it defines, once that runs, and by who asks what it gives to objects of others."""


NOTHING = Asked(set(), set())


def asked_inside(facts: ModuleFacts, scopes: range | None = None) -> dict[int, Asked]:
    """The names that are looked up in the scopes of functions, or in some of these, from outside.

    What is stored on an object is read in the scope of the method that stores it, and what stands
    inside a function sees the function's names.
    """
    asked: dict[int, Asked] = {}

    def of(scope: int) -> Asked:
        return asked.setdefault(scope, Asked(set(), set()))

    kept = [b for cls in facts.classes for found in cls.attributes.values() for b in found]
    kept += [b for found in facts.scopes[0].bindings.values() for b in found]
    for binding in kept:
        if binding.scope and (scopes is None or binding.scope in scopes):
            of(binding.scope).before.update(names_in(binding.value))
    for assigned in facts.assigned:
        scope = assigned.binding.scope
        if scope and (scopes is None or scope in scopes):
            of(scope).later.update(names_in((assigned.target, assigned.binding.value)))
    nested: list[Function | Class] = [*facts.functions[1:], *facts.classes]
    for part in nested:
        outer = part.outer
        if facts.scopes[outer].kind == "module" or (scopes is not None and outer not in scopes):
            continue
        header = set(names_in(_header(part)))
        of(outer).before.update(header)
        names = header.union(_names_around(part, facts.scopes[part.scope]))
        while outer > 0:
            of(outer).later.update(names)
            outer = facts.scopes[outer].parent
    return asked


def names_in(part: object) -> Iterator[str]:
    """All names in an expression, or in a tuple of such."""
    if isinstance(part, Name):
        yield part.id
    elif isinstance(part, tuple) and not isinstance(part, (Spot, FunctionRef)):
        for item in part:
            yield from names_in(item)


def _header(part: Function | Class) -> tuple[object, ...]:
    """What of a function or class is read where it is defined."""
    if isinstance(part, Class):
        return (part.bases, part.keywords, part.decorators)
    return (part.parameters, part.returns, part.decorators)


def _names_around(part: Function | Class, scope: Scope) -> Iterator[str]:
    """The names that the body of a function or class looks up in the scopes around it."""
    bound = tuple(scope.bindings.values())
    if isinstance(part, Class):
        yield from names_in((tuple(part.attributes.values()), bound))
        return
    inside = names_in((part.sites, part.values, part.yields, bound))
    # What a function binds, by its parameters too, is its own all over it.
    yield from (name for name in inside if name not in scope.bindings)
