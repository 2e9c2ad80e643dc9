"""Who names a function, in all files of the project: calls that run it, and everything else.

A rewrite of a function is right only if each place that may mean it is known, so what cannot be
resolved counts as a place, too.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from loopsafe.facts.ir import Call, Site
from loopsafe.model import Span
from loopsafe.modules.module import Module
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import FunctionValue
from loopsafe.text import SourceText

Kind = Literal["call", "value", "unknown"]
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_TELLING = frozenset({"getattr", "setattr", "delattr", "object", "attrgetter", "methodcaller"})
"""Calls that take the name of an attribute as a text."""


@dataclass(frozen=True, slots=True)
class Use:
    """A place that means a function, or may."""

    module: Module
    kind: Kind
    """`call` runs it; `value` names it without a call; `unknown` may be another of its name."""
    span: Span
    """The callee of a call; else the name."""
    caller: int
    """Index of the function around it; 0 for the module's own code."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A file that uses a variable of another one, or may."""

    module: Module
    name: str
    """How it spells the variable; empty where it may use it in a way that is not followed."""
    line: int


class AllUses:
    """Searches the project's files; keeps which words each of them has."""

    def __init__(
        self,
        resolver: Resolver,
        project: Callable[[], Iterable[Module]],
        read: Callable[[str], SourceText],
        parsed: Callable[[SourceText], ast.Module | None],
    ) -> None:
        self._resolver = resolver
        self._project = project
        self._read = read
        self._words: dict[str, tuple[bytes, frozenset[str]]] = {}
        """By path, with the digest of the text they were found in."""
        self._parsed = parsed

    def uses(self, module: Module, number: int) -> tuple[Use, ...]:
        """Every use of a project's function, in the order of files."""
        name = module.facts.functions[number].name
        table = self._resolver.table
        trace = table.trace
        try:
            return tuple(
                use
                for other in self._project()
                if name in self._words_of(other)
                for use in self._in(other, module, number)
            )
        finally:
            table.trace = trace

    def spread(self, name: str) -> int:
        """In how many files a name stands: what a search for its uses costs."""
        table = self._resolver.table
        trace = table.trace
        count = sum(1 for other in self._project() if name in self._words_of(other))
        table.trace = trace
        return count

    def readers(self, module: Module, name: str, owner: str = "") -> Iterator[Reader]:
        """Other files that use a module's variable, or may use a class's attribute."""
        table = self._resolver.table
        trace = table.trace
        found: list[Reader] = []
        for other in self._project():
            words = self._words_of(other)
            if other is not module and name in words and (not owner or owner in words):
                found += self._reading(other, module, name, owner)
        table.trace = trace
        yield from found

    def _reading(self, other: Module, module: Module, name: str, owner: str) -> Iterator[Reader]:
        tree = self._tree(other)
        if tree is None:
            yield Reader(other, "", 1)
            return
        names = set() if owner else set(self._names_of(other, tree, module, name))
        imported = _imported(tree)
        through = f".{module.dotted.rpartition('.')[2]}.{name}"
        for node, call, _ in _mentions(tree, {name}, self._text(other)):
            if isinstance(node, ast.Constant):
                if _is_told(node, call):
                    yield Reader(other, "", node.lineno)
            elif isinstance(node, ast.Attribute):
                written = ast.unparse(node) if _root(node) in imported else ""
                is_read = isinstance(node.ctx, ast.Load) and written in names
                means = written in names or f".{written}".endswith(through)
                if owner or (means and not is_read):
                    yield Reader(other, "", node.lineno)
        for spelled in sorted(names):
            yield Reader(other, spelled, 1)

    def _names_of(
        self, other: Module, tree: ast.Module, module: Module, name: str
    ) -> Iterator[str]:
        """How a file may spell another module's variable; empty for a way that is not followed."""
        table = self._resolver.table
        outermost = {id(node) for node in tree.body}
        for node in _imports(tree):
            source = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            level = node.level if isinstance(node, ast.ImportFrom) else 0
            for alias in node.names:
                is_top = id(node) in outermost
                by_name = isinstance(node, ast.ImportFrom) and alias.name in (name, "*")
                inside = f"{source}.{alias.name}" if source else alias.name
                if by_name and table.imported(other, source, level) == module.key:
                    yield (alias.asname or name) if is_top and alias.name != "*" else ""
                elif table.imported(other, inside, level) == module.key:
                    yield f"{alias.asname or alias.name}.{name}" if is_top else ""

    def _tree(self, module: Module) -> ast.Module | None:
        return self._parsed(self._text(module))

    def _words_of(self, module: Module) -> frozenset[str]:
        known = self._words.get(module.path)
        if known is None or known[0] != module.digest:
            words = frozenset(re.findall(r"\w+", self._text(module).text))
            known = self._words[module.path] = module.digest, words
        return known[1]

    def _text(self, module: Module) -> SourceText:
        try:
            return self._read(module.path)
        except (OSError, UnicodeDecodeError, SyntaxError):
            return SourceText("")

    def _in(self, other: Module, module: Module, number: int) -> Iterator[Use]:
        function = module.facts.functions[number]
        tree = self._tree(other)
        if tree is None:
            yield Use(other, "unknown", Span(1, 0, 1, 0), 0)
            return
        sites = {
            caller.in_file(site.spot): (index, site)
            for index, caller in enumerate(other.facts.functions)
            for site in caller.sites
            if site.kind == "call"
        }
        imported = _imported(tree)
        names = {function.name, *_aliases(tree, function.name)}
        for node, call, around in _mentions(tree, names, self._text(other)):
            span = _span(node)
            if call is not None and call.func is node and span in sites:
                index, site = sites[span]
                kind = self._kind(other, site, (module.name, number))
                # What is called on an object is a method, and no function of a module.
                if kind == "unknown" and function.owner < 0 and _root(node) not in imported:
                    continue
                if kind is not None:
                    yield Use(other, kind, span, index)
            elif isinstance(node, ast.Constant):
                if _is_told(node, call):
                    yield Use(other, "value", span, 0)
            elif isinstance(node, ast.Attribute):
                if function.owner >= 0 or _root(node) in imported:
                    yield Use(other, "value", span, 0)
            elif function.owner < 0 and (other is module or _root(node) in imported):
                yield from [] if _is_shadowed(around, node) else [Use(other, "value", span, 0)]

    def _kind(self, other: Module, site: Site, target: tuple[str, int]) -> Kind | None:
        """What a call is to a function; None where it runs another one."""
        if not isinstance(site.expr, Call):
            return "unknown"
        frame = self._resolver.frame(other.name, site.scope)
        values = self._resolver.known(self._resolver.values(site.expr.func, frame))
        if not values:
            return "unknown"
        if not any(isinstance(v, FunctionValue) and v.definition == target for v in values):
            return None
        return "call" if len(values) == 1 else "unknown"


_Mention = tuple[ast.expr, "ast.Call | None", tuple[ast.AST, ...]]


def _mentions(tree: ast.Module, names: set[str], text: SourceText) -> Iterator[_Mention]:
    """Expressions that end with one of these names, each with the call it is a part of and the
    functions around it.

    A text that names it, as `mock.patch("app.load")` has, is one as well. Only those statements
    are looked into that have one of the names on their lines.
    """
    pattern = re.compile("|".join(map(re.escape, names)))
    lines = [n for n in range(1, text.line_count + 1) if pattern.search(text.line(n))]
    stack: list[tuple[ast.AST, ast.Call | None, tuple[ast.AST, ...]]] = [(tree, None, ())]
    while stack:
        node, call, around = stack.pop()
        if isinstance(node, ast.expr) and _ends_with(node, names):
            yield node, call, around
        inner = (*around, node) if isinstance(node, _FUNCTIONS) else around
        below = node if isinstance(node, ast.Call) else None
        stack += [
            (child, below, inner)
            for child in ast.iter_child_nodes(node)
            if not isinstance(child, ast.stmt) or _spans_one(child, lines)
        ]


def _spans_one(node: ast.stmt, lines: list[int]) -> bool:
    """Whether a statement, with its decorators, has one of some lines, which are in order."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    at = bisect_left(lines, first)
    return at < len(lines) and lines[at] <= (node.end_lineno or node.lineno)


def _ends_with(node: ast.expr, names: set[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in names and isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.Attribute):
        return node.attr in names
    text = node.value if isinstance(node, ast.Constant) else None
    return isinstance(text, str) and text.rpartition(".")[2] in names and " " not in text


def _is_told(node: ast.Constant, call: ast.Call | None) -> bool:
    """Whether a text names something of the program, as `setattr(app, "load", fake)` does."""
    if "." in str(node.value):
        return True
    callee = call.func if call is not None else None
    last = callee.attr if isinstance(callee, ast.Attribute) else getattr(callee, "id", "")
    return last in _TELLING


def _aliases(tree: ast.Module, name: str) -> Iterator[str]:
    """What a file calls the name it imports: `from store import load as fetch`."""
    for node in _imports(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (a.asname for a in node.names if a.name == name and a.asname)


def _imported(tree: ast.Module) -> frozenset[str]:
    """The names that imports bind, anywhere in a file."""
    return frozenset(
        (alias.asname or alias.name).partition(".")[0]
        for node in _imports(tree)
        for alias in node.names
    )


@lru_cache(maxsize=16)
def _imports(tree: ast.Module) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """All imports of a file, however deep; no expression has one."""
    found: list[ast.Import | ast.ImportFrom] = []
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found.append(node)
        elif not isinstance(node, ast.expr):
            stack += ast.iter_child_nodes(node)
    return tuple(found)


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_shadowed(around: tuple[ast.AST, ...], node: ast.expr) -> bool:
    """Whether a plain name is a variable of a function around it."""
    return isinstance(node, ast.Name) and any(
        inner.arg == node.id
        if isinstance(inner, ast.arg)
        else isinstance(inner, ast.Name)
        and inner.id == node.id
        and isinstance(inner.ctx, ast.Store)
        for function in around
        for inner in ast.walk(function)
    )


def _span(node: ast.expr) -> Span:
    return Span(
        node.lineno,
        node.col_offset,
        node.end_lineno or node.lineno,
        node.end_col_offset or node.col_offset,
    )
