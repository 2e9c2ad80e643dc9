"""Answers questions about library names. A file is read when its names are first asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TypeVar

from loopsafe.knowledge.classes import ClassEntry
from loopsafe.knowledge.entries import Header
from loopsafe.knowledge.layers import Layers
from loopsafe.knowledge.likeness import inherited
from loopsafe.knowledge.loader import LibraryEntries, Text, read_header, read_library, texts_in
from loopsafe.knowledge.schema import Blocking, ClassKnowledge, Outcome, Result, Runner
from loopsafe.knowledge.table import KnowledgeError
from loopsafe.knowledge.words import words_of

V = TypeVar("V")


class Catalogue:
    """All that some knowledge files say, and beneath it what another catalogue says."""

    teaches: frozenset[str] = frozenset()
    """Top-level modules of which a project's settings say something: see `Taught`."""

    def __init__(
        self,
        texts: Mapping[str, Text],
        under: Catalogue | None = None,
        origins: Mapping[str, str] | None = None,
        releases: Mapping[str, str] | None = None,
    ) -> None:
        """Texts and their origins go by the files' names, releases by their distributions'."""
        self._releases = dict(releases or {})
        self._lock = Lock()
        self._under = under
        self._texts = dict(texts)
        self.headers = tuple(
            read_header(file, text, (origins or {}).get(file, ""))
            for file, text in self._texts.items()
        )
        self._unread: dict[str, list[Header]] = {}
        for header in self.headers:
            for top in {name.partition(".")[0] for name in header.imports}:
                self._unread.setdefault(top, []).append(header)
        self._asked: set[str] = set()
        """Top-level modules of which all is read."""
        self.libraries = frozenset(self._unread)
        self._functions: MutableMapping[str, Blocking] = {}
        self._decorators: MutableMapping[str, Blocking] = {}
        self._runners: MutableMapping[str, Runner] = {}
        self._entries: MutableMapping[str, ClassEntry] = {}
        self._classes: dict[str, ClassKnowledge] = {}
        self._returns: MutableMapping[str, Result] = {}
        self._outcomes: MutableMapping[str, tuple[Outcome, ...]] = {}
        self._makes: MutableMapping[str, str | int] = {}
        self._probes: MutableMapping[str, str] = {}
        self._harmless = frozenset().union(*(header.harmless for header in self.headers))
        self._asynchronous = frozenset(
            name for header in self.headers for name in header.asynchronous
        )
        self._serves = frozenset(name for header in self.headers for name in header.serves)
        self._ends = frozenset(name for header in self.headers for name in header.ends)
        if under is not None:
            self._lie_over(under)
        self._namesakes: dict[str, dict[str, tuple[str, ...]]] = {}
        self._done: set[str] = set()
        self._read_runners()
        self.words = words_of(self._runners, self._entries, self.canonical)

    @staticmethod
    def of(folder: Path) -> Catalogue:
        """All that a folder's TOML files say."""
        return Catalogue(texts_in(folder))

    def identity(self) -> str:
        """What a project and its packages add to what everybody has; empty where it is nothing."""
        return repr(sorted(self._releases.items())) if self._releases else ""

    def word(self, _name: str) -> Blocking | bool | None:
        """What a project's settings say of a callable: an entry, False for harmless, or nothing."""
        return None

    def function(self, name: str) -> Blocking | None:
        """What a module-level callable does to the loop, by any of its dotted spellings."""
        self._ready(name)
        return self._functions.get(name)

    def decorator(self, name: str) -> Blocking | None:
        """What calling a plain function does once this decorates it: `tenacity.retry` sleeps."""
        self._ready(name)
        return self._decorators.get(name)

    def klass(self, name: str) -> ClassKnowledge | None:
        """What is known of a class, by any of its dotted spellings."""
        self._ready(name)
        known = self._classes.get(name)
        if known is None and name in self._entries:
            known = self._classes[name] = self._merged(self._entries[name], ())
        if known is None and self.in_asynchronous_module(name):
            return ClassKnowledge(name=name, asynchronous=True)
        return known

    def member(self, name: str) -> tuple[ClassKnowledge, str] | None:
        """`requests.Session.get` as the class and the name of its method."""
        owner, _, method = name.rpartition(".")
        known = self.klass(owner) if self.is_class(owner) else None
        return (known, method) if known is not None else None

    def callable(self, name: str) -> Blocking | None:
        """What a function or `Class.method` does to the loop, by its dotted name."""
        member = self.member(name)
        known = member[0].blocking(member[1]) if member else None
        return known or self.function(name)

    def canonical(self, name: str) -> str:
        """The first spelling of a class that has several: `io.BytesIO` for `_io.BytesIO`."""
        self._ready(name)
        entry = self._entries.get(name)
        return entry.knowledge.name if entry is not None else name

    def runner(self, name: str) -> Runner | None:
        """A module-level callable that takes another one: `asyncio.to_thread`."""
        self._ready(name)
        return self._runners.get(name)

    def returns(self, name: str) -> Result | None:
        """What calling this name gives, where the source does not say it."""
        self._ready(name)
        return self._returns.get(name)

    def outcomes(self, name: str) -> tuple[Outcome, ...]:
        """What calling this name gives where its arguments say so, for functions."""
        self._ready(name)
        return self._outcomes.get(name, ())

    def makes(self, name: str) -> str | int | None:
        """The keyword or the place of the class of what the result of calling this name makes."""
        self._ready(name)
        return self._makes.get(name)

    def probe(self, name: str) -> str | None:
        """What a callable that looks for the event loop does where none runs: one of `PROBES`."""
        self._ready(name)
        return self._probes.get(name)

    def is_class(self, name: str) -> bool:
        """Whether there is an entry for a class of this name."""
        self._ready(name)
        return name in self._entries

    def harmless(self, name: str) -> bool:
        """Whether a module-level callable is known not to block."""
        if name in self._harmless:
            return True
        return self.in_asynchronous_module(name) and self.function(name) is None

    def serves(self, name: str) -> bool:
        """Whether others run on the loop from a call of this on: `TCPSite.start`."""
        return name in self._serves

    def ends(self, name: str) -> bool:
        """Whether the program is over behind a call of this: `os.execv`."""
        return name in self._ends

    def namesakes(self, name: str) -> tuple[str, ...]:
        """Entries of the same library for something of the same last name.

        A library may define in another module, from one version to the next, what it exports.
        """
        top, _, rest = name.partition(".")
        if top not in self.libraries:
            return ()
        index = self._namesakes.get(top)
        if index is None:
            index = self._namesakes[top] = self._by_last_name(top)
        return index.get(rest.rpartition(".")[2], ())

    def has(self, name: str) -> bool:
        """Whether there is any entry under just this name."""
        self._ready(name)
        tables = self._tables()
        return name in self._harmless or any(name in table for table in tables)

    def _tables(self) -> tuple[Mapping[str, object], ...]:
        """What is known by dotted names, kind by kind."""
        told = (self._functions, self._entries, self._runners, self._decorators)
        return (*told, self._returns, self._outcomes)

    def _by_last_name(self, top: str) -> dict[str, tuple[str, ...]]:
        self._ready(top)
        tables = self._tables()
        found: dict[str, dict[str, None]] = {}
        for name in (*(name for table in tables for name in table), *sorted(self._harmless)):
            if name.startswith(f"{top}."):
                found.setdefault(name.rpartition(".")[2], {}).setdefault(name)
        return {last: tuple(names) for last, names in found.items()}

    def check(self) -> None:
        """Reads this catalogue's own files, so that a wrong entry anywhere in them is found."""
        with self._lock:
            for header in self.headers:
                self._read(header)
        own = self._entries.maps[0] if isinstance(self._entries, Layers) else self._entries
        for name in own:
            self.klass(name)

    def read_all(self) -> None:
        """Reads every file."""
        for top in self.libraries:
            self._ready(top)

    def functions(self) -> Iterator[tuple[str, Blocking]]:
        """All blocking functions, once per spelling."""
        self.read_all()
        yield from self._functions.items()

    def decorators(self) -> Iterator[tuple[str, Blocking]]:
        """All decorators that make calls block, once per spelling."""
        self.read_all()
        yield from self._decorators.items()

    def classes(self) -> Iterator[tuple[str, ClassKnowledge]]:
        """All classes, once per spelling."""
        self.read_all()
        for name in self._entries:
            known = self.klass(name)
            if known is not None:
                yield name, known

    def runners(self) -> Iterator[tuple[str, Runner]]:
        """All module-level runners, once per spelling."""
        self.read_all()
        yield from self._runners.items()

    def _lie_over(self, under: Catalogue) -> None:
        self.libraries |= under.libraries
        self._functions = Layers(under._functions)
        self._decorators = Layers(under._decorators)
        self._runners = Layers(under._runners)
        self._entries = Layers(under._entries)
        self._returns = Layers(under._returns)
        self._outcomes = Layers(under._outcomes)
        self._makes = Layers(under._makes)
        self._probes = Layers(under._probes)
        self._harmless |= under._harmless
        self._asynchronous |= under._asynchronous
        self._serves |= under._serves
        self._ends |= under._ends

    def _read_runners(self) -> None:
        """Reads the files that have runners; the others can wait."""
        with self._lock:
            for header in self.headers:
                if header.has_runners:
                    self._read(header)

    def _ready(self, name: str) -> None:
        top = name.partition(".")[0]
        if top in self._asked:
            return
        if self._under is not None:
            self._under._ready(top)
        with self._lock:
            for header in self._unread.get(top, ()):
                self._read(header)
            self._unread.pop(top, None)
        self._asked.add(top)

    def _read(self, header: Header) -> None:
        if header.file in self._done:
            return
        release = self._releases.get(header.distribution, "")
        text = self._texts[header.file]
        self._add(header, read_library(header, text, release))
        if header.has_versions:
            # What is only of other versions serves where nothing else has its name.
            self._add(header, read_library(header, text, release, False), True)
        self._done.add(header.file)
        del self._texts[header.file]

    def _add(self, header: Header, entries: LibraryEntries, is_rest: bool = False) -> None:
        def put(into: MutableMapping[str, V], names: Iterable[str], value: V) -> None:
            _put(header, into, names, value, is_rest)

        for names, blocking in entries.functions:
            put(self._functions, names.all, blocking)
        for names, blocking in entries.decorators:
            put(self._decorators, names.all, blocking)
        for names, runner in entries.runners:
            put(self._runners, names.all, runner)
        for entry in entries.classes:
            put(self._entries, entry.names.all, entry)
        for names, outcome in entries.probes:
            put(self._probes, names.all, outcome)
        for name, result in entries.returns.items():
            put(self._returns, (name,), result)
        for name, outcomes in entries.outcomes.items():
            put(self._outcomes, (name,), outcomes)
        for name, keyword in entries.makes.items():
            put(self._makes, (name,), keyword)

    def in_asynchronous_module(self, name: str) -> bool:
        """Whether a dotted name lies in a module in which nothing blocks, like `asyncio`."""
        parts = name.split(".")
        return any(".".join(parts[:end]) in self._asynchronous for end in range(1, len(parts)))

    def _merged(self, entry: ClassEntry, within: tuple[str, ...]) -> ClassKnowledge:
        """The entry's own knowledge over that of the classes it is like, under its own name."""
        known = entry.knowledge
        if known.name in within:
            raise KnowledgeError(f"{known.name} is like itself")
        for name in entry.like:
            self._ready(name)
            if name not in self._entries:
                raise KnowledgeError(f"{known.name} is like {name}, which has no entry")
            other = self._merged(self._entries[name], (*within, known.name))
            known = inherited(known, other)
        return known


@cache
def load() -> Catalogue:
    """The catalogue that comes with Loopsafe."""
    return Catalogue.of(Path(__file__).parent)


def load_for(releases: Mapping[str, str]) -> Catalogue:
    """The same for a project that has some distributions in these releases."""
    return _load_for(tuple(sorted(releases.items()))) if releases else load()


@cache
def _load_for(releases: tuple[tuple[str, str], ...]) -> Catalogue:
    base, folder = load(), Path(__file__).parent
    known = dict(releases)
    files = [h.file for h in base.headers if h.has_versions and h.distribution in known]
    texts = {file: (folder / file).read_text("utf-8") for file in files}
    return Catalogue(texts, base, releases=known)


def _put(
    header: Header, into: MutableMapping[str, V], names: Iterable[str], value: V, is_rest: bool
) -> None:
    own = into.maps[0] if isinstance(into, Layers) else into
    for name in names:
        if name in own and is_rest:
            continue
        if name in own:
            raise KnowledgeError(f"{header.file}: {name} has two entries")
        into[name] = value
