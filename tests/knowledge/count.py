"""How much the catalogue knows, counted."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase

from knowledge import stubs, witness
from loopsafe.knowledge.catalogue import Catalogue
from loopsafe.knowledge.entries import Header
from loopsafe.knowledge.schema import ClassKnowledge


@dataclass(frozen=True)
class Count:
    """The size of the catalogue; whatever has several spellings counts once."""

    libraries: frozenset[str]
    """Distributions, and of files about several the modules' first names."""
    standard: frozenset[str]
    """Modules of the standard library."""
    listed: int
    """Blocking callables that are named one by one."""
    families: int
    """Public methods more that a pattern of a class covers, where its library can be looked at."""
    harmless: int
    """Callables that are known not to block."""
    asynchronous: int
    """Classes and modules in which nothing blocks."""
    twins: int
    """Listed callables with an async callable of the same library to use instead."""

    @property
    def callables(self) -> int:
        """All that is known to block."""
        return self.listed + self.families

    def __str__(self) -> str:
        return (
            f"{len(self.libraries)} libraries and {len(self.standard)} modules of the standard "
            f"library: {self.callables} callables that block ({self.listed} listed, "
            f"{self.families} more by pattern), {self.twins} of the listed with an async twin; "
            f"{self.harmless} that do not; {self.asynchronous} async classes and modules."
        )


def count(catalogue: Catalogue, look: bool = True) -> Count:
    """Counts; without a look at the libraries, patterns cover nothing more."""
    libraries, standard = set[str](), set[str]()
    for header in catalogue.headers:
        standard |= {name for name in map(_top, header.imports) if _is_standard(name)}
        libraries |= _libraries(header)
    functions = {id(entry): entry for _, entry in catalogue.functions()}.values()
    classes = {id(known): known for _, known in catalogue.classes()}.values()
    methods = [entry for known in classes for entry in known.methods.values()]
    return Count(
        frozenset(libraries),
        frozenset(standard),
        len(functions) + len(methods),
        sum(len(_family(known)) for known in classes) if look else 0,
        sum(len(header.harmless) for header in catalogue.headers)
        + sum(len(known.harmless - {"*"}) for known in classes),
        sum(known.asynchronous for known in classes)
        + sum(len(header.asynchronous) for header in catalogue.headers),
        sum(bool(entry.twin) for entry in (*functions, *methods)),
    )


def _libraries(header: Header) -> set[str]:
    if header.distribution:
        return {header.distribution.lower()}
    return {name for name in map(_top, header.imports) if not _is_standard(name)}


def _top(name: str) -> str:
    return name.partition(".")[0]


def _is_standard(name: str) -> bool:
    return name.lstrip("_") in sys.stdlib_module_names or name in sys.stdlib_module_names


def _family(known: ClassKnowledge) -> set[str]:
    """The public methods of a class that only its patterns cover."""
    patterns = [pattern for pattern, _ in known.patterns]
    if not patterns or known.asynchronous:
        return set()
    runtime = witness.runtime(known.name)
    names = stubs.members(known.name) or set(() if runtime is witness.MISSING else dir(runtime))
    return {
        name
        for name in names - known.methods.keys()
        if any(fnmatchcase(name, pattern) for pattern in patterns) and known.blocking(name)
    }
