"""Where a name or an attribute gets its values from, as expressions that can be looked into."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from astroid import bases, nodes
from astroid.exceptions import AstroidError

_DEEPEST = 6


def definitions(node: nodes.NodeNG) -> Iterator[nodes.NodeNG]:
    """The expressions assigned to what a name or an attribute stands for."""
    for target in targets(node):
        value = assigned(target)
        if value is not None:
            yield value


def targets(node: nodes.NodeNG, depth: int = 0) -> list[Any]:
    """The assignment targets behind a name or an attribute, through imports."""
    if depth > _DEEPEST:
        return []
    if isinstance(node, nodes.Name):
        _, found = node.lookup(node.name)
        return _followed(found, node.name, depth)
    if isinstance(node, nodes.Attribute):
        return [t for owner in _owners(node.expr) for t in _in(owner, node.attrname, depth)]
    return []


def assigned(target: Any) -> nodes.NodeNG | None:
    """The expression that a plain assignment gives its target."""
    statement = target.parent
    if isinstance(statement, nodes.Assign) and target in statement.targets:
        return statement.value
    if isinstance(statement, nodes.AnnAssign) and statement.target is target:
        return statement.value
    return None


def called_name(node: nodes.NodeNG) -> str:
    """The qualified name of a callee that is a definition; empty where it is none."""
    try:
        found = next(node.infer(), None)
    except (AstroidError, AttributeError, RecursionError):
        return ""
    is_definition = isinstance(found, (nodes.FunctionDef, nodes.ClassDef))
    return found.qname() if is_definition and found is not None else ""


def _owners(node: nodes.NodeNG) -> list[Any]:
    try:
        return list(node.infer())
    except (AstroidError, AttributeError, RecursionError):
        return []


def _in(owner: Any, name: str, depth: int) -> list[Any]:
    """The targets of an attribute of a module, a class or an object."""
    if isinstance(owner, nodes.Module):
        return _followed(owner.locals.get(name, []), name, depth)
    cls = owner._proxied if isinstance(owner, bases.Instance) else owner
    if not isinstance(cls, nodes.ClassDef):
        return []
    for known in (cls, *_ancestors(cls)):
        found = [*known.locals.get(name, []), *known.instance_attrs.get(name, [])]
        if found:
            return [t for t in found if isinstance(t, (nodes.AssignName, nodes.AssignAttr))]
    return []


def _ancestors(cls: nodes.ClassDef) -> list[nodes.ClassDef]:
    try:
        return list(cls.ancestors())
    except AstroidError:
        return []


def _followed(found: Any, name: str, depth: int) -> list[Any]:
    followed: list[Any] = []
    for target in found:
        if isinstance(target, nodes.AssignName):
            followed.append(target)
        elif isinstance(target, nodes.ImportFrom):
            try:
                module = target.do_import_module(target.modname)
                real = target.real_name(name)
            except AstroidError:
                continue
            if depth < _DEEPEST:
                followed.extend(_followed(module.locals.get(real, []), real, depth + 1))
    return followed
