"""Which assignments reach a use of a name inside one scope.

A block that encloses the use and assigns before it hides what was assigned earlier; a loop brings
its later assignments round again. Nothing is executed: every branch counts.
"""

from __future__ import annotations

from loopsafe.facts.ir import Binding, Block, Scope


def reaching(scope: Scope, name: str, block: int, order: int) -> tuple[Binding, ...]:
    """The bindings of a name that a use at `order` in `block` may see; all where none precedes.

    None where all belong to comprehensions elsewhere: there the name is another scope's.
    """
    found = scope.bindings.get(name, ())
    if len(found) < 2 and (not found or found[0].block <= 0):
        return found
    lineage = _lineage(scope.blocks, block)
    visible = [b for b in found if _is_visible(scope.blocks, b.block, lineage)]
    before = [b for b in visible if b.order < order or b.block < 0]
    anchor = max((b.order for b in before if b.block in lineage), default=-1)
    reached = [b for b in before if b.order >= anchor or b.block < 0]
    loops = [i for i in sorted(lineage) if scope.blocks[i].kind == "loop"]
    for later in visible:
        if later.order < order or later.block < 0:
            continue
        if any(_within(scope.blocks, later.block, loop) for loop in loops) and not any(
            b.order == anchor and _within(scope.blocks, b.block, loops[-1]) for b in before
        ):
            reached.append(later)
    return tuple(reached) or tuple(visible)


def _lineage(blocks: tuple[Block, ...], block: int) -> set[int]:
    lineage = set()
    while block >= 0:
        lineage.add(block)
        block = blocks[block].parent
    return lineage


def _is_visible(blocks: tuple[Block, ...], block: int, lineage: set[int]) -> bool:
    """A comprehension keeps its names to itself, and code that never runs binds nothing."""
    while block > 0:
        kind = blocks[block].kind
        if kind in ("comprehension", "dead") and block not in lineage:
            return False
        block = blocks[block].parent
    return True


def _within(blocks: tuple[Block, ...], block: int, outer: int) -> bool:
    while block >= 0:
        if block == outer:
            return True
        block = blocks[block].parent
    return False
