"""What is known of names behind a statement, by what it assigns and by what it may change."""

from __future__ import annotations

import ast

from loopsafe.effects.knowns import Gathered, Known, choice
from loopsafe.effects.truth import address_parts, truth, value_of


def follow(statement: ast.stmt, known: dict[str, Known]) -> None:
    """What is known after a statement."""
    if isinstance(statement, ast.If):
        holds = truth(statement.test, known)
        if holds is not None:
            for inner in statement.body if holds else statement.orelse:
                follow(inner, known)
        else:
            _follow_both(statement, known)
        return
    value = statement.value if isinstance(statement, ast.Assign) else None
    found, literal = value_of(value, known) if value is not None else (False, None)
    parts = address_parts(value, known) if isinstance(value, ast.Call) else {}
    forget(statement, known)
    if parts and isinstance(statement, ast.Assign):
        names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
        known.update((f"{name}.{part}", text) for name in names for part, text in parts.items())
    if found and isinstance(statement, ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Name):
                known[target.id] = literal
            elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                known[f"{target.value.id}.{target.attr}"] = literal


def _follow_both(statement: ast.If, known: dict[str, Known]) -> None:
    """What is known after a condition that nobody can tell: a name has what either way gives it."""
    forget(statement.test, known)
    ways: list[dict[str, Known]] = []
    for block in (statement.body, statement.orelse):
        if not leaves(block):
            way = dict(known)
            for inner in block:
                follow(inner, way)
            ways.append(way)
    if not ways:
        return
    known.clear()
    for name in ways[0]:
        values = choice(way[name] for way in ways) if all(name in way for way in ways) else ()
        known.update((name, value) for value in values)


def forget(node: ast.AST, known: dict[str, Known]) -> None:
    """Drops the names that a statement may give another value."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            known.pop(inner.id, None)
            for name in [name for name in known if name.startswith(f"{inner.id}.")]:
                del known[name]
        elif isinstance(inner, (ast.Attribute, ast.Subscript)):
            name = inner.value.id if isinstance(inner.value, ast.Name) else ""
            if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store):
                known.pop(f"{name}.{inner.attr}", None)
            if isinstance(known.get(name), Gathered) and not _only_reads(inner):
                del known[name]  # `keywords.setdefault(...)`
        elif isinstance(inner, ast.Call):
            _take_out(inner, known)


def _only_reads(node: ast.Attribute | ast.Subscript) -> bool:
    """Whether something leaves gathered keywords as they are; what `pop` takes is minded apart."""
    if isinstance(node, ast.Attribute):
        return node.attr in ("get", "pop", "items", "keys", "values", "copy")
    return isinstance(node.ctx, ast.Load)


def _take_out(call: ast.Call, known: dict[str, Known]) -> None:
    """Drops what `keywords.pop("name")` takes out of gathered keywords."""
    func = call.func
    if not isinstance(func, ast.Attribute) or not isinstance(func.value, ast.Name):
        return
    name, key = func.value.id, call.args[0] if call.args else None
    gathered = known.get(name)
    if func.attr == "pop" and isinstance(gathered, Gathered):
        if isinstance(key, ast.Constant):
            items = tuple(i for i in gathered.items if i[0] != key.value)
            known[name] = Gathered(items, (), gathered.is_open)
        else:
            del known[name]


def leaves(block: list[ast.stmt]) -> bool:
    """Whether a block ends the function, or this round of its loop."""
    last = block[-1] if block else None
    if isinstance(last, ast.If):
        return leaves(last.body) and leaves(last.orelse)
    return isinstance(last, (ast.Return, ast.Raise, ast.Continue, ast.Break))
