"""How far and for what the source of packages is searched: `derivation.toml`, read once."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources

from loopsafe.knowledge.schema import Blocking
from loopsafe.model import Cost

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True, slots=True)
class Making:
    """Classes that the catalogue calls harmless, and what making an object of one does."""

    classes: frozenset[str]
    does: str
    """A catalogued call."""
    unless: frozenset[str]
    """Arguments with one of which it does not."""
    switches: frozenset[str]
    """Those of them with which it does if they are on."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What ends a search, and what it looks for."""

    categories: frozenset[str]
    surfacing: frozenset[str]
    surfacing_awaited: frozenset[str]
    surfacing_started: frozenset[str]
    brief_awaited: frozenset[str]
    silent: frozenset[str]
    talk: frozenset[str]
    system: tuple[tuple[str, str], ...]
    making: tuple[Making, ...]
    hooks: Mapping[str, str]
    """Methods of the standard library, and which one of the object's own class each runs."""
    barriers: tuple[str, ...]
    common: tuple[str, ...]
    calls: int
    functions: int
    guesses: int
    conditions: int
    brief_conditions: int
    values: int
    crowd: int

    def surfaces(self, entry: Blocking, awaited: bool) -> bool:
        """Whether a blocking call shows through from inside a package."""
        if entry.name in self.silent:
            return False
        if entry.name in self.surfacing or (awaited and entry.name in self.surfacing_awaited):
            return True
        return entry.category in self.categories and entry.cost is Cost.STALL

    def cost(self, entry: Blocking, awaited: bool) -> Cost:
        """What a blocking call costs, below a coroutine of a package or below another function."""
        is_brief = awaited and entry.name in self.brief_awaited and entry.cost is Cost.STALL
        return Cost.BRIEF if is_brief else entry.cost

    def enters(self, module: str) -> bool:
        """Whether a module, by its dotted name, is looked into."""
        return not _fits(module, self.barriers)


@cache
def _fits(module: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(module, pattern) for pattern in patterns)


@cache
def bounds() -> Bounds:
    """The bounds that come with Loopsafe."""
    text = resources.files(__package__).joinpath("derivation.toml").read_text("utf-8")
    data = tomllib.loads(text)
    limits = data["limits"]
    return Bounds(
        categories=frozenset(data["categories"]),
        surfacing=frozenset(data["surfacing"]),
        surfacing_awaited=frozenset(data["surfacing-awaited"]),
        surfacing_started=frozenset(data["surfacing-started"]),
        brief_awaited=frozenset(data["brief-awaited"]),
        silent=frozenset(data["silent"]),
        talk=frozenset(data["talk"]),
        system=tuple(data["system"].items()),
        making=tuple(
            Making(
                frozenset(one["classes"]),
                one["does"],
                frozenset(one["unless"]),
                frozenset(one["switches"]),
            )
            for one in data["making"]
        ),
        hooks=data["hooks"],
        barriers=tuple(data["barriers"]),
        common=tuple(data["common"]),
        calls=limits["calls"],
        functions=limits["functions"],
        guesses=limits["guesses"],
        conditions=limits["conditions"],
        brief_conditions=limits["brief-conditions"],
        values=limits["values"],
        crowd=limits["crowd"],
    )
