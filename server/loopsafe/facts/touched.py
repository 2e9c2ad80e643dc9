"""Which names of a function mean the same after an edit of its body.

Whoever asks what all modules do with a name looks at the places where it stands, and at what the
names around it are there. So an edit says something of the names in what it adds and takes away,
of those that stand beside a local name that is bound differently now, and of those in blocks that
run under another condition; of no others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

from loopsafe.facts.alike import Block, Numbers, Part, Reader, same_start
from loopsafe.facts.ir import ModuleFacts


def touched(before: ModuleFacts, after: ModuleFacts, number: int) -> frozenset[str] | None:
    """The names of whose places in a function two texts of its module say something else.

    None where that may be any name that stands in it.
    """
    if number >= min(len(before.functions), len(after.functions)):
        return None
    scopes = [facts.scopes[facts.functions[number].scope] for facts in (before, after)]
    same = same_start(*(scope.blocks for scope in scopes))
    old, new = (
        _Body.of(facts, number, Numbers(same, len(scope.blocks)))
        for facts, scope in zip((before, after), scopes, strict=True)
    )
    if old.head != new.head:
        return None
    pairs = _Pairs()
    changed = [part for a, b in zip(old.parts, new.parts, strict=True) for part in pairs.all(a, b)]
    for name in old.bound.keys() | new.bound.keys():
        changed += pairs.all(old.bound.get(name, ()), new.bound.get(name, ()))
    conditions, *lines = pairs.blocks(old, new)
    changed += conditions
    for body, behind in zip((old, new), lines, strict=True):
        changed += body.decided(behind)
    return _spread(changed, (old, new)) if pairs.in_order() else None


def beside(facts: ModuleFacts, numbers: Iterable[int], names: Collection[str]) -> frozenset[str]:
    """The names of whose places some functions say something else where these names, of the
    module's own, mean another thing."""
    bodies = []
    for number in numbers:
        blocks = len(facts.scopes[facts.functions[number].scope].blocks)
        bodies.append(_Body.of(facts, number, Numbers(blocks, blocks)))
    return _spread((), bodies, names)


class _Body(NamedTuple):
    """What stands in a function."""

    head: object
    parts: tuple[tuple[Part, ...], ...]
    """By their kind, each in the order of the text."""
    bound: dict[str, tuple[Part, ...]]
    blocks: dict[int, Block]
    """By number; those around a block come before it."""

    @classmethod
    def of(cls, facts: ModuleFacts, number: int, numbers: Numbers) -> _Body:
        function = facts.functions[number]
        scope = facts.scopes[function.scope]
        reader = Reader(numbers, function.scope)
        own = [a for a in facts.assigned if a.binding.scope == function.scope]
        return cls(
            (reader.head(function), scope.declared, scope.stars),
            (
                tuple(map(reader.site, function.sites)),
                tuple(map(reader.expr, function.values)),
                tuple(map(reader.expr, function.yields)),
                tuple(map(reader.assigned, own)),
            ),
            {
                name: tuple(reader.binding(binding, name) for binding in bindings)
                for name, bindings in scope.bindings.items()
            },
            {numbers.of(n): reader.block(block) for n, block in enumerate(scope.blocks)},
        )

    def all(self) -> Iterator[Part]:
        return chain.from_iterable((*self.parts, *self.bound.values()))

    def decided(self, lines: dict[int, int]) -> Iterator[Part]:
        """The parts that lie in some blocks; where a line is told, the sites behind it."""
        within = dict(lines)
        for number, block in self.blocks.items() if lines else ():
            around = [within[n] for n in (number, block.parent) if n in within]
            if around:
                within[number] = min(around)
        for part in self.all() if lines else ():
            first = min((within[n] for n in part.blocks if n in within), default=None)
            if first is not None and (not first or part.line > first):
                yield part

    def decided_by(self, names: set[str]) -> dict[int, int]:
        """The blocks of which a condition has any of these names, with the line behind which it
        counts; 0 for all of a block."""
        found: dict[int, int] = {}
        for number, block in self.blocks.items():
            if not names.isdisjoint(block.frame.names):
                found[number] = 0
            elif lines := [e.line for e in block.exits if not names.isdisjoint(e.names)]:
                found[number] = min(lines)
        return found


class _Pairs:
    """Parts that are the same in two texts, with the orders of what stands in them."""

    def __init__(self) -> None:
        self._orders: list[tuple[int, int]] = []

    def all(self, old: Iterable[Part], new: Iterable[Part]) -> list[Part]:
        """Pairs the parts at both ends, and gives those in between."""
        then, now = list(old), list(new)
        while then and now and then[-1].shape == now[-1].shape:
            self._pair(then.pop(), now.pop())
        start = 0
        while start < min(len(then), len(now)) and then[start].shape == now[start].shape:
            self._pair(then[start], now[start])
            start += 1
        return [*then[start:], *now[start:]]

    def blocks(self, old: _Body, new: _Body) -> tuple[list[Part], dict[int, int], dict[int, int]]:
        """Pairs the blocks; gives the conditions that differ, and the blocks of both texts that
        run under them, with the line behind which they do; 0 for all of a block."""
        conditions: list[Part] = []
        found: tuple[dict[int, int], dict[int, int]] = ({}, {})
        for number in old.blocks.keys() & new.blocks.keys():
            then, now = old.blocks[number], new.blocks[number]
            self._orders.append((then.end, now.end))
            if then.frame.shape != now.frame.shape:
                found[0][number] = found[1][number] = 0
                conditions += [then.frame, now.frame]
                continue
            self._pair(then.frame, now.frame)
            others = self.all(then.exits, now.exits)
            conditions += others
            for lines, block in zip(found, (then, now), strict=True):
                mine = [part.line for part in others if part in block.exits]
                if mine:
                    lines[number] = min(mine)
        return conditions, *found

    def in_order(self) -> bool:
        """Whether what is the same stands in the same order."""
        orders = sorted(self._orders)
        return all((a == b) if then == now else a < b for (then, a), (now, b) in pairwise(orders))

    def _pair(self, old: Part, new: Part) -> None:
        self._orders.extend(zip(old.orders, new.orders, strict=True))


def _spread(
    changed: Sequence[Part], bodies: Sequence[_Body], others: Iterable[str] = ()
) -> frozenset[str]:
    """The names in changed parts, and in all that rests on what they bind, or on others."""
    found = {name for part in changed for name in part.names}
    for body in bodies:
        found.update(n for part in body.all() if changed and part.is_block for n in part.names)
    todo = {*others, *(part.binds for part in changed if part.binds)}
    done: set[str] = set()
    while todo - done:
        done |= todo
        beside = [
            part
            for body in bodies
            for part in chain(
                (part for part in body.all() if not done.isdisjoint(part.names)),
                body.decided(body.decided_by(done)),
            )
        ]
        found.update(name for part in beside for name in part.names)
        todo = {part.binds for part in beside if part.binds}
    return frozenset(found)
