"""How blocks and loops end: by going on, by leaving what is around them, by `break`; where a
generator pauses, and what a `try` comes to its end without."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from loopsafe.facts.ir import Display, Imported, Test

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


def modules_wanted(body: Sequence[ast.stmt]) -> Test | None:
    """The condition that all is there that a `try` imports; None where it imports nothing."""
    found: list[Imported] = []
    for node in body:
        if isinstance(node, ast.Import):
            found += [Imported(alias.name, None, 0) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = (alias.name for alias in node.names)
            found += [Imported(node.module or "", name, node.level) for name in names]
    return Test("importable", Display("tuple", tuple(found))) if found else None


def catches_missing(handler: ast.ExceptHandler) -> bool:
    """Whether a handler is there for a failed import, and for nothing else."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return all(kind is not None and _last(kind) in _MISSING for kind in kinds)


_MISSING = frozenset({"ImportError", "ModuleNotFoundError"})
_CLOSING = frozenset({"BaseException", "GeneratorExit", ""})


def _last(kind: ast.expr) -> str:
    return kind.id if isinstance(kind, ast.Name) else getattr(kind, "attr", "")
