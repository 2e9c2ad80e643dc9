"""Where the project's modules do something with a name: each is read once for each of its texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from loopsafe.facts.ir import ModuleFacts
    from loopsafe.modules.module import Module

T = TypeVar("T")


class NameIndex(Generic[T]):
    """What a look at each module gives, by name and in the order of the modules."""

    def __init__(self, read: Callable[[Module], Iterable[tuple[str, T]]]) -> None:
        self._read = read
        self._modules: dict[str, tuple[ModuleFacts, list[tuple[str, T]]]] = {}
        self._by_name: dict[str, list[T]] | None = None

    def forget(self) -> None:
        """A text changed, or there are other modules."""
        self._by_name = None

    def among(self, project: Callable[[], Iterable[Module]]) -> Mapping[str, Sequence[T]]:
        """The places in some modules, the same ones until something changes."""
        if self._by_name is None:
            found: dict[str, list[T]] = {}
            for module in project():
                for name, place in self._of(module):
                    found.setdefault(name, []).append(place)
            self._by_name = found
        return self._by_name

    def _of(self, module: Module) -> list[tuple[str, T]]:
        facts, places = self._modules.get(module.key, (None, []))
        if facts is not module.facts:
            places = list(self._read(module))
            self._modules[module.key] = module.facts, places
        return places
