"""Scopes, functions and classes while a module is read; mutable here, frozen at the end."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from loopsafe.facts.ir import (
    UNKNOWN,
    Binding,
    Block,
    Class,
    Exit,
    Expr,
    Function,
    Imported,
    Parameter,
    Scope,
    Site,
)
from loopsafe.model import Span, Spot

ANY_TIME = 1 << 30
"""The order of a use that sees every assignment, such as a name in an annotation."""


def span_of(node: ast.expr | ast.stmt) -> Span:
    """The node's own range."""
    line, column = node.lineno, node.col_offset
    return Span(line, column, node.end_lineno or line, node.end_col_offset or column)


def spot_of(node: ast.expr | ast.stmt, start: int) -> Spot:
    """The same in a function before which so many lines lie."""
    line, column = node.lineno, node.col_offset
    end, end_column = node.end_lineno or line, node.end_col_offset or column
    return Spot(line - start, column, end - start, end_column)


@dataclass(slots=True)
class ScopeBuilder:
    """A scope that is being read, with the block that is open in it."""

    number: int
    kind: str
    parent: int
    owner: int
    start: int | None = None
    """`Function.start` of the function that it lies in; None where it lies in none."""
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    declared: dict[str, int] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=lambda: [Block(-1, "body", None, (), ANY_TIME)])
    stars: list[Imported] = field(default_factory=list)
    block: int = 0
    order: int = 0

    def tick(self) -> int:
        self.order += 1
        return self.order

    def bind(self, name: str, value: Expr | None, annotation: Expr | None = None) -> None:
        binding = Binding(value, annotation, self.number, self.block, self.tick())
        self.bindings.setdefault(name, []).append(binding)

    def leaves(self, line: int, test: Expr) -> None:
        """The open block goes on behind a line of the file only where a condition fails."""
        block = self.blocks[self.block]
        leaving = Exit(line - (self.start or 0), test)
        self.blocks[self.block] = block._replace(exits=(*block.exits, leaving))

    @contextmanager
    def inside(
        self, kind: str, test: Expr | None = None, catches: tuple[Expr, ...] = ()
    ) -> Iterator[None]:
        """Opens a block, and closes it at the end of the `with`."""
        outer = self.block
        self.block = len(self.blocks)
        self.blocks.append(Block(outer, kind, test, catches, ANY_TIME))
        index = self.block
        try:
            yield
        finally:
            self.blocks[index] = self.blocks[index]._replace(end=self.order)
            self.block = outer

    def depends_on(self, test: Expr) -> None:
        """Tells the condition of the block that is open."""
        self.blocks[self.block] = self.blocks[self.block]._replace(test=test)

    def frozen(self) -> Scope:
        return Scope(
            self.kind,
            self.parent,
            self.owner,
            {name: tuple(found) for name, found in self.bindings.items()},
            self.declared,
            tuple(self.blocks),
            tuple(self.stars),
        )


@dataclass(slots=True)
class FunctionBuilder:
    """A function that is being read."""

    name: str
    qualname: str
    span: Span
    scope: int
    outer: int
    owner: int = -1
    is_async: bool = False
    parameters: tuple[Parameter, ...] = ()
    returns: Expr | None = None
    decorators: tuple[Expr, ...] = ()
    sites: list[Site] = field(default_factory=list)
    values: list[Expr] = field(default_factory=list)
    returned: list[tuple[int, int]] = field(default_factory=list)
    yields: list[Expr] = field(default_factory=list)
    is_generator: bool = False
    awaits: bool = False
    bare: bool = False
    end: int = 0
    start: int = 0

    def gives(self, value: Expr, block: int, line: int) -> None:
        """It returns a value, in a block and in a line of the file.

        A module returns nothing to anybody: where such code stands does not matter.
        """
        self.values.append(value)
        self.returned.append((block, line - self.start if self.scope else 0))

    def frozen(self) -> Function:
        return Function(
            self.name,
            self.qualname,
            self.span,
            self.start,
            self.is_async,
            self.is_generator,
            self.parameters,
            self.returns,
            self.decorators,
            self.scope,
            self.outer,
            self.owner,
            tuple(self.sites),
            tuple(self.values),
            tuple(self.returned),
            tuple(self.yields),
            self.awaits,
            self.bare,
            self.end,
        )


@dataclass(slots=True)
class ClassBuilder:
    """A class that is being read."""

    name: str
    qualname: str
    span: Span
    scope: int
    outer: int
    bases: tuple[Expr, ...] = ()
    keywords: tuple[tuple[str | None, Expr], ...] = ()
    decorators: tuple[Expr, ...] = ()
    attributes: dict[str, list[Binding]] = field(default_factory=dict)

    def frozen(self) -> Class:
        return Class(
            self.name,
            self.qualname,
            self.span,
            self.bases,
            self.keywords,
            self.decorators,
            self.scope,
            self.outer,
            {name: tuple(found) for name, found in self.attributes.items()},
        )


def annotation_of_text(node: ast.Constant, text: str) -> ast.expr | None:
    """The expression in a string annotation, or None where it is not one; it stands where the
    string does."""
    try:
        found = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for part in ast.walk(found):
        ast.copy_location(part, node)
    return found


__all__ = [
    "ANY_TIME",
    "UNKNOWN",
    "ClassBuilder",
    "FunctionBuilder",
    "ScopeBuilder",
    "annotation_of_text",
    "span_of",
    "spot_of",
]
