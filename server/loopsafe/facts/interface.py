"""What other modules can see of a module, as one comparable value.

Two texts with equal interfaces differ only inside function bodies whose insides nobody else asks
for, so an edit from one to the other leaves every answer about other modules as it was. What
others see of the inside of a function is apart: it is of concern to those alone who asked for it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple

from loopsafe.facts.ir import (
    Assigned,
    Binding,
    Call,
    Choice,
    Class,
    ClassRef,
    Const,
    Expr,
    Function,
    FunctionRef,
    ModuleFacts,
    Name,
    Scope,
)
from loopsafe.facts.reach import conditions_around, reaching
from loopsafe.model import Spot


class Seen(NamedTuple):
    """What others can see of a function."""

    head: Hashable
    """Its signature, and what is read in its scope for others: what it keeps in its own object, and
    the headers of what it defines."""
    inside: Hashable
    """What it returns and yields, what it gives to objects of others, and its names that what it
    defines looks up when it runs."""


class Interface(NamedTuple):
    """What others can see of a module; equal where they see the same."""

    functions: tuple[Seen, ...]
    classes: tuple[Hashable, ...]
    names: dict[str, Hashable]
    """What the module binds, in order."""
    scopes: tuple[Hashable, ...]
    """The rest of the module's own scope, and those of its classes."""
    assigned: tuple[Hashable, ...]
    exports: tuple[str, ...] | None


def interface(facts: ModuleFacts) -> Interface:
    """The interface of a module."""
    asked = _asked(facts)
    reader = _Reader(facts)
    own, *rest = facts.scopes
    return Interface(
        tuple(reader.function(f, asked.get(f.scope, _NOTHING)) for f in facts.functions),
        tuple(reader.cls(cls) for cls in facts.classes),
        {name: tuple(reader.binding(b) for b in found) for name, found in own.bindings.items()},
        (own.stars, *(reader.scope(s) for s in rest if s.kind != "function")),
        tuple(reader.assigned(found) for found in facts.assigned),
        facts.exports,
    )


class Difference(NamedTuple):
    """What others can tell of two texts of a module: nothing but this."""

    names: frozenset[str] = frozenset()
    """Of the module's own, that mean something else in one of the texts, or nothing."""
    functions: frozenset[int] = frozenset()
    """The numbers of the functions among them, in either text."""
    insides: frozenset[int] = frozenset()
    """The numbers of functions of whose inside others see something else."""


def difference(
    before: ModuleFacts, seen: Interface, after: ModuleFacts, now: Interface
) -> Difference | None:
    """What others can tell of two texts of a module; None where it is more than can be said so.

    Whoever has not heard of the names finds what it found before, and so does who never looked
    inside those functions. The numbers of what stands in both texts must be the same, so a new
    function stands at the end.
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
    reader = _Reader(facts)
    asked = _asked(facts, scopes)
    return [
        reader.function(function, asked.get(function.scope, _NOTHING))
        for function in facts.functions[functions.start : functions.stop]
    ]


def _around(facts: ModuleFacts, scopes: range) -> Hashable:
    """What others see of what is in some functions, and of what they bind elsewhere."""
    reader = _Reader(facts)
    seen: list[Hashable] = [reader.cls(cls) for cls in facts.classes if cls.scope in scopes]
    own = facts.scopes[scopes.start : scopes.stop]
    seen += [reader.scope(scope) for scope in own if scope.kind != "function"]
    for bindings in (*(c.attributes for c in facts.classes), facts.scopes[0].bindings):
        for name, found in bindings.items():
            seen += [(name, reader.binding(b)) for b in found if b.scope in scopes]
    seen += [reader.assigned(found) for found in facts.assigned if found.binding.scope in scopes]
    return tuple(seen)


class _Asked(NamedTuple):
    """Names that are looked up in the scope of a function."""

    before: set[str]
    """By what is read in it for others."""
    later: set[str]
    """By what it defines, once that runs, and by who asks what it gives to objects of others."""


_NOTHING = _Asked(set(), set())


def _asked(facts: ModuleFacts, scopes: range | None = None) -> dict[int, _Asked]:
    """The names that are looked up in the scopes of functions, or in some of these, from outside.

    What is stored on an object is read in the scope of the method that stores it, and what stands
    inside a function sees the function's names.
    """
    asked: dict[int, _Asked] = {}

    def of(scope: int) -> _Asked:
        return asked.setdefault(scope, _Asked(set(), set()))

    kept = [b for cls in facts.classes for found in cls.attributes.values() for b in found]
    kept += [b for found in facts.scopes[0].bindings.values() for b in found]
    for binding in kept:
        if binding.scope and (scopes is None or binding.scope in scopes):
            of(binding.scope).before.update(_names(binding.value))
    for assigned in facts.assigned:
        scope = assigned.binding.scope
        if scope and (scopes is None or scope in scopes):
            of(scope).later.update(_names((assigned.target, assigned.binding.value)))
    nested: list[Function | Class] = [*facts.functions[1:], *facts.classes]
    for part in nested:
        outer = part.outer
        if facts.scopes[outer].kind == "module" or (scopes is not None and outer not in scopes):
            continue
        header = set(_names(_header(part)))
        of(outer).before.update(header)
        names = header.union(_names_around(part, facts.scopes[part.scope]))
        while outer > 0:
            of(outer).later.update(names)
            outer = facts.scopes[outer].parent
    return asked


def _header(part: Function | Class) -> tuple[object, ...]:
    """What of a function or class is read where it is defined."""
    if isinstance(part, Class):
        return (part.bases, part.keywords, part.decorators)
    return (part.parameters, part.returns, part.decorators)


def _names_around(part: Function | Class, scope: Scope) -> Iterator[str]:
    """The names that the body of a function or class looks up in the scopes around it."""
    bound = tuple(scope.bindings.values())
    if isinstance(part, Class):
        yield from _names((tuple(part.attributes.values()), bound))
        return
    inside = _names((part.sites, part.values, part.yields, bound))
    # What a function binds, by its parameters too, is its own all over it.
    yield from (name for name in inside if name not in scope.bindings)


class _Reader:
    """Turns facts into values that are equal where their meaning to others is."""

    def __init__(self, facts: ModuleFacts) -> None:
        self.facts = facts
        self.here: Scope = facts.scopes[0]

    def function(self, function: Function, asked: _Asked) -> Seen:
        """What others see of a function."""
        before, self.here = self.here, self.facts.scopes[function.outer]
        head = (
            function.name,
            function.qualname,
            function.is_async,
            function.is_generator,
            function.bare,
            function.scope,
            function.outer,
            function.owner,
            tuple(
                (p.name, p.kind, self.shape(p.annotation), self.shape(p.default))
                for p in function.parameters
            ),
            self.shape(function.returns),
            tuple(self.shape(decorator) for decorator in function.decorators),
        )
        if function.scope == 0:
            self.here = before
            return Seen(head, ())
        self.here = self.facts.scopes[function.scope]
        given = (*function.values, *function.yields)
        tests = self._tests(function)
        outcomes = tuple(self._outcomes(function))
        inside = (
            tuple(self.shape(value) for value in given),
            tuple((self.shape(test), is_met) for test, is_met in tests),
            outcomes,
            tuple(self._needed([*_names((given, tests)), *sorted(asked.later)])),
        )
        looked_up = tuple(self._needed(sorted(asked.before)))
        self.here = before
        return Seen((head, looked_up), inside)

    def _tests(self, function: Function) -> tuple[tuple[Expr, bool], ...]:
        """The conditions around returned functions of its own, and around their definitions.

        They may ask what a call passes: a decorator gives a coroutine function another wrapper.
        """
        options = [
            option
            for value in function.values
            for option in (value.options if isinstance(value, Choice) else (value,))
            if isinstance(option, Name)
        ]
        made = [
            binding.block
            for name in dict.fromkeys(option.id for option in options)
            for binding in self.here.bindings.get(name, ())
            if isinstance(binding.value, FunctionRef)
        ]
        places = [*(option.block for option in options), *made] if made else []
        return tuple(
            found
            for block in places
            for found in conditions_around(self.here, block, 0, ("if", "else"))
        )

    def _outcomes(self, function: Function) -> Iterator[Hashable]:
        """What the constants that it returns stand under: they may tell whether a loop runs."""
        for value, (block, line) in zip(function.values, function.returned, strict=True):
            while isinstance(value, Const) and block > 0:
                found = self.here.blocks[block]
                around = (
                    found.test,
                    found.catches,
                    *(e.test for e in found.exits if e.line < line),
                )
                yield found.kind, tuple(self.shape(part) for part in around)
                block = found.parent
            if isinstance(value, Const):
                yield tuple(self.shape(e.test) for e in self.here.blocks[0].exits if e.line < line)

    def cls(self, cls: Class) -> Hashable:
        before, self.here = self.here, self.facts.scopes[cls.outer]
        found = (
            cls.qualname,
            cls.scope,
            cls.outer,
            tuple(self.shape(base) for base in cls.bases),
            tuple((name, self.shape(value)) for name, value in cls.keywords),
            tuple(self.shape(decorator) for decorator in cls.decorators),
            tuple(
                (name, tuple(self.binding(b) for b in found))
                for name, found in cls.attributes.items()
            ),
        )
        self.here = before
        return found

    def scope(self, scope: Scope) -> Hashable:
        before, self.here = self.here, scope
        found = tuple(
            (name, tuple(self.binding(b) for b in bindings))
            for name, bindings in scope.bindings.items()
        )
        self.here = before
        return (scope.kind, scope.parent, scope.owner, found, scope.stars, tuple(scope.declared))

    def assigned(self, assigned: Assigned) -> Hashable:
        """An assignment to an attribute, its target read in the scope that it is written in."""
        before, self.here = self.here, self.facts.scopes[assigned.binding.scope]
        target = self.shape(assigned.target)
        self.here = before
        return (target, assigned.name, self.binding(assigned.binding))

    def binding(self, binding: Binding) -> Hashable:
        """A binding, its value read in the scope that it is written in."""
        before, self.here = self.here, self.facts.scopes[binding.scope]
        found = (self.shape(binding.value), self.shape(binding.annotation), binding.scope)
        self.here = before
        return found

    def shape(self, part: object) -> Hashable:
        """An expression without positions; a name with the bindings that reach it."""
        if isinstance(part, Name):
            known = self.here.bindings.get(part.id, ())
            if len(known) < 2:
                return (Name, part.id)
            reached = reaching(self.here, part.id, part.block, part.order)
            return (Name, part.id, tuple(known.index(b) for b in reached if b in known))
        if isinstance(part, Call):
            return (
                Call,
                self.shape(part.func),
                tuple(self.shape(arg) for arg in part.args),
                tuple((name, self.shape(value)) for name, value in part.keywords),
            )
        if isinstance(part, Spot):
            return None
        if isinstance(part, tuple):
            return (type(part), *(self.shape(item) for item in part))
        return (type(part), part) if isinstance(part, Hashable) else repr(part)

    def _needed(self, names: Iterable[str]) -> Iterator[Hashable]:
        """The local assignments that names, and what these are made of, stand for."""
        todo = [*names]
        seen: set[str] = set()
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            for binding in self.here.bindings.get(name, ()):
                yield (name, self.binding(binding))
                todo.extend(_names((binding.value, binding.annotation)))


def _names(part: object) -> Iterator[str]:
    if isinstance(part, Name):
        yield part.id
    elif isinstance(part, tuple) and not isinstance(part, (Spot, FunctionRef)):
        for item in part:
            yield from _names(item)
