"""Where the project's modules do something with a name: each is read once for each of its texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from loopsafe.facts.ir import ModuleFacts
    from loopsafe.modules.module import Module
    from loopsafe.modules.table import ModuleTable

T = TypeVar("T")


class NameIndex(Generic[T]):
    """What a look at each module gives, by name and in the order of the modules."""

    def __init__(self, kind: str, read: Callable[[Module], Iterable[tuple[str, T]]]) -> None:
        """`kind` is that of the units that stand for what all modules do with a name."""
        self._kind = kind
        self._read = read
        self._modules: dict[str, tuple[ModuleFacts, list[tuple[str, T]]]] = {}
        self._by_name: dict[str, list[T]] | None = None

    def forget(self) -> None:
        """A text changed, or there are other modules."""
        self._by_name = None

    def at(
        self, table: ModuleTable, project: Callable[[], Iterable[Module]], name: str
    ) -> Sequence[T]:
        """The places of a name in some modules, the same ones until something changes.

        Whoever asks rests on what is done with the name, not on all that was looked through.
        """
        trace = table.trace | table.bit((self._kind, name))
        if self._by_name is None:
            found: dict[str, list[T]] = {}
            for module in project():
                for each, place in self._of(module):
                    found.setdefault(each, []).append(place)
            self._by_name = found
        table.trace = trace
        return self._by_name.get(name, ())

    def _of(self, module: Module) -> list[tuple[str, T]]:
        facts, places = self._modules.get(module.key, (None, []))
        if facts is not module.facts:
            places = list(self._read(module))
            self._modules[module.key] = module.facts, places
        return places
