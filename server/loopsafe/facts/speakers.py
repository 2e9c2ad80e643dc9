"""Which parts of a module mean something else where some of its names do.

An import mostly comes when what it is for has been written. Then the functions that name it mean
something else, and so does what is made of it at the top of the module; the rest does not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from loopsafe.facts.asked import NOTHING, asked_inside, names_in
from loopsafe.facts.ir import Binding, ClassRef, Function, ModuleFacts, Name
from loopsafe.facts.nodes import nodes

_BY_TEXT = "globals"
"""Who calls this may find any name."""


class Speakers(NamedTuple):
    """What in a module rests on what some of its names mean."""

    names: frozenset[str]
    """These, and others of the module that are made of them."""
    heads: frozenset[int]
    """The functions of the module that have one of them in their header."""
    functions: frozenset[int]
    """Those, and all that may look one up where they run: with one come those around it and all
    inside these, which see each other's names."""


def speakers(facts: ModuleFacts, names: Iterable[str], text: str) -> Speakers | None:
    """What speaks of some names that a module has at its top; `text` is the module's.

    None where it is more than that: a class, the header of what stands in one, or what an object
    is given to keep.
    """
    asked = {*names, _BY_TEXT}
    heads: set[int] = set()
    while more := _made_of(facts, asked) | _headed(facts, asked, heads):
        asked |= more
    if _is_more(facts, asked, heads):
        return None
    roots = _roots(facts)
    spoken = {*heads, *_inside(facts, asked, roots, text)}
    found = frozenset(number for number, root in enumerate(roots) if root in spoken)
    if _is_kept(facts, found, asked):
        return None
    return Speakers(frozenset(asked - {_BY_TEXT}), frozenset(heads), found)


def _made_of(facts: ModuleFacts, names: set[str]) -> set[str]:
    """Other names at the top of a module whose values are made of these."""
    bindings = facts.scopes[0].bindings
    return {n for n, bound in bindings.items() if n not in names and _speaks(_values(bound), names)}


def _headed(facts: ModuleFacts, names: set[str], heads: set[int]) -> set[str]:
    """The functions at the top of a module that have one of the names in their header: adds their
    numbers, and gives the names that are new."""
    found = {
        number: function.name
        for number, function in enumerate(facts.functions)
        if number and function.outer == 0 and function.end and _speaks(_head(function), names)
    }
    heads.update(found)
    return set(found.values()) - names


def _is_more(facts: ModuleFacts, names: set[str], heads: set[int]) -> bool:
    """Whether others see what the names mean in other ways than by a name of the module."""
    top = facts.scopes[0]
    bound = (b for name in names for b in top.bindings.get(name, ()))
    others = (_head(f) for number, f in enumerate(facts.functions) if number not in heads)
    scopes = (scope for scope in facts.scopes if scope.kind == "class")
    kept = tuple(a for a in facts.assigned if facts.scopes[a.binding.scope].kind != "function")
    return (
        any(name.startswith("__") for name in names)
        or any(isinstance(binding.value, ClassRef) for binding in bound)
        or _speaks((top.blocks, facts.classes, kept, *others, *scopes), names)
    )


def _inside(facts: ModuleFacts, names: set[str], roots: list[int], text: str) -> Iterator[int]:
    """The outermost functions in which the names may be looked up."""
    written = re.finditer(rf"\b(?:{'|'.join(map(re.escape, names))})\b", text)
    lines = {text.count("\n", 0, match.start()) + 1 for match in written}
    for assigned in facts.assigned:
        scope = facts.scopes[assigned.binding.scope]
        if scope.kind == "function" and _speaks(assigned, names):
            yield roots[scope.owner]
    for number, root in enumerate(roots):
        function = facts.functions[number]
        last = function.end or function.span.end_line
        if not number or any(function.start < line <= last for line in lines):
            own = facts.scopes[function.scope] if number else ()
            if _speaks((function.sites, function.values, function.yields, own), names):
                yield root


def _is_kept(facts: ModuleFacts, numbers: Collection[int], names: set[str]) -> bool:
    """Whether what some functions keep on their objects, or set for all, is made of these names."""
    asked = asked_inside(facts) if numbers else {}
    for number in numbers:
        scope = facts.functions[number].scope
        todo, seen = list(asked.get(scope, NOTHING).before), set[str]()
        while todo:
            name = todo.pop()
            if name in names:
                return True
            if name not in seen:
                seen.add(name)
                bound = facts.scopes[scope].bindings.get(name, ())
                todo.extend(names_in(tuple(_values(bound))))
    return False


def _values(bound: Iterable[Binding]) -> tuple[object, ...]:
    return tuple((binding.value, binding.annotation) for binding in bound)


def _head(function: Function) -> tuple[object, ...]:
    return function.parameters, function.returns, function.decorators


def _roots(facts: ModuleFacts) -> list[int]:
    """The number of the outermost function around each, or its own."""
    roots: list[int] = []
    for number, function in enumerate(facts.functions):
        scope = facts.scopes[function.outer]
        while number and scope.kind != "module":
            number = scope.owner if scope.kind == "function" else number
            scope = facts.scopes[scope.parent]
        roots.append(number)
    return roots


def _speaks(part: object, names: set[str]) -> bool:
    """Whether any of the names may be looked up in some part of facts."""
    return any(isinstance(node, Name) and node.id in names for node in nodes(part))
