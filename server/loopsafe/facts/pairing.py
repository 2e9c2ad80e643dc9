"""Walks the same part of two texts side by side, and notes what it is made of.

What an edit moves counts as the same: lines, orders, and the numbers of blocks, which shift where
a block is put in. A block before the first that differs keeps its number, those behind count from
the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from loopsafe.facts.ir import (
    Assigned,
    Attr,
    Binding,
    Block,
    Call,
    Exit,
    Filled,
    FunctionRef,
    Name,
    Scope,
    Site,
)
from loopsafe.model import Spot


class Pair(NamedTuple):
    """A part of the first text and the same one of the second."""

    old: Any
    new: Any
    names: frozenset[str]
    """Those that are looked up in scopes."""
    words: frozenset[str]
    """Those of attributes."""
    blocks: frozenset[tuple[int, int]]
    """The scopes and numbers, in the first text, of the blocks that it names."""
    functions: frozenset[int]
    """Numbers of the functions that it defines."""
    twins: tuple[tuple[object, object], ...]
    """What it is made of, in both texts."""


class _Noted(NamedTuple):
    """What was found in a call that is the same in both texts."""

    new: Call
    names: tuple[str, ...]
    words: tuple[str, ...]
    blocks: tuple[tuple[int, int], ...]
    functions: tuple[int, ...]
    twins: tuple[tuple[object, object], ...]


class _Numbers(NamedTuple):
    """How the blocks of a scope are told in two texts."""

    same: int
    """How many of them begin both texts."""
    old: int
    new: int


class Walker:
    """Pairs the parts of some scopes."""

    def __init__(self) -> None:
        self._numbers: dict[int, _Numbers] = {}
        self._orders: list[tuple[int, int, int]] = []
        """Of what is the same: the scope, and the order in both texts."""
        self._known: dict[int, _Noted] = {}
        """By the `id` of a call of the first text."""
        self._fresh: list[int] = []
        """The calls that were noted last."""
        self._scope = 0
        self._clear()

    def blocks(
        self, number: int, old: Scope, new: Scope
    ) -> list[tuple[int, Pair | None, list[tuple[Pair, Exit, Exit]]]]:
        """The blocks of a scope, by their numbers in the first text: what stands in their heads,
        or None where that differs, and their early ends."""
        start = 0
        self._numbers[number] = _Numbers(max(len(old.blocks), len(new.blocks)), 0, 0)
        for one, other in zip(old.blocks, new.blocks, strict=False):
            if self._frame(one, other, number) is None:
                break
            start += 1
        self._numbers[number] = _Numbers(start, len(old.blocks), len(new.blocks))
        found: list[tuple[int, Pair | None, list[tuple[Pair, Exit, Exit]]]] = []
        for index, block in enumerate(old.blocks):
            twin = self.block_after(number, index)
            if twin is None:
                continue
            other = new.blocks[twin]
            frame = self._frame(block, other, number)
            ends = self._ends(block.exits, other.exits, number) if frame is not None else []
            found.append((index, frame, ends))
        return found

    def block_after(self, scope: int, block: int) -> int | None:
        """The number in the second text of a block of the first; None where it has none."""
        numbers = self._numbers.get(scope)
        if numbers is None or block < numbers.same:
            return block
        found = block - numbers.old + numbers.new
        return found if found >= numbers.same else None

    def lists(
        self, old: Sequence[Any], new: Sequence[Any], scope: int
    ) -> tuple[list[Pair], list[Any]]:
        """Pairs the parts at both ends; gives those of either text that lie in between."""
        last, last_after = len(old), len(new)
        found: list[Pair] = []
        while last and last_after:
            pair = self.pair(old[last - 1], new[last_after - 1], scope)
            if pair is None:
                break
            found.append(pair)
            last, last_after = last - 1, last_after - 1
        first = 0
        while first < min(last, last_after):
            pair = self.pair(old[first], new[first], scope)
            if pair is None:
                break
            found.append(pair)
            first += 1
        return found, [*old[first:last], *new[first:last_after]]

    def pair(self, old: Any, new: Any, scope: int) -> Pair | None:
        """A part that is the same in both texts, read in a scope; None where it is not."""
        self._clear()
        self._scope = scope
        mark = len(self._orders)
        if not self._same(old, new):
            del self._orders[mark:]
            for call in self._fresh:
                self._known.pop(call, None)
            return None
        return Pair(
            old,
            new,
            frozenset(self._names),
            frozenset(self._words),
            frozenset(self._blocks),
            frozenset(self._functions),
            tuple(self._twins),
        )

    def in_order(self) -> bool:
        """Whether what is the same stands in the same order in both texts."""
        self._orders.sort()
        return all(
            one != other or ((a == b) if then == now else a < b)
            for (one, then, a), (other, now, b) in pairwise(self._orders)
        )

    def _clear(self) -> None:
        self._names: list[str] = []
        self._words: list[str] = []
        self._blocks: list[tuple[int, int]] = []
        self._functions: list[int] = []
        self._twins: list[tuple[object, object]] = []
        self._fresh.clear()

    def _frame(self, old: Block, new: Block, scope: int) -> Pair | None:
        """A block's kind and condition, without where it ends."""
        if old.kind != new.kind or (old.parent < 0) != (new.parent < 0):
            return None
        if old.parent >= 0 and self.block_after(scope, old.parent) != new.parent:
            return None
        return self.pair((old.test, old.catches), (new.test, new.catches), scope)

    def _ends(
        self, old: Sequence[Exit], new: Sequence[Exit], scope: int
    ) -> list[tuple[Pair, Exit, Exit]]:
        """The early ends that both texts have."""
        pairs, _ = self.lists([end.test for end in old], [end.test for end in new], scope)
        then, now = ({id(end.test): end for end in ends} for ends in (old, new))
        return [(pair, then[id(pair.old)], now[id(pair.new)]) for pair in pairs]

    def _same(self, old: Any, new: Any) -> bool:
        kind: Any = type(old)
        if kind is not type(new):
            return False  # `1` is not `True` to whoever is given it.
        if kind is Name:
            if old.id != new.id or not self._same_block(self._scope, old.block, new.block):
                return False
            self._order(self._scope, old.order, new.order)
            self._names.append(old.id)
            self._twins.append((old, new))
            return True
        if not issubclass(kind, tuple):
            return bool(old == new)
        if kind is Spot:
            return True
        if kind is Call:
            return self._same_call(old, new)
        if kind in _PLACED:
            return self._same_placed(kind, old, new)
        if not self._same_items(old, new):
            return False
        if kind is FunctionRef:
            self._functions.append(old.number)
        elif kind is Attr or kind is Assigned:
            self._words.append(old.name)
        if kind is not tuple:
            self._twins.append((old, new))
        return True

    def _same_items(self, old: Any, new: Any) -> bool:
        return len(old) == len(new) and all(map(self._same, old, new))

    def _same_call(self, old: Call, new: Call) -> bool:
        """Calls stand in each other, in sites and in bindings: each is walked through once."""
        known = self._known.get(id(old))
        if known is None or known.new is not new:
            names, words, blocks = len(self._names), len(self._words), len(self._blocks)
            functions, twins = len(self._functions), len(self._twins)
            if not self._same_items(old, new):
                return False
            known = self._known[id(old)] = _Noted(
                new,
                tuple(self._names[names:]),
                tuple(self._words[words:]),
                tuple(self._blocks[blocks:]),
                tuple(self._functions[functions:]),
                tuple(self._twins[twins:]),
            )
            self._fresh.append(id(old))
        else:
            self._names.extend(known.names)
            self._words.extend(known.words)
            self._blocks.extend(known.blocks)
            self._functions.extend(known.functions)
            self._twins.extend(known.twins)
        self._twins.append((old, new))
        return True

    def _same_placed(self, kind: type, old: Any, new: Any) -> bool:
        """What stands in a block, and is read in a scope of its own."""
        if kind is Filled:
            place, scope = self._scope, self._scope
        elif old.scope != new.scope:
            return False
        else:
            # A binding stands in the scope whose name it binds, and is read in its own.
            place, scope = self._scope if kind is Binding else old.scope, old.scope
        if not self._same_block(place, old.block, new.block):
            return False
        if kind is Binding:
            self._order(place, old.order, new.order)
            parts = (old.value, old.annotation), (new.value, new.annotation)
        elif kind is Site:
            parts = (old.kind, old.expr, *old[5:]), (new.kind, new.expr, *new[5:])
        else:
            parts = old[:3], new[:3]
        outer, self._scope = self._scope, scope
        is_same = self._same_items(*parts)
        self._scope = outer
        self._twins.append((old, new))
        return is_same

    def _same_block(self, scope: int, old: int, new: int) -> bool:
        if old >= 0:
            self._blocks.append((scope, old))
            return self.block_after(scope, old) == new
        return old == new

    def _order(self, scope: int, old: int, new: int) -> None:
        if scope in self._numbers:
            self._orders.append((scope, old, new))


_PLACED = frozenset({Binding, Site, Filled})


def all_names_in(parts: Iterable[Any]) -> set[str]:
    """All names in some parts, those of attributes too."""
    found: set[str] = set()
    todo = list(parts)
    while todo:
        part = todo.pop()
        if isinstance(part, Name):
            found.add(part.id)
        elif isinstance(part, tuple):
            if isinstance(part, (Attr, Assigned)):
                found.add(part.name)
            todo.extend(part)
    return found
