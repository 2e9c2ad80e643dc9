"""The memory of answers: by module, each with what it rests on, kept until that is another.

An answer that was cut short by a cycle is kept only until the cycle's head is known, so the order
of questions does not change answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias, TypeVar

from loopsafe.facts.kept import Kept
from loopsafe.modules.table import ModuleTable
from loopsafe.modules.units import Resting
from loopsafe.resolve.values import Frame, FunctionValue

T = TypeVar("T")
Key: TypeAlias = tuple[Any, ...]
"""A question: the `id` of an expression with its frame, or a word with what it is about."""

_DEEPEST = 120
"""Questions nested deeper than this are answered with "unknown"."""

_NEVER = 1 << 30

_ABOUT_PARTS = frozenset({"type", "bound", "holds", "variable"})
"""Questions about an expression or a binding, by its `id`."""

_ABOUT_SITES = frozenset({"edges", "library", "meetings"})
"""Questions about what the sites of a frame's function lead to: answers with a `site` each."""

_ABOUT_INTERFACES = frozenset(
    {"attribute", "decorated", "during", "exported", "member", "mro", "result"}
)
"""Questions about what others can see of a module."""


class _Shelf:
    """The answers about one module."""

    __slots__ = ("answers", "bit", "module", "traces")

    def __init__(self, module: str, bit: int) -> None:
        self.module = module
        self.bit = bit
        self.answers: dict[Key, object] = {}
        self.traces: dict[Key, int] = {}
        """What answers rest on, where it is more than the module's own interface."""


_NO_SHELF = _Shelf("", 0)


class _Trace(NamedTuple):
    """What some answers rest on."""

    bits: int
    modules: set[str]
    """Those that any of the answers is about."""


class Memory:
    """Remembers the answers to questions about the modules of a table."""

    def __init__(self, table: ModuleTable) -> None:
        self.table = table
        self._shelves: dict[str, _Shelf] = {}
        self._traces: dict[int, _Trace] = {}
        self._resting: Resting[_Trace] = Resting()
        self._rested = 0
        """All bits that an answer has ever rested on."""
        self._active: dict[Key, int] = {}
        self._provisional: list[tuple[_Shelf, Key]] = []
        self._lowest = _NEVER

    def remember(self, key: Key, module: str, compute: Callable[[], T]) -> T:
        """The answer to a question about a module; an empty one while it is being asked."""
        shelf = self._shelves.get(module)
        if shelf is None:
            shelf = self._shelf(module)
        if key in shelf.answers:
            self.table.trace |= shelf.traces.get(key, shelf.bit)
            return shelf.answers[key]  # type: ignore[return-value]
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
        """Only insides of a module's functions changed: drops the answers about their parts.

        Those about parts that are the same are answers about their twins from now on, and what
        others know of the module still holds.
        """
        shelf = self._shelves.pop(module, None)
        if shelf is None:
            return
        renewed = self._shelves[module] = _Shelf(module, shelf.bit)
        answers, traces, traced = renewed.answers, renewed.traces, shelf.traces
        twins, gone = kept.twins, kept.gone
        name: Key
        for key, answer in shelf.answers.items():
            first = key[0]
            if type(first) is int:
                # Most questions are about an expression.
                twin = twins.get(first)
                if twin is not None:
                    name = (id(twin), key[1])
                elif gone is None or first in gone:
                    continue
                else:
                    name = key
                answers[name] = answer
            else:
                found = self._renewed(key, answer, kept)
                if found is None:
                    continue
                name = found[0]
                answers[name] = found[1]
            if key in traced:
                traces[name] = traced[key]

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
            shelf = self._shelves.get(name, _NO_SHELF)
            for key in [key for key, bits in shelf.traces.items() if id(bits) in numbers]:
                del shelf.answers[key], shelf.traces[key]

    def forget_kind(self, kind: str) -> None:
        """Drops one kind of answer about all modules."""
        for shelf in self._shelves.values():
            for key in [k for k in shelf.answers if isinstance(k, tuple) and k[0] == kind]:
                del shelf.answers[key]
                shelf.traces.pop(key, None)

    def forget_all(self) -> None:
        """Drops every answer."""
        self._shelves.clear()
        self._traces.clear()
        self._resting.clear()

    def _drop_provisional(self, mark: int) -> None:
        """Drops the answers that were cut short since then."""
        for other, stale in self._provisional[mark:]:
            other.answers.pop(stale, None)
            other.traces.pop(stale, None)
        del self._provisional[mark:]

    def _compute(self, key: Key, shelf: _Shelf, compute: Callable[[], T], depth: int) -> T:
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
        shelf.answers[key] = result
        if trace != shelf.bit:
            # Most answers rest on the same few modules as many others.
            known = self._traces.get(trace)
            if known is None:
                known = self._traces[trace] = _Trace(trace, set())
                self._resting.note(known, trace)
                self._rested |= trace
            known.modules.add(shelf.module)
            shelf.traces[key] = known.bits
        return result

    def _shelf(self, module: str) -> _Shelf:
        entry = self.table.get(module)
        shelf = self._shelves[module] = _Shelf(module, entry.bit if entry is not None else 0)
        return shelf

    def _renewed(self, key: Key, answer: object, kept: Kept) -> tuple[Key, object] | None:
        """A question and its answer after an edit; None where they are to be found again."""
        first, about = key[0], key[1]
        if first in _ABOUT_PARTS:
            twin = kept.twin(about)
            return ((first, twin, *key[2:]), answer) if twin is not None else None
        if first == "meets":
            site = kept.twins.get(about)
            if site is None:
                return (key, answer) if kept.twin(about) == about else None
            assert isinstance(answer, tuple)
            return (first, id(site), *key[2:]), tuple(item._replace(site=site) for item in answer)
        if first == "registers":
            return (key, answer) if about in kept.functions else None
        if first in _ABOUT_SITES:
            found = self._renewed_sites(about, answer, kept)
            return (key, found) if found is not None else None
        is_gone = (
            about.number in kept.difference.functions
            if isinstance(about, FunctionValue)
            else key[-1] in kept.difference.names
        )
        return (key, answer) if first in _ABOUT_INTERFACES and not is_gone else None

    def _renewed_sites(self, frame: Frame, answer: object, kept: Kept) -> object | None:
        """What is known of the sites of a function, of their twins."""
        module = self.table.get(frame.module)
        scopes = module.facts.scopes if module is not None else ()
        if frame.scope >= len(scopes) or max(scopes[frame.scope].owner, 0) not in kept.functions:
            return None
        assert isinstance(answer, tuple)
        sites = [kept.same(item.site) for item in answer]
        return tuple(
            item if site is item.site else item._replace(site=site)
            for site, item in zip(sites, answer, strict=True)
        )
