"""Attributes that objects get from elsewhere: `app.state.client = Client()` in another module.

Also those that only a subclass in the project has: a bot's `self.store`, read as `ctx.bot.store`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from loopsafe.facts.ir import Assigned, Filled
from loopsafe.resolve.values import (
    ClassValue,
    External,
    ExternalInstance,
    Instance,
    ModuleValue,
    Value,
    Values,
    union,
    without_none,
)

if TYPE_CHECKING:
    from loopsafe.modules.table import Module
    from loopsafe.resolve.resolver import Resolver

_MOST = 16
"""An attribute that more places give a value says little about any of them."""


class _Stored(NamedTuple):
    """Where the project gives an attribute of some name a value."""

    module: str
    assigned: Assigned | None
    owner: int
    """Index of the class whose methods do it to `self`; -1 where it is done from outside."""


class Outside:
    """Finds by its name what the project's modules store as an attribute."""

    def __init__(self) -> None:
        self.project: Callable[[], Iterable[Module]] = tuple
        """The modules to look in."""
        self._asked: set[str] = set()
        self._by_name: dict[str, list[_Stored]] | None = None

    def changed(self, *texts: Module | None) -> Iterator[str]:
        """The names, of those asked for, that some texts of a module store; all, if one is new."""
        self._by_name = None
        if None in texts:
            yield from self._asked
            return
        for module in texts:
            if module is not None:
                yield from self._asked.intersection(name for name, _ in _stored(module))

    def attribute(self, resolver: Resolver, values: Values, name: str) -> Values:
        """What `value.name` may be for values that do not show it themselves."""
        table = resolver.table
        trace = table.trace
        index = self._by_name if self._by_name is not None else self._read()
        self._asked.add(name)
        table.trace = trace | table.bit(("stored", name))
        places = index.get(name, ())
        if not places or len(places) > _MOST:
            return ()
        kinds = {kind for value in without_none(values) for kind in _kinds(resolver, value)}
        return union(_held(resolver, place, name, kinds) for place in places) if kinds else ()

    def _read(self) -> dict[str, list[_Stored]]:
        found: dict[str, list[_Stored]] = {}
        for module in self.project():
            for name, stored in _stored(module):
                found.setdefault(name, []).append(stored)
        self._by_name = found
        return found


def _stored(module: Module) -> Iterator[tuple[str, _Stored]]:
    for assigned in module.facts.assigned:
        yield assigned.name, _Stored(module.name, assigned, -1)
    for number, cls in enumerate(module.facts.classes):
        if cls.bases:
            for name in cls.attributes:
                yield name, _Stored(module.name, None, number)


def _held(resolver: Resolver, place: _Stored, name: str, kinds: set[object]) -> Values:
    """What one place stores, if it is in an object of one of these kinds."""
    if place.assigned is None:
        cls = ClassValue(place.module, place.owner)
        bases = (kind for base in resolver.mro(cls)[1:] for kind in _kinds(resolver, base))
        if kinds.isdisjoint(bases):
            return ()
        return resolver.known(resolver.attribute(Instance(cls), name))
    binding = place.assigned.binding
    frame = resolver.frame(place.module, binding.scope)
    targets = resolver.values(place.assigned.target, frame)
    if isinstance(binding.value, Filled) or kinds.isdisjoint(
        kind for target in targets for kind in _lineage(resolver, target)
    ):
        return ()
    return resolver.known(resolver.bound(binding, frame))


def _lineage(resolver: Resolver, value: Value) -> Iterator[object]:
    """The kinds of what a value is, and of its bases."""
    cls = value.cls if isinstance(value, Instance) else value
    for base in resolver.mro(cls) if isinstance(cls, ClassValue) else (value,):
        yield from _kinds(resolver, base)


def _kinds(resolver: Resolver, value: Value) -> Iterator[object]:
    """What two values must share for an attribute of one to be one of the other."""
    cls = value.cls if isinstance(value, Instance) else value
    if isinstance(cls, ClassValue):
        yield (cls.module, cls.number)
    elif isinstance(cls, (External, ExternalInstance)):
        yield resolver.catalogue.canonical(cls.name)
    elif isinstance(cls, ModuleValue):
        yield cls.name
