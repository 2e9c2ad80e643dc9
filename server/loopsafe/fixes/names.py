"""Which names a file binds where, and what its imports call things."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Scope = Function | Comprehension | ast.Module | ast.ClassDef
Bindings = dict[str, list[ast.AST]]

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_NEXT = "next"
TRIES = (ast.Try, getattr(ast, "TryStar", ast.Try))
"""`try`, also with `except*` where this Python has it."""


@dataclass(slots=True)
class Survey:
    """What a file imports and uses."""

    bindings: Bindings
    """The module's own names."""
    imported: set[str] = field(default_factory=set)
    """Modules that the file imports on its first level, whatever happens: `anyio`."""
    loads: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """Every name that the file reads, and where: line and column in UTF-8 bytes."""
    used: dict[str, int] = field(default_factory=dict)
    """Imported things by their full names and how often they are called: `anyio.sleep`."""


@lru_cache(maxsize=4)
def survey(tree: ast.Module) -> Survey:
    """What a file imports and uses; kept for the files that were asked for last."""
    found = Survey(bindings(tree))
    for statement in tree.body:
        found.imported.update(_modules(statement))
    imports = {
        name: full
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name, full in imported_names(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.loads.setdefault(node.id, []).append((node.lineno, node.col_offset))
        elif isinstance(node, ast.Call):
            full = qualified(node.func, imports)
            found.used[full] = found.used.get(full, 0) + 1
        for name, place in _quoted(node):
            found.loads.setdefault(name, []).append(place)
    return found


@lru_cache(maxsize=64)
def bindings(scope: Scope) -> Bindings:
    """The names that a scope binds itself, with the nodes that do."""
    found: Bindings = {}
    for node in own_nodes(scope):
        for name in bound_by(node):
            found.setdefault(name, []).append(node)
    if not isinstance(scope, ast.Module):
        for node in own_nodes(scope):
            if isinstance(node, (ast.Global, ast.Nonlocal)):
                for name in node.names:
                    found.pop(name, None)
    return found


def bound_by(node: ast.AST) -> list[str]:
    """The names that a node binds or unbinds by itself."""
    if isinstance(node, ast.Name):
        return [] if isinstance(node.ctx, ast.Load) else [node.id]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [name for name, _ in imported_names(node)]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, ast.MatchMapping):
        return [node.rest] if node.rest else []
    if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return [node.name] if node.name else []
    return []


def own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run in a scope (or a statement) itself: what is nested, only as names.

    Its decorators, defaults and base classes run here, as does the first iterable of a
    comprehension; a walrus inside a comprehension binds here.
    """
    stack = list(_inside(scope))[::-1]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, COMPREHENSIONS):
            stack.append(node.generators[0].iter)
            yield from _walrus_targets(node)
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            stack += _around(node)[::-1]
        else:
            stack += list(ast.iter_child_nodes(node))[::-1]


def imported_names(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """Pairs of a bound name and the full name of what it stands for."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname:
                yield alias.asname, alias.name
            else:
                top = alias.name.partition(".")[0]
                yield top, top
        return
    module = "." * node.level + (node.module or "")
    for alias in node.names:
        if alias.name != "*":
            yield alias.asname or alias.name, f"{module}.{alias.name}"


def in_comprehension(node: ast.expr) -> Iterator[tuple[ast.AST, frozenset[str]]]:
    """The parts of a comprehension, with the names that are its own there.

    Its first iterable is evaluated before it is entered.
    """
    assert isinstance(node, COMPREHENSIONS)
    first = node.generators[0]
    inside = (n for part in node.generators for n in ast.walk(part.target))
    own = frozenset(
        n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    )
    yield first.iter, frozenset()
    for child in (*ast.iter_child_nodes(node), first.target, *first.ifs):
        if child is not first:
            yield child, own


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a plain chain of names; empty for anything else."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def qualified(node: ast.AST, imports: dict[str, str]) -> str:
    """The full name of a plain chain of names whose first is imported; else as written."""
    first, dot, rest = dotted(node).partition(".")
    return imports.get(first, first) + dot + rest


def may_stop(node: ast.AST) -> bool:
    """Whether a node is `next(rows)`, whose StopIteration no future can carry out of a thread."""
    called = (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == _NEXT
    )
    return called and len(getattr(node, "args", ())) == 1


def _quoted(node: ast.AST) -> Iterator[tuple[str, tuple[int, int]]]:
    """The names in annotations that are strings, and in `__all__`."""
    held: list[ast.expr | None] = [
        getattr(node, "annotation", None),
        getattr(node, "returns", None),
    ]
    if isinstance(node, ast.Assign) and any(dotted(t) == "__all__" for t in node.targets):
        held.append(node.value)
    for part in held:
        for inner in ast.walk(part) if part else ():
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                for name in re.findall(r"\w+", inner.value):
                    yield name, (inner.lineno, inner.col_offset)


def _inside(scope: ast.AST) -> Iterator[ast.AST]:
    if isinstance(scope, FUNCTIONS):
        for part in ast.iter_child_nodes(scope.args):
            if isinstance(part, ast.arg):
                yield part
        yield from scope.body if isinstance(scope.body, list) else [scope.body]
    elif isinstance(scope, COMPREHENSIONS):
        for generator in scope.generators:
            yield generator.target
    else:
        yield from scope.body if isinstance(scope, (ast.Module, ast.ClassDef)) else [scope]


def _around(node: ast.AST) -> list[ast.AST]:
    """What a nested function or class evaluates where it is written."""
    parts: list[ast.AST] = list(getattr(node, "decorator_list", ()))
    if isinstance(node, ast.ClassDef):
        return [*parts, *node.bases, *node.keywords]
    arguments: ast.arguments | None = getattr(node, "args", None)
    if arguments:
        parts += [*arguments.defaults, *(d for d in arguments.kw_defaults if d)]
    return parts


def _walrus_targets(node: ast.AST) -> Iterator[ast.AST]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.NamedExpr):
            yield inner.target


def _modules(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
        for alias in node.names:
            yield f"{node.module}.{alias.name}"
