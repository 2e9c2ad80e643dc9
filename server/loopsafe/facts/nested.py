"""Expressions with code of their own inside: lambdas, comprehensions, and what generators give."""

from __future__ import annotations

import ast
from abc import abstractmethod

from loopsafe.facts.building import FunctionBuilder, span_of
from loopsafe.facts.ir import UNKNOWN, Comprehension, Element, Expr, FunctionRef, Parameter, Starred
from loopsafe.facts.targets import TargetReader


class NestedReader(TargetReader):
    """Reads lambdas, comprehensions and yields."""

    @abstractmethod
    def annotation(self, node: ast.expr | None) -> Expr | None:
        """The facts of an annotation."""

    def parameters(self, args: ast.arguments) -> tuple[Parameter, ...]:
        """Parameters with annotations and defaults, read in the scope around the function."""
        positional = [*args.posonlyargs, *args.args]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(args.defaults))
        found = [
            self._parameter(arg, "positional", default)
            for arg, default in zip(positional, [*defaults, *args.defaults], strict=True)
        ]
        if args.vararg:
            found.append(self._parameter(args.vararg, "args", None))
        for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            found.append(self._parameter(arg, "keyword", default))
        if args.kwarg:
            found.append(self._parameter(args.kwarg, "kwargs", None))
        return tuple(found)

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> Expr:
        return self._generators(node, list(node.generators))

    def _generators(
        self,
        node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp,
        generators: list[ast.comprehension],
    ) -> Expr:
        """Reads the clauses from the outermost in, each in the block of the one before."""
        if not generators:
            if isinstance(node, ast.DictComp):
                key = self.expression(node.key)
                return Comprehension("dict", self.expression(node.value), key)
            return Comprehension(_COMPREHENSIONS[type(node)], self.expression(node.elt), None)
        clause = generators.pop(0)
        iterable = self.expression(clause.iter)
        self.iterate(clause.iter, iterable, bool(clause.is_async))
        with self.scope.inside("comprehension"):
            self.bind(clause.target, Element(iterable, bool(clause.is_async)))
            for condition in clause.ifs:
                self.truth(condition, self.expression(condition))
                self.narrow(condition, True)
            return self._generators(node, generators)

    def iterate(self, node: ast.expr, iterable: Expr, is_async: bool) -> None:
        """Notes the iteration over a value."""
        if is_async:
            self.function.awaits = True
        self.site("aiterate" if is_async else "iterate", iterable, self.spot(node))

    def lambda_expression(self, node: ast.Lambda) -> Expr:
        qualname = ".".join((*self.qualname, "<lambda>"))
        function = FunctionBuilder("<lambda>", qualname, span_of(node), 0, self.scope.number)
        function.parameters = self.parameters(node.args)
        index = self.enter_function(function)
        annotating, self.reading_annotation = self.reading_annotation, False
        with self.reading(function):
            function.gives(self.expression(node.body), 0, node.lineno)
        self.reading_annotation = annotating
        return FunctionRef(index)

    def starred(self, node: ast.Starred) -> Expr:
        value = self.expression(node.value)
        self.iterate(node.value, value, False)
        return Starred(value)

    def yield_expression(self, node: ast.Yield) -> Expr:
        self.function.is_generator = True
        if node.value is not None:
            self.function.yields.append(self.expression(node.value))
        return UNKNOWN

    def yield_from(self, node: ast.YieldFrom) -> Expr:
        self.function.is_generator = True
        value = self.expression(node.value)
        self.iterate(node.value, value, False)
        self.function.yields.append(Element(value, False))
        return UNKNOWN

    def _parameter(self, arg: ast.arg, kind: str, default: ast.expr | None) -> Parameter:
        value = self.expression(default) if default is not None else None
        return Parameter(arg.arg, kind, self.annotation(arg.annotation), value)


_COMPREHENSIONS: dict[type, str] = {
    ast.ListComp: "list",
    ast.SetComp: "set",
    ast.GeneratorExp: "generator",
}
