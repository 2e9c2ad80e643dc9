"""The memory of answers: by module, each with what it rests on, kept until that is another.

An answer that was cut short by a cycle is kept only until the cycle's head is known, so the order
of questions does not change answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from loopsafe.facts.kept import Kept
from loopsafe.modules.table import ModuleTable
from loopsafe.modules.units import Resting
from loopsafe.resolve.shelf import Key, Shelf

T = TypeVar("T")
_DEEPEST = 120
"""Questions nested deeper than this are answered with "unknown"."""

_NEVER = 1 << 30

_NO_SHELF = Shelf("", 0)

_UNKNOWN = object()


class _Trace(NamedTuple):
    """What some answers rest on."""

    bits: int
    modules: set[str]
    """Those that any of the answers is about."""


class Memory:
    """Remembers the answers to questions about the modules of a table."""

    def __init__(self, table: ModuleTable) -> None:
        self.table = table
        self._shelves: dict[str, Shelf] = {}
        self._traces: dict[int, _Trace] = {}
        self._resting: Resting[_Trace] = Resting()
        self._rested = 0
        """All bits that an answer has ever rested on."""
        self._active: dict[Key, int] = {}
        self._provisional: list[tuple[Shelf, Key]] = []
        self._lowest = _NEVER

    def remember(self, key: Key, module: str, compute: Callable[[], T]) -> T:
        """The answer to a question about a module; an empty one while it is being asked."""
        shelf = self._shelves.get(module) or self._shelf(module)
        # Keys are hashed anew each time, and some are deep.
        known = shelf.answers.get(key, _UNKNOWN)
        if known is not _UNKNOWN:
            self.table.trace |= shelf.traces.get(key, shelf.bit)
            return known  # type: ignore[return-value]
        if key in self._active:
            self._lowest = min(self._lowest, self._active[key])
            return ()  # type: ignore[return-value]
        depth = len(self._active)
        if depth > _DEEPEST:
            self._lowest = 0
            return ()  # type: ignore[return-value]
        return self._compute(key, shelf, compute, depth)

    def settled(self, question: Callable[[], T]) -> tuple[T, int, bool]:
        """An answer, what it rests on as bits of the module table, and whether it is final.

        One that was cut short by a question around it is not.
        """
        table = self.table
        outer_trace, table.trace = table.trace, 0
        outer_lowest, self._lowest = self._lowest, _NEVER
        try:
            answer = question()
        finally:
            trace, lowest = table.trace, self._lowest
            table.trace |= outer_trace
            self._lowest = min(outer_lowest, lowest)
        return answer, trace, lowest == _NEVER

    def renew(self, module: str, kept: Kept) -> None:
        """Only insides of a module's functions changed: drops the answers about their parts."""
        shelf, found = self._shelves.get(module), self.table.get(module)
        if shelf is not None:
            shelf.renew(kept, found.facts.scopes if found is not None else ())

    def forget(self, modules: Iterable[str], changed: int) -> None:
        """Drops the answers about these modules, and those that rest on any of these bits."""
        for name in modules:
            self._shelves.pop(name, None)
        changed &= self._rested
        gone = self._resting.take(changed) if changed else []
        # Each trace is one object, whatever rests on it; to compare them by value takes long.
        numbers = frozenset(id(trace.bits) for trace in gone)
        for trace in gone:
            del self._traces[trace.bits]
        for name in {name for trace in gone for name in trace.modules}:
            self._shelves.get(name, _NO_SHELF).forget(numbers)

    def forget_kind(self, kind: str) -> None:
        """Drops one kind of answer about all modules."""
        for shelf in self._shelves.values():
            for key in [k for k in shelf.answers if isinstance(k, tuple) and k[0] == kind]:
                shelf.drop(key)

    def forget_all(self) -> None:
        """Drops every answer."""
        self._shelves.clear()
        self._traces.clear()
        self._resting.clear()

    def _drop_provisional(self, mark: int) -> None:
        """Drops the answers that were cut short since then."""
        for other, stale in self._provisional[mark:]:
            other.drop(stale)
        del self._provisional[mark:]

    def _compute(self, key: Key, shelf: Shelf, compute: Callable[[], T], depth: int) -> T:
        table = self.table
        self._active[key] = depth
        outer_trace, table.trace = table.trace, shelf.bit
        outer_lowest, self._lowest = self._lowest, _NEVER
        mark = len(self._provisional)
        try:
            result = compute()
        except BaseException:
            self._drop_provisional(mark)  # Nobody will know what they were cut short by.
            raise
        finally:
            del self._active[key]
            lowest, self._lowest = self._lowest, outer_lowest
            trace = table.trace
            table.trace |= outer_trace
        if lowest < depth:
            self._provisional.append((shelf, key))
            self._lowest = min(self._lowest, lowest)
        else:
            self._drop_provisional(mark)
        rests_on = None
        if trace != shelf.bit:
            # Most answers rest on the same few modules as many others.
            known = self._traces.get(trace)
            if known is None:
                known = self._traces[trace] = _Trace(trace, set())
                self._resting.note(known, trace)
                self._rested |= trace
            known.modules.add(shelf.module)
            rests_on = known.bits
        shelf.put(key, result, rests_on)
        return result

    def _shelf(self, module: str) -> Shelf:
        entry = self.table.get(module)
        shelf = self._shelves[module] = Shelf(module, entry.bit if entry is not None else 0)
        return shelf
