"""What was derived from packages, kept on disk for all projects: answers by what they are about.

An answer's name has the text of the function's module in it, and with it are kept the states of all
modules that it rests on, package by package. It holds where they are the same, wherever they lie.
What is read from the disk becomes words and numbers, or nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable
from typing import Any, NamedTuple

from loopsafe.effects.meetings import function_of
from loopsafe.facts.ir import Site
from loopsafe.modules.cache import engine_version
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, Frame, FunctionValue, ModuleValue

_MOST_VARIANTS = 4
"""Of an answer: a package that projects have together with others of different versions."""


class Place(NamedTuple):
    """A site of a library's function."""

    module: str
    """By its portable name."""
    function: int
    site: int


class Summary(NamedTuple):
    """What was derived of a function."""

    name: str
    """Empty where nothing in it blocks."""
    primitive: str
    """The name of the catalogued call that it leads to."""
    conditions: int
    places: tuple[Place, ...]
    """The sites on the way down."""


NOTHING = Summary("", "", 0, ())


class Store:
    """The answers of one engine, and those that other runs kept."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._cache = resolver.table.cache
        self._new: list[tuple[bytes, Summary, tuple[str, ...]]] = []
        self._holding: dict[str, bool] = {}
        """Lists of modules, by their digests, and whether these are as they were."""
        self._version = b""
        self._warm: list[bytes] = []

    def name(self, function: FunctionValue, frame: Frame, about: Hashable) -> bytes | None:
        """Names a question in every environment alike; None where the project is part of it."""
        if self._cache is None:
            return None
        try:
            words = repr((self._plain(function), self._plain(frame), self._plain(about)))
        except _Local:
            return None
        return hashlib.blake2b(words.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    def recall(self, name: bytes) -> Summary | None:
        """The answer to a question, if it is known and holds."""
        for rests, summary in self._variants(name):
            if all(map(self._holds, rests)) and self._is_whole(summary):
                return summary
        return None

    def keep(self, name: bytes, summary: Summary | None, trace: int) -> None:
        """Remembers an answer that rests on the bits of a trace."""
        packages = self._resolver.table.packages_in(trace)
        if summary is not None and packages is not None and not self._resolver.hints:
            self._new.append((name, summary, packages))

    def is_warm(self, digest: bytes) -> bool:
        """Whether a text of the project was through `warmed` with the same packages installed."""
        if self._cache is None:
            return True  # There is nothing to be warm.
        return self._cache.get(b"warm", self._key(), self._installed(), digest) is not None

    def warmed(self, digest: bytes) -> None:
        """All questions about a text of the project have been asked."""
        self._warm.append(digest)

    def write(self) -> None:
        """Hands new answers to the cache."""
        if self._cache is None:
            return
        for digest in self._warm:
            self._cache.put(b"", b"warm", self._key(), self._installed(), digest)
        self._warm.clear()
        lists: dict[str, str | None] = {}
        for name, summary, packages in self._new:
            for package in packages:
                if package not in lists:
                    lists[package] = self._written(package)
            rests = [lists[package] for package in packages]
            if None in rests:
                continue
            others = [v for v in self._variants(name) if list(v[0]) != rests]
            variants = [(rests, summary), *others[: _MOST_VARIANTS - 1]]
            data = json.dumps(variants, separators=(",", ":")).encode("ascii")
            self._cache.put(data, b"derived", self._key(), name)
        self._new.clear()

    def forget(self) -> None:
        """Modules changed: what is not written yet may be wrong by now."""
        self._new.clear()
        self._warm.clear()
        self._holding.clear()

    def place(self, frame: Frame, site: Site) -> Place | None:
        """Where a site is, in words that mean the same in every environment."""
        module = self._resolver.table.portable(frame.module)
        facts = function_of(self._resolver, frame)
        entry = self._resolver.table.get(frame.module)
        if module is None or facts is None or entry is None or site not in facts.sites:
            return None
        return Place(module, entry.facts.functions.index(facts), facts.sites.index(site))

    def site(self, place: Place) -> tuple[Frame, Site]:
        """The site of a place, with a frame of its function. Raises where there is none."""
        key = self._resolver.table.local(place.module)
        module = self._resolver.table.get(key)
        if module is None:
            raise IndexError(place.module)
        function = module.facts.functions[place.function]
        return self._resolver.frame(key, function.scope), function.sites[place.site]

    def _is_whole(self, summary: Summary) -> bool:
        """Whether everything that an answer names is there."""
        if not summary.name:
            return True
        try:
            for place in summary.places:
                self.site(place)
        except (IndexError, ValueError):
            return False
        return self._resolver.catalogue.callable(summary.primitive) is not None

    def _variants(self, name: bytes) -> list[tuple[tuple[str, ...], Summary]]:
        data = self._cache.get(b"derived", self._key(), name) if self._cache else None
        if data is None:
            return []
        try:
            return [_variant(entry) for entry in json.loads(data)]
        except (ValueError, TypeError, KeyError, RecursionError):
            return []

    def _written(self, package: str) -> str | None:
        """Keeps the states of a package's modules; gives the digest of their list."""
        table = self._resolver.table
        states: list[tuple[str, str]] = []
        for key in sorted(table.looked_at(package)):
            portable = table.portable(key)
            if portable is None:
                return None
            states.append((portable, table.state(portable).hex()))
        data = json.dumps(states, separators=(",", ":")).encode("ascii")
        digest = hashlib.blake2b(data, digest_size=16).digest()
        if self._cache is not None and digest.hex() not in self._holding:
            self._cache.put(data, b"rest", digest)
            self._holding[digest.hex()] = True
        return digest.hex()

    def _holds(self, digest: str) -> bool:
        if digest not in self._holding:
            self._holding[digest] = self._is_same(digest)
        return self._holding[digest]

    def _is_same(self, digest: str) -> bool:
        try:
            name = bytes.fromhex(digest)
            data = self._cache.get(b"rest", name) if self._cache else None
            if data is None or hashlib.blake2b(data, digest_size=16).digest() != name:
                return False
            return all(
                self._resolver.table.state(_word(module)).hex() == state
                for module, state in json.loads(data)
            )
        except (ValueError, TypeError, RecursionError):
            return False

    def _key(self) -> bytes:
        """Differs whenever the same packages may give other answers."""
        if not self._version:
            typeshed = self._resolver.table.finder.typeshed
            taught = self._resolver.catalogue.identity()
            told = (engine_version(), typeshed.identity(), taught)
            self._version = hashlib.blake2b(
                repr(told).encode("utf-8", "surrogatepass"), digest_size=16
            ).digest()
        return self._version

    def _installed(self) -> bytes:
        """Differs whenever a package was installed, changed or removed."""
        table = self._resolver.table
        names = [(site, sorted(table.disk.entries(site))) for site in table.finder.sites]
        return hashlib.blake2b(repr(names).encode("utf-8", "surrogatepass")).digest()

    def _plain(self, value: object) -> object:
        """A value in words and numbers. Raises _Local where it belongs to the project."""
        if isinstance(value, Frame):
            parts = (value.receiver, value.arguments, value.outer)
            return ("Frame", self._module(value.module), value.scope, self._plain(parts))
        if isinstance(value, (ClassValue, FunctionValue, ModuleValue)):
            module, *others = value
            return (type(value).__name__, self._module(module), self._plain(tuple(others)))
        if isinstance(value, tuple):
            return (type(value).__name__, *map(self._plain, value))
        return (type(value).__name__, repr(value))

    def _module(self, key: str) -> tuple[str, str]:
        module = self._resolver.table.get(key)
        name = self._resolver.table.portable(key)
        if name is None or (module is not None and module.is_project):
            raise _Local
        return name, module.digest.hex() if module else ""


class _Local(Exception):
    """A question is about the project."""


def _variant(entry: Any) -> tuple[tuple[str, ...], Summary]:
    """What a list from the disk means. Raises ValueError or TypeError where it is none."""
    rests, (name, primitive, conditions, places) = entry
    known = tuple(Place(_word(m), _number(f), _number(s)) for m, f, s in places)
    summary = Summary(_word(name), _word(primitive), _number(conditions), known)
    return tuple(map(_word, rests)), summary


def _word(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(value)
    return value


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(value)
    return value
