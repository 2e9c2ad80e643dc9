"""Which lines differ between two texts that an edit lies between: quick where it changed few."""

from __future__ import annotations

from typing import NamedTuple

_MOST = 8
"""More hunks than this are told as one."""

_WINDOW = 40
"""Lines that a hunk may have for its end to be looked for."""

_SURE = 3
"""Lines that are equal again where a hunk ends."""


class Hunk(NamedTuple):
    """Lines of the first text and what they are in the second; from 0, the ends excluded."""

    start: int
    end: int
    start_after: int
    end_after: int


def hunks(old: list[str], new: list[str]) -> list[Hunk]:
    """What differs, in order; nothing where all is equal."""
    shortest = min(len(old), len(new))
    tail = 0
    while tail < shortest and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    stop, stop_after = len(old) - tail, len(new) - tail
    found: list[Hunk] = []
    here = there = 0
    while True:
        while here < stop and there < stop_after and old[here] == new[there]:
            here += 1
            there += 1
        if here == stop and there == stop_after:
            return found
        end = _meeting(old[here:stop], new[there:stop_after]) if len(found) + 1 < _MOST else None
        if end is None:
            return [*found, Hunk(here, stop, there, stop_after)]
        found.append(Hunk(here, here + end[0], there, there + end[1]))
        here, there = found[-1].end, found[-1].end_after


def _meeting(old: list[str], new: list[str]) -> tuple[int, int] | None:
    """How many lines in front differ before the texts agree again; None if they never do."""
    for size in range(1, _WINDOW):
        for gone in range(max(size - len(new), 0), min(size, len(old)) + 1):
            added = size - gone
            sure = old[gone : gone + _SURE]
            if len(sure) == _SURE and sure == new[added : added + _SURE]:
                return gone, added
    return None
