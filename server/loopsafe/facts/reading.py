"""What has been read of a module so far: scopes, functions, classes, and where the reader is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

from loopsafe.facts.building import ClassBuilder, FunctionBuilder, ScopeBuilder, spot_of
from loopsafe.facts.ir import (
    Assigned,
    Attr,
    Binding,
    Call,
    Choice,
    ClassRef,
    Comprehension,
    Const,
    DictDisplay,
    Display,
    Expr,
    FunctionRef,
    HasKey,
    Param,
    Same,
    Site,
    Test,
    Typed,
    Unknown,
)
from loopsafe.model import Span, Spot

_BUILT_IN = (
    Const,
    Typed,
    Display,
    DictDisplay,
    Comprehension,
    FunctionRef,
    ClassRef,
    HasKey,
    Same,
    Test,
    Unknown,
)
"""Operands whose operators run no code that could be looked into."""

_ASKED = (ast.Name, ast.Attribute, ast.Subscript, ast.Call)
"""What may be an object whose class says whether it is true."""

_PREDICATES = frozenset(
    ("isinstance", "issubclass", "hasattr", "callable", "len", "any", "all", "bool", "int", "str")
)
"""Functions of the language that most conditions call: what they give is plain."""


def _is_predicate(node: ast.expr) -> bool:
    callee = node.func if isinstance(node, ast.Call) else None
    return isinstance(callee, ast.Name) and callee.id in _PREDICATES


class Reading:
    """The state of one pass, and the ways to add to it."""

    def __init__(self) -> None:
        self.scopes: list[ScopeBuilder] = [ScopeBuilder(0, "module", -1, -1)]
        self.scope = self.scopes[0]
        body = FunctionBuilder("<module>", "<module>", Span(1, 0, 1, 0), 0, 0)
        self.functions: list[FunctionBuilder] = [body]
        self.function = body
        self.classes: list[ClassBuilder] = []
        self.assigned: list[Assigned] = []
        self.fillings: list[tuple[str, Binding]] = []
        """What is put into containers that names hold."""
        self.words: set[str] = set()
        self.qualname: tuple[str, ...] = ()
        self.receivers: tuple[tuple[str, ClassBuilder], ...] = ()
        """First parameters of the enclosing methods, innermost last, with their classes."""
        self.reading_annotation = False
        self.annotated_name = ""
        """What the annotation that is read is of, where that is a name."""

    def spot(self, node: ast.expr | ast.stmt) -> Spot:
        """Where a node stands in the function that is read."""
        return spot_of(node, self.scope.start or 0)

    def site(self, kind: str, expr: Expr, spot: Spot, awaited: bool = False) -> None:
        """Notes that something may run here."""
        if not self.reading_annotation:
            scope = self.scope
            self.function.sites.append(Site(kind, expr, spot, scope.number, scope.block, awaited))

    def awaits_later(self, name: str) -> None:
        """Notes that what a name of this scope is bound to is awaited."""
        calls = {
            id(b.value) for b in self.scope.bindings.get(name, ()) if isinstance(b.value, Call)
        }
        sites = self.function.sites
        for index, site in enumerate(sites) if calls else ():
            if site.kind == "call" and id(site.expr) in calls:
                sites[index] = site._replace(awaited_later=True)

    def operation(self, method: str, operand: Expr, args: tuple[Expr, ...], node: ast.expr) -> None:
        """Notes that an operator may run a method of its operand."""
        if not isinstance(operand, _BUILT_IN):
            spot = self.spot(node)
            self.site("operator", Call(Attr(operand, method), args, (), spot), spot)

    def truth(self, node: ast.expr, read: Expr) -> None:
        """Notes that a condition asks an object whether it is true."""
        if isinstance(node, ast.BoolOp) and isinstance(read, Choice):
            self.truth(node.values[-1], read.options[-1])
        elif isinstance(node, _ASKED) and not _is_predicate(node):
            self.operation("__bool__", read, (), node)

    def bind_name(self, name: str, value: Expr | None, annotation: Expr | None = None) -> None:
        """Assigns to a name of this scope, or of the one it is declared to belong to."""
        home = self.scope.declared.get(name)
        if home is None:
            self.scope.bind(name, value, annotation)
            return
        while home > 0 and name not in self.scopes[home].bindings:
            home = self.scopes[home].parent
        self._bind_in(home, name, value, annotation)

    def bind_global(self, name: str, value: Expr | None, annotation: Expr | None = None) -> None:
        """Assigns to a name of the module, from wherever that stands."""
        if self.scope.number == 0:
            self.scope.bind(name, value, annotation)
        else:
            self._bind_in(0, name, value, annotation)

    def _bind_in(self, home: int, name: str, value: Expr | None, annotation: Expr | None) -> None:
        binding = Binding(value, annotation, self.scope.number, -1, self.scope.tick())
        self.scopes[home].bindings.setdefault(name, []).append(binding)

    def enter_function(self, function: FunctionBuilder) -> int:
        """Makes a scope for a function and registers it; gives its index."""
        index = len(self.functions)
        self.functions.append(function)
        outer = self.scope
        start = function.span.line - 1 if outer.start is None else outer.start
        scope = ScopeBuilder(len(self.scopes), "function", outer.number, index, start)
        self.scopes.append(scope)
        function.scope, function.start = scope.number, start
        for position, parameter in enumerate(function.parameters):
            given = Binding(Param(position), None, scope.number, 0, 0)
            scope.bindings[parameter.name] = [given]
        return index

    @contextmanager
    def reading(self, function: FunctionBuilder) -> Iterator[None]:
        """Makes a function the one whose body is read."""
        outer = self.function, self.scope
        self.function, self.scope = function, self.scopes[function.scope]
        try:
            yield
        finally:
            self.function, self.scope = outer
