"""Where the project's modules do something with a name: each is read once for each of its texts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
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
        self._changed: set[str] = set()
        """Modules of which `_by_name` has what their texts said before."""

    def forget(self, changed: Collection[str] | None = None) -> None:
        """The texts of these modules changed; where none are told, there are other modules."""
        if changed is None:
            self._by_name = None
            self._changed.clear()
        elif self._by_name is not None:
            self._changed.update(changed)

    def at(
        self, table: ModuleTable, project: Callable[[], Iterable[Module]], name: str
    ) -> Sequence[T]:
        """The places of a name in some modules, the same ones until something changes.

        Whoever asks rests on what is done with the name, not on all that was looked through.
        """
        trace = table.trace | table.bit((self._kind, name))
        if self._changed:
            self._renew(table)
        if self._by_name is None:
            found: dict[str, list[T]] = {}
            for module in project():
                for each, place in self._of(module):
                    found.setdefault(each, []).append(place)
            self._by_name = found
        table.trace = trace
        return self._by_name.get(name, ())

    def _renew(self, table: ModuleTable) -> None:
        """Puts what changed modules say now in its place, where it is about the same names."""
        for key in self._changed & self._modules.keys():
            _, before = self._modules[key]
            module = table.get(key)
            now = self._of(module) if module is not None else []
            if not self._replaced(before, now):
                self._by_name = None
                break
        self._changed.clear()

    def _replaced(self, before: list[tuple[str, T]], now: list[tuple[str, T]]) -> bool:
        """Puts some places where others were; whether that could be done."""
        if self._by_name is None or [name for name, _ in before] != [name for name, _ in now]:
            return False
        for (name, old), (_, new) in zip(before, now, strict=True):
            places = self._by_name.get(name, [])
            at = next((n for n, place in enumerate(places) if place is old), None)
            if at is None:
                return False
            places[at] = new
        return True

    def _of(self, module: Module) -> list[tuple[str, T]]:
        facts, places = self._modules.get(module.key, (None, []))
        if facts is not module.facts:
            places = list(self._read(module))
            self._modules[module.key] = module.facts, places
        return places
