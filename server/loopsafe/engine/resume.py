"""What the answers of a run rested on, file by file: the next run asks anew only what changed.

Holds for edits of files that both runs know. Which files there are must be the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from loopsafe.effects.news import inherited, news
from loopsafe.effects.places import Places
from loopsafe.effects.registrations import Found, Registration
from loopsafe.engine.records import made, plain
from loopsafe.facts.untouched import compared
from loopsafe.modules.module import Change, Module
from loopsafe.modules.table import ModuleTable
from loopsafe.modules.units import Unit


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a run rested on; units are those of its module table."""

    modules: Mapping[str, tuple[str, bytes]]
    """By path, the key of the module and the digest of its text."""
    answers: Mapping[str, frozenset[Unit]]
    """By path."""
    registrations: Mapping[str, tuple[Found, frozenset[Unit]]]
    """By module, with what they rest on."""


def grounds(
    table: ModuleTable, places: Places, traces: Mapping[str, frozenset[Unit]]
) -> Grounds | None:
    """What answers rested on, given the units of each; None where names depend on the order."""
    modules = {m.path: (m.key, m.digest) for m in table.loaded() if m.is_project}
    if any("@" in key for key, _ in modules.values()):
        return None
    registered = {
        name: (found, table.units(trace)) for name, (found, trace) in places.by_module().items()
    }
    return Grounds(modules, traces, registered)


def resumed(
    table: ModuleTable, places: Places, before: Grounds, changed: Collection[str]
) -> frozenset[str] | None:
    """The files whose answers may be others in this run, after the texts of some files changed.

    None where that cannot be told. What the other files register is taken over.
    """
    answers = {path: table.trace_of(rest) for path, rest in before.answers.items()}
    registered = {
        name: (found, table.trace_of(rest)) for name, (found, rest) in before.registrations.items()
    }
    for path in before.modules:
        table.at(path)  # `unseen` looks who speaks of what is new.
    bits = 0
    for path in changed:
        key, digest = before.modules.get(path, ("", b""))
        facts = table.cache.facts(digest) if table.cache is not None and key else None
        after = table.at(path)
        if facts is None or after is None or after.key != key:
            return None
        bits |= _news(table, replace(after, facts=facts), after)
    places.take_over(registered, bits)
    bits |= places.refreshed()
    return frozenset(path for path, trace in answers.items() if trace & bits)


def dumped(found: Grounds) -> list[Any]:
    """Grounds as lists, words and numbers."""
    numbers: dict[Unit, int] = {}
    told: dict[Registration, int] = {}

    def rest(units: frozenset[Unit]) -> list[int]:
        return [numbers.setdefault(unit, len(numbers)) for unit in sorted(units)]

    registrations = {
        name: [rest(units), [[*key, told.setdefault(one, len(told))] for key, one in each]]
        for name, (each, units) in found.registrations.items()
    }
    answers = {path: rest(units) for path, units in found.answers.items()}
    modules = {path: [key, digest.hex()] for path, (key, digest) in found.modules.items()}
    return [list(numbers), [plain(one) for one in told], modules, answers, registrations]


def loaded(data: Any) -> Grounds:
    """The grounds that became this. Raises ValueError, TypeError or the like where none did."""
    units, told, modules, answers, registrations = data
    known = [tuple(map(_word, unit)) for unit in units]
    runners = [made(Registration, one) for one in told]
    return Grounds(
        {path: (_word(key), bytes.fromhex(digest)) for path, (key, digest) in modules.items()},
        {path: frozenset(known[n] for n in rest) for path, rest in answers.items()},
        {
            name: (
                tuple(((_word(m), int(f)), runners[n]) for m, f, n in found),
                frozenset(known[n] for n in rest),
            )
            for name, (rest, found) in registrations.items()
        },
    )


def _news(table: ModuleTable, before: Module, after: Module) -> int:
    """The bits of what is different of a module."""
    unseen = table.unseen(before, after)
    same = compared(before.facts, after.facts, unseen) if unseen is not None else None
    bits = after.text_bit | table.asked(news(Change(before, after, same)))
    return bits if same is not None else bits | after.bit | table.asked(inherited(before, after))


def _word(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(value)
    return value
