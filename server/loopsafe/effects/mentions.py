"""Where a module's code has a name, other than to define it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from loopsafe.facts.ir import Attr, Call, Expr, Function, ModuleFacts, Name, last_name
from loopsafe.facts.kept import Kept
from loopsafe.facts.nodes import spelled_names
from loopsafe.modules.module import Change, Module

_MOST_KEPT = 10_000
"""Of the pairs of a module and a name, for each of which the module is read through."""


class Use(NamedTuple):
    """A place where a function is called, or handed on."""

    module: Module
    number: int
    """Of the function in which it stands."""
    call: Call | None
    around: tuple[Call, ...]
    """The calls whose arguments hold the use, the nearest first: `print(run(wait_for(f(), 5)))`."""
    scope: int
    mention: Expr | None = None
    """The name as it stands there, where it is not called."""


class _Names:
    """Which names may stand in each function of a module, and where some do, found when they are
    first asked for.

    A set of names is kept as bits, one for each name, which others may share: it is small, and
    says surely what does not stand somewhere.
    """

    def __init__(self, facts: ModuleFacts) -> None:
        self.facts = facts
        self._inside: dict[int, int] = {}
        """By the number of a function."""
        self._bound: dict[int, int] = {}
        """In what a scope binds, by its number."""
        self._uses: dict[tuple[int, str], tuple[Use, ...]] = {}
        """By the number of a function, and a name."""

    def renewed(self, facts: ModuleFacts, kept: Kept) -> _Names:
        """The same after an edit, as far as functions are what they were."""
        result = _Names(facts)
        same = [number for number in self._inside if number in kept.functions]
        result._inside = {number: self._inside[number] for number in same}
        scopes = {facts.functions[number].scope for number in kept.functions}
        if kept.difference.names:
            scopes.discard(0)
        result._bound = {s: names for s, names in self._bound.items() if s in scopes}
        stays = {
            number: number in kept.functions
            and _parts(self.facts.functions[number]) == _parts(facts.functions[number])
            for number, _ in self._uses
        }
        result._uses = {key: uses for key, uses in self._uses.items() if stays[key[0]]}
        return result

    def uses(self, module: Module, number: int, name: str) -> Iterator[Use]:
        """Where a function of the module has a name."""
        if not self.may_stand_in(number, name):
            return
        known = self._uses.get((number, name))
        if known is None:
            found = _inside(module, number, module.facts.functions[number], name)
            known = self._uses[number, name] = tuple(found)
        yield from (use._replace(module=module) for use in known)

    def may_stand_in(self, number: int, name: str) -> bool:
        """Whether a name may stand in a function."""
        known = self._inside.get(number)
        if known is None:
            known = self._inside[number] = _bits(self.facts.functions[number])
        return bool(known & _bit(name))

    def may_be_bound_in(self, scope: int, name: str) -> bool:
        """Whether a name may stand in what is bound in a scope."""
        known = self._bound.get(scope)
        if known is None:
            known = self._bound[scope] = _bits(self.facts.scopes[scope].bindings)
        return bool(known & _bit(name))


class Mentions:
    """Remembers where modules have names, as long as a module is the same."""

    def __init__(self) -> None:
        self._uses: dict[tuple[str, str], tuple[Module, tuple[Use, ...]]] = {}
        """By module and name."""
        self._names: dict[str, _Names] = {}
        """By module."""

    def of(self, module: Module, name: str) -> tuple[Use, ...]:
        """Where a module's code has a name."""
        known, uses = self._uses.get((module.key, name), (None, ()))
        if known is not module:
            if len(self._uses) > _MOST_KEPT:
                self._uses.clear()
            names = self._names.get(module.key)
            if names is None or names.facts is not module.facts:
                names = self._names[module.key] = _Names(module.facts)
            uses = tuple(_mentions(module, name, names))
            self._uses[module.key, name] = module, uses
        return uses

    def renew(self, change: Change) -> None:
        """A module's text changed."""
        names = self._names.pop(change.before.key, None)
        if names is None or change.after is None or change.kept is None:
            return
        if names.facts is change.before.facts:
            self._names[change.before.key] = names.renewed(change.after.facts, change.kept)


def _mentions(module: Module, name: str, names: _Names) -> Iterator[Use]:
    for number in range(len(module.facts.functions)):
        yield from names.uses(module, number, name)
    yield from _bound(module, name, names)


def _parts(function: Function) -> tuple[int, ...]:
    """The `id`s of what uses are looked for in: what is known of one goes by its expressions."""
    held = function.sites, function.values, function.yields
    return tuple(map(id, (*held, function.decorators, function.parameters)))


def _inside(module: Module, number: int, function: Function, name: str) -> Iterator[Use]:
    """Where a function has a name."""
    parents: dict[Call, Call] = {}
    called: list[tuple[Call, int]] = []
    named: list[tuple[Call | None, Expr, int]] = []
    handed = {id(arg) for arg in _handed(function)}
    for site in function.sites:
        call = site.expr
        if not isinstance(call, Call):
            if id(call) not in handed:
                named.extend((None, found, site.scope) for found in _named(call, name))
            continue
        if last_name(call.func) == name:
            called.append((call, site.scope))
        for part in (*call.args, *(value for _, value in call.keywords)):
            named.extend((call, found, site.scope) for found in _named(part, name))
            parents.update((inner, call) for inner in _calls(part))
    kept = (*function.values, *function.yields, *function.decorators)
    defaults = (p.default for p in function.parameters if p.default is not None)
    for expr in (*kept, *defaults):
        named.extend((None, found, function.scope) for found in _named(expr, name))
    for made, index in called:
        yield Use(module, number, made, _around(made, parents), index)
    for taker, found, index in named:
        around = (taker, *_around(taker, parents)) if taker is not None else ()
        yield Use(module, number, None, around, index, found)


def _handed(function: Function) -> Iterator[Expr]:
    """What a function passes to others, which is told of with the call."""
    for site in function.sites:
        if isinstance(site.expr, Call):
            yield from site.expr.args
            yield from (value for _, value in site.expr.keywords)


def _bound(module: Module, name: str, names: _Names) -> Iterator[Use]:
    """Where a name's value is given another name."""
    for index, scope in enumerate(module.facts.scopes):
        if not names.may_be_bound_in(index, name):
            continue
        bindings = (b for named in scope.bindings.values() for b in named)
        for binding in bindings:
            for _ in _named(binding.value, name):
                yield Use(module, max(scope.owner, 0), None, (), index)
    for assigned in module.facts.assigned:
        for _ in _named(assigned.binding.value, name):
            yield Use(module, 0, None, (), 0)


def _around(call: Call, parents: dict[Call, Call]) -> tuple[Call, ...]:
    found: list[Call] = []
    outer = parents.get(call)
    while outer is not None:
        found.append(outer)
        outer = parents.get(outer)
    return tuple(found)


def _named(expr: object, name: str) -> Iterator[Name | Attr]:
    """Mentions of a name in an expression; what calls in it hold is looked at with them."""
    todo = [expr]
    while todo:
        part = todo.pop()
        if isinstance(part, (Name, Attr)):
            if last_name(part) == name:
                yield part
        elif isinstance(part, tuple) and not isinstance(part, Call):
            todo.extend(part)


def _calls(expr: object) -> Iterator[Call]:
    """The outer calls in an expression."""
    todo = [expr]
    while todo:
        part = todo.pop()
        if isinstance(part, Call):
            yield part
        elif isinstance(part, tuple):
            todo.extend(part)


def _bits(part: object) -> int:
    """All names in some part of facts."""
    bits = 0
    for name in set(spelled_names(part)):
        bits |= _bit(name)
    return bits


def _bit(name: str) -> int:
    return 1 << hash(name) % _WIDTH


_WIDTH = 1021
"""Few names of a function share a bit of so many."""
