"""Facts of a text with those of an earlier one in the place of their equals.

What is known of a part is known by its identity. Where a text was read anew, what stands in front
of an edit is the same again, so the parts of before may serve on.
"""

from __future__ import annotations

from loopsafe.facts.ir import Function, ModuleFacts, Scope
from loopsafe.facts.kept import is_unmoved


def equal_lines(old: str, new: str) -> int:
    """How many lines two texts begin with alike."""
    lines, others = old.split("\n"), new.split("\n")
    pairs = enumerate(zip(lines, others, strict=False))
    shorter = min(len(lines), len(others))
    return next((number for number, (a, b) in pairs if a != b), shorter)


def reused(before: ModuleFacts, after: ModuleFacts, lines: int) -> ModuleFacts:
    """The facts of a text with the parts of those before it that are the same; both texts begin
    with so many equal lines."""
    functions, classes = list(after.functions), list(after.classes)
    scopes = list(after.scopes)
    for number, (old, new) in enumerate(zip(before.functions, after.functions, strict=False)):
        one, other = before.scopes[old.scope], after.scopes[new.scope]
        # Equal values of one text are of equal types: nothing in there is `1` now and `True` then.
        if number and _end(old) <= lines and old == new and one == other:
            functions[number], scopes[new.scope] = old, one
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
