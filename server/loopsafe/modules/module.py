"""One module: its file, and what is known of its text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from itertools import groupby
from typing import NamedTuple

from loopsafe.facts.ir import Binding, ModuleFacts
from loopsafe.facts.kept import Kept, together
from loopsafe.facts.reach import reaching
from loopsafe.modules.finder import ModuleFile, Origin
from loopsafe.modules.units import Unit


@dataclass(frozen=True, slots=True)
class Module:
    """A module with its facts."""

    key: str
    file: ModuleFile
    facts: ModuleFacts
    digest: bytes
    """Of the text the facts were read from."""
    bit: int = 0
    """Stands in `ModuleTable.trace` for its interface, or for the package it belongs to."""
    is_project: bool = field(init=False, repr=False, compare=False)
    is_stub: bool = field(init=False, repr=False, compare=False)
    _reached: dict[tuple[int, str, int, int], tuple[Binding, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What a name stands for at a place is asked anew in every frame of a function."""

    def __post_init__(self) -> None:
        # Asked millions of times in a run.
        object.__setattr__(self, "is_project", self.file.origin is Origin.PROJECT)
        object.__setattr__(self, "is_stub", self.file.path.endswith(".pyi"))

    @property
    def text_bit(self) -> int:
        """Stands for its whole text."""
        return self.bit << 1

    @property
    def name(self) -> str:
        """Its key in the table; a second file of one dotted name has its path in it."""
        return self.key

    @property
    def dotted(self) -> str:
        return self.file.name

    @property
    def path(self) -> str:
        return self.file.path

    @property
    def is_namesake(self) -> bool:
        """A top-level file of the project: it may be called like a library, and is none."""
        return self.is_project and not self.file.is_package and "." not in self.dotted

    def reaching(self, scope: int, name: str, block: int, order: int) -> tuple[Binding, ...]:
        """The bindings of a name of a scope that a use at `order` in `block` may see."""
        here = self.facts.scopes[scope]
        if len(here.bindings.get(name, ())) < 2:
            return reaching(here, name, block, order)
        use = (scope, name, block, order)
        found = self._reached.get(use)
        if found is None:
            found = self._reached[use] = reaching(here, name, block, order)
        return found

    def inside_of(self, number: int) -> Unit:
        """Stands for what others see of the inside of a function."""
        return ("inside", self.key, str(number))

    def absolute(self, module: str, level: int) -> str:
        """The dotted name that an import with `level` leading dots means in this module."""
        if level <= 0:
            return module
        drop = level - 1 if self.file.is_package else level
        base = self.dotted.split(".")
        kept = base[: len(base) - drop] if drop <= len(base) else []
        return ".".join([*kept, module] if module else kept)


class Change(NamedTuple):
    """A module whose text changed."""

    before: Module
    after: Module | None
    kept: Kept | None
    """What is the same, where others can tell little of the difference: only insides of functions
    differ, what they give, or functions that nothing mentions."""


def renewals(changes: Iterable[Change]) -> Iterator[tuple[str, Kept]]:
    """What is the same of each module after all its changes, as one step; where it is known of
    all."""
    for key, group in groupby(changes, lambda change: change.before.key):
        steps = [change.kept for change in group]
        known = [kept for kept in steps if kept is not None]
        if len(known) < len(steps):
            continue
        yield key, reduce(together, known)
