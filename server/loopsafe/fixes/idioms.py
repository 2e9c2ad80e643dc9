"""Which way to a worker thread a project goes, and how a call is rewritten for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from loopsafe.fixes.data import table
from loopsafe.fixes.imports import Spelling, spell
from loopsafe.fixes.names import bindings, dotted, own_nodes, survey
from loopsafe.fixes.site import Site
from loopsafe.model import Edit

_METHODS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Idiom:
    """One entry of `idioms.toml`, which explains the fields."""

    name: str
    function: str
    head: str
    shows: str
    module: tuple[str, ...] = ()
    curried: bool = False
    keywords: bool = True
    reserved: tuple[str, ...] = ()
    by_name: bool = False
    receiver: str = ""
    signs: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    since: tuple[int, ...] = ()
    coroutine: bool = False
    iterates: str = ""
    enters: str = ""


@dataclass(frozen=True, slots=True)
class Wrapping:
    """A call rewritten to run in a thread, without the `await`."""

    head: str
    """Stands before the callee."""
    tail: str
    """Stands after the whole call."""
    edits: tuple[Edit, ...]
    """Imports."""
    curried: bool
    """The call's own brackets stay."""


@cache
def idioms() -> tuple[Idiom, ...]:
    """All of them, in the order of `idioms.toml`."""
    return tuple(idiom_of(entry) for entry in table("idioms")["idiom"])


def idiom_of(entry: dict[str, Any]) -> Idiom:
    """An entry of a table."""
    frozen: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    return Idiom(**frozen)


def choose(site: Site) -> Idiom:
    """The idiom of the settings, else of the file."""
    usable = [idiom for idiom in idioms() if _usable(site, idiom)]
    found = survey(site.context.tree)
    asked = [idiom for idiom in usable if idiom.name == site.context.offload]
    if asked:
        return asked[0]
    called = {idiom.name: sum(found.used.get(n, 0) for n in _full_names(idiom)) for idiom in usable}
    most = max(usable, key=lambda idiom: called[idiom.name])
    if called[most.name]:
        return most
    for idiom in usable:
        if not idiom.signs:
            return idiom
        if _imports(site, idiom.signs) and not _imports(site, idiom.unless):
            return idiom
    return usable[-1]


def wrapping(site: Site, idiom: Idiom, call: ast.Call) -> Wrapping | None:
    """What to write around a call to run it in a thread."""
    spelling = _spelling(site, idiom)
    if spelling is None:
        return None
    head = idiom.head.format(spelling.text)
    if idiom.curried:
        return Wrapping(head, "", spelling.edits, curried=True)
    if not _needs_partial(idiom, call):
        return Wrapping(head, "", spelling.edits, curried=False)
    partial = spell(site, "functools", "partial")
    if partial is None:
        return None
    edits = (*spelling.edits, *partial.edits)
    return Wrapping(f"{head}{partial.text}(", ")", edits, curried=False)


def of_nothing(site: Site, idiom: Idiom) -> tuple[str, str, tuple[Edit, ...]] | None:
    """What to write before and after a callable without arguments to run it in a thread."""
    spelling = _spelling(site, idiom)
    if spelling is None:
        return None
    return idiom.head.format(spelling.text), ")()" if idiom.curried else ")", spelling.edits


def module_of(site: Site, idiom: Idiom) -> str:
    """The one that the file imports from, else the first of an imported package."""
    used = survey(site.context.tree).used
    return next(
        (m for m in idiom.module if f"{m}.{idiom.function}" in used),
        next((m for m in idiom.module if _imports(site, (m.partition(".")[0],))), idiom.module[0]),
    )


def _spelling(site: Site, idiom: Idiom) -> Spelling | None:
    if idiom.receiver:
        receiver = _receiver(site, idiom.receiver)
        return Spelling(receiver) if receiver else None
    return spell(site, module_of(site, idiom), idiom.function, idiom.by_name)


def _usable(site: Site, idiom: Idiom) -> bool:
    if idiom.since and site.context.python_version < idiom.since:
        return False
    return not idiom.receiver or bool(_receiver(site, idiom.receiver))


def _full_names(idiom: Idiom) -> list[str]:
    """The functions whose use shows the idiom; a loop is asked for with other ends, too."""
    if idiom.head != "{0}(":
        return []
    return [f"{module}.{idiom.function}" for module in idiom.module]


def _imports(site: Site, modules: tuple[str, ...]) -> bool:
    imported = survey(site.context.tree).imported
    return any(i == m or i.startswith(m + ".") for m in modules for i in imported)


def _receiver(site: Site, name: str) -> str:
    """`hass` or `self.hass`, where the finding can see it."""
    if name not in site.draft.source.text:
        return ""
    if _is_set(site, name):
        return name
    for node, inner in pairwise(site.path):
        if isinstance(node, ast.ClassDef) and isinstance(inner, _METHODS) and inner.args.args:
            wanted = f"{inner.args.args[0].arg}.{name}"
            methods = [method for method in node.body if isinstance(method, _METHODS)]
            if any(dotted(part) == wanted for method in methods for part in own_nodes(method)):
                return wanted
    return ""


def _is_set(site: Site, name: str) -> bool:
    """Whether a variable surely has its value at the finding: a parameter, or assigned above."""
    for scope in site.scopes():
        found = bindings(scope).get(name, [])
        if found:
            parameter = any(isinstance(node, ast.arg) for node in found)
            return parameter or any(name in bound for bound in _assigned_above(site, scope))
    return False


def _assigned_above(site: Site, scope: ast.AST) -> Iterator[set[str]]:
    """The names that plain assignments on the way to the finding have set."""
    for outer, inner in pairwise(site.path[site.path.index(scope) :]):
        body: list[ast.stmt] = getattr(outer, "body", [])
        if isinstance(body, list) and inner in body:
            for node in body[: body.index(inner)]:
                targets = node.targets if isinstance(node, ast.Assign) else []
                yield {target.id for target in targets if isinstance(target, ast.Name)}


def _needs_partial(idiom: Idiom, call: ast.Call) -> bool:
    if not idiom.keywords:
        return bool(call.keywords)
    return bool(idiom.reserved) and any(
        keyword.arg is None or keyword.arg in idiom.reserved for keyword in call.keywords
    )
