"""Methods that a class calls of itself and has not: those of its subclasses in the project."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import islice
from typing import TYPE_CHECKING

from loopsafe.facts.ir import FunctionRef
from loopsafe.resolve.subclasses import Subclasses, inherits
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
    """Finds what the subclasses of a class have."""

    def __init__(self, project: Callable[[], Iterable[Module]]) -> None:
        self._subclasses = Subclasses(project)

    def forget(self, changed: Collection[str] | None = None) -> None:
        """The texts of these modules changed; where none are told, there are other modules."""
        self._subclasses.forget(changed)

    def classes(self, resolver: Resolver, cls: ClassValue) -> Values:
        """The subclasses of a class of the project."""
        module = resolver.table.get(cls.module)
        if module is None or not module.is_project:
            return ()
        below = self._subclasses.below(resolver, module.facts.classes[cls.number].name)
        return _few(other for other in below if inherits(resolver, other, cls))

    def made_by(self, resolver: Resolver, cls: ClassValue) -> Values:
        """The classes that a metaclass of the project makes."""
        module = resolver.table.get(cls.module)
        if module is None or not module.is_project:
            return ()
        return _few(self._subclasses.made_by(resolver, module.facts.classes[cls.number].name))

    def method(self, resolver: Resolver, values: Values, name: str) -> Values:
        """What `value.name` is where few subclasses of the only class of a value have it.

        Where a base of that class is not at hand, two must: it has it more likely than one.
        """
        value = values[0] if len(values) == 1 else None
        module = resolver.table.get(value.cls.module) if isinstance(value, Instance) else None
        if not isinstance(value, Instance) or module is None or not module.is_project:
            return ()
        cls = value.cls
        name_of_class = module.facts.classes[cls.number].name
        below = list(islice(self._subclasses.below(resolver, name_of_class), _MOST_SUBCLASSES + 1))
        if not 0 < len(below) <= _MOST_SUBCLASSES:
            return ()
        resolver.table.trace |= resolver.table.bit(("method", name))
        having = [other for other in below if _defines(resolver, other, name)]
        meant = [other for other in having if inherits(resolver, other, cls)]
        is_seen = not any(isinstance(base, External) for base in resolver.mro(cls))
        if len(meant) > _MOST or (len(meant) < _FEWEST_UNSEEN and not is_seen):
            return ()
        return union(resolver.attribute(Instance(other), name) for other in meant)


def _few(classes: Iterable[ClassValue]) -> Values:
    """Classes, where they are not too many to look at."""
    found = tuple(islice(classes, _MOST_SUBCLASSES + 1))
    return found if len(found) <= _MOST_SUBCLASSES else ()


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
