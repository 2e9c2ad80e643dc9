"""Whether code that uses a response would do the same with that of another library."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from loopsafe.fixes.clients import Change, Pair
from loopsafe.fixes.imports import spell_dotted
from loopsafe.fixes.names import TRIES, bindings, dotted
from loopsafe.fixes.site import Site
from loopsafe.model import Edit


@dataclass(frozen=True, slots=True)
class Uses:
    """What must change where a response is used."""

    nodes: tuple[ast.Attribute, ...]
    """Every place where something is read from it."""
    changes: tuple[Change, ...]
    """Attributes that have another name."""


def uses_of(site: Site, pair: Pair, call: ast.Call, function: ast.AsyncFunctionDef) -> Uses | None:
    """The uses of what a call gives; None if it goes where they cannot be followed."""
    if pair.attributes is None:
        return Uses((), ())
    value: ast.expr = call
    parent = site.parent(call)
    if isinstance(parent, ast.Await):
        value, parent = parent, site.parent(parent)
    if isinstance(parent, ast.Expr):
        return Uses((), ())
    if isinstance(parent, ast.Attribute):
        return _renamed(site, pair, [parent])
    name = _assigned(parent, value)
    bound = bindings(function).get(name, [])
    if not bound:
        return None
    held = {id(n.value): n for n in ast.walk(function) if isinstance(n, ast.Attribute)}
    read = []
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            if id(node) not in held:
                return None
            read.append(held[id(node)])
    found = _renamed(site, pair, read)
    # Another value of the same name may have the old attributes.
    return None if found and found.changes and len(bound) > 1 else found


def caught(
    site: Site, pair: Pair, module: str, function: ast.AST, nodes: list[ast.AST]
) -> tuple[Edit, ...] | None:
    """Lets the `except` clauses around these nodes catch the other library's errors as well."""
    edits: list[Edit] = []
    wanted = {id(node) for node in nodes}
    for attempt in ast.walk(function):
        if not isinstance(attempt, TRIES):
            continue
        inside = [n for statement in attempt.body for n in ast.walk(statement)]
        if not wanted & {id(node) for node in inside}:
            continue
        json = any(isinstance(n, ast.Attribute) and n.attr == "json" for n in inside)
        for handler in attempt.handlers:
            more = _widened(site, pair, module, handler, json)
            if more is None:
                return None
            edits += more
    return tuple(edits)


def _assigned(parent: ast.AST | None, value: ast.expr) -> str:
    target: ast.expr | None = None
    if isinstance(parent, ast.Assign) and len(parent.targets) == 1 and parent.value is value:
        target = parent.targets[0]
    elif isinstance(parent, ast.NamedExpr):
        target = parent.target
    return target.id if isinstance(target, ast.Name) else ""


def _renamed(site: Site, pair: Pair, read: list[ast.Attribute]) -> Uses | None:
    changes: list[Change] = []
    for node in read:
        name = (pair.attributes or {}).get(node.attr)
        if name is None or not isinstance(node.ctx, ast.Load):
            return None
        if name != node.attr:
            stop = site.draft.stop(node)
            changes.append((stop - len(node.attr), stop, name))
    return Uses(tuple(read), tuple(changes))


def _widened(
    site: Site, pair: Pair, module: str, handler: ast.ExceptHandler, json: bool
) -> list[Edit] | None:
    if handler.type is None:
        return []
    named = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    extra: list[str] = []
    edits: list[Edit] = []
    for node in named:
        full = site.full_name(node)
        if full in pair.exceptions:
            names = [n for n in pair.exceptions[full] if json or "." not in n]
            wanted = [n if "." in n else f"{module}.{n}" for n in names]
            extra += [name for name in wanted if name not in extra]
        elif not dotted(node) or full.startswith(f"{pair.package}."):
            return None
    if not extra:
        return []
    texts = [site.draft.code(node) for node in named]
    for name in extra:
        spelling = spell_dotted(site, name)
        if spelling is None:
            return None
        edits += spelling.edits
        texts += [spelling.text] if spelling.text not in texts else []
    content = f"({', '.join(texts)})"
    start, stop = site.draft.start(handler.type), site.draft.stop(handler.type)
    return [*edits, site.draft.replace(start, stop, content)]
