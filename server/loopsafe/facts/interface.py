"""What other modules can see of a module, as one comparable value.

Two texts with equal interfaces differ only inside function bodies whose insides nobody else asks
for, so an edit from one to the other leaves every answer about other modules as it was. What
others see of the inside of a function is apart: it is of concern to those alone who asked for it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple

from loopsafe.facts.asked import NOTHING, Asked, asked_inside, names_in
from loopsafe.facts.ir import (
    Assigned,
    Binding,
    Call,
    Choice,
    Class,
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
    asked = asked_inside(facts)
    reader = SeenReader(facts)
    own, *rest = facts.scopes
    return Interface(
        tuple(reader.function(f, asked.get(f.scope, NOTHING)) for f in facts.functions),
        tuple(reader.cls(cls) for cls in facts.classes),
        {name: tuple(reader.binding(b) for b in found) for name, found in own.bindings.items()},
        (own.stars, *(reader.scope(s) for s in rest if s.kind != "function")),
        tuple(reader.assigned(found) for found in facts.assigned),
        facts.exports,
    )


class SeenReader:
    """Turns facts into values that are equal where their meaning to others is."""

    def __init__(self, facts: ModuleFacts) -> None:
        self.facts = facts
        self.here: Scope = facts.scopes[0]

    def function(self, function: Function, asked: Asked) -> Seen:
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
            tuple(self._needed([*names_in((given, tests)), *sorted(asked.later)])),
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
                todo.extend(names_in((binding.value, binding.annotation)))
