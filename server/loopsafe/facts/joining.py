"""The facts of a module with those of one function replaced, and what lies behind it moved."""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_
from typing import Any, NamedTuple, TypeVar

from loopsafe.facts.difference import difference_inside
from loopsafe.facts.extract import StatementReader
from loopsafe.facts.ir import (
    Assigned,
    Binding,
    Class,
    Const,
    Exit,
    Function,
    FunctionRef,
    ModuleFacts,
    Name,
    Param,
    Scope,
    Unknown,
)
from loopsafe.facts.kept import Kept, collect
from loopsafe.facts.reach import scopes_around
from loopsafe.facts.syntax import SyntaxProblem
from loopsafe.facts.untouched import untouched
from loopsafe.model import Span, Spot

T = TypeVar("T")
P = TypeVar("P", Span, Spot)

_PLACELESS = frozenset({Const, FunctionRef, Name, Param, Unknown, str, int, bool, type(None)})
"""Parts in which no line is told."""


class Part(NamedTuple):
    """What of a module belongs to a function; its own numbers come first."""

    functions: range
    scopes: range
    classes: range


class Patch(NamedTuple):
    """What an edit inside a function made of a module's facts."""

    facts: ModuleFacts
    kept: Kept | None
    """What is the same; None where others may see the difference."""


def joined(
    before: ModuleFacts,
    reader: StatementReader,
    part: Part,
    by: int,
    problems: tuple[SyntaxProblem, ...],
) -> Patch | None:
    """What was read in the place of what it replaces; None where it binds other names around it.

    `by` is the number of lines that the function has grown by, `problems` what of the text is lost.
    """
    replaced = before.functions[part.functions.start]
    mover = _Mover(before, replaced.end, by)
    around = _Around(part.scopes, mover)
    enclosing = {0, *scopes_around(before, replaced.outer)}
    module = reader.scopes[0]
    for name in before.scopes[0].bindings:
        module.bindings.setdefault(name, [])
    reader.settle_fillings()
    try:
        after = before._replace(
            functions=(
                mover.moved(before.functions[0]),
                *before.functions[1 : part.functions.start],
                *(f.frozen() for f in reader.functions[part.functions.start :]),
                *map(mover.function, before.functions[part.functions.stop :]),
            ),
            classes=(
                *(
                    around.cls(cls, reader.classes[number].attributes)
                    if cls.scope in enclosing
                    else cls
                    for number, cls in enumerate(before.classes[: part.classes.start])
                ),
                *(cls.frozen() for cls in reader.classes[part.classes.start :]),
                *map(mover.cls, before.classes[part.classes.stop :]),
            ),
            scopes=(
                *(
                    around.scope(scope, reader.scopes[number].bindings)
                    if number in enclosing
                    else scope
                    for number, scope in enumerate(before.scopes[: part.scopes.start])
                ),
                *(scope.frozen() for scope in reader.scopes[part.scopes.start :]),
                *map(mover.scope, range(part.scopes.stop, len(before.scopes))),
            ),
            assigned=around.assigned(before.assigned, reader.assigned),
            words=before.words | reader.words,
            problems=problems,
        )
    except _OtherNamesError:
        return None
    gone = around.gone
    for numbers, parts in (
        (part.functions, before.functions),
        (part.scopes, before.scopes),
        (part.classes, before.classes),
    ):
        for number in numbers:
            collect(parts[number], gone)
    same = frozenset(range(len(after.functions))).difference(part.functions)
    seen = difference_inside(before, after, part.functions, part.scopes)
    if seen is None:
        return Patch(after, None)
    inside = untouched(before, after, part.functions, part.scopes)
    if inside is None:
        return Patch(after, Kept(mover.twins, same, seen, frozenset(gone)))
    twins = mover.twins | inside.twins
    return Patch(after, Kept(twins, same, seen, frozenset(gone), inside.names))


class _OtherNamesError(Exception):
    """The function binds other names of the scopes around it than before."""


class _Around:
    """The scopes and classes around the function, with what it binds in them."""

    def __init__(self, scopes: range, mover: _Mover) -> None:
        self.gone: set[int] = set()
        """The `id`s of what was replaced."""
        self._scopes = scopes
        self._mover = mover

    def scope(self, before: Scope, bound: dict[str, list[Binding]]) -> Scope:
        moved = self._mover.moved(before)
        return moved._replace(bindings=self._names(before.bindings, moved.bindings, bound))

    def cls(self, before: Class, bound: dict[str, list[Binding]]) -> Class:
        moved = self._mover.moved(before)
        return moved._replace(attributes=self._names(before.attributes, moved.attributes, bound))

    def assigned(self, before: tuple[Assigned, ...], bound: list[Assigned]) -> tuple[Assigned, ...]:
        places = [n for n, a in enumerate(before) if a.binding.scope in self._scopes]
        return self._replaced(before, self._mover.moved(before), places, bound)

    def _names(
        self,
        before: dict[str, tuple[Binding, ...]],
        moved: dict[str, tuple[Binding, ...]],
        bound: dict[str, list[Binding]],
    ) -> dict[str, tuple[Binding, ...]]:
        if any(found and name not in before for name, found in bound.items()):
            raise _OtherNamesError
        return {
            name: self._replaced(
                found,
                moved[name],
                [n for n, binding in enumerate(found) if binding.scope in self._scopes],
                bound.get(name, ()),
            )
            for name, found in before.items()
        }

    def _replaced(
        self, before: tuple[T, ...], moved: tuple[T, ...], places: list[int], fresh: Sequence[T]
    ) -> tuple[T, ...]:
        if len(places) != len(fresh):
            raise _OtherNamesError
        if not places:
            return moved
        result = list(moved)
        for place, item in zip(places, fresh, strict=True):
            collect(before[place], self.gone)
            result[place] = item
        return tuple(result)


class _Mover:
    """Moves what lies behind a line: functions and classes, and what is read outside of functions.

    What is read inside of one stays as it is, for its spots count from where that starts.
    """

    def __init__(self, before: ModuleFacts, behind: int, by: int) -> None:
        self.twins: dict[int, object] = {}
        """What was moved, by the `id` of what it was before."""
        self._behind = behind
        self._by = by
        self._scopes = before.scopes
        self._outside: set[int] = set()
        """The scopes in which no function lies around what is read."""
        for number, scope in enumerate(before.scopes):
            if scope.kind == "module" or (scope.kind == "class" and scope.parent in self._outside):
                self._outside.add(number)

    def function(self, part: Function) -> Function:
        """A function, not the module's body, at its new place."""
        if not self._by or part.span.line <= self._behind:
            return part
        by = self._by
        end = part.end + by if part.end else 0
        moved = part._replace(span=_along(part.span, by), start=part.start + by, end=end)
        if part.outer in self._outside:
            moved = moved._replace(
                parameters=self._moved(part.parameters),
                returns=self._moved(part.returns),
                decorators=self._moved(part.decorators),
            )
        self.twins[id(part)] = moved
        return moved

    def cls(self, part: Class) -> Class:
        """A class at its new place."""
        if part.outer in self._outside:
            return self.moved(part)
        if not self._by or part.span.line <= self._behind:
            return part
        moved = self.twins[id(part)] = part._replace(span=_along(part.span, self._by))
        return moved

    def scope(self, number: int) -> Scope:
        """A scope with what it binds at its new place."""
        found = self._scopes[number]
        return self.moved(found) if number in self._outside else found

    def moved(self, part: T) -> T:
        """What is read outside of functions at its new place; the same object where it stays."""
        return self._moved(part) if self._by else part

    def _moved(self, part: Any) -> Any:
        kind: Any = type(part)
        if kind in _PLACELESS or part == ():
            return part
        if kind is Spot or kind is Span:
            return _along(part, self._by) if part.line > self._behind else part
        move = self._moved
        if kind is tuple:
            # Most of what a module has is in here: a comprehension is quicker than `map`.
            items = [item if type(item) in _PLACELESS else move(item) for item in part]
            return part if all(map(is_, items, part)) else tuple(items)
        if kind is dict:
            found = {name: move(value) for name, value in part.items()}
            return found if any(found[name] is not part[name] for name in part) else part
        if not issubclass(kind, tuple):
            return part
        if (known := self.twins.get(id(part))) is not None:
            return known
        reads = part.scope if kind is Binding else part.binding.scope if kind is Assigned else 0
        if reads not in self._outside:
            return part
        items = [item if type(item) in _PLACELESS else move(item) for item in part]
        # The statement that an exit stands behind may end with the function.
        if kind is Exit and part.line >= self._behind:
            items[_LINE] += self._by
        if all(map(is_, items, part)):
            return part
        moved = self.twins[id(part)] = tuple.__new__(kind, items)
        return moved


_LINE = Exit._fields.index("line")


def _along(place: P, by: int) -> P:
    """A place that lies further down by some lines."""
    return place._replace(line=place.line + by, end_line=place.end_line + by)
