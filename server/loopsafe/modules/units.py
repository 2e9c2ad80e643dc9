"""The things that answers may rest on, each with a bit, so that many of them are one number."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from typing import Generic, TypeAlias, TypeVar

K = TypeVar("K")

_TOGETHER = 64
"""Things of which one look tells that none of them rests on something."""

Unit: TypeAlias = tuple[str, ...]
"""A thing that answers may rest on: the `text` of a module or what others see of the `module`, by
its key; or what a bit was asked for."""


class Units:
    """Notes what it is asked for.

    Who keeps an answer sets `trace` to 0 before finding it, and has in it afterwards a bit for
    every thing of the project that the answer rests on.
    """

    def __init__(self) -> None:
        self.trace = 0
        self._bits: dict[Hashable, int] = {}

    def bit(self, unit: Hashable) -> int:
        """The bit that stands for a thing that answers may rest on."""
        known = self._bits.get(unit)
        if known is None:
            known = self._bits[unit] = 1 << 2 * len(self._bits)
        return known

    def units(self, trace: int) -> frozenset[Unit]:
        """What the bits of a trace stand for, in words that another run understands."""
        names = list(self._bits)
        found: set[Unit] = set()
        while trace:
            number = (trace & -trace).bit_length() - 1
            trace &= trace - 1
            name = names[number // 2]
            if isinstance(name, str):
                found.add(("text" if number % 2 else "module", name))
            elif isinstance(name, tuple):
                found.add(name)
        return frozenset(found)

    def trace_of(self, units: Iterable[Unit]) -> int:
        """The bits of what another run rested on."""
        trace = 0
        for unit in units:
            if unit[0] in ("module", "text"):
                trace |= self.bit(unit[1]) << (unit[0] == "text")
            else:
                trace |= self.bit(unit)
        return trace

    def asked(self, units: Iterable[Unit]) -> int:
        """The bits of those units that somebody asked for."""
        trace = 0
        for unit in units:
            trace |= self._bits.get(unit, 0)
        return trace

    def all_of(self, kinds: Collection[str]) -> int:
        """The bits of all units of some kinds that somebody asked for."""
        return self.asked(u for u in self._bits if isinstance(u, tuple) and u[0] in kinds)


class Resting(Generic[K]):
    """Things with what they rest on, as bits; quick to ask which of many rest on a few bits."""

    def __init__(self) -> None:
        self._groups: list[tuple[int, list[tuple[int, K]]]] = []
        """With all that any of a group rests on."""
        self._latest: list[tuple[int, K]] = []
        """Of which there are not enough for a group."""

    def note(self, thing: K, trace: int) -> None:
        """What a thing rests on that is new, or was taken."""
        self._latest.append((trace, thing))
        if len(self._latest) >= _TOGETHER:
            self._groups.append(_group(self._latest))
            self._latest = []

    def take(self, changed: int) -> list[K]:
        """The things that rest on any of these bits: they are no longer known."""
        taken: list[K] = []
        groups: list[tuple[int, list[tuple[int, K]]]] = []
        for bits, pairs in [*self._groups, (-1, self._latest)]:
            left = [pair for pair in pairs if not pair[0] & changed] if bits & changed else pairs
            if len(left) == len(pairs):
                groups.append((bits, pairs))
                continue
            taken += [thing for trace, thing in pairs if trace & changed]
            groups.append(_group(left))
        *whole, (_, latest) = groups
        # What is left of small groups is put together again by and by.
        small = [pair for _, pairs in whole if len(pairs) < _TOGETHER // 2 for pair in pairs]
        self._groups = [group for group in whole if len(group[1]) >= _TOGETHER // 2]
        self._latest = []
        for trace, thing in (*small, *latest):
            self.note(thing, trace)
        return taken

    def clear(self) -> None:
        """Nothing is known of any."""
        self._groups.clear()
        self._latest.clear()


def _group(pairs: list[tuple[int, K]]) -> tuple[int, list[tuple[int, K]]]:
    bits = 0
    for trace, _ in pairs:
        bits |= trace
    return bits, pairs
