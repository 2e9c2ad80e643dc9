"""Reads a module's source into facts: one pass over its statements."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from loopsafe.facts.endings import (
    TERMINATORS,
    breaks,
    catches_missing,
    leaves,
    modules_wanted,
    pauses,
    takes_close,
)
from loopsafe.facts.ir import (
    BEGUN,
    HELD,
    Attr,
    Call,
    Element,
    Entered,
    Expr,
    InstanceOf,
    ModuleFacts,
    Name,
    Test,
)
from loopsafe.facts.once import Surroundings, kept_after, kept_behind, kept_by
from loopsafe.facts.patterns import PatternReader
from loopsafe.facts.recover import SyntaxProblem, parse
from loopsafe.model import Spot


def extract(source: str) -> ModuleFacts:
    """The facts of a module's source; what does not parse is left out and named in `problems`."""
    parsed = parse(source)
    return extract_tree(parsed.tree, parsed.problems)


def extract_tree(tree: ast.Module, problems: tuple[SyntaxProblem, ...] = ()) -> ModuleFacts:
    """The facts of a parsed module."""
    reader = StatementReader()
    reader.statements(tree.body)
    reader.settle_fillings()
    return ModuleFacts(
        tuple(function.frozen() for function in reader.functions),
        tuple(cls.frozen() for cls in reader.classes),
        tuple(scope.frozen() for scope in reader.scopes),
        tuple(reader.assigned),
        tuple(reader.exports) if reader.exports is not None else None,
        frozenset(reader.words),
        problems,
    )


class StatementReader(PatternReader):
    """Reads statements."""

    def statements(self, body: Sequence[ast.stmt]) -> None:
        """Reads statements in order; those behind a `return` or `raise` can never run."""
        for position, node in enumerate(body):
            self.statement(node)
            if pauses(node):
                self.scope.leaves(node.end_lineno or node.lineno, BEGUN)
            rest = body[position + 1 :]
            kind = "dead" if isinstance(node, TERMINATORS) else self._kind_behind(node, rest)
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

    def _expression(self, node: ast.Expr) -> None:
        self.expression(node.value)

    def _return(self, node: ast.Return) -> None:
        if node.value is not None:
            value = self.expression(node.value)
            if self.scope.blocks[self.scope.block].kind != "dead":
                self.function.gives(value, self.scope.block, node.lineno)

    def _raise(self, node: ast.Raise) -> None:
        for part in (node.exc, node.cause):
            read = self.expression(part)
            if isinstance(read, (Name, Attr)) and part is not None:
                # A class is made into an exception.
                spot = self.spot(part)
                self.site("call", Call(read, (), (), spot), spot)

    def _if(self, node: ast.If) -> None:
        test = self.expression(node.test)
        self.truth(node.test, test)
        then, other = _branches(node.test)
        if then == "if":
            then = kept_by(node.test, node.body, self._surroundings()) or then
        with self.scope.inside(then, test):
            self.narrow(node.test, True)
            self.statements(node.body)
        if node.orelse:
            with self.scope.inside(other, test):
                self.narrow(node.test, False)
                self.statements(node.orelse)
        elif leaves(node.body):
            self.narrow(node.test, False)
            self.scope.leaves(node.end_lineno or node.lineno, test)

    def _kind_behind(self, node: ast.stmt, rest: Sequence[ast.stmt]) -> str:
        """`once`, `own` or `lazy` for what follows an early return of a kept result, which may be
        asked for under a lock."""
        while isinstance(node, (ast.With, ast.AsyncWith)):
            node = node.body[-1]
        if not isinstance(node, ast.If) or node.orelse or not isinstance(node.body[-1], ast.Return):
            return ""
        return kept_behind(node.test, rest, self._surroundings())

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            self.receivers[-1][0] if self.receivers else "",
            self.scope.declared,
            self.scope.bindings if self.scope.kind == "function" else {},
            self.scopes[0].bindings,
        )

    def _assert(self, node: ast.Assert) -> None:
        self.truth(node.test, self.expression(node.test))
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
            test = self.expression(node.test)
            self.scope.depends_on(test)
            self.truth(node.test, test)
            self.narrow(node.test, True)
            if _branches(node.test)[0] == "dead":
                with self.scope.inside("dead"):
                    self.statements(node.body)
            else:
                self.statements(node.body)
        if not breaks(node.body):
            self.scope.leaves(node.body[-1].end_lineno or node.lineno, test)
        self.statements(node.orelse)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        is_async = isinstance(node, ast.AsyncWith)
        if is_async:
            self.function.awaits = True
        managers: list[tuple[Expr, Spot]] = []
        for item in node.items:
            manager = self.expression(item.context_expr)
            spot = self.spot(item.context_expr)
            self.site("aenter" if is_async else "enter", manager, spot)
            managers.append((manager, spot))
            if item.optional_vars is not None:
                self.bind(item.optional_vars, Entered(manager, is_async))
        self.statements(node.body)
        for manager, spot in reversed(managers):
            self.site("aexit" if is_async else "exit", manager, spot)

    def _try(self, node: Any) -> None:
        first = len(self.function.sites)
        tried = len(self.scope.blocks)
        with self.scope.inside("try"):
            self.statements(node.body)
        has_paused = any(end.test is BEGUN for end in self.scope.blocks[tried].exits)
        if pauses(node.body[0]):
            self.scope.leaves(node.body[0].end_lineno, HELD)
        begun = next(iter(self.function.sites[first:]), None)
        opening = begun.expr if begun is not None and begun.kind != "await" else None
        wanted = modules_wanted(node.body)
        for handler in node.handlers:
            kinds = self._caught(handler.type)
            asked = wanted if wanted is not None and catches_missing(handler) else opening
            with self.scope.inside("except", asked, kinds):
                if handler.name:
                    for kind in kinds:
                        self.bind_name(handler.name, InstanceOf(kind))
                if pauses(node.body[0]) and not takes_close(handler):
                    self.scope.leaves(node.body[0].end_lineno, BEGUN)
                kind_of_block = kept_after(node.body, handler, self._surroundings())
                with self.scope.inside(kind_of_block) if kind_of_block else nullcontext():
                    self.statements(handler.body)
        with self.scope.inside("else"):
            if has_paused:
                self.scope.leaves(node.body[-1].end_lineno, BEGUN)
            self.statements(node.orelse)
        if has_paused:
            self.scope.leaves(node.end_lineno or node.lineno, BEGUN)
        last = node.orelse[-1] if node.orelse else node.body[-1]
        if opening is not None and isinstance(last, TERMINATORS):
            self.scope.leaves(node.end_lineno or node.lineno, Test("completes", opening))
        others = (h.body for h in node.handlers if not catches_missing(h))
        if wanted is not None and isinstance(last, TERMINATORS) and all(map(leaves, others)):
            self.scope.leaves(node.end_lineno or node.lineno, wanted)
        self.statements(node.finalbody)

    def _caught(self, node: ast.expr | None) -> tuple[Expr, ...]:
        if node is None:
            return ()
        return self.expressions(node.elts if isinstance(node, ast.Tuple) else [node])

    def _match(self, node: ast.Match) -> None:
        subject = self.expression(node.subject)
        for case in node.cases:
            with self.scope.inside("case", subject):
                self.pattern(case.pattern, subject)
                if case.guard is not None:
                    self.expression(case.guard)
                self.statements(case.body)


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
    ast.FunctionDef: StatementReader.definition,
    ast.AsyncFunctionDef: StatementReader.definition,
    ast.ClassDef: StatementReader.class_definition,
    ast.Assign: StatementReader.assign,
    ast.AnnAssign: StatementReader.annotated,
    ast.AugAssign: StatementReader.augmented,
    ast.Import: StatementReader.import_statement,
    ast.ImportFrom: StatementReader.import_from,
    ast.Global: StatementReader.global_statement,
    ast.Nonlocal: StatementReader.nonlocal_statement,
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
    ast.Delete: StatementReader.delete,
}
if hasattr(ast, "TryStar"):
    _READERS[ast.TryStar] = StatementReader._try
if hasattr(ast, "TypeAlias"):
    _READERS[ast.TypeAlias] = StatementReader.type_alias
