"""Definite assignment: which names a block may read before it sets them, and which it surely sets.

Where branches meet, only what all of them set counts as set; a loop's body may not run at all.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence

from loopsafe.fixes.names import COMPREHENSIONS, TRIES, bound_by, in_comprehension

Names = frozenset[str]


class Assignment:
    """The answer for statements that follow each other.

    `swallows` says of a `with` whether exceptions may end in it, so that its body may be half done.
    """

    def __init__(
        self, statements: Sequence[ast.stmt], swallows: Callable[[ast.With], bool]
    ) -> None:
        self._swallows = swallows
        self.exposed: set[str] = set()
        """Names whose value from before the block may be read in it."""
        self.sure: Names | None = self._block(statements, frozenset())
        """Names that are set once the block has ended by itself; None where it never does."""

    def _block(self, body: Iterable[ast.stmt], done: Names | None) -> Names | None:
        for statement in body:
            if done is None:
                break
            done = self._statement(statement, done)
        return done

    def _statement(self, node: ast.stmt, done: Names) -> Names | None:
        if isinstance(node, ast.With):
            for item in node.items:
                self._read(item.context_expr, done)
                done = self._set(item.optional_vars, done)
            ended = self._block(node.body, done)
            return done if self._swallows(node) else ended
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            return self._assigned(node, done)
        if isinstance(node, ast.If):
            self._read(node.test, done)
            return _either(self._block(node.body, done), self._block(node.orelse, done))
        if isinstance(node, ast.For):
            self._read(node.iter, done)
            self._block(node.body, self._set(node.target, done))
            self._block(node.orelse, done)
            return done
        if isinstance(node, TRIES):
            return self._tried(node, done)
        self._read(node, done)
        if isinstance(node, (ast.Return, ast.Raise, ast.Break, ast.Continue)):
            return None
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)):
            done |= set(bound_by(node))
        return done

    def _assigned(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, done: Names) -> Names:
        if node.value is None:
            return done
        self._read(node.value, done)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self.exposed |= {node.target.id} - done
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            done = self._set(target, done)
        return done

    def _tried(self, node: ast.Try, done: Names) -> Names | None:
        """Any part of the body may have run when a handler does."""
        ended = self._block(node.orelse, self._block(node.body, done))
        for handler in node.handlers:
            if handler.type:
                self._read(handler.type, done)
            caught = set(bound_by(handler))
            handled = self._block(handler.body, done | caught)
            ended = _either(ended, None if handled is None else handled - (caught - done))
        finished = self._block(node.finalbody, done)
        return None if ended is None or finished is None else ended | finished

    def _read(self, part: ast.AST, done: Names) -> None:
        stack = [(part, done)]
        while stack:
            node, known = stack.pop()
            read = node.target if isinstance(node, ast.AugAssign) else node
            if isinstance(read, ast.Name) and (read is not node or not _is_store(read)):
                self.exposed |= {read.id} - known
            if isinstance(node, COMPREHENSIONS):
                stack += [(inner, known | own) for inner, own in in_comprehension(node)]
            else:
                stack += [(inner, known) for inner in ast.iter_child_nodes(node)]

    def _set(self, target: ast.expr | None, done: Names) -> Names:
        if target is None:
            return done
        self._read(target, done)
        names = (node for node in ast.walk(target) if isinstance(node, ast.Name))
        return done | {node.id for node in names if _is_store(node)}


def _is_store(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _either(left: Names | None, right: Names | None) -> Names | None:
    """What is set where two ways meet, one of which may not lead here."""
    if left is None or right is None:
        return right if left is None else left
    return left & right
