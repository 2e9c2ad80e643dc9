"""A catalogue in which a project's own word comes first, and that of its packages' authors next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from loopsafe.knowledge.catalogue import Catalogue
from loopsafe.knowledge.schema import Blocking, Runner


@dataclass(frozen=True, slots=True)
class Teachings:
    """What a project's settings say; entries go by a name or a pattern."""

    blocking: tuple[Blocking, ...] = ()
    harmless: tuple[str, ...] = ()
    runners: tuple[Runner, ...] = ()


class Taught(Catalogue):
    """The catalogue of one project.

    An exact name goes before a pattern, and a longer pattern before a shorter one.
    """

    def __init__(
        self,
        under: Catalogue,
        teachings: Teachings,
        texts: Mapping[str, str],
        origins: Mapping[str, str],
    ) -> None:
        super().__init__(texts, under, origins)
        self._identity = repr((teachings, sorted(texts.values()), under.identity()))
        said: dict[str, Blocking | bool] = {}
        # What runs its argument elsewhere is a way off the loop, whatever it is made of.
        said.update((runner.name, False) for runner in teachings.runners if runner.offloads)
        said.update((entry.name, entry) for entry in teachings.blocking)
        said.update((name, False) for name in teachings.harmless)
        self._exact = {name: word for name, word in said.items() if "*" not in name}
        patterns = [item for item in said.items() if "*" in item[0]]
        self._patterns = sorted(patterns, key=lambda item: -len(item[0]))
        self._placed = tuple(r for r in teachings.runners if "*" in r.name)
        placed = {runner.name: runner for runner in teachings.runners}
        self._runners.update((name, r) for name, r in placed.items() if "*" not in name)
        self._words: dict[str, Blocking | bool | None] = {}
        names = (*said, *placed)
        self.teaches = frozenset(name.partition(".")[0] for name in names)
        self.words = self.words.with_runners(placed)
        self._own_namesakes = _by_last_name(name for name in names if "*" not in name)

    def identity(self) -> str:
        """All that is said here, in words."""
        return self._identity

    def word(self, name: str) -> Blocking | bool | None:
        """What the settings say of a callable, by any of its spellings."""
        if name.partition(".")[0] not in self.teaches:
            return None
        if name not in self._words:
            self._words[name] = self._said(name)
        return self._words[name]

    def function(self, name: str) -> Blocking | None:
        """What a module-level callable does to the loop, by any of its dotted spellings."""
        word = self.word(name)
        if word is not None:
            return word if isinstance(word, Blocking) else None
        return super().function(name)

    def decorator(self, name: str) -> Blocking | None:
        """What calling a plain function does once this decorates it."""
        return None if self.word(name) is False else super().decorator(name)

    def harmless(self, name: str) -> bool:
        """Whether a module-level callable is known not to block."""
        word = self.word(name)
        return word is False if word is not None else super().harmless(name)

    def runner(self, name: str) -> Runner | None:
        """A callable that takes another one and decides where it runs."""
        for runner in self._placed:
            if fnmatchcase(name, runner.name):
                return replace(runner, name=name)
        return super().runner(name)

    def namesakes(self, name: str) -> tuple[str, ...]:
        """Entries for something of the same last name, which may be the same thing."""
        top, _, rest = name.partition(".")
        own = self._own_namesakes.get((top, rest.rpartition(".")[2]), ())
        return (*own, *super().namesakes(name))

    def has(self, name: str) -> bool:
        """Whether there is any entry under just this name."""
        return name in self._exact or super().has(name)

    def _said(self, name: str) -> Blocking | bool | None:
        names = tuple(dict.fromkeys((name, self._shown(name))))
        for spelling in names:
            if spelling in self._exact:
                return _named(self._exact[spelling], spelling)
        for pattern, word in self._patterns:
            if any(fnmatchcase(spelling, pattern) for spelling in names):
                return _named(word, names[-1])
        return None

    def _shown(self, name: str) -> str:
        """The spelling that the catalogue shows: `requests.get` for `requests.api.get`."""
        known = super().function(name)
        member = None if known is not None else self.member(name)
        if member is not None:
            return f"{member[0].name}.{member[1]}"
        return known.name if known is not None else self.canonical(name)


def _named(word: Blocking | bool, name: str) -> Blocking | bool:
    """An entry under the name of one callable that it is about."""
    return replace(word, name=name) if isinstance(word, Blocking) else word


def _by_last_name(names: Iterable[str]) -> dict[tuple[str, str], tuple[str, ...]]:
    """The names, and those of the classes and modules around them, by first and last part."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for name in (spelling for each in names for spelling in _around(each)):
        key = (name.partition(".")[0], name.rpartition(".")[2])
        found.setdefault(key, {}).setdefault(name)
    return {key: tuple(each) for key, each in found.items()}


def _around(name: str) -> Iterator[str]:
    while "." in name:
        yield name
        name = name.rpartition(".")[0]
