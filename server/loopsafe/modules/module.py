"""One module: its file, and what is known of its text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from typing import NamedTuple

from loopsafe.facts.ir import ModuleFacts
from loopsafe.facts.kept import Kept, together
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
    def is_project(self) -> bool:
        return self.file.origin is Origin.PROJECT

    @property
    def is_namesake(self) -> bool:
        """A top-level file of the project: it may be called like a library, and is none."""
        return self.is_project and not self.file.is_package and "." not in self.dotted

    @property
    def is_stub(self) -> bool:
        return self.file.path.endswith(".pyi")

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
