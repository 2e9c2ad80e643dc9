"""The place of a finding in the syntax tree, with the questions that cures ask about it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, count

from loopsafe.fixes.context import FixContext
from loopsafe.fixes.edits import Draft, first_line
from loopsafe.fixes.names import (
    COMPREHENSIONS,
    FUNCTIONS,
    Scope,
    bindings,
    bound_by,
    imported_names,
    own_nodes,
    qualified,
    survey,
)
from loopsafe.model import Cost, Finding, Severity, Span

_UNPLACED = (
    ast.comprehension,
    ast.withitem,
    ast.arguments,
    ast.match_case,
    # Before Python 3.12 all parts of an f-string have the place of the whole.
    ast.JoinedStr,
    ast.FormattedValue,
)
_PLACED = (ast.expr, ast.stmt, ast.excepthandler, ast.keyword, ast.pattern, ast.arg)


@dataclass(frozen=True, slots=True)
class Site:
    """Where a finding is, from the module down to the expression it names."""

    finding: Finding
    context: FixContext
    draft: Draft
    path: tuple[ast.AST, ...]

    @property
    def node(self) -> ast.AST:
        """The expression that the finding underlines, or what comes nearest."""
        return self.path[-1]

    @property
    def call(self) -> ast.Call | None:
        """The call whose callee is underlined."""
        parent = self.parent(self.node)
        return parent if isinstance(parent, ast.Call) and parent.func is self.node else None

    @property
    def direct(self) -> bool:
        """Whether the underlined call itself is the one that blocks."""
        return len(self.finding.chain) <= 1

    @property
    def function(self) -> ast.AsyncFunctionDef | None:
        """The coroutine function whose own body holds the finding."""
        around = self.path[:-1] if isinstance(self.node, ast.expr) else self.path
        for node in reversed(around):
            if isinstance(node, FUNCTIONS):
                return node if isinstance(node, ast.AsyncFunctionDef) else None
        return None

    @property
    def statement(self) -> ast.stmt | None:
        """The innermost statement around the finding."""
        return next((n for n in reversed(self.path) if isinstance(n, ast.stmt)), None)

    def parent(self, node: ast.AST) -> ast.AST | None:
        """What holds a node of the path."""
        index = next((i for i, other in enumerate(self.path) if other is node), 0)
        return self.path[index - 1] if index else None

    def above(self, node: ast.AST) -> tuple[ast.AST, ...]:
        """What is around a node of the path, from the inside out."""
        index = next((i for i, other in enumerate(self.path) if other is node), 0)
        return self.path[:index][::-1]

    def scopes(self) -> Iterator[Scope]:
        """The scopes whose names the finding can see, from the inside out, without the module."""
        inner = True
        for node in reversed(self.path[:-1]):
            if isinstance(node, (*FUNCTIONS, *COMPREHENSIONS)):
                yield node
                inner = False
            elif isinstance(node, ast.ClassDef) and inner:
                yield node

    def imports(self) -> dict[str, str]:
        """Imported names that the finding can see, with the full names of what they stand for."""
        return _imports((self.context.tree, *list(self.scopes())[::-1]))

    def full_name(self, node: ast.AST) -> str:
        """The full name of a chain of names, as far as the file's imports tell it."""
        return qualified(node, self.imports())

    def indent_unit(self) -> str:
        """One level of indentation, as the file writes it."""
        for node in reversed(self.path):
            body = getattr(node, "body", None)
            if not isinstance(body, list) or not isinstance(node, ast.stmt):
                continue
            outer, inner = self.draft.indent(node.lineno), self.draft.indent(body[0].lineno)
            if body[0].lineno != node.lineno and inner.startswith(outer) and inner != outer:
                return inner[len(outer) :]
        return "    "

    def free_name(self, wanted: str) -> str:
        """A name like the wanted one that is no other thing in the function, or around it."""
        functions = (node for node in self.path if isinstance(node, FUNCTIONS))
        taken = set(survey(self.context.tree).bindings)
        for node in ast.walk(next(functions, self.context.tree)):
            taken.update(bound_by(node))
            if isinstance(node, ast.Name):
                taken.add(node.id)
            elif isinstance(node, (ast.Global, ast.Nonlocal)):
                taken.update(node.names)
        numbered = (f"{wanted}_{number}" for number in count(2))
        return next(name for name in chain((wanted,), numbered) if name not in taken)

    def local_definition(self) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The function of this file that the call runs: `f()` or `self.f()`."""
        node = self.node
        if isinstance(node, ast.Name):
            for scope in (*self.scopes(), self.context.tree):
                if not isinstance(scope, ast.ClassDef):
                    found = bindings(scope).get(node.id)
                    if found:
                        return _only_function(found)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            for holder in reversed(self.path):
                if isinstance(holder, ast.ClassDef) and node.value.id in ("self", "cls"):
                    return _only_function(bindings(holder).get(node.attr, []))
        return None


def locate(finding: Finding, context: FixContext) -> Site:
    """The place of a finding; its path ends early where the tree has no such expression."""
    path: list[ast.AST] = [context.tree]
    while True:
        inner = _child_around(path[-1], finding.span)
        if inner is None:
            break
        path.append(inner)
    for index in range(len(path) - 1, -1, -1):
        if isinstance(path[index], ast.expr) and _span(path[index]) == finding.span:
            path = path[: index + 1]
            break
    return Site(finding, context, Draft(context.path, context.source), tuple(path))


def site_at(site: Site, node: ast.expr) -> Site:
    """The same finding, as if it were at another expression of its file."""
    return locate(replace(site.finding, span=_span(node)), site.context)


def place_in(context: FixContext, span: Span) -> Site:
    """A place where nothing was found, to be edited for other reasons."""
    nothing = Finding(context.path, span, "", "", Cost.STALL, Severity.HINT, "", "")
    return locate(nothing, context)


def is_generator(function: ast.AST) -> bool:
    """Whether calling a function only makes a generator."""
    return any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in own_nodes(function))


@lru_cache(maxsize=16)
def _imports(scopes: tuple[Scope, ...]) -> dict[str, str]:
    """The imported names that can be seen from inside of these scopes; not to be changed."""
    found: dict[str, str] = {}
    for scope in scopes:
        names = survey(scope).bindings if isinstance(scope, ast.Module) else bindings(scope)
        for name, nodes in names.items():
            found.pop(name, None)
            for node in nodes:
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    found.update(p for p in imported_names(node) if p[0] == name)
    return found


def _only_function(nodes: list[ast.AST]) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    node = nodes[0] if len(nodes) == 1 else None
    return node if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else None


def _child_around(node: ast.AST, span: Span) -> ast.AST | None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _UNPLACED):
            inner = _child_around(child, span)
            if inner is not None:
                return inner if isinstance(child, ast.arguments) else child
        elif isinstance(child, _PLACED) and _contains(child, span):
            if isinstance(child, ast.Constant) and isinstance(node, ast.JoinedStr):
                continue
            return child
    return None


def _contains(node: ast.AST, span: Span) -> bool:
    around = _span(node)
    line = first_line(node) if isinstance(node, ast.stmt) else around.line
    start = (line, 0) if line < around.line else around[:2]
    return start <= span[:2] and span[2:] <= around[2:]


def _span(node: ast.AST) -> Span:
    return Span(
        getattr(node, "lineno", 0),
        getattr(node, "col_offset", 0),
        getattr(node, "end_lineno", None) or 0,
        getattr(node, "end_col_offset", None) or 0,
    )
