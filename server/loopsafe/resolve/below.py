"""Methods that a class calls of itself and has not: those of its subclasses in the project."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from loopsafe.facts.ir import FunctionRef, Subscript, last_name
from loopsafe.resolve.index import NameIndex
from loopsafe.resolve.values import ClassValue, External, Instance, Values, union

if TYPE_CHECKING:
    from loopsafe.modules.module import Module
    from loopsafe.resolve.resolver import Resolver

_MOST = 4
"""More subclasses that have a method, each its own, say little about which one is meant."""

_FEWEST_UNSEEN = 2
"""One of these that has a method overrides most likely that of a base that nobody sees."""

_MOST_SUBCLASSES = 40
"""A base of so many classes is looked at no further."""


class Below:
    """Finds subclasses among modules by the names of their bases, which are read once."""

    def __init__(self, project: Callable[[], Iterable[Module]]) -> None:
        self._project = project
        self._by_base = NameIndex(_classes)

    def forget(self) -> None:
        """A text changed, or there are other modules."""
        self._by_base.forget()

    def method(self, resolver: Resolver, values: Values, name: str) -> Values:
        """What `value.name` is where few subclasses of the only class of a value have it.

        Where a base of that class is not at hand, two must: it has it more likely than one.
        """
        value = values[0] if len(values) == 1 else None
        module = resolver.table.get(value.cls.module) if isinstance(value, Instance) else None
        if not isinstance(value, Instance) or module is None or not module.is_project:
            return ()
        cls = value.cls
        below = self._subclasses(resolver, module.facts.classes[cls.number].name)
        if not below:
            return ()
        resolver.table.trace |= resolver.table.bit(("method", name))
        having = [other for other in below if _defines(resolver, other, name)]
        meant = [other for other in having if _inherits(resolver, other, cls)]
        is_seen = not any(isinstance(base, External) for base in resolver.mro(cls))
        if len(meant) > _MOST or (len(meant) < _FEWEST_UNSEEN and not is_seen):
            return ()
        return union(resolver.attribute(Instance(other), name) for other in meant)

    def _subclasses(self, resolver: Resolver, name: str) -> list[ClassValue]:
        """The classes whose bases lead to a class of a name, by nothing but names."""
        trace = resolver.table.trace
        index = self._by_base.among(self._project)
        resolver.table.trace = trace
        found: dict[ClassValue, None] = {}
        todo, seen = [name], {name}
        while todo and len(found) <= _MOST_SUBCLASSES:
            base = todo.pop()
            resolver.table.trace |= resolver.table.bit(("base", base))
            for cls in index.get(base, ()):
                found.setdefault(cls)
                module = resolver.table.get(cls.module)
                own = module.facts.classes[cls.number].name if module is not None else base
                if own not in seen:
                    seen.add(own)
                    todo.append(own)
        return list(found) if len(found) <= _MOST_SUBCLASSES else []


def bases_of(module: Module) -> Iterator[tuple[str, int]]:
    """The last names of the bases of a module's classes, with the classes' numbers."""
    for number, cls in enumerate(module.facts.classes):
        for base in cls.bases:
            name = last_name(base.value if isinstance(base, Subscript) else base)
            if name:
                yield name, number


def _classes(module: Module) -> Iterator[tuple[str, ClassValue]]:
    return ((base, ClassValue(module.name, number)) for base, number in bases_of(module))


def _defines(resolver: Resolver, cls: ClassValue, name: str) -> bool:
    """Whether a class has a method of its own that does something."""
    module = resolver.table.get(cls.module)
    if module is None:
        return False
    bindings = module.facts.scopes[module.facts.classes[cls.number].scope].bindings
    return any(
        isinstance(binding.value, FunctionRef)
        and not module.facts.functions[binding.value.number].bare
        for binding in bindings.get(name, ())
    )


def _inherits(resolver: Resolver, cls: ClassValue, base: ClassValue) -> bool:
    return any(
        isinstance(other, ClassValue) and (other.module, other.number) == (base.module, base.number)
        for other in resolver.mro(cls)[1:]
    )
