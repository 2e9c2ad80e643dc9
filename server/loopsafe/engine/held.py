"""An object that is kept becomes its async twin, in all files that use it; or why it cannot."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from loopsafe.effects.uses import AllUses
from loopsafe.fixes import async_object
from loopsafe.fixes.combine import combined
from loopsafe.fixes.context import FixContext
from loopsafe.fixes.edits import compiles, span_of
from loopsafe.fixes.everywhere import Stuck
from loopsafe.fixes.held import Calls, Kind, Rewriter, kind_of
from loopsafe.fixes.holders import Holder, assigned, holder_of
from loopsafe.fixes.leftovers import tidied
from loopsafe.fixes.made import subject
from loopsafe.fixes.names import bindings
from loopsafe.fixes.site import locate, place_in
from loopsafe.model import Edit, Finding, Fix, Safety, Span
from loopsafe.modules.module import Module
from loopsafe.modules.table import ModuleTable

_MOST_FILES = 40
_MOST_STEPS = 12
"""Variables between a call and where its object is made."""


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where the object of a call is made, and what holds it first."""

    module: Module
    context: FixContext
    holder: Holder
    made: ast.Call
    kind: Kind


class HeldObjects:
    """Makes such fixes."""

    def __init__(
        self,
        table: ModuleTable,
        context: Callable[[str], FixContext | None],
        calls: Callable[[str], Calls],
        twin: Callable[[str], str],
        uses: AllUses,
        shown: Callable[[str], str],
    ) -> None:
        """With what is known of a file, its blocking calls, and the twins of classes."""
        self._table = table
        self._context = context
        self._calls = calls
        self._twin = twin
        self._uses = uses
        self._shown = shown

    def fix(self, finding: Finding) -> Fix | None:
        """The object that a call is made on as an async one, with all that is done with it."""
        context, module = self._context(finding.path), self._table.at(finding.path)
        if context is None or module is None or len(finding.chain) > 1:
            return None
        origin = self._origin(module, context, subject(locate(finding, context)))
        if origin is None:
            return None
        is_local = isinstance(origin.holder.scope, ast.AsyncFunctionDef)
        if is_local and (
            not origin.kind.local or any(async_object.cures(locate(finding, context)))
        ):
            return None  # That cure says it already, or cannot.
        twin = origin.kind.twin
        article = "an" if twin[:1] in "aeiouh" else "a"
        title = f"Make {origin.holder.name} {article} {twin}, and await all its {origin.kind.uses}"
        try:
            edits = tuple(self._edits(origin))
        except Stuck as why:
            return Fix(title, Safety.DISPLAY, (), "refused", str(why))
        count = len(dict.fromkeys(edit.path for edit in edits))
        files = f" ({count} files)" if count > 1 else ""
        return Fix(title + files, Safety.UNSAFE, edits, caveat=origin.kind.caveat)

    def _origin(
        self, module: Module, context: FixContext, node: ast.AST, steps: int = _MOST_STEPS
    ) -> _Origin | None:
        """Follows variables and imports to the call that makes an object with a twin."""
        holder = self._holder(module, context, node)
        at = module, context
        while holder is not None and (found := self._imported(module, context, holder)):
            module, context, holder = found
        value = assigned(holder) if holder is not None else None
        if holder is not None and isinstance(value, ast.Call):
            kind = kind_of(place_in(context, span_of(value.func)), value, self._twin)
            if kind is not None:
                return _Origin(module, context, holder, value, kind)
        if not steps:
            return None
        if value is not None:
            origin = self._origin(module, context, value, steps - 1)
            if origin is not None:
                return origin
        # What is made of nothing but a channel uses it, too: `GreeterStub(channel).Greet()`.
        module, context = (module, context) if value is not None else at
        made = value if value is not None else _first(node)
        if not isinstance(made, ast.Call) or len(made.args) != 1 or made.keywords:
            return None
        origin = self._origin(module, context, made.args[0], steps - 1)
        return origin if origin is not None and origin.kind.wrapped else None

    def _holder(self, module: Module, context: FixContext, node: ast.AST) -> Holder | None:
        """The variable or attribute that an expression begins with."""
        while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
            if isinstance(node, ast.Attribute):
                inner = node.value
                found = holder_of(place_in(context, span_of(node)), node)
                if found is not None:
                    return found
                if isinstance(inner, ast.Name) and self._means_module(module, context, inner.id):
                    return Holder(f"{inner.id}.{node.attr}", context.tree)
            node = node.func if isinstance(node, ast.Call) else node.value
        return holder_of(place_in(context, span_of(node)), node)

    def _means_module(self, module: Module, context: FixContext, name: str) -> bool:
        found = self._import(context, name)
        return found is not None and self._module(module, *found) is not None

    def _imported(
        self, module: Module, context: FixContext, holder: Holder
    ) -> tuple[Module, FixContext, Holder] | None:
        """What a name of the module is where it comes from: another module of the project."""
        name, _, inside = holder.name.partition(".")
        found = self._import(context, name) if holder.scope is context.tree else None
        if found is None:
            return None
        node, alias = found
        if inside:
            source = self._module(module, node, alias)
        elif isinstance(node, ast.ImportFrom):
            key = self._table.imported(module, node.module or "", node.level)
            source, inside = self._table.get(key), alias.name
        else:
            return None
        there = self._context(source.path) if source is not None and source.is_project else None
        if source is None or there is None:
            return None
        return source, there, Holder(inside, there.tree)

    def _import(
        self, context: FixContext, name: str
    ) -> tuple[ast.Import | ast.ImportFrom, ast.alias] | None:
        """The only import that binds a name of the module."""
        nodes = bindings(context.tree).get(name, [])
        node = nodes[0] if len(nodes) == 1 else None
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            return None
        return next(((node, a) for a in node.names if name in (a.asname, a.name)), None)

    def _module(
        self, module: Module, node: ast.Import | ast.ImportFrom, alias: ast.alias
    ) -> Module | None:
        """The module of the project that an import binds."""
        if isinstance(node, ast.Import):
            key = self._table.imported(module, alias.name, 0)
        else:
            inside = f"{node.module}.{alias.name}" if node.module else alias.name
            key = self._table.imported(module, inside, node.level)
        found = self._table.get(key)
        return found if found is not None and found.is_project else None

    def _edits(self, origin: _Origin) -> Iterator[Edit]:
        """The changes of all files. Raises Stuck."""
        files: dict[str, tuple[FixContext, Rewriter]] = {}

        def rewriter(context: FixContext) -> Rewriter:
            if context.path not in files:
                if len(files) == _MOST_FILES:
                    raise Stuck(f"more than {_MOST_FILES} files use it")
                made = origin.kind.rewriter(context, self._calls(context.path))
                files[context.path] = context, made
            return files[context.path][1]

        here = rewriter(origin.context)
        here.made(origin.holder, origin.made)
        waiting = [(origin.module, origin.context, *held) for held in here.holders]
        while waiting:
            module, context, holder, what = waiting.pop()
            for other, there, name in self._readers(module, context, holder):
                found = rewriter(there)
                before = len(found.holders)
                try:
                    found.held(name, what)
                except Stuck as why:
                    raise Stuck(f"{self._shown(there.path)}: {why}") from None
                waiting += [(other, there, *held) for held in found.holders[before:]]
        for context, found in files.values():
            yield from _finished(context, found.changes())

    def _readers(
        self, module: Module, context: FixContext, holder: Holder
    ) -> Iterator[tuple[Module, FixContext, Holder]]:
        """Other files that use what a module, or the objects of a class, hold. Raises Stuck where
        something may use it in a way that cannot be followed.
        """
        name = holder.name.rpartition(".")[2]
        owner = holder.scope.name if isinstance(holder.scope, ast.ClassDef) else ""
        if owner:
            inside = {id(node) for node in ast.walk(holder.scope)}
            for node in ast.walk(context.tree):
                if isinstance(node, ast.Attribute) and node.attr == name and id(node) not in inside:
                    raise Stuck(f"`{name}` is used outside of {owner}, in line {node.lineno}")
        elif not isinstance(holder.scope, ast.Module) or "." in holder.name:
            return
        for reader in self._uses.readers(module, name, owner):
            there = self._context(reader.module.path) if reader.name else None
            if there is None:
                place = f"{self._shown(reader.module.path)}:{reader.line}"
                raise Stuck(f"`{holder.name}` may be used in {place}")
            yield reader.module, there, Holder(reader.name, there.tree)


def _first(node: ast.AST) -> ast.AST:
    """The call that an expression begins with: `make(x)` of `make(x).do(y)`."""
    while isinstance(node, (ast.Attribute, ast.Call)):
        inner = node.func if isinstance(node, ast.Call) else node.value
        if isinstance(node, ast.Call) and isinstance(inner, ast.Name):
            return node
        node = inner
    return node


def _finished(context: FixContext, edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
    """The edits of a file, joined, without imports that they leave unused. Raises Stuck."""
    draft = place_in(context, Span(1, 0, 1, 0)).draft
    together = combined(tidied(draft, context.tree, combined(edits)))
    if any(a.span[2:] > b.span[:2] for a, b in pairwise(together)):
        raise Stuck("the changes are in each other's way")
    if not compiles(draft, context.tree, together):
        raise Stuck("the result would not be valid Python")
    return together
