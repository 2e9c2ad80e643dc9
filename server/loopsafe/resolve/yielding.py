"""What is found again of what a function yields that a framework runs: the state of a lifespan.

Starlette gives each request what a lifespan yields, `request.state.client`, and MCP servers give it
to tools. Who does so, and where, the catalogue says.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from loopsafe.facts.ir import Call, Const, Subscript, last_name
from loopsafe.resolve.arguments import argument_at
from loopsafe.resolve.containers import entry_values
from loopsafe.resolve.index import NameIndex
from loopsafe.resolve.lookups import field_of
from loopsafe.resolve.names import own_name
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.outside import is_test
from loopsafe.resolve.protocols import yielded
from loopsafe.resolve.subclasses import Subclasses
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    External,
    ExternalInstance,
    FunctionValue,
    Instance,
    ManagerFactory,
    Value,
    Values,
    union,
)

if TYPE_CHECKING:
    from loopsafe.knowledge.catalogue import Catalogue
    from loopsafe.knowledge.schema import Runner
    from loopsafe.modules.module import Module
    from loopsafe.resolve.resolver import Resolver

_MOST = 8
"""More of a project's functions say little about what one request is given."""


class _Handover(NamedTuple):
    """A call that may hand a function to a framework by a keyword."""

    module: str
    call: Call
    scope: int


class Yielding:
    """Finds the functions whose yielded values are found at an attribute."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._words = catalogue.words.yielded
        wholes = (name.rpartition(".") for name in catalogue.words.yielded)
        self._keyed = {owner.rpartition(".")[2] for owner, _, name in wholes if name == "*"}
        """Last names of the classes whose objects have keys for attributes."""
        keywords = catalogue.words.yielding_keywords
        self._handovers = NameIndex("used", lambda module: _handovers(module, keywords))
        self._subclasses = Subclasses(lambda: self._project())
        self._project: Callable[[], Iterable[Module]] = tuple

    def forget(self, changed: Collection[str] | None = None) -> None:
        """The texts of these modules changed; where none are told, there are other modules."""
        self._handovers.forget(changed)
        self._subclasses.forget(changed)

    def attribute(self, resolver: Resolver, values: Values, name: str) -> Values:
        """What `value.name` may be, where something yields a table with that key."""
        keyed = tuple(v for v in values if own_name(resolver, _class_of(v)) in self._keyed)
        return self._yielded(resolver, keyed, "*", name) if keyed else ()

    def whole(self, resolver: Resolver, values: Values, name: str) -> Values:
        """What `value.name` may be, where something yields just that."""
        return self._yielded(resolver, values, name, None)

    def entry(self, resolver: Resolver, values: Values, name: str, key: object) -> Values:
        """What `value.name["key"]` may be, where something yields a table."""
        return self._yielded(resolver, values, name, key) if isinstance(key, str) else ()

    def _yielded(self, resolver: Resolver, values: Values, name: str, key: str | None) -> Values:
        places = {
            place
            for value in values
            for owner in _owners(resolver, value)
            if (place := f"{owner}.{name}") in self._words
        }
        functions = {f for place in places for f in self._functions(resolver, place)}
        if len(functions) > _MOST:
            return ()
        ordered = sorted(functions, key=lambda function: function.definition)
        return resolver.known(union(_of(resolver, function, key) for function in ordered))

    def _functions(self, resolver: Resolver, place: str) -> Iterator[FunctionValue]:
        """The functions of the project of which a framework keeps what they yield there."""
        self._project = resolver.outside.project
        for word in self._words[place]:
            below = self._subclasses.below(resolver, word)
            names = {word, *(own_name(resolver, cls) for cls in below)}
            for name in sorted(names):
                for found in self._handovers.at(resolver.table, self._project, name):
                    yield from _handed(resolver, found, place)


def _handed(resolver: Resolver, found: _Handover, place: str) -> Iterator[FunctionValue]:
    frame = resolver.frame(found.module, found.scope)
    for callee in resolver.values(found.call.func, frame):
        for runner in _runners(resolver, callee):
            if place not in runner.yields:
                continue
            target = argument_at(found.call, runner.position, runner.argument)
            for value in resolver.values(target, frame) if target is not None else ():
                function = value.function if isinstance(value, ManagerFactory) else value
                if isinstance(function, FunctionValue):
                    yield function


def _runners(resolver: Resolver, callee: Value) -> Iterator[Runner]:
    """What the catalogue says of a callable, or of a base of a class."""
    for name in _owners(resolver, callee):
        runner = resolver.catalogue.runner(name)
        yield from (runner, *runner.also) if runner is not None else ()


def _class_of(value: Value) -> Value:
    if isinstance(value, ExternalInstance):
        return External(value.name)
    return value.cls if isinstance(value, Instance) else value


def _owners(resolver: Resolver, value: Value) -> Iterator[str]:
    """The dotted names of a class, or of an object's, and of its bases."""
    cls = value.cls if isinstance(value, Instance) else value
    for base in resolver.mro(cls) if isinstance(cls, ClassValue) else (cls,):
        if isinstance(base, (ClassValue, External, ExternalInstance)):
            yield resolver.catalogue.canonical(dotted_name(resolver, base) or "")


def _of(resolver: Resolver, function: FunctionValue, key: str | None) -> Values:
    """What a function yields, or what that has under a key."""
    frame = resolver.function_frame(function)
    module = resolver.table.get(function.module)
    if frame is None or module is None:
        return ()
    if key is None:
        return yielded(resolver, function, ())
    facts = resolver.table.inside(module, function.number)
    lookups = (Subscript(expr, Const(key)) for expr in facts.yields)
    found = union(entry_values(resolver, lookup, frame) for lookup in lookups)
    if found:
        return found
    tables = yielded(resolver, function, ())
    keys = (ConstantValue(key),)
    return union(
        field_of(resolver, table.cls, keys) for table in tables if isinstance(table, Instance)
    )


def _handovers(module: Module, keywords: frozenset[str]) -> Iterator[tuple[str, _Handover]]:
    if is_test(module):
        return
    for function in module.facts.functions:
        for site in function.sites:
            call = site.expr
            if isinstance(call, Call) and any(name in keywords for name, _ in call.keywords):
                yield last_name(call.func), _Handover(module.name, call, site.scope)
