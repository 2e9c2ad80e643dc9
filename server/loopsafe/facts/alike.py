"""Parts of a function in a form that is equal where two texts say the same of them.

What an edit moves is left out: lines, orders, and the numbers of blocks, which shift where a
block is put in. A block before the first that differs keeps its number, those behind count from
the end.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any, NamedTuple

from loopsafe.facts import ir
from loopsafe.facts.ir import Assigned, Attr, Binding, Expr, Function, Name, Site
from loopsafe.model import Span, Spot

_BLOCKS = frozenset({"enter", "exit", "aenter", "aexit"})
_PLACED = frozenset({Binding, Site, ir.Block})
_NOWHERE = Span(0, 0, 0, 0)


class Numbers(NamedTuple):
    """How the blocks of a text are told."""

    same: int
    """How many of them begin both texts."""
    total: int

    def of(self, block: int) -> int:
        """A number that means the same block in both texts."""
        return block if block < self.same else block - self.total - 1


class Part(NamedTuple):
    """A site, a binding, a result or a condition, with what it binds."""

    shape: object
    orders: tuple[int, ...]
    names: frozenset[str]
    blocks: frozenset[int]
    """Those that it names, the one in which it stands among them."""
    binds: str = ""
    line: int = 0
    """Of a site, and of the end of a block; 0 for others."""
    is_block: bool = False
    """What stands behind it in its block belongs to it, as in a `with`."""


class Block(NamedTuple):
    """A block and its conditions."""

    frame: Part
    parent: int
    end: int
    exits: tuple[Part, ...]
    """The conditions under which it ends early, with their lines."""


def same_start(old: tuple[ir.Block, ...], new: tuple[ir.Block, ...]) -> int:
    """How many blocks two scopes begin with alike."""
    reader = Reader(Numbers(max(len(old), len(new)), 0), 0)
    pairs = ((reader.frame(a).shape, reader.frame(b).shape) for a, b in zip(old, new, strict=False))
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


class Reader:
    """Reads the parts of a function, of which `scope` is the scope."""

    def __init__(self, numbers: Numbers, scope: int) -> None:
        self._numbers = numbers
        self._scope = scope
        self._clear(scope)

    def head(self, function: Function) -> object:
        """All but the body."""
        head = function._replace(
            span=_NOWHERE,
            start=0,
            sites=(),
            values=(),
            returned=(),
            yields=(),
            end=0,
            bare=False,
            awaits=False,
        )
        self._clear(function.outer)
        return self._shape(head)

    def site(self, site: Site) -> Part:
        line, is_block = site.spot.line, site.kind in _BLOCKS
        return self._part(site, site.scope)._replace(line=line, is_block=is_block)

    def expr(self, expr: Expr) -> Part:
        return self._part(expr, self._scope)

    def binding(self, binding: Binding, name: str) -> Part:
        return self._part(binding, binding.scope)._replace(binds=name)

    def assigned(self, assigned: Assigned) -> Part:
        root: Expr = assigned.target
        while isinstance(root, Attr):
            root = root.value
        part = self._part(assigned, assigned.binding.scope)
        return part._replace(binds=root.id) if isinstance(root, Name) else part

    def block(self, block: ir.Block) -> Block:
        frame = self.frame(block)
        exits = tuple(self.expr(end.test)._replace(line=end.line) for end in block.exits)
        return Block(frame, self._numbers.of(block.parent), block.end, exits)

    def frame(self, block: ir.Block) -> Part:
        """A block without where it ends."""
        return self._part(block._replace(end=0, exits=()), self._scope)

    def _part(self, part: object, scope: int) -> Part:
        self._clear(scope)
        shape = self._shape(part)
        return Part(shape, tuple(self._orders), frozenset(self._names), frozenset(self._blocks))

    def _clear(self, scope: int) -> None:
        self._orders: list[int] = []
        self._names: set[str] = set()
        self._blocks: set[int] = set()
        # The blocks of other scopes are told as they are.
        self._is_own = scope == self._scope

    def _shape(self, part: Any) -> object:
        kind = type(part)
        if kind is Name:
            self._orders.append(part.order)
            self._names.add(part.id)
            return Name, part.id, self._block(part.block)
        if kind is Spot:
            return None
        if kind in _PLACED:
            return self._placed(part)
        if kind is Attr or kind is Assigned:
            self._names.add(part.name)
        # `1` is not `True` to whoever is given it.
        return (kind, *map(self._shape, part)) if isinstance(part, tuple) else (kind, part)

    def _placed(self, part: Binding | Site | ir.Block) -> object:
        """What stands in a block."""
        if isinstance(part, ir.Block):
            return self._block(part.parent), *map(self._shape, part[1:])
        block = self._block(part.block)
        if isinstance(part, Binding):
            self._orders.append(part.order)
            part = part._replace(order=0)
        return type(part), block, *map(self._shape, part._replace(block=0))

    def _block(self, block: int) -> int:
        number = self._numbers.of(block) if self._is_own else block
        if self._is_own:
            self._blocks.add(number)
        return number
