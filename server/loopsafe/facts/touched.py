"""Which names of a function mean the same after an edit of its body.

Whoever asks what all modules do with a name looks at the places where it stands, and at what the
names around it are there. So an edit says something of the names in what it adds and takes away,
and of those that stand beside a local name that is bound differently now; of no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from typing import NamedTuple

from loopsafe.facts.ir import Assigned, Attr, Binding, Exit, Expr, Function, ModuleFacts, Name
from loopsafe.model import Span


def touched(before: ModuleFacts, after: ModuleFacts, number: int) -> frozenset[str] | None:
    """The names of whose places in a function two texts of its module say something else.

    None where that may be any name that stands in it.
    """
    old, new = _Body.of(before, number), _Body.of(after, number)
    if old is None or new is None or old.frame != new.frame:
        return None
    pairs = _Pairs()
    pairs.ends(old, new)
    changed: list[_Part] = []
    for then, now in zip(old.parts, new.parts, strict=True):
        changed += pairs.all(then, now)
    for name in old.bound.keys() | new.bound.keys():
        changed += pairs.all(old.bound.get(name, ()), new.bound.get(name, ()))
    if not pairs.in_order():
        return None
    return _spread(changed, (old, new))


class _Part(NamedTuple):
    """A site, a binding or a result, with what it binds."""

    shape: object
    """The part without its places."""
    orders: tuple[int, ...]
    names: frozenset[str]
    binds: str
    is_block: bool
    """What stands behind it in its block belongs to it, as in a `with`."""

    @classmethod
    def of(cls, part: object, binds: str = "", is_block: bool = False) -> _Part:
        orders: list[int] = []
        names: set[str] = set()
        return cls(_shape(part, orders, names), tuple(orders), frozenset(names), binds, is_block)


class _Body(NamedTuple):
    """What stands in a function."""

    frame: object
    """What is around its statements: its head, and its blocks."""
    ends: tuple[int, ...]
    tests: frozenset[str]
    """Names on which it depends which of its blocks run."""
    parts: tuple[tuple[_Part, ...], ...]
    """By their kind, each in the order of the text."""
    bound: dict[str, tuple[_Part, ...]]

    def all(self) -> Iterator[_Part]:
        return chain.from_iterable((*self.parts, *self.bound.values()))

    @classmethod
    def of(cls, facts: ModuleFacts, number: int) -> _Body | None:
        if number >= len(facts.functions):
            return None
        function = facts.functions[number]
        scope = facts.scopes[function.scope]
        orders: list[int] = []
        tests: set[str] = set()
        blocks = [_shape(b._replace(end=0), orders, tests) for b in scope.blocks]
        frame = (_head(function), scope.declared, scope.stars, blocks)
        parts = (
            tuple(_Part.of(site, is_block=site.kind in _BLOCKS) for site in function.sites),
            tuple(_Part.of(expr) for expr in function.values),
            tuple(_Part.of(expr) for expr in function.yields),
            tuple(_assigned(a) for a in facts.assigned if a.binding.scope == function.scope),
        )
        bound = {
            name: tuple(_Part.of(binding, binds=name) for binding in bindings)
            for name, bindings in scope.bindings.items()
        }
        ends = (*(block.end for block in scope.blocks), *orders)
        return cls(frame, ends, frozenset(tests), parts, bound)


class _Pairs:
    """Parts that are the same in two texts, with the orders of what stands in them."""

    def __init__(self) -> None:
        self._orders: list[tuple[int, int]] = []

    def ends(self, old: _Body, new: _Body) -> None:
        """Notes where the blocks end, which are the same ones."""
        self._orders.extend(zip(old.ends, new.ends, strict=True))

    def all(self, old: Iterable[_Part], new: Iterable[_Part]) -> list[_Part]:
        """Pairs the parts at both ends, and gives those in between."""
        then, now = list(old), list(new)
        while then and now and then[-1].shape == now[-1].shape:
            self._pair(then.pop(), now.pop())
        start = 0
        while start < min(len(then), len(now)) and then[start].shape == now[start].shape:
            self._pair(then[start], now[start])
            start += 1
        return [*then[start:], *now[start:]]

    def in_order(self) -> bool:
        """Whether what is the same stands in the same order."""
        orders = sorted(self._orders)
        return all((a == b) if then == now else a < b for (then, a), (now, b) in pairwise(orders))

    def _pair(self, old: _Part, new: _Part) -> None:
        self._orders.extend(zip(old.orders, new.orders, strict=True))


def _spread(changed: list[_Part], bodies: tuple[_Body, _Body]) -> frozenset[str] | None:
    """The names in changed parts, and in all that stands beside what they bind."""
    found = {name for part in changed for name in part.names}
    rest = [part for body in bodies for part in body.all()]
    found.update(name for part in rest if changed and part.is_block for name in part.names)
    todo = {part.binds for part in changed if part.binds}
    done: set[str] = set()
    while todo - done:
        done |= todo
        if any(not done.isdisjoint(body.tests) for body in bodies):
            return None
        beside = [part for part in rest if not done.isdisjoint(part.names)]
        rest = [part for part in rest if done.isdisjoint(part.names)]
        found.update(name for part in beside for name in part.names)
        todo = {part.binds for part in beside if part.binds}
    return frozenset(found)


def _head(function: Function) -> object:
    body = function._replace(sites=(), values=(), yields=(), end=0, bare=False, awaits=False)
    return _shape(body, [], set())


def _assigned(assigned: Assigned) -> _Part:
    root: Expr = assigned.target
    while isinstance(root, Attr):
        root = root.value
    return _Part.of(assigned, binds=root.id if isinstance(root, Name) else "")


def _shape(part: object, orders: list[int], names: set[str]) -> object:
    """A part without its places, which go to `orders`; its names go to `names`."""
    if isinstance(part, Name):
        orders.append(part.order)
        names.add(part.id)
        return Name, part.id, part.block
    if isinstance(part, Span):
        return None
    if isinstance(part, Binding):
        orders.append(part.order)
        part = part._replace(order=0)
    elif isinstance(part, Exit):
        part = part._replace(line=0)
    elif isinstance(part, (Attr, Assigned)):
        names.add(part.name)
    if isinstance(part, dict):
        return tuple((key, _shape(value, orders, names)) for key, value in part.items())
    if isinstance(part, tuple):
        return type(part), *(_shape(item, orders, names) for item in part)
    # `1` is not `True` to whoever is given it.
    return type(part), part


_BLOCKS = frozenset({"enter", "exit", "aenter", "aexit"})
