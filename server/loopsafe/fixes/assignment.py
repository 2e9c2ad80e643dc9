"""Definite assignment: which names a block may read before it sets them, and which it surely sets.

Where branches meet, only what all of them set counts as set; a loop's body may not run at all.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from loopsafe.fixes.names import bound_by

Names = frozenset[str]


class Assignment:
    """The answer for one statement."""

    def __init__(self, block: ast.stmt) -> None:
        self.exposed: set[str] = set()
        """Names whose value from before the block may be read in it."""
        self.sure: Names = self._statement(block, frozenset())
        """Names that are set once the block has ended by itself."""

    def _block(self, body: Iterable[ast.stmt], done: Names) -> Names:
        for statement in body:
            done = self._statement(statement, done)
        return done

    def _statement(self, node: ast.stmt, done: Names) -> Names:
        if isinstance(node, ast.With):
            for item in node.items:
                self._read(item.context_expr, done)
                done = self._set(item.optional_vars, done)
            return self._block(node.body, done)
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            return self._assigned(node, done)
        if isinstance(node, ast.If):
            self._read(node.test, done)
            return self._block(node.body, done) & self._block(node.orelse, done)
        if isinstance(node, ast.For):
            self._read(node.iter, done)
            self._block(node.body, self._set(node.target, done))
            self._block(node.orelse, done)
            return done
        if isinstance(node, ast.Try):
            return self._tried(node, done)
        self._read(node, done)
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

    def _tried(self, node: ast.Try, done: Names) -> Names:
        """Any part of the body may have run when a handler does."""
        self._block(node.orelse, self._block(node.body, done))
        for handler in node.handlers:
            if handler.type:
                self._read(handler.type, done)
            self._block(handler.body, done | set(bound_by(handler)))
        return self._block(node.finalbody, done)

    def _read(self, part: ast.AST, done: Names) -> None:
        for node in ast.walk(part):
            read = node.target if isinstance(node, ast.AugAssign) else node
            if isinstance(read, ast.Name) and (read is not node or not _is_store(read)):
                self.exposed |= {read.id} - done

    def _set(self, target: ast.expr | None, done: Names) -> Names:
        if target is None:
            return done
        self._read(target, done)
        names = (node for node in ast.walk(target) if isinstance(node, ast.Name))
        return done | {node.id for node in names if _is_store(node)}


def _is_store(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)
