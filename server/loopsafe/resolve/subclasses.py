"""The classes of the project below a class, by the names that classes give as their bases."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Subscript, last_name
from loopsafe.resolve.index import NameIndex
from loopsafe.resolve.values import ClassValue, is_same_class

if TYPE_CHECKING:
    from loopsafe.modules.module import Module
    from loopsafe.resolve.resolver import Resolver


_METACLASS = "metaclass="
"""Tells the names of metaclasses from those of bases."""


class Subclasses:
    """Finds subclasses among modules."""

    def __init__(self, project: Callable[[], Iterable[Module]]) -> None:
        self._project = project
        self._by_base = NameIndex("base", _classes)

    def forget(self, changed: Collection[str] | None = None) -> None:
        """The texts of these modules changed; where none are told, there are other modules."""
        self._by_base.forget(changed)

    def below(self, resolver: Resolver, name: str) -> Iterator[ClassValue]:
        """The classes whose bases lead to a class of a name, by nothing but names."""
        return self._led_to(resolver, name)

    def made_by(self, resolver: Resolver, name: str) -> Iterator[ClassValue]:
        """The classes that have a metaclass of a name, or a base that has it."""
        return self._led_to(resolver, f"{_METACLASS}{name}")

    def _led_to(self, resolver: Resolver, name: str) -> Iterator[ClassValue]:
        found: set[ClassValue] = set()
        todo, seen = [name], {name}
        while todo:
            for cls in self._by_base.at(resolver.table, self._project, todo.pop()):
                if cls not in found:
                    found.add(cls)
                    yield cls
                module = resolver.table.get(cls.module)
                own = module.facts.classes[cls.number].name if module is not None else name
                if own not in seen:
                    seen.add(own)
                    todo.append(own)


def bases_of(module: Module) -> Iterator[tuple[str, int]]:
    """The last names of the bases of a module's classes, and those of their metaclasses with a
    mark, with the classes' numbers."""
    for number, cls in enumerate(module.facts.classes):
        for base in cls.bases:
            name = last_name(base.value if isinstance(base, Subscript) else base)
            if name:
                yield name, number
        for keyword, value in cls.keywords:
            if keyword == "metaclass" and (name := last_name(value)):
                yield f"{_METACLASS}{name}", number


def inherits(resolver: Resolver, cls: ClassValue, base: ClassValue) -> bool:
    """Whether a class has another one among its bases, whatever stands for its variables."""
    return any(is_same_class(other, base) for other in resolver.mro(cls)[1:])


def _classes(module: Module) -> Iterator[tuple[str, ClassValue]]:
    return ((base, ClassValue(module.name, number)) for base, number in bases_of(module))
