"""What others can tell of two texts of a module: the names and functions that an edit concerns."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from loopsafe.facts.asked import NOTHING, asked_inside
from loopsafe.facts.interface import Interface, Seen, SeenReader
from loopsafe.facts.ir import ClassRef, FunctionRef, ModuleFacts


class Difference(NamedTuple):
    """What others can tell of two texts of a module: nothing but this."""

    names: frozenset[str] = frozenset()
    """Of the module's own, that mean something else in one of the texts, or nothing."""
    functions: frozenset[int] = frozenset()
    """The numbers of the functions among them, in either text."""
    insides: frozenset[int] = frozenset()
    """The numbers of functions of whose inside others see something else."""
    speakers: frozenset[int] = frozenset()
    """The numbers of functions that look these names up: also among the insides."""


def difference(
    before: ModuleFacts, seen: Interface, after: ModuleFacts, now: Interface
) -> Difference | None:
    """What others can tell of two texts of a module; None where it is more than can be said so.

    Whoever has not heard of the names finds what it found before, and so does who never looked
    inside those functions; who has heard of them is not said here. The numbers of what stands in
    both texts must be the same, so a new function stands at the end.
    """
    if (seen.classes, seen.scopes, seen.assigned, seen.exports) != (
        now.classes,
        now.scopes,
        now.assigned,
        now.exports,
    ):
        return None
    names = {n for n in {*seen.names, *now.names} if seen.names.get(n) != now.names.get(n)}
    own: set[int] = set()
    for facts in (before, after):
        for name in names:
            for binding in facts.scopes[0].bindings.get(name, ()):
                if isinstance(binding.value, ClassRef):
                    return None
                if isinstance(binding.value, FunctionRef):
                    own.add(binding.value.number)
    pairs = list(zip(seen.functions, now.functions, strict=False))
    differing = {number for number, (a, b) in enumerate(pairs) if a.head != b.head}
    insides = {number for number, (a, b) in enumerate(pairs) if a.inside != b.inside}
    longer = before if len(before.functions) > len(after.functions) else after
    shorter = min(len(before.functions), len(after.functions))
    for number, function in enumerate(longer.functions[shorter:], shorter):
        if longer.scopes[function.outer].kind != "function":
            differing.add(number)
    if not differing <= own:
        return None
    return Difference(frozenset(names), frozenset(own), frozenset(insides - own))


def difference_inside(
    before: ModuleFacts, after: ModuleFacts, functions: range, scopes: range
) -> Difference | None:
    """The same of texts that differ in some functions with these scopes only."""
    then, now = _functions(before, functions, scopes), _functions(after, functions, scopes)
    if [each.head for each in then] != [each.head for each in now]:
        return None
    if _around(before, scopes) != _around(after, scopes):
        return None
    pairs = zip(functions, then, now, strict=True)
    return Difference(insides=frozenset(n for n, a, b in pairs if a.inside != b.inside))


def _functions(facts: ModuleFacts, functions: range, scopes: range) -> list[Seen]:
    """What others see of some functions."""
    reader = SeenReader(facts)
    asked = asked_inside(facts, scopes)
    return [
        reader.function(function, asked.get(function.scope, NOTHING))
        for function in facts.functions[functions.start : functions.stop]
    ]


def _around(facts: ModuleFacts, scopes: range) -> Hashable:
    """What others see of what is in some functions, and of what they bind elsewhere."""
    reader = SeenReader(facts)
    seen: list[Hashable] = [reader.cls(cls) for cls in facts.classes if cls.scope in scopes]
    own = facts.scopes[scopes.start : scopes.stop]
    seen += [reader.scope(scope) for scope in own if scope.kind != "function"]
    for bindings in (*(c.attributes for c in facts.classes), facts.scopes[0].bindings):
        for name, found in bindings.items():
            seen += [(name, reader.binding(b)) for b in found if b.scope in scopes]
    seen += [reader.assigned(found) for found in facts.assigned if found.binding.scope in scopes]
    return tuple(seen)
