"""Last names by which a text is looked over before anything in it is resolved.

Few of a module's calls take a callable, or give back what was put somewhere: those whose last name
none of the entries has are passed by with a look into a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from loopsafe.knowledge.classes import ClassEntry
from loopsafe.knowledge.schema import Runner


@dataclass(frozen=True, slots=True)
class Words:
    """The last names that the entries of a catalogue have, by what these say."""

    places: Mapping[str, frozenset[tuple[int, str]]]
    """Of what takes a callable: at which position, and by which keyword."""
    passing: frozenset[str]
    """Of calls that take a function and are known to give it something."""
    calling: frozenset[str]
    """Of calls that have the loop call something later, with arguments that they are given."""
    handing: frozenset[str]
    """Of what gives an awaitable of what it is given."""
    making: frozenset[str]
    """Of all methods that make or write objects."""
    running: frozenset[str]
    """Of all methods that tell whether something runs."""
    during: frozenset[str]
    """Of runners that run a callable while they are entered, or gone through."""
    giving: frozenset[str]
    """Of all methods that give back what others put into an object."""
    putting: frozenset[str]
    """Of all methods that put something into an object, from where others get it back."""
    yielded: Mapping[str, tuple[str, ...]]
    """Attributes by which what a callable yields is found again, by their dotted names, with the
    last names of what takes the callable."""
    yielding_keywords: frozenset[str]
    """Keywords by which that takes it."""
    yielded_names: frozenset[str]
    """Of those attributes."""

    def with_runners(self, runners: Mapping[str, Runner]) -> Words:
        """The same with what takes a callable, by dotted names or patterns."""
        found: dict[str, set[tuple[int, str]]] = {}
        for name, runner in runners.items():
            found.setdefault(_last(name), set()).add((runner.position, runner.argument))
        places = {name: self.places.get(name, frozenset()) | new for name, new in found.items()}
        handing = {_last(name) for name, one in runners.items() if one.gives == "awaitable"}
        return replace(self, places={**self.places, **places}, handing=self.handing | handing)


def words_of(
    runners: Mapping[str, Runner],
    entries: Mapping[str, ClassEntry],
    canonical: Callable[[str], str],
) -> Words:
    """The words of module-level runners and of classes, both by all of their dotted spellings."""
    classes = [entry.knowledge for entry in entries.values()]
    taking = tuple(_taking(runners, entries))
    places: dict[str, set[tuple[int, str]]] = {}
    for name, runner in taking:
        taken = ((one.position, one.argument) for one in (runner, *runner.also))
        places.setdefault(name, set()).update(taken)
    methods = (known.runners for known in classes)
    every = [item for table in (runners, *methods) for item in table.items()]
    yielded, keywords = _yielding(runners.items(), canonical)
    back = [known.gives_back for known in classes]
    return Words(
        places={name: frozenset(found) for name, found in places.items()},
        passing=frozenset(n for n, runner in taking if runner.passes and not runner.decorated),
        calling=frozenset(n for n, runner in taking if runner.called_with and not runner.inline),
        handing=frozenset(_last(name) for name, one in every if one.gives == "awaitable"),
        making=frozenset(name for known in classes for name in known.makers | known.writers),
        running=frozenset(name for known in classes for name in known.running),
        during=frozenset(_last(name) for name, runner in runners.items() if runner.during),
        giving=frozenset(name for methods in back for name in methods),
        putting=frozenset(n for methods in back for put in methods.values() for n in put),
        yielded=yielded,
        yielding_keywords=keywords,
        yielded_names=frozenset(map(_last, yielded)),
    )


def _taking(
    runners: Mapping[str, Runner], entries: Mapping[str, ClassEntry]
) -> Iterator[tuple[str, Runner]]:
    """What takes a callable, by its last name. What runs it inline places nothing."""
    for name, runner in runners.items():
        if not runner.inline and (runner.decorated or not runner.during):
            yield _last(name), runner
    for entry in entries.values():
        for name, runner in entry.knowledge.runners.items():
            if not runner.inline:
                yield name, runner
        for name, kind in entry.knowledge.attributes.items():
            held = entries.get(kind)
            if held is not None and "__call__" in held.knowledge.runners:
                yield name, held.knowledge.runners["__call__"]


def _yielding(
    runners: Iterable[tuple[str, Runner]], canonical: Callable[[str], str]
) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    places: dict[str, dict[str, None]] = {}
    keywords: set[str] = set()
    for name, runner in runners:
        for one in (runner, *runner.also):
            for place in one.yields:
                owner, _, attribute = place.rpartition(".")
                places.setdefault(f"{canonical(owner)}.{attribute}", {}).setdefault(_last(name))
                keywords.add(one.argument)
    return {place: tuple(words) for place, words in places.items()}, frozenset(keywords)


def _last(name: str) -> str:
    return name.rpartition(".")[2]
