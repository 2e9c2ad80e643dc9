"""Facts of a text with those of an earlier one in the place of their equals.

What is known of a part is known by its identity. Where a text was read anew, what stands in front
of an edit and behind it is the same again, so the parts of before may serve on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from loopsafe.facts.ir import Function, ModuleFacts, Scope
from loopsafe.facts.kept import is_unmoved


class Equal(NamedTuple):
    """How many lines two texts begin and end with alike, and how many they have."""

    first: int
    last: int
    before: int
    after: int


def equal_lines(old: str, new: str) -> Equal:
    """What two texts have in common at both ends."""
    lines, others = old.split("\n"), new.split("\n")
    first = _alike(lines, others)
    last = _alike(lines[first:][::-1], others[first:][::-1])
    return Equal(first, last, len(lines), len(others))


def reused(before: ModuleFacts, after: ModuleFacts, equal: Equal) -> ModuleFacts:
    """The facts of a text with the parts of those before it that are the same.

    Equal values of equal lines are of equal types: nothing in there is `1` now and `True` then.
    """
    functions, classes = list(after.functions), list(after.classes)
    scopes = list(after.scopes)
    for number, (old, new) in enumerate(zip(before.functions, after.functions, strict=False)):
        if not number:
            continue
        one, other = before.scopes[old.scope], after.scopes[new.scope]
        if _end(old) <= equal.first:
            if old == new and one == other:
                functions[number], scopes[new.scope] = old, one
        elif old.start >= equal.before - equal.last and new.start >= equal.after - equal.last:
            # Only what is read around it may tell that it stands elsewhere.
            inside = old.sites, old.values, old.yields
            if inside == (new.sites, new.values, new.yields) and one == other:
                sites, values, yields = inside
                functions[number] = new._replace(sites=sites, values=values, yields=yields)
                scopes[new.scope] = one
    for number, (was, now) in enumerate(zip(before.classes, after.classes, strict=False)):
        one, other = before.scopes[was.scope], after.scopes[now.scope]
        if is_unmoved(was, now) and is_unmoved(one, other):
            classes[number], scopes[now.scope] = was, one
    if is_unmoved(before.functions[0], after.functions[0]):
        functions[0] = before.functions[0]
        scopes[0] = _names(before.scopes[0], after.scopes[0])
    assigned = [*after.assigned]
    for number, (then, here) in enumerate(zip(before.assigned, after.assigned, strict=False)):
        if is_unmoved(then, here):
            assigned[number] = then
    return after._replace(
        functions=tuple(functions),
        classes=tuple(classes),
        scopes=tuple(scopes),
        assigned=tuple(assigned),
    )


def _alike(lines: Sequence[str], others: Sequence[str]) -> int:
    """How many lines two lists begin with alike."""
    pairs = enumerate(zip(lines, others, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(lines), len(others)))


def _end(function: Function) -> int:
    """The last line of a function, or of the expression that one is."""
    return function.end or function.span.end_line


def _names(old: Scope, new: Scope) -> Scope:
    """A module's scope with what is bound to names as before."""
    if not is_unmoved(old.blocks, new.blocks):
        return new
    bindings = {
        name: old.bindings[name] if is_unmoved(old.bindings.get(name), found) else found
        for name, found in new.bindings.items()
    }
    return new._replace(bindings=bindings, blocks=old.blocks)
