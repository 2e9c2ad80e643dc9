"""Constant folding over astroid, with loop variables bound to one item at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from astroid import nodes
from astroid.builder import parse
from astroid.exceptions import AstroidError
from astroid.manager import AstroidManager

Bindings: TypeAlias = Mapping[str, nodes.NodeNG]
"""Loop variables, and the expressions they stand for in one round."""

_SCRATCH = "<scratch>"
_LONGEST = 10_000


def constants(node: nodes.NodeNG, bindings: Bindings) -> list[Any]:
    """The constants that an expression may be; empty where it is no constant."""
    if not bindings or not any(n.name in bindings for n in node.nodes_of_class(nodes.Name)):
        return _known(node)
    lines = []
    for name in {n.name for n in node.nodes_of_class(nodes.Name)}:
        values = _known(bindings[name]) if name in bindings else _outer(node, name)
        if len(values) == 1:
            lines.append(f"{name} = {values[0]!r}")
    text = "\n".join([*lines, node.as_string()])
    if len(text) > _LONGEST:
        return []
    try:
        module = parse(text, module_name=_SCRATCH)
    except AstroidError:
        return []
    finally:
        AstroidManager().astroid_cache.pop(_SCRATCH, None)
    last = module.body[-1]
    return _known(last.value) if isinstance(last, nodes.Expr) else []


def _outer(node: nodes.NodeNG, name: str) -> list[Any]:
    """The constants that a name outside the loop may be."""
    for found in node.nodes_of_class(nodes.Name):
        if found.name == name:
            return _known(found)
    return []


def _known(node: nodes.NodeNG) -> list[Any]:
    try:
        found = list(node.infer())
    except (AstroidError, AttributeError, RecursionError):
        return []
    if not all(isinstance(value, nodes.Const) for value in found):
        return []
    return [value.value for value in found]
