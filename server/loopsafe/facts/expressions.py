"""Reads expressions: turns `ast` nodes into facts and notes every call on the way.

Each expression is read once, in the order in which Python evaluates it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

from loopsafe.facts.building import (
    ANY_TIME,
    annotation_of_text,
)
from loopsafe.facts.comparisons import asked
from loopsafe.facts.ir import (
    UNKNOWN,
    Attr,
    Await,
    Binary,
    Call,
    Choice,
    Const,
    DictDisplay,
    Display,
    Expr,
    Name,
    Subscript,
    Test,
    Typed,
    last_name,
)
from loopsafe.facts.nested import NestedReader
from loopsafe.facts.targets import as_attribute


class ExpressionReader(NestedReader):
    """Reads expressions."""

    # Reading

    def expression(self, node: ast.expr | None) -> Expr:
        """The facts of an expression; notes the sites in it."""
        if node is None:
            return UNKNOWN
        read = _READERS.get(type(node))
        return read(self, node) if read else self._others(node)

    def annotation(self, node: ast.expr | None, target: ast.expr | None = None) -> Expr | None:
        """The facts of an annotation, which runs nothing and may name what comes later.

        It does not mean the name that it annotates: `Client: type[Client]` has one that was there.
        """
        if node is None:
            return None
        before = self.reading_annotation, self.annotated_name
        self.reading_annotation = True
        self.annotated_name = target.id if isinstance(target, ast.Name) else ""
        try:
            return self.expression(node)
        finally:
            self.reading_annotation, self.annotated_name = before

    def expressions(self, nodes: Iterable[ast.expr]) -> tuple[Expr, ...]:
        return tuple(self.expression(node) for node in nodes)

    def keywords(self, nodes: Iterable[ast.keyword]) -> tuple[tuple[str | None, Expr], ...]:
        return tuple((node.arg, self.expression(node.value)) for node in nodes)

    # Expressions

    def _name(self, node: ast.Name) -> Expr:
        if self.reading_annotation and node.id != self.annotated_name:
            return Name(node.id, 0, ANY_TIME)
        scope = self.scope
        return Name(node.id, scope.block, scope.tick())

    def _attribute(self, node: ast.Attribute) -> Expr:
        read = self._callee_attribute(node)
        self.site("get", read, self.spot(node))
        return read

    def _callee_attribute(self, node: ast.Attribute) -> Attr:
        self.words.add(node.attr)
        return Attr(self.expression(node.value), node.attr)

    def _call(self, node: ast.Call, awaited: bool = False) -> Expr:
        callee = node.func
        if not isinstance(callee, ast.Attribute):
            return self._called(node, self.expression(callee), awaited)
        func = self._callee_attribute(callee)
        call = self._called(node, func, awaited)
        self.fill_with(callee.value, func.value, callee.attr, list(call.args))
        return call

    def _called(self, node: ast.Call, func: Expr, awaited: bool) -> Call:
        spot = self.spot(node.func)
        args = self.expressions(node.args)
        if last_name(func) == "getattr" and len(args) > 1 and isinstance(args[1], Const):
            self.words.add(str(args[1].value))
        if isinstance(func, Name) and func.id == "__import__":
            self.words.add(func.id)
        if last_name(func) == "cast" and args and isinstance(node.args[0], ast.Constant):
            args = (self.annotation(node.args[0]) or args[0], *args[1:])
        keywords = self.keywords(node.keywords)
        if last_name(func) == "TypeVar":
            keywords = tuple(map(self._bound, node.keywords, keywords))
        call = Call(func, args, keywords, spot)
        self.site("call", call, spot, awaited)
        if last_name(func) == "setattr" and len(args) == 3:
            self.set_by_name(node.args[0], args)
        return call

    def _bound(self, node: ast.keyword, read: tuple[str | None, Expr]) -> tuple[str | None, Expr]:
        """A keyword of a type variable, whose bound may name in a string what comes later."""
        is_text = node.arg == "bound" and isinstance(node.value, ast.Constant)
        return (node.arg, self.annotation(node.value) or read[1]) if is_text else read

    def _constant(self, node: ast.Constant) -> Expr:
        value = node.value
        if self.reading_annotation and isinstance(value, str):
            inner = annotation_of_text(node, value)
            return self.expression(inner) if inner is not None else UNKNOWN
        return Typed("ellipsis") if isinstance(value, type(...)) else Const(value)

    def _await(self, node: ast.Await) -> Expr:
        self.function.awaits = True
        inner = node.value
        if isinstance(inner, ast.Name):
            self.awaits_later(inner.id)
        if isinstance(inner, ast.Call):
            return Await(self._call(inner, True))
        value = self.expression(inner)
        self.site("await", value, self.spot(inner))
        return Await(value)

    def _subscript(self, node: ast.Subscript) -> Expr:
        named = as_attribute(node)
        if named is not None:
            return self._callee_attribute(named)
        value = self.expression(node.value)
        if self.reading_annotation and _is_literal(node.value):
            return Subscript(value, _literal_index(node.slice))
        key = self._annotated_index(value, node)
        self.operation("__getitem__", value, (key,), node)
        return Subscript(value, key)

    def _slice(self, node: ast.Slice) -> Expr:
        for part in (node.lower, node.upper, node.step):
            self.expression(part)
        return Typed("slice")

    def _annotated_index(self, value: Expr, node: ast.Subscript) -> Expr:
        index = node.slice
        if last_name(value) != "Annotated" or not isinstance(index, ast.Tuple) or not index.elts:
            return self.expression(index)
        # It may stand in an alias; its metadata is ordinary code, in which strings are strings.
        first = self.annotation(index.elts[0]) or UNKNOWN
        before, self.reading_annotation = self.reading_annotation, False
        try:
            return Display("tuple", (first, *self.expressions(index.elts[1:])))
        finally:
            self.reading_annotation = before

    def _choice(self, node: ast.IfExp) -> Expr:
        test = self.expression(node.test)
        self.truth(node.test, test)
        with self.scope.inside("if", test):
            self.narrow(node.test, True)
            body = self.expression(node.body)
        with self.scope.inside("else", test):
            self.narrow(node.test, False)
            other = self.expression(node.orelse)
        return Choice((body, other))

    def _boolean(self, node: ast.BoolOp) -> Expr:
        options = [self.expression(node.values[0])]
        # What follows runs only where the first one says so.
        is_and = isinstance(node.op, ast.And)
        with self.scope.inside("if" if is_and else "else", options[0]):
            for before, value in pairwise(node.values):
                self.truth(before, options[-1])
                self.narrow(before, is_and)
                options.append(self.expression(value))
        return Choice(tuple(options), "and" if is_and else "or")

    def _binary(self, node: ast.BinOp) -> Expr:
        left, right = self.expression(node.left), self.expression(node.right)
        operator = operator_of(node.op)
        self.operation(operator, left, (right,), node)
        return Binary(left, operator, right)

    def _unary(self, node: ast.UnaryOp) -> Expr:
        value = self.expression(node.operand)
        if isinstance(node.op, ast.Not):
            self.truth(node.operand, value)
            return Test("not", value)
        if isinstance(node.op, ast.USub) and isinstance(value, Const):
            number = value.value
            if isinstance(number, (int, float)) and not isinstance(number, bool):
                return Const(-number)
        return value

    def _compare(self, node: ast.Compare) -> Expr:
        left = first = self.expression(node.left)
        for operator, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.expression(comparator)
            if isinstance(operator, (ast.In, ast.NotIn)):
                self.operation("__contains__", right, (left,), comparator)
            elif type(operator) in _COMPARISONS:
                self.operation(_COMPARISONS[type(operator)], left, (right,), node)
            left = right
        return asked(node, first, left) or Typed("bool")

    def _joined(self, node: ast.JoinedStr) -> Expr:
        parts: list[Expr] = []
        for part in node.values:
            if isinstance(part, ast.Constant):
                parts.append(Const(str(part.value)))
            if isinstance(part, ast.FormattedValue):
                shown = self.expression(part.value)
                is_plain = part.conversion < 0 and part.format_spec is None
                parts.append(shown if is_plain else UNKNOWN)
                method = "__repr__" if part.conversion == ord("r") else "__format__"
                self.operation(method, shown, (), part.value)
                if part.format_spec is not None:
                    self.expression(part.format_spec)
        ends = [part.value if isinstance(part, ast.Constant) else "" for part in node.values]
        begins = str(ends[0]) if ends else ""
        is_name = begins == "." or begins.replace(".", "").isidentifier()
        whole = tuple(parts) if _may_be_name(parts) else ()
        if is_name:
            return Typed("str", begins, str(ends[-1]), whole)
        return Typed("str", parts=whole) if whole else Typed("str")

    def _sequence(self, node: ast.Tuple | ast.List | ast.Set) -> Expr:
        return Display(type(node).__name__.lower(), self.expressions(node.elts))

    def _dict(self, node: ast.Dict) -> Expr:
        return DictDisplay(
            tuple(
                (self.expression(key) if key is not None else None, self.expression(value))
                for key, value in zip(node.keys, node.values, strict=True)
            )
        )

    def _walrus(self, node: ast.NamedExpr) -> Expr:
        value = self.expression(node.value)
        self.bind(node.target, value)
        return value

    def _others(self, node: ast.expr) -> Expr:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expression(child)
        return UNKNOWN


def _is_literal(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name == "Literal"


def _literal_index(node: ast.expr) -> Expr:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    values = [part.value for part in parts if isinstance(part, ast.Constant)]
    return Display("tuple", tuple(Const(v) for v in values if not isinstance(v, type(...))))


def _may_be_name(parts: list[Expr]) -> bool:
    """Whether an f-string may name a module or a method: `f"acme.{version}.client"`."""
    texts = [str(part.value) for part in parts if isinstance(part, Const)]
    others = [part for part in parts if not isinstance(part, Const)]
    is_short = len(parts) <= _MOST_PARTS and all(map(_is_word, others))
    return (
        is_short
        and bool(others)
        and all(t.replace(".", "_").isidentifier() or not t.strip("_.0123456789") for t in texts)
    )


def _is_word(part: Expr) -> bool:
    """Whether a part of an f-string may be one word: a name, or another spelling of it."""
    if isinstance(part, Call) and isinstance(part.func, Attr):
        return part.func.name in _SPELLINGS and not part.args and not part.keywords
    return isinstance(part, (Name, Attr))


_SPELLINGS = ("lower", "upper", "capitalize", "title")
_MOST_PARTS = 5
"""More parts make a sentence or an address, not a name."""


def operator_of(operator: ast.operator) -> str:
    """The method that a binary operator stands for: `__add__`."""
    return _OPERATORS[type(operator)]


_COMPARISONS: dict[type, str] = {
    ast.Eq: "__eq__",
    ast.NotEq: "__ne__",
    ast.Lt: "__lt__",
    ast.LtE: "__le__",
    ast.Gt: "__gt__",
    ast.GtE: "__ge__",
}

_OPERATORS: dict[type, str] = {
    ast.Add: "__add__",
    ast.Sub: "__sub__",
    ast.Mult: "__mul__",
    ast.MatMult: "__matmul__",
    ast.Div: "__truediv__",
    ast.FloorDiv: "__floordiv__",
    ast.Mod: "__mod__",
    ast.Pow: "__pow__",
    ast.LShift: "__lshift__",
    ast.RShift: "__rshift__",
    ast.BitAnd: "__and__",
    ast.BitOr: "__or__",
    ast.BitXor: "__xor__",
}

_READERS: dict[type, Callable[[ExpressionReader, Any], Expr]] = {
    ast.Name: ExpressionReader._name,
    ast.Attribute: ExpressionReader._attribute,
    ast.Call: ExpressionReader._call,
    ast.Constant: ExpressionReader._constant,
    ast.Await: ExpressionReader._await,
    ast.Subscript: ExpressionReader._subscript,
    ast.Slice: ExpressionReader._slice,
    ast.IfExp: ExpressionReader._choice,
    ast.BoolOp: ExpressionReader._boolean,
    ast.BinOp: ExpressionReader._binary,
    ast.UnaryOp: ExpressionReader._unary,
    ast.Compare: ExpressionReader._compare,
    ast.JoinedStr: ExpressionReader._joined,
    ast.Tuple: ExpressionReader._sequence,
    ast.List: ExpressionReader._sequence,
    ast.Set: ExpressionReader._sequence,
    ast.Dict: ExpressionReader._dict,
    ast.ListComp: ExpressionReader.comprehension,
    ast.SetComp: ExpressionReader.comprehension,
    ast.GeneratorExp: ExpressionReader.comprehension,
    ast.DictComp: ExpressionReader.comprehension,
    ast.Lambda: ExpressionReader.lambda_expression,
    ast.NamedExpr: ExpressionReader._walrus,
    ast.Starred: ExpressionReader.starred,
    ast.Yield: ExpressionReader.yield_expression,
    ast.YieldFrom: ExpressionReader.yield_from,
}
