"""Reads a module's source into facts: one pass over its statements."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from loopsafe.facts.building import ClassBuilder, FunctionBuilder, ScopeBuilder, span_of
from loopsafe.facts.expressions import ExpressionReader
from loopsafe.facts.generics import type_parameters
from loopsafe.facts.ir import (
    UNKNOWN,
    Binary,
    Call,
    ClassRef,
    Const,
    Display,
    Element,
    Entered,
    Expr,
    FunctionRef,
    Imported,
    InstanceOf,
    ModuleFacts,
    Name,
    Narrowed,
    Subscript,
)
from loopsafe.facts.once import kept_behind, kept_by
from loopsafe.facts.recover import SyntaxProblem, parse
from loopsafe.model import Span


def extract(source: str) -> ModuleFacts:
    """The facts of a module's source; what does not parse is left out and named in `problems`."""
    parsed = parse(source)
    return extract_tree(parsed.tree, parsed.problems)


def extract_tree(tree: ast.Module, problems: tuple[SyntaxProblem, ...] = ()) -> ModuleFacts:
    """The facts of a parsed module."""
    reader = StatementReader()
    reader.statements(tree.body)
    return ModuleFacts(
        tuple(function.frozen() for function in reader.functions),
        tuple(cls.frozen() for cls in reader.classes),
        tuple(scope.frozen() for scope in reader.scopes),
        tuple(reader.assigned),
        tuple(reader.exports) if reader.exports is not None else None,
        frozenset(reader.words),
        problems,
    )


class StatementReader(ExpressionReader):
    """Reads statements."""

    exports: list[str] | None = None

    def statements(self, body: Sequence[ast.stmt]) -> None:
        """Reads statements in order; those behind a `return` or `raise` can never run."""
        for position, node in enumerate(body):
            self.statement(node)
            rest = body[position + 1 :]
            kind = "dead" if isinstance(node, _TERMINATORS) else self._kind_behind(node, rest)
            if rest and kind:
                with self.scope.inside(kind):
                    self.statements(rest)
                return

    def statement(self, node: ast.stmt) -> None:
        read = _READERS.get(type(node))
        try:
            if read:
                read(self, node)
        except RecursionError:
            # An expression nested thousands deep is generated text: no call site hides in it.
            return

    # Definitions

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        decorators = self.expressions(node.decorator_list)
        self._type_parameters(node)
        is_async = isinstance(node, ast.AsyncFunctionDef)
        name_span = _name_span(node, "async def " if is_async else "def ")
        qualname = ".".join((*self.qualname, node.name))
        function = FunctionBuilder(node.name, qualname, name_span, 0, self.scope.number)
        function.is_async, function.decorators = is_async, decorators
        function.parameters = self.parameters(node.args)
        function.returns = self.annotation(node.returns)
        function.bare = _is_bare(node.body)
        if self.scope.kind == "class":
            function.owner = self.scope.owner
        index = self.enter_function(function)
        self.bind_name(node.name, FunctionRef(index))
        outer = self.qualname, self.receivers
        self.qualname = (*self.qualname, node.name)
        if function.owner >= 0 and function.parameters and not _is_static(decorators):
            receiver = function.parameters[0].name
            self.receivers = (*self.receivers, (receiver, self.classes[function.owner]))
        with self.reading(function):
            self.statements(node.body)
        self.qualname, self.receivers = outer

    def _class(self, node: ast.ClassDef) -> None:
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
        scope = ScopeBuilder(cls.scope, "class", self.scope.number, index)
        self.scopes.append(scope)
        # The class is bound after its body has run, but methods may name it at any time.
        outer, self.scope = self.scope, scope
        names, self.qualname = self.qualname, (*self.qualname, node.name)
        self.statements(node.body)
        self.scope, self.qualname = outer, names
        self.bind_name(node.name, ClassRef(index))

    def _type_parameters(self, node: ast.AST) -> tuple[Expr, ...]:
        """Binds what stands in brackets behind a definition's name, as `T = TypeVar("T")` would."""
        names: list[Expr] = []
        for name, bound in type_parameters(node):
            read = self.annotation(bound)
            keywords = (("bound", read),) if read is not None else ()
            self.bind_name(name, Call(_TYPE_VARIABLE, (Const(name),), keywords, Span(0, 0, 0, 0)))
            names.append(Name(name, self.scope.block, self.scope.tick()))
        return tuple(names)

    # Bindings

    def _assign(self, node: ast.Assign) -> None:
        value = self.expression(node.value)
        for target in node.targets:
            self.bind(target, value)
            if isinstance(target, ast.Name) and target.id == "__all__":
                self._export(node.value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        value = self.expression(node.value) if node.value is not None else None
        annotation = self.annotation(node.annotation)
        target = node.target
        if isinstance(target, ast.Name):
            self.bind_name(target.id, value, annotation)
        elif isinstance(target, ast.Attribute):
            self._bind_attribute(target, value if value is not None else UNKNOWN, annotation)

    def _augmented(self, node: ast.AugAssign) -> None:
        value = self.expression(node.value)
        if isinstance(node.target, ast.Name):
            name = node.target.id
            scope = self.scope
            before = Name(name, scope.block, scope.tick())
            if name == "__all__":
                self._export(node.value)
            else:
                self.bind_name(name, Binary(before, "__add__", value))
        else:
            self.expression(node.target)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.asname:
                self.bind_name(alias.asname, Imported(alias.name, None, 0))
            else:
                self.bind_name(alias.name.partition(".")[0], Imported(alias.name, None, -1))

    def _import_from(self, node: ast.ImportFrom) -> None:
        module, level = node.module or "", node.level
        for alias in node.names:
            if alias.name == "*":
                self.scope.stars.append(Imported(module, None, level))
            else:
                self.words.add(alias.name)
                self.bind_name(alias.asname or alias.name, Imported(module, alias.name, level))

    def _global(self, node: ast.Global) -> None:
        self.scope.declared.update(dict.fromkeys(node.names, 0))

    def _nonlocal(self, node: ast.Nonlocal) -> None:
        self.scope.declared.update(dict.fromkeys(node.names, self.scope.parent))

    def _type_alias(self, node: Any) -> None:
        self.bind_name(node.name.id, None, None)
        value = self.annotation(node.value)
        if value is not None:
            self.bind_name(node.name.id, value)

    # Flow

    def _expression(self, node: ast.Expr) -> None:
        self.expression(node.value)

    def _return(self, node: ast.Return) -> None:
        if node.value is not None:
            value = self.expression(node.value)
            if self.scope.blocks[self.scope.block].kind != "dead":
                self.function.values.append(value)

    def _raise(self, node: ast.Raise) -> None:
        for part in (node.exc, node.cause):
            if part is not None:
                self.expression(part)

    def _if(self, node: ast.If) -> None:
        test = self.expression(node.test)
        then, other = _branches(node.test)
        if then == "if":
            then = kept_by(node.test, node.body, self.scope.declared, self._receiver()) or then
        with self.scope.inside(then, test):
            self.narrow(node.test, True)
            self.statements(node.body)
        if node.orelse:
            with self.scope.inside(other, test):
                self.narrow(node.test, False)
                self.statements(node.orelse)
        elif isinstance(node.body[-1], _TERMINATORS):
            self.narrow(node.test, False)

    def _kind_behind(self, node: ast.stmt, rest: Sequence[ast.stmt]) -> str:
        """`once` or `lazy` for what follows an early return of a kept result."""
        if not isinstance(node, ast.If) or node.orelse or not isinstance(node.body[-1], ast.Return):
            return ""
        return kept_behind(node.test, rest, self.scope.declared, self._receiver())

    def _receiver(self) -> str:
        return self.receivers[-1][0] if self.receivers else ""

    def _assert(self, node: ast.Assert) -> None:
        self.expression(node.test)
        self.narrow(node.test, True)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        is_async = isinstance(node, ast.AsyncFor)
        iterable = self.expression(node.iter)
        self.iterate(node.iter, iterable, is_async)
        with self.scope.inside("loop"):
            self.bind(node.target, Element(iterable, is_async))
            self.statements(node.body)
        self.statements(node.orelse)

    def _while(self, node: ast.While) -> None:
        with self.scope.inside("loop"):
            self.expression(node.test)
            self.statements(node.body)
        self.statements(node.orelse)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        is_async = isinstance(node, ast.AsyncWith)
        if is_async:
            self.function.awaits = True
        managers: list[tuple[Expr, Span]] = []
        for item in node.items:
            manager = self.expression(item.context_expr)
            span = span_of(item.context_expr)
            self.site("aenter" if is_async else "enter", manager, span)
            managers.append((manager, span))
            if item.optional_vars is not None:
                self.bind(item.optional_vars, Entered(manager, is_async))
        self.statements(node.body)
        for manager, span in reversed(managers):
            self.site("aexit" if is_async else "exit", manager, span)

    def _try(self, node: Any) -> None:
        first = len(self.function.sites)
        with self.scope.inside("try"):
            self.statements(node.body)
        opening = self.function.sites[first].expr if len(self.function.sites) > first else None
        for handler in node.handlers:
            kinds = self._caught(handler.type)
            with self.scope.inside("except", opening, kinds):
                if handler.name:
                    for kind in kinds:
                        self.bind_name(handler.name, InstanceOf(kind))
                self.statements(handler.body)
        with self.scope.inside("else"):
            self.statements(node.orelse)
        self.statements(node.finalbody)

    def _caught(self, node: ast.expr | None) -> tuple[Expr, ...]:
        if node is None:
            return ()
        return self.expressions(node.elts if isinstance(node, ast.Tuple) else [node])

    def _match(self, node: ast.Match) -> None:
        subject = self.expression(node.subject)
        for case in node.cases:
            with self.scope.inside("case", subject):
                self._pattern(case.pattern, subject)
                if case.guard is not None:
                    self.expression(case.guard)
                self.statements(case.body)

    def _pattern(self, pattern: ast.pattern, subject: Expr) -> None:
        if isinstance(pattern, ast.MatchAs):
            inner = pattern.pattern
            if inner is not None:
                self._pattern(inner, subject)
            if pattern.name:
                known = isinstance(inner, ast.MatchClass)
                kind = self.expression(inner.cls) if isinstance(inner, ast.MatchClass) else None
                self.bind_name(pattern.name, InstanceOf(kind) if known and kind else subject)
            return
        if isinstance(pattern, ast.MatchClass) and isinstance(subject, Name):
            before = Name(subject.id, self.scope.block, self.scope.tick())
            self.scope.bind(subject.id, Narrowed(before, self.expression(pattern.cls), True))
        for child in ast.iter_child_nodes(pattern):
            if isinstance(child, ast.pattern):
                self._pattern(child, Element(subject, False))
        if isinstance(pattern, (ast.MatchStar, ast.MatchMapping)):
            name = pattern.name if isinstance(pattern, ast.MatchStar) else pattern.rest
            if name:
                self.bind_name(name, None)

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.bind_name(target.id, None)
            else:
                self.expression(target)

    def _export(self, node: ast.expr) -> None:
        parts = node.elts if isinstance(node, (ast.List, ast.Tuple)) else []
        names = [p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)]
        if self.scope.number == 0:
            self.exports = [*(self.exports or []), *names]


_GENERIC = Imported("typing", "Generic", 0)
_TYPE_VARIABLE = Imported("typing", "TypeVar", 0)
_TERMINATORS = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def _name_span(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, lead: str) -> Span:
    """Where the name stands, which `ast` does not say: behind the keyword, as formatters put it."""
    column = node.col_offset + len(lead)
    return Span(node.lineno, column, node.lineno, column + len(node.name.encode()))


def _is_static(decorators: tuple[Expr, ...]) -> bool:
    return any(isinstance(d, Name) and d.id == "staticmethod" for d in decorators)


def _is_bare(body: Sequence[ast.stmt]) -> bool:
    return all(
        isinstance(node, ast.Pass)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.Raise) and "NotImplemented" in ast.dump(node))
        for node in body
    )


def _branches(test: ast.expr) -> tuple[str, str]:
    """The kinds of the blocks below an `if`: most are plain, some never run here."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        then, other = _branches(test.operand)
        return ("if" if other == "else" else other), ("else" if then == "if" else then)
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    if name == "TYPE_CHECKING":
        return "typing", "else"
    if isinstance(test, ast.Constant):
        return ("if", "dead") if test.value else ("dead", "else")
    if (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
    ):
        return "main", "else"
    return "if", "else"


_READERS: dict[type, Callable[[StatementReader, Any], None]] = {
    ast.FunctionDef: StatementReader._function,
    ast.AsyncFunctionDef: StatementReader._function,
    ast.ClassDef: StatementReader._class,
    ast.Assign: StatementReader._assign,
    ast.AnnAssign: StatementReader._annotated,
    ast.AugAssign: StatementReader._augmented,
    ast.Import: StatementReader._import,
    ast.ImportFrom: StatementReader._import_from,
    ast.Global: StatementReader._global,
    ast.Nonlocal: StatementReader._nonlocal,
    ast.Expr: StatementReader._expression,
    ast.Return: StatementReader._return,
    ast.Raise: StatementReader._raise,
    ast.If: StatementReader._if,
    ast.Assert: StatementReader._assert,
    ast.For: StatementReader._for,
    ast.AsyncFor: StatementReader._for,
    ast.While: StatementReader._while,
    ast.With: StatementReader._with,
    ast.AsyncWith: StatementReader._with,
    ast.Try: StatementReader._try,
    ast.Match: StatementReader._match,
    ast.Delete: StatementReader._delete,
}
if hasattr(ast, "TryStar"):
    _READERS[ast.TryStar] = StatementReader._try
if hasattr(ast, "TypeAlias"):
    _READERS[ast.TypeAlias] = StatementReader._type_alias
