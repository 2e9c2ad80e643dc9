"""What goes into and out of a block of statements when it becomes a function of its own."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from loopsafe.fixes.assignment import Assignment
from loopsafe.fixes.names import (
    COMPREHENSIONS,
    FUNCTIONS,
    TRIES,
    bound_by,
    in_comprehension,
    may_stop,
    own_nodes,
)

_SETTERS = (ast.With, ast.AsyncWith, ast.For, ast.AsyncFor, ast.ExceptHandler)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_SUSPENDS = (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Yield, ast.YieldFrom)
_FRAME = frozenset({"super", "__class__", "locals", "vars", "dir", "eval", "exec"})


@dataclass(frozen=True, slots=True)
class Flow:
    """How the new function is joined to the old one."""

    results: tuple[str, ...] = ()
    """Variables that it returns."""
    shared: tuple[str, ...] = ()
    """Variables that it assigns in the old function: `nonlocal`."""
    globals: tuple[str, ...] = ()
    returns: bool = False
    """Every way through the block ends in its own `return`."""


def flow_of(
    function: ast.AsyncFunctionDef,
    block: Sequence[ast.stmt],
    swallows: Callable[[ast.With], bool],
) -> Flow | None:
    """The flow of statements that follow each other; None where they cannot leave their function.

    `swallows` says of a `with` whether exceptions may end in it.
    """
    if breaks_out(block) or any(_is_tied(node) for node in _walk(block)):
        return None
    inner, bound = Assignment(block, swallows), _bound_outside(function, block)
    returns = any(isinstance(node, ast.Return) for node in _own(block))
    if returns and inner.sure is not None:
        return None
    assigned = {name for node in _own(block) for name in bound_by(node)}
    declared = _declared(function)
    repeated = _surrounds(function, block, _LOOPS)
    # In a loop around the block, a value from its last turn may be read.
    needed = _read_outside(function, block, repeated)
    needed |= inner.exposed & (assigned if repeated else bound)
    outward = {name for name in assigned - declared.keys() if name in needed}
    results: set[str] = set()
    if inner.sure is not None:
        results = outward & inner.sure - inner.exposed
        if _surrounds(function, block, TRIES):
            # A handler would see what an unfinished block had assigned already.
            results &= _assigned_last(block) | (assigned - bound)
    shared = outward - results | {n for n in assigned if declared.get(n) == "nonlocal"}
    globals_ = {n for n in assigned if declared.get(n) == "global"}
    return Flow(tuple(sorted(results)), tuple(sorted(shared)), tuple(sorted(globals_)), returns)


def suspends(statement: ast.stmt) -> bool:
    """Whether a statement waits for the loop, in its own function."""
    return any(
        isinstance(node, _SUSPENDS) or (isinstance(node, ast.comprehension) and node.is_async)
        for node in (statement, *own_nodes(statement))
    )


def breaks_out(block: Sequence[ast.stmt]) -> bool:
    """Whether a `break` or `continue` belongs to a loop around the block."""
    stack: list[ast.AST] = [*block]
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.Break, ast.Continue)):
            return True
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            stack += node.orelse
        elif not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            stack += ast.iter_child_nodes(node)
    return False


def _is_tied(node: ast.AST) -> bool:
    """Whether a node only works in its own function, or needs that to be a coroutine."""
    if isinstance(node, (*_SUSPENDS, ast.Global, ast.Nonlocal)):
        return True
    if isinstance(node, ast.comprehension):
        return bool(node.is_async)
    if may_stop(node):
        return True
    return isinstance(node, ast.Name) and node.id in _FRAME


def _walk(block: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    for statement in block:
        yield from ast.walk(statement)


def _own(block: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    for statement in block:
        yield from own_nodes(statement)


def _declared(function: ast.AsyncFunctionDef) -> dict[str, str]:
    """Names of outer scopes that the function assigns."""
    found: dict[str, str] = {}
    for node in own_nodes(function):
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            kind = "global" if isinstance(node, ast.Global) else "nonlocal"
            found.update(dict.fromkeys(node.names, kind))
    return found


def _bound_outside(function: ast.AsyncFunctionDef, block: Sequence[ast.stmt]) -> set[str]:
    inside = {id(node) for node in _walk(block)}
    outside = (node for node in own_nodes(function) if id(node) not in inside)
    return {name for node in outside for name in bound_by(node)}


def _read_outside(
    function: ast.AsyncFunctionDef, block: Sequence[ast.stmt], repeated: bool
) -> set[str]:
    """Names that the rest of the function may read after the block, in nested functions too."""
    found: set[str] = set()
    begin = (block[0].lineno, block[0].col_offset)
    stack: list[tuple[ast.AST, frozenset[str], bool]] = [(function, frozenset(), repeated)]
    while stack:
        node, own, late = stack.pop()
        if isinstance(node, ast.Name):
            is_after = late or (node.lineno, node.col_offset) > begin
            if is_after and not isinstance(node.ctx, ast.Store):
                found |= {node.id} - own
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            found |= {node.target.id} - own
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            found |= set(node.names)
        late = late or (isinstance(node, FUNCTIONS) and node is not function)
        stack += [(child, names, late) for child, names in _inside(node, own, block)]
    return found


def _inside(
    node: ast.AST, own: frozenset[str], block: Sequence[ast.stmt]
) -> Iterator[tuple[ast.AST, frozenset[str]]]:
    """What is in a node, with the variables that are surely set anew before it is reached."""
    if isinstance(node, COMPREHENSIONS):
        yield from ((part, own | names) for part, names in in_comprehension(node))
        return
    if isinstance(node, _SETTERS) and not _holds(node, block):
        own |= _set_for_body(node)
    for _, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            yield value, own
        elif isinstance(value, list):
            known = own
            for child in value:
                is_part = any(child is statement for statement in block)
                if is_part or (isinstance(child, ast.stmt) and _holds(child, block)):
                    known = frozenset()  # The block may have set them since.
                if isinstance(child, ast.AST) and not is_part:
                    yield child, known
                if is_part:
                    continue
                if isinstance(child, ast.Assign):
                    known |= {name for target in child.targets for name in _names(target)}
                elif isinstance(child, ast.AnnAssign) and child.value is not None:
                    known |= _names(child.target)
                elif isinstance(child, (ast.Import, ast.ImportFrom)):
                    known |= set(bound_by(child))


def _names(target: ast.expr) -> frozenset[str]:
    """The variables that an assignment sets."""
    if isinstance(target, ast.Name):
        return frozenset((target.id,))
    if isinstance(target, (ast.Tuple, ast.List)):
        return frozenset().union(*map(_names, target.elts))
    return _names(target.value) if isinstance(target, ast.Starred) else frozenset()


def _holds(node: ast.AST, block: Sequence[ast.stmt]) -> bool:
    return any(inner is block[0] for inner in ast.walk(node))


def _set_for_body(
    node: ast.With | ast.AsyncWith | ast.For | ast.AsyncFor | ast.ExceptHandler,
) -> set[str]:
    """The variables that a statement sets before its body can read them."""
    if isinstance(node, ast.ExceptHandler):
        return set(bound_by(node))
    if isinstance(node, (ast.For, ast.AsyncFor)):
        targets: list[ast.expr | None] = [node.target]
    else:
        targets = [item.optional_vars for item in node.items]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _assigned_last(block: Sequence[ast.stmt]) -> set[str]:
    """Names that only the block's very last statement assigns."""
    last = block[-1]
    while isinstance(last, ast.With):
        last = last.body[-1]
    at_end = {id(node) for node in ast.walk(last)}
    names = {name for node in own_nodes(last) for name in bound_by(node)}
    before = (node for node in _own(block) if id(node) not in at_end)
    return names - {name for node in before for name in bound_by(node)}


def _surrounds(
    function: ast.AsyncFunctionDef, block: Sequence[ast.stmt], kinds: tuple[type[ast.AST], ...]
) -> bool:
    return any(
        isinstance(node, kinds) and node is not block[0] and _holds(node, block)
        for node in own_nodes(function)
    )
