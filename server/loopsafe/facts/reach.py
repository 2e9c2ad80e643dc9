"""Which assignments reach a use of a name inside one scope.

A block that encloses the use and assigns before it hides what was assigned earlier; a loop brings
its later assignments round again. Nothing is executed: every branch counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from loopsafe.facts.ir import (
    Binding,
    Block,
    Choice,
    Expr,
    ModuleFacts,
    Narrowed,
    Scope,
    Test,
)

_BRANCHES = frozenset({"if", "else", "case", "except", "once", "own", "lazy", "main", "typing"})
"""Blocks of which, below one condition, only one runs."""


def reaching(scope: Scope, name: str, block: int, order: int) -> tuple[Binding, ...]:
    """The bindings of a name that a use at `order` in `block` may see; all where none precedes.

    None where all belong to comprehensions elsewhere: there the name is another scope's.
    """
    found = scope.bindings.get(name, ())
    if not found or (len(found) == 1 and found[0].block <= 0 and not _narrows(found[0])):
        return found
    lineage = _lineage(scope.blocks, block)
    visible = [
        b
        for b in found
        if _is_visible(scope.blocks, b.block, lineage) and (b.block in lineage or not _narrows(b))
    ]
    before = [b for b in visible if b.order < order or b.block < 0]
    anchor = max((b.order for b in before if b.block in lineage), default=-1)
    anchor = max(anchor, _bound_by_both(scope.blocks, before, lineage))
    reached = [b for b in before if b.order >= anchor or b.block < 0]
    loops = [i for i in sorted(lineage) if scope.blocks[i].kind == "loop"]
    for later in visible:
        if later.order < order or later.block < 0:
            continue
        if any(encloses(scope.blocks, loop, later.block) for loop in loops) and not any(
            b.order == anchor and encloses(scope.blocks, loops[-1], b.block) for b in before
        ):
            reached.append(later)
    return tuple(reached) or tuple(b for b in visible if not _narrows(b))


def _bound_by_both(blocks: tuple[Block, ...], before: list[Binding], lineage: set[int]) -> int:
    """The order from which a name has been bound whichever branch of a condition ran; or -1."""
    sure: dict[int, int] = {}
    for binding in before:
        if binding.block > 0 and binding.block not in lineage and not _narrows(binding):
            sure[binding.block] = min(binding.order, sure.get(binding.block, binding.order))
    found = -1
    # Inner conditions come first, since a block is numbered before those inside it.
    for index in sorted(sure, reverse=True) if len(sure) > 1 else ():
        found = max(found, _settle(blocks, sure, lineage, index))
    return found


def _settle(blocks: tuple[Block, ...], sure: dict[int, int], lineage: set[int], index: int) -> int:
    block = blocks[index]
    if block.kind != "else":
        return -1
    other = index - 1
    while other > 0 and (blocks[other].parent, blocks[other].kind) != (block.parent, "if"):
        other -= 1
    test: object = block.test
    if other not in sure or blocks[other].test != test:
        return -1
    order = min(sure[index], sure[other])
    if block.parent in lineage:
        return order
    sure[block.parent] = min(order, sure.get(block.parent, order))
    return _settle(blocks, sure, lineage, block.parent)


def conditions_around(
    scope: Scope, block: int, line: int, kinds: Collection[str]
) -> Iterator[tuple[Expr, bool]]:
    """The conditions around a line of a block, of blocks of some kinds and of early ends before
    it, and whether they hold there; the nearest first."""
    while block >= 0:
        found = scope.blocks[block]
        for leaving in found.exits:
            if line > leaving.line:
                yield leaving.test, False
        if found.test is not None and found.kind in kinds:
            yield found.test, found.kind != "else"
        block = found.parent


def parts_of(test: Expr, holds: bool) -> Iterator[tuple[Expr, bool]]:
    """The conditions that one is made of, where it is known to hold or to fail, and whether they
    hold: all parts of an `and` do with it, all of an `or` fail with it."""
    if isinstance(test, Test) and test.kind == "not":
        yield from parts_of(test.value, not holds)
    elif isinstance(test, Choice) and test.op == ("and" if holds else "or"):
        for option in test.options:
            yield from parts_of(option, holds)
    else:
        yield test, holds


def scopes_around(facts: ModuleFacts, scope: int) -> Iterator[int]:
    """A scope, and those that it lies in, up to the module's."""
    while scope >= 0:
        yield scope
        scope = facts.scopes[scope].parent


def encloses(blocks: tuple[Block, ...], outer: int, block: int) -> bool:
    """Whether a block is another one or lies in it."""
    while block >= 0:
        if block == outer:
            return True
        block = blocks[block].parent
    return False


def _lineage(blocks: tuple[Block, ...], block: int) -> set[int]:
    lineage = set()
    while block >= 0:
        lineage.add(block)
        block = blocks[block].parent
    return lineage


def _is_visible(blocks: tuple[Block, ...], block: int, lineage: set[int]) -> bool:
    """A comprehension keeps its names to itself, and so does a branch from its other branches.

    Code that never runs binds nothing.
    """
    while block > 0 and block not in lineage:
        found = blocks[block]
        if found.kind in ("comprehension", "dead"):
            return False
        test: object = found.test  # To type checkers, comparing two expressions takes minutes.
        if (
            found.kind in _BRANCHES
            and test is not None
            and any(
                i > 0
                and blocks[i].parent == found.parent
                and blocks[i].test == test
                and _are_of_one(blocks, block, i)
                for i in lineage
            )
        ):
            return False
        block = found.parent
    return True


def _are_of_one(blocks: tuple[Block, ...], one: int, other: int) -> bool:
    """Whether two branches of equal conditions side by side are of one statement.

    There may be two statements with the same condition: `if sys.version_info >= (3, 11):`.
    """
    first, last = min(one, other), max(one, other)
    if blocks[last].kind in ("case", "except"):
        return True
    around = blocks[last].parent
    between = any(
        blocks[i].parent == around and blocks[i].kind in _BRANCHES for i in range(first + 1, last)
    )
    return blocks[last].kind == "else" and blocks[first].kind != "else" and not between


def _narrows(binding: Binding) -> bool:
    """Whether a binding only tells more of a value that the name has already."""
    return isinstance(binding.value, Narrowed)
