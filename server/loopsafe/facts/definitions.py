"""Definitions: functions, classes and their type parameters."""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Sequence

from loopsafe.facts.building import ClassBuilder, FunctionBuilder, ScopeBuilder
from loopsafe.facts.expressions import ExpressionReader
from loopsafe.facts.generics import type_parameters
from loopsafe.facts.ir import (
    Binding,
    Call,
    ClassRef,
    Const,
    Display,
    Expr,
    FunctionRef,
    Imported,
    Name,
    Subscript,
)
from loopsafe.model import Span, Spot

_GENERIC = Imported("typing", "Generic", 0)
_TYPE_VARIABLE = Imported("typing", "TypeVar", 0)


class DefinitionReader(ExpressionReader):
    """Reads definitions, whose bodies are statements."""

    @abstractmethod
    def statements(self, body: Sequence[ast.stmt]) -> None:
        """Reads statements in order."""

    def definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        decorators = self.expressions(node.decorator_list)
        variables = self._type_parameters(node)
        is_async = isinstance(node, ast.AsyncFunctionDef)
        name_span = _name_span(node, "async def " if is_async else "def ")
        qualname = ".".join((*self.qualname, node.name))
        function = FunctionBuilder(node.name, qualname, name_span, 0, self.scope.number)
        function.is_async, function.decorators = is_async, decorators
        function.parameters = self.parameters(node.args)
        function.returns = self.annotation(node.returns)
        function.bare, function.end = is_bare(node.body), node.end_lineno or 0
        if self.scope.kind == "class":
            function.owner = self.scope.owner
        index = self.enter_function(function)
        if variables and function.owner >= 0:
            self._keep_variables(function)
        self.bind_name(node.name, FunctionRef(index))
        self.body(node, function)
        self._decorate(node.decorator_list, decorators, FunctionRef(index))

    def _keep_variables(self, method: FunctionBuilder) -> None:
        """A method sees its own type parameters, but no other name of its class."""
        inner = self.scopes[method.scope]
        for name, bound in self.scope.bindings.items():
            value = bound[-1].value if bound else None
            if isinstance(value, Call) and value.func is _TYPE_VARIABLE:
                inner.bindings.setdefault(name, [Binding(value, None, inner.number, 0, 0)])

    def body(self, node: ast.FunctionDef | ast.AsyncFunctionDef, function: FunctionBuilder) -> None:
        """Reads the body of a function whose header was read."""
        outer = self.qualname, self.receivers
        self.qualname = (*self.qualname, node.name)
        if function.owner >= 0 and function.parameters and not _is_static(function.decorators):
            receiver = function.parameters[0].name
            self.receivers = (*self.receivers, (receiver, self.classes[function.owner]))
        with self.reading(function):
            self.statements(node.body)
        self.qualname, self.receivers = outer

    def class_definition(self, node: ast.ClassDef) -> None:
        decorators = self.expressions(node.decorator_list)
        qualname = ".".join((*self.qualname, node.name))
        span = _name_span(node, "class ")
        cls = ClassBuilder(node.name, qualname, span, len(self.scopes), self.scope.number)
        cls.decorators = decorators
        parameters = self._type_parameters(node)
        cls.bases = self.expressions(node.bases)
        if parameters:
            generic = Subscript(_GENERIC, Display("tuple", parameters))
            cls.bases = (*cls.bases, generic)
        cls.keywords = self.keywords(node.keywords)
        index = len(self.classes)
        self.classes.append(cls)
        scope = ScopeBuilder(cls.scope, "class", self.scope.number, index, self.scope.start)
        self.scopes.append(scope)
        # The class is bound after its body has run, but methods may name it at any time.
        outer, self.scope = self.scope, scope
        names, self.qualname = self.qualname, (*self.qualname, node.name)
        self.statements(node.body)
        self.scope, self.qualname = outer, names
        self.bind_name(node.name, ClassRef(index))
        self._decorate(node.decorator_list, decorators, ClassRef(index))

    def _decorate(self, nodes: list[ast.expr], decorators: tuple[Expr, ...], defined: Expr) -> None:
        """Decorators are called with what they stand above, the innermost first."""
        for node, decorator in reversed(list(zip(nodes, decorators, strict=True))):
            spot = self.spot(node)
            self.site("decorate", Call(decorator, (defined,), (), spot), spot)

    def _type_parameters(self, node: ast.AST) -> tuple[Expr, ...]:
        """Binds what stands in brackets behind a definition's name, as `T = TypeVar("T")` would."""
        names: list[Expr] = []
        for name, bound in type_parameters(node):
            read = self.annotation(bound)
            keywords = (("bound", read),) if read is not None else ()
            self.bind_name(name, Call(_TYPE_VARIABLE, (Const(name),), keywords, Spot(0, 0, 0, 0)))
            names.append(Name(name, self.scope.block, self.scope.tick()))
        return tuple(names)


def _name_span(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, lead: str) -> Span:
    """Where the name stands, which `ast` does not say: behind the keyword, as formatters put it."""
    column = node.col_offset + len(lead)
    return Span(node.lineno, column, node.lineno, column + len(node.name.encode()))


def _is_static(decorators: tuple[Expr, ...]) -> bool:
    return any(isinstance(d, Name) and d.id == "staticmethod" for d in decorators)


def is_bare(body: Sequence[ast.stmt]) -> bool:
    """Whether a body does nothing that its callers could tell."""
    return all(
        isinstance(node, (ast.Pass, ast.Delete))
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.Raise) and "NotImplemented" in ast.dump(node))
        or (isinstance(node, ast.Return) and _is_nothing(node.value))
        for node in body
    )


def _is_nothing(value: ast.expr | None) -> bool:
    """What a method gives that waits to be overridden: a constant, or a container without items."""
    if isinstance(value, (ast.List, ast.Tuple)):
        return not value.elts
    if isinstance(value, ast.Dict):
        return not value.keys
    return value is None or isinstance(value, ast.Constant)
