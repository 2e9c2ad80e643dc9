"""What in an edited function means the same after the edit, so that answers about it still hold.

A part means the same where it is written the same, where every name in it stands for the same
assignments, and where its blocks run under the same conditions; a call, where the same early ends
lie before it, too. What an assignment that differs binds may mean something else, and so may all
that is made of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from loopsafe.facts.difference import Difference
from loopsafe.facts.ir import Assigned, Attr, Exit, Function, ModuleFacts, Name, Scope, Site
from loopsafe.facts.kept import Kept, kept
from loopsafe.facts.pairing import Pair, Walker, all_names_in

_BLOCKS = frozenset({"enter", "exit", "aenter", "aexit"})
"""Sites to which what stands in their blocks belongs."""


class Untouched(NamedTuple):
    """What in some functions means the same in two texts."""

    twins: dict[int, object]
    """Parts of the second text, by the `id` of what they are in the first."""
    names: frozenset[str]
    """Those that stand anywhere else in them, in either text."""


def compared(before: ModuleFacts, after: ModuleFacts, difference: Difference) -> Kept:
    """What two texts have in common, also inside of those functions that differ."""
    found = kept(before, after, difference)
    counts = [(len(f.functions), len(f.scopes), len(f.classes)) for f in (before, after)]
    others = [n for n in range(len(before.functions)) if n not in found.functions]
    if counts[0] != counts[1] or 0 in others or difference.speakers:
        return found
    inside = untouched(before, after, others, {before.functions[n].scope for n in others})
    if inside is None:
        return found
    return found._replace(twins=found.twins | inside.twins, names=inside.names)


def untouched(
    before: ModuleFacts, after: ModuleFacts, functions: Iterable[int], scopes: Collection[int]
) -> Untouched | None:
    """What in some functions, with these scopes, means the same in both texts; None where they
    cannot be compared."""
    if any(cls.scope in scopes for cls in before.classes):
        return None
    bodies = _Bodies()
    for number in functions:
        if not bodies.read(before, after, number):
            return None
    return bodies.untouched() if bodies.walker.in_order() else None


class _Block(NamedTuple):
    """A block that both texts have."""

    parent: int
    frame: Pair | None
    """None where it runs under another condition."""
    ends: list[tuple[Pair, Exit, Exit]]
    old: tuple[Exit, ...]
    new: tuple[Exit, ...]


class _Bodies:
    """Functions of two texts side by side."""

    def __init__(self) -> None:
        self.walker = Walker()
        self._pairs: list[tuple[int, Pair]] = []
        """Parts that are written the same, with the function that they are of."""
        self._sites: list[tuple[int, Pair]] = []
        self._bound: list[tuple[int, str, Pair]] = []
        self._blocks: dict[tuple[int, int], _Block] = {}
        """By scope and number, in the first text."""
        self._scopes: set[int] = set()
        self._changed: set[str] = set()
        """Names of which an assignment differs."""
        self._other: set[int] = set()
        """Numbers of functions of which something differs."""
        self._names: set[str] = set()
        """Of what differs."""

    def read(self, before: ModuleFacts, after: ModuleFacts, number: int) -> bool:
        """Pairs the parts of a function; whether the two can be compared at all."""
        old, new = before.functions[number], after.functions[number]
        scope = old.scope
        one, other = before.scopes[scope], after.scopes[scope]
        if _head(old) != _head(new) or (one.declared, one.stars) != (other.declared, other.stars):
            return False
        self._scopes.add(scope)
        self._read_blocks(scope, one, other)
        if self._repeats_a_test(scope, one, other):
            return False
        head = self.walker.pair(_signature(old), _signature(new), old.outer)
        if head is None:
            return False
        self._pairs.append((number, head))
        for parts in ((old.values, new.values), (old.yields, new.yields)):
            self._pairs += [(number, pair) for pair in self._lists(number, *parts, scope)]
        self._sites += [(number, p) for p in self._lists(number, old.sites, new.sites, scope)]
        for name in one.bindings.keys() | other.bindings.keys():
            bound = one.bindings.get(name, ()), other.bindings.get(name, ())
            pairs = self._lists(number, *bound, scope)
            self._bound += [(number, name, pair) for pair in pairs]
            if not len(pairs) == len(bound[0]) == len(bound[1]):
                self._change(name)
        stored, now = (
            [a for a in facts.assigned if a.binding.scope == scope] for facts in (before, after)
        )
        for pair in self._lists(number, stored, now, scope):
            self._bound.append((number, _root(pair.old), pair))
        return True

    def untouched(self) -> Untouched:
        """What means the same, and the names elsewhere."""
        clean = self._settled()
        found: dict[int, object] = {}
        names = self._names
        frames = [block.frame for block in self._blocks.values() if block.frame is not None]
        ends = [pair for block in self._blocks.values() for pair, _, _ in block.ends]
        bound = [pair for _, _, pair in self._bound]
        for pair in (*(pair for _, pair in self._pairs), *bound, *frames, *ends):
            if self._is_same(pair, clean):
                found.update((id(old), new) for old, new in pair.twins)
            else:
                names |= pair.names | pair.words
        for _, pair in self._sites:
            is_same = self._is_same(pair, clean)
            if is_same:
                found.update((id(old), new) for old, new in pair.twins)
            if not is_same or not self._is_behind_the_same(pair, clean):
                names |= pair.names | pair.words
                found.pop(id(pair.old), None)
            elif (names or self._other) and pair.old.kind in _BLOCKS:
                names |= pair.names | pair.words
        return Untouched(found, frozenset(names))

    def _lists(self, number: int, old: Sequence[Any], new: Sequence[Any], scope: int) -> list[Pair]:
        """What is the same among parts of a function; the rest is noted."""
        pairs, rest = self.walker.lists(old, new, scope)
        if rest:
            self._other.add(number)
            self._names |= all_names_in(rest)
            self._changed.update(_root(part) for part in rest if isinstance(part, Assigned))
        return pairs

    def _read_blocks(self, scope: int, one: Scope, other: Scope) -> None:
        for number, frame, ends in self.walker.blocks(scope, one, other):
            after = self.walker.block_after(scope, number)
            old, new = one.blocks[number], other.blocks[number if after is None else after]
            block = _Block(old.parent, frame, ends, old.exits, new.exits)
            self._blocks[scope, number] = block
            if frame is None:
                self._names |= all_names_in((old.test, old.catches, new.test, new.catches))
            same = {id(end) for _, *both in ends for end in both}
            others = (end.test for end in (*old.exits, *new.exits) if id(end) not in same)
            self._names |= all_names_in(others)

    def _repeats_a_test(self, scope: int, one: Scope, other: Scope) -> bool:
        """Whether a block that only one text has stands beside one with the same condition: which
        of their assignments exclude each other may be another matter then."""
        after = {self.walker.block_after(scope, n) for s, n in self._blocks if s == scope}
        for blocks, known in (
            (one.blocks, {n for s, n in self._blocks if s == scope}),
            (other.blocks, after),
        ):
            for number, block in enumerate(blocks):
                test: object = block.test
                if number in known or test is None:
                    continue
                for twin in known:
                    if twin is not None and twin and blocks[twin].test == test:
                        return True
        return False

    def _settled(self) -> set[tuple[int, int]]:
        """The blocks that run under the same conditions, once all is known that differs."""
        while True:
            count = len(self._changed), len(self._other)
            clean = self._clean_blocks()
            for number, name, pair in self._bound:
                if name not in self._changed and not self._is_same(pair, clean):
                    self._change(name)
                    self._other.add(number)
            for number, pair in (*self._pairs, *self._sites):
                if number not in self._other and not self._is_same(pair, clean):
                    self._other.add(number)
            if count == (len(self._changed), len(self._other)):
                return clean

    def _change(self, name: str) -> None:
        """An assignment of a name differs, or what is told of an attribute of it."""
        self._changed.update((name, name.partition(".")[0]))

    def _clean_blocks(self) -> set[tuple[int, int]]:
        clean: set[tuple[int, int]] = set()
        # A block is numbered before those inside it.
        for (scope, number), block in self._blocks.items():
            is_sure = block.parent < 0 or (scope, block.parent) in clean
            if is_sure and block.frame is not None and self._has_same_names(block.frame):
                clean.add((scope, number))
        return clean

    def _is_same(self, pair: Pair, clean: set[tuple[int, int]]) -> bool:
        return self._has_same_names(pair) and all(
            place in clean for place in pair.blocks if place[0] in self._scopes
        )

    def _has_same_names(self, pair: Pair) -> bool:
        return self._changed.isdisjoint(pair.names) and self._other.isdisjoint(pair.functions)

    def _is_behind_the_same(self, pair: Pair, clean: set[tuple[int, int]]) -> bool:
        """Whether the same early ends lie before a call in both texts, and mean the same."""
        old, new = pair.old, pair.new
        seen: set[tuple[int, int]] = set()
        todo = [place for place in pair.blocks if place in self._blocks]
        while todo:
            place = todo.pop()
            if place in seen:
                continue
            seen.add(place)
            block = self._blocks[place]
            if block.parent >= 0:
                todo.append((place[0], block.parent))
            if not self._ends_alike(block, old, new, clean):
                return False
        return True

    def _ends_alike(self, block: _Block, old: Site, new: Site, clean: set[tuple[int, int]]) -> bool:
        then = [end for end in block.old if old.spot.line > end.line]
        now = [end for end in block.new if new.spot.line > end.line]
        if not then and not now:
            return True
        twins = {id(one): other for pair, one, other in block.ends if self._is_same(pair, clean)}
        return len(then) == len(now) and all(
            twins.get(id(one)) is other for one, other in zip(then, now, strict=True)
        )


def _root(assigned: Assigned) -> str:
    """The name of what an attribute is given to; empty where it has none."""
    part: object = assigned.target
    while isinstance(part, Attr):
        part = part.value
    return part.id if isinstance(part, Name) else ""


def _head(function: Function) -> tuple[object, ...]:
    """What of a function is no expression and has no place."""
    return (
        function.name,
        function.qualname,
        function.is_async,
        function.is_generator,
        function.scope,
        function.outer,
        function.owner,
        function.awaits,
        function.bare,
    )


def _signature(function: Function) -> tuple[object, ...]:
    """What of a function is read where it is defined."""
    return function.parameters, function.returns, function.decorators
