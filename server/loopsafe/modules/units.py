"""The things that answers may rest on, each with a bit, so that many of them are one number."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from typing import TypeAlias

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
