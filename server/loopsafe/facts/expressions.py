"""Reads expressions: turns `ast` nodes into facts and notes every call on the way.

Each expression is read once, in the order in which Python evaluates it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from loopsafe.facts.building import (
    ANY_TIME,
    ClassBuilder,
    FunctionBuilder,
    ScopeBuilder,
    annotation_of_text,
    span_of,
)
from loopsafe.facts.ir import (
    UNKNOWN,
    Assigned,
    Attr,
    Await,
    Binary,
    Binding,
    Call,
    Choice,
    Comprehension,
    Const,
    DictDisplay,
    Display,
    Element,
    Expr,
    Filled,
    FunctionRef,
    Item,
    Name,
    Narrowed,
    Param,
    Parameter,
    Site,
    Starred,
    Subscript,
    Typed,
    root_name,
)
from loopsafe.facts.narrowing import instance_tests
from loopsafe.model import Span


class ExpressionReader:
    """Holds what has been read of a module so far, and reads its expressions."""

    def __init__(self) -> None:
        self.scopes: list[ScopeBuilder] = [ScopeBuilder(0, "module", -1, -1)]
        self.scope = self.scopes[0]
        body = FunctionBuilder("<module>", "<module>", Span(1, 0, 1, 0), 0, 0)
        self.functions: list[FunctionBuilder] = [body]
        self.function = body
        self.classes: list[ClassBuilder] = []
        self.assigned: list[Assigned] = []
        self.words: set[str] = set()
        self.qualname: tuple[str, ...] = ()
        self.receivers: tuple[tuple[str, ClassBuilder], ...] = ()
        """First parameters of the enclosing methods, innermost last, with their classes."""
        self.reading_annotation = False

    # Reading

    def expression(self, node: ast.expr | None) -> Expr:
        """The facts of an expression; notes the sites in it."""
        if node is None:
            return UNKNOWN
        read = _READERS.get(type(node))
        return read(self, node) if read else self._others(node)

    def annotation(self, node: ast.expr | None) -> Expr | None:
        """The facts of an annotation, which runs nothing and may name what comes later."""
        if node is None:
            return None
        before, self.reading_annotation = self.reading_annotation, True
        try:
            return self.expression(node)
        finally:
            self.reading_annotation = before

    def expressions(self, nodes: Iterable[ast.expr]) -> tuple[Expr, ...]:
        return tuple(self.expression(node) for node in nodes)

    def keywords(self, nodes: Iterable[ast.keyword]) -> tuple[tuple[str | None, Expr], ...]:
        return tuple((node.arg, self.expression(node.value)) for node in nodes)

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

    def site(self, kind: str, expr: Expr, span: Span, awaited: bool = False) -> None:
        """Notes that something may run here."""
        if not self.reading_annotation:
            scope = self.scope
            self.function.sites.append(Site(kind, expr, span, scope.number, scope.block, awaited))

    def bind(self, target: ast.expr, value: Expr, annotation: Expr | None = None) -> None:
        """Assigns a value to a target of any shape."""
        if isinstance(target, ast.Name):
            self.bind_name(target.id, value, annotation)
        elif isinstance(target, ast.Attribute):
            self._bind_attribute(target, value, annotation)
        elif isinstance(target, (ast.Tuple, ast.List)):
            starred = False
            for index, part in enumerate(target.elts):
                if isinstance(part, ast.Starred):
                    starred = True
                    self.bind(part.value, Item(value, -1))
                else:
                    self.bind(part, Item(value, index - len(target.elts) - 1 if starred else index))
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value)
        elif isinstance(target, ast.Subscript):
            container = self.expression(target.value)
            self.expression(target.slice)
            self._fill(target.value, container, value)

    def bind_name(self, name: str, value: Expr | None, annotation: Expr | None = None) -> None:
        """Assigns to a name of this scope, or of the one it is declared to belong to."""
        home = self.scope.declared.get(name)
        if home is None:
            self.scope.bind(name, value, annotation)
            return
        while home > 0 and name not in self.scopes[home].bindings:
            home = self.scopes[home].parent
        binding = Binding(value, annotation, self.scope.number, -1, self.scope.tick())
        self.scopes[home].bindings.setdefault(name, []).append(binding)

    def enter_function(self, function: FunctionBuilder) -> int:
        """Makes a scope for a function and registers it; gives its index."""
        index = len(self.functions)
        self.functions.append(function)
        scope = ScopeBuilder(len(self.scopes), "function", self.scope.number, index)
        self.scopes.append(scope)
        function.scope = scope.number
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

    def narrow(self, condition: ast.expr, holds: bool) -> None:
        """Notes what a condition tells of names from here on."""
        for test in instance_tests(condition, holds):
            name = test.name.id
            before = Name(name, self.scope.block, self.scope.tick())
            # The class has been read before: its sites are known already.
            kept = len(self.function.sites)
            kind = self.expression(test.type)
            del self.function.sites[kept:]
            if name not in self.scope.declared:
                self.scope.bind(name, Narrowed(before, kind, test.holds))

    # Expressions

    def _name(self, node: ast.Name) -> Expr:
        if self.reading_annotation:
            return Name(node.id, 0, ANY_TIME)
        scope = self.scope
        return Name(node.id, scope.block, scope.tick())

    def _attribute(self, node: ast.Attribute) -> Expr:
        read = self._callee_attribute(node)
        self.site("get", read, span_of(node))
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
        if callee.attr in _FILLING and call.args:
            self._fill(callee.value, func.value, call.args[-1])
        return call

    def _called(self, node: ast.Call, func: Expr, awaited: bool) -> Call:
        span = span_of(node.func)
        args = self.expressions(node.args)
        if _last_name(func) == "cast" and args and isinstance(node.args[0], ast.Constant):
            args = (self.annotation(node.args[0]) or args[0], *args[1:])
        call = Call(func, args, self.keywords(node.keywords), span)
        self.site("call", call, span, awaited)
        return call

    def _constant(self, node: ast.Constant) -> Expr:
        value = node.value
        if self.reading_annotation and isinstance(value, str):
            inner = annotation_of_text(value)
            return self.expression(inner) if inner is not None else UNKNOWN
        return Typed("ellipsis") if isinstance(value, type(...)) else Const(value)

    def _await(self, node: ast.Await) -> Expr:
        self.function.awaits = True
        inner = node.value
        value = self._call(inner, True) if isinstance(inner, ast.Call) else self.expression(inner)
        return Await(value)

    def _subscript(self, node: ast.Subscript) -> Expr:
        value = self.expression(node.value)
        if self.reading_annotation and _is_literal(node.value):
            return Subscript(value, _literal_index(node.slice))
        return Subscript(value, self._annotated_index(value, node))

    def _annotated_index(self, value: Expr, node: ast.Subscript) -> Expr:
        index = node.slice
        if not (self.reading_annotation and _last_name(value) == "Annotated"):
            return self.expression(index)
        if not isinstance(index, ast.Tuple) or not index.elts:
            return self.expression(index)
        # The metadata of Annotated is ordinary code: strings in it are strings.
        first = self.expression(index.elts[0])
        self.reading_annotation = False
        try:
            return Display("tuple", (first, *self.expressions(index.elts[1:])))
        finally:
            self.reading_annotation = True

    def _choice(self, node: ast.IfExp) -> Expr:
        test = self.expression(node.test)
        with self.scope.inside("if", test):
            self.narrow(node.test, True)
            body = self.expression(node.body)
        with self.scope.inside("else", test):
            self.narrow(node.test, False)
            other = self.expression(node.orelse)
        return Choice((body, other))

    def _boolean(self, node: ast.BoolOp) -> Expr:
        options = [self.expression(node.values[0])]
        with self.scope.inside("if"):
            for before, value in pairwise(node.values):
                self.narrow(before, isinstance(node.op, ast.And))
                options.append(self.expression(value))
        return Choice(tuple(options))

    def _binary(self, node: ast.BinOp) -> Expr:
        left, right = self.expression(node.left), self.expression(node.right)
        return Binary(left, _OPERATORS.get(type(node.op), "__add__"), right)

    def _unary(self, node: ast.UnaryOp) -> Expr:
        value = self.expression(node.operand)
        if isinstance(node.op, ast.Not):
            return Typed("bool")
        if isinstance(node.op, ast.USub) and isinstance(value, Const):
            number = value.value
            if isinstance(number, (int, float)) and not isinstance(number, bool):
                return Const(-number)
        return value

    def _compare(self, node: ast.Compare) -> Expr:
        self.expression(node.left)
        self.expressions(node.comparators)
        return Typed("bool")

    def _joined(self, node: ast.JoinedStr) -> Expr:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.expression(part.value)
                if part.format_spec is not None:
                    self.expression(part.format_spec)
        return Typed("str")

    def _sequence(self, node: ast.Tuple | ast.List | ast.Set) -> Expr:
        return Display(type(node).__name__.lower(), self.expressions(node.elts))

    def _dict(self, node: ast.Dict) -> Expr:
        return DictDisplay(
            tuple(
                (self.expression(key) if key is not None else None, self.expression(value))
                for key, value in zip(node.keys, node.values, strict=True)
            )
        )

    def _comprehension(
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
                self.expression(condition)
                self.narrow(condition, True)
            return self._generators(node, generators)

    def iterate(self, node: ast.expr, iterable: Expr, is_async: bool) -> None:
        """Notes the iteration over a value."""
        if is_async:
            self.function.awaits = True
        self.site("aiterate" if is_async else "iterate", iterable, span_of(node))

    def _lambda(self, node: ast.Lambda) -> Expr:
        qualname = ".".join((*self.qualname, "<lambda>"))
        function = FunctionBuilder("<lambda>", qualname, span_of(node), 0, self.scope.number)
        function.parameters = self.parameters(node.args)
        index = self.enter_function(function)
        annotating, self.reading_annotation = self.reading_annotation, False
        with self.reading(function):
            function.values.append(self.expression(node.body))
        self.reading_annotation = annotating
        return FunctionRef(index)

    def _walrus(self, node: ast.NamedExpr) -> Expr:
        value = self.expression(node.value)
        self.bind(node.target, value)
        return value

    def _starred(self, node: ast.Starred) -> Expr:
        return Starred(self.expression(node.value))

    def _yield(self, node: ast.Yield) -> Expr:
        self.function.is_generator = True
        if node.value is not None:
            self.function.yields.append(self.expression(node.value))
        return UNKNOWN

    def _yield_from(self, node: ast.YieldFrom) -> Expr:
        self.function.is_generator = True
        value = self.expression(node.value)
        self.iterate(node.value, value, False)
        self.function.yields.append(Element(value, False))
        return UNKNOWN

    def _others(self, node: ast.expr) -> Expr:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expression(child)
        return UNKNOWN

    # Parts

    def _parameter(self, arg: ast.arg, kind: str, default: ast.expr | None) -> Parameter:
        value = self.expression(default) if default is not None else None
        return Parameter(arg.arg, kind, self.annotation(arg.annotation), value)

    def _fill(self, node: ast.expr, container: Expr, element: Expr) -> None:
        """Notes what is put into a container that a name or an attribute of `self` holds."""
        root = root_name(element)
        if isinstance(node, ast.Name) and isinstance(container, Name):
            home = self.scope
            while home.kind == "class" or node.id not in home.bindings:
                if home.parent < 0:
                    return
                home = self.scopes[home.parent]
            bindings = home.bindings[node.id]
        elif isinstance(node, ast.Attribute) and isinstance(container, Attr):
            receiver = node.value.id if isinstance(node.value, ast.Name) else ""
            owners = [owner for known, owner in self.receivers if known == receiver]
            if not owners:
                return
            bindings = owners[-1].attributes.setdefault(node.attr, [])
        else:
            return
        if root is not None and root != getattr(node, "id", ""):
            filled = Filled(container, element)
            scope = self.scope
            bindings.append(Binding(filled, None, scope.number, -1, scope.tick()))

    def _bind_attribute(self, target: ast.Attribute, value: Expr, annotation: Expr | None) -> None:
        scope = self.scope
        if isinstance(target.value, ast.Name):
            for receiver, owner in reversed(self.receivers):
                if receiver == target.value.id:
                    binding = Binding(value, annotation, scope.number, -1, scope.tick())
                    owner.attributes.setdefault(target.attr, []).append(binding)
                    return
        place = self.expression(target.value)
        binding = Binding(value, annotation, scope.number, -1, scope.tick())
        self.assigned.append(Assigned(place, target.attr, binding))


def _last_name(expr: Expr) -> str:
    if isinstance(expr, Name):
        return expr.id
    return expr.name if isinstance(expr, Attr) else ""


def _is_literal(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name == "Literal"


def _literal_index(node: ast.expr) -> Expr:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    values = [part.value for part in parts if isinstance(part, ast.Constant)]
    return Display("tuple", tuple(Const(v) for v in values if not isinstance(v, type(...))))


_FILLING = frozenset({"append", "appendleft", "add", "insert", "setdefault"})
"""Methods of containers that put their last argument into them."""

_COMPREHENSIONS: dict[type, str] = {
    ast.ListComp: "list",
    ast.SetComp: "set",
    ast.GeneratorExp: "generator",
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
    ast.ListComp: ExpressionReader._comprehension,
    ast.SetComp: ExpressionReader._comprehension,
    ast.GeneratorExp: ExpressionReader._comprehension,
    ast.DictComp: ExpressionReader._comprehension,
    ast.Lambda: ExpressionReader._lambda,
    ast.NamedExpr: ExpressionReader._walrus,
    ast.Starred: ExpressionReader._starred,
    ast.Yield: ExpressionReader._yield,
    ast.YieldFrom: ExpressionReader._yield_from,
}
