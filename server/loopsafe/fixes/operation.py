"""Moves an operator that blocks to a worker thread.

value = pool[key]
value = await asyncio.to_thread(lambda: pool[key])

pool[key] = value
await asyncio.to_thread(pool.__setitem__, key, value)
"""

from __future__ import annotations

import ast

from loopsafe.fixes.idioms import Idiom, wrapping
from loopsafe.fixes.site import Site
from loopsafe.model import Edit

_METHODS = {ast.Store: "__setitem__", ast.Del: "__delitem__"}


def operation(site: Site) -> ast.expr | None:
    """The expression that does what is underlined: an attribute read, an item, an operator."""
    node, parent = site.node, site.parent(site.node)
    if isinstance(parent, (ast.withitem, ast.For, ast.comprehension)):
        return None
    if isinstance(parent, ast.Compare) and node in parent.comparators:
        is_membership = len(parent.ops) == 1 and isinstance(parent.ops[0], (ast.In, ast.NotIn))
        return parent if is_membership else None
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        return node if isinstance(node.ctx, ast.Load) else None
    if isinstance(node, ast.Compare):
        return node if len(node.ops) == 1 else None
    return node if isinstance(node, ast.BinOp) else None


def item_statement(site: Site, idiom: Idiom) -> tuple[Edit, ...] | None:
    """`x[k] = v` and `del x[k]` as calls of the method that they stand for."""
    target, statement = site.node, site.statement
    if not isinstance(target, ast.Subscript) or isinstance(target.slice, ast.Slice):
        return None
    targets = statement.targets if isinstance(statement, (ast.Assign, ast.Delete)) else []
    if targets != [target] or statement is None or not site.draft.faithful(target.value):
        return None
    draft = site.draft
    parts = [target.slice, *([statement.value] if isinstance(statement, ast.Assign) else [])]
    if not all(map(_is_simple, (target.value, *parts))) or sum(map(_calls, parts)) > 1:
        return None  # What is evaluated in another order may give something else.
    callee = f"{draft.code(target.value)}.{_METHODS[type(target.ctx)]}"
    arguments = ", ".join(draft.code(part) for part in parts)
    call = ast.Call(ast.Name(callee, ast.Load()), parts, [])
    around = wrapping(site, idiom, call)
    if around is None or "#" in draft.code(statement):
        return None
    opening = f"{callee})(" if around.curried else f"{callee}, "
    content = f"await {around.head}{opening}{arguments}){around.tail}"
    return (*around.edits, draft.replace(draft.start(statement), draft.stop(statement), content))


def _is_simple(node: ast.expr) -> bool:
    """Whether an expression may be evaluated behind others, and stands as an argument as it is."""
    if isinstance(node, (ast.Name, ast.Constant)):
        return True
    if isinstance(node, ast.Attribute):
        return _is_simple(node.value)
    if isinstance(node, (ast.List, ast.Set)):
        return all(map(_is_simple, node.elts))
    if isinstance(node, ast.Dict):
        return all(key is not None and _is_simple(key) for key in node.keys) and all(
            map(_is_simple, node.values)
        )
    return (
        isinstance(node, ast.Call)
        and _is_simple(node.func)
        and not node.keywords
        and all(map(_is_simple, node.args))
    )


def _calls(node: ast.expr) -> bool:
    return any(isinstance(inner, ast.Call) for inner in ast.walk(node))
