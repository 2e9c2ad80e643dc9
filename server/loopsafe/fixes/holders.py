"""Variables and attributes that hold one object: what they are given, and where they are read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from loopsafe.fixes.everywhere import Stuck
from loopsafe.fixes.names import FUNCTIONS, bindings, bound_by, dotted, own_nodes
from loopsafe.fixes.site import Site


@dataclass(frozen=True, slots=True)
class Holder:
    """Where an object is held."""

    name: str
    """As it is written: `client`, `self.client`, `database.client`."""
    scope: ast.AST
    """Where all of its uses in a file are: the module, a function, a class."""


def holder_of(site: Site, node: ast.AST) -> Holder | None:
    """The variable or attribute that an expression is, as it is seen from a place."""
    name = dotted(node)
    first, _, rest = name.partition(".")
    if rest:
        classes = [outer for outer in site.path if isinstance(outer, ast.ClassDef)]
        own = first == "self" and "." not in rest
        return Holder(name, classes[-1]) if own and classes else None
    for scope in (*site.scopes(), site.context.tree):
        if name and name in bindings(scope):
            plain = isinstance(scope, (*FUNCTIONS, ast.Module))
            return Holder(name, scope) if plain else None
    return None


def assigned(holder: Holder) -> ast.expr | None:
    """What the only statement that sets a holder gives it; None where there are others."""
    found = list(_settings(holder))
    return found[0] if len(found) == 1 else None


def reads(holder: Holder) -> Iterator[ast.expr]:
    """Where it is read. Raises Stuck where its name is another thing somewhere."""
    for node in ast.walk(holder.scope):
        if isinstance(node, (ast.Global, ast.Nonlocal)) and holder.name in node.names:
            raise Stuck(f"`{holder.name}` is set anew in line {node.lineno}")
        inner = isinstance(node, FUNCTIONS) and node is not holder.scope
        if isinstance(node, FUNCTIONS) and inner and holder.name in bindings(node):
            raise Stuck(f"`{holder.name}` is another thing in line {node.lineno}")
        is_read = isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load)
        if isinstance(node, (ast.Name, ast.Attribute)) and is_read and dotted(node) == holder.name:
            yield node


def _settings(holder: Holder) -> Iterator[ast.expr | None]:
    """What is assigned to it; None for what is no plain assignment."""
    scope, name = holder.scope, holder.name
    plain: set[int] = set()
    for node in ast.walk(scope) if isinstance(scope, ast.ClassDef) else own_nodes(scope):
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        for target in targets:
            if dotted(target) == name and isinstance(node, (ast.Assign, ast.AnnAssign)):
                plain.add(id(target))
                yield node.value if len(targets) == 1 else None
        for item in node.items if isinstance(node, ast.With) else []:
            if item.optional_vars is not None and dotted(item.optional_vars) == name:
                plain.add(id(item.optional_vars))
                yield item.context_expr
        if isinstance(node, ast.Attribute):
            is_set = not isinstance(node.ctx, ast.Load) and dotted(node) == name
        else:
            is_set = name in bound_by(node)
        if is_set and id(node) not in plain:
            yield None
