"""How blocks and loops end: by going on, by leaving what is around them, by `break`; and where a
generator pauses."""

from __future__ import annotations

import ast
from collections.abc import Sequence

TERMINATORS = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def leaves(body: Sequence[ast.stmt]) -> bool:
    """Whether nothing goes on behind a block, whichever way through it is taken."""
    last = body[-1]
    if isinstance(last, ast.If):
        return bool(last.orelse) and leaves(last.body) and leaves(last.orelse)
    if isinstance(last, (ast.With, ast.AsyncWith)):
        return leaves(last.body)
    if isinstance(last, ast.Try):
        ways = [last.orelse or last.body, *(handler.body for handler in last.handlers)]
        return bool(last.finalbody and leaves(last.finalbody)) or all(map(leaves, ways))
    return isinstance(last, TERMINATORS)


def breaks(body: Sequence[ast.AST]) -> bool:
    """Whether a loop may end by a `break` of its own."""
    todo = list(body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Break):
            return True
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            todo.extend(node.orelse)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.expr)):
            todo.extend(ast.iter_child_nodes(node))
    return False


def pauses(node: ast.stmt) -> bool:
    """Whether a generator comes to a `yield` in a statement, whatever happens in it before."""
    return isinstance(getattr(node, "value", None), ast.Yield)


def takes_close(handler: ast.ExceptHandler) -> bool:
    """Whether a handler gets the exception by which a generator is closed where it stands."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or _last(kind) in _CLOSING for kind in kinds)


_CLOSING = frozenset({"BaseException", "GeneratorExit", ""})


def _last(kind: ast.expr) -> str:
    return kind.id if isinstance(kind, ast.Name) else getattr(kind, "attr", "")
