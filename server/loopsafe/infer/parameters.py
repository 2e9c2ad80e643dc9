"""Teaches astroid to believe annotations of parameters, which it ignores by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from astroid import nodes
from astroid.builder import extract_node
from astroid.exceptions import AstroidError, UseInferenceDefault
from astroid.inference_tip import inference_tip
from astroid.manager import AstroidManager

_WRAPPERS = frozenset({"Annotated", "Optional", "Union", "ClassVar", "Final"})
_DEEPEST = 8


def register(manager: AstroidManager) -> None:
    """Adds the rule to modules that are built from now on."""
    manager.register_transform(nodes.AssignName, inference_tip(_parameter), _is_annotated)


def annotated(annotation: nodes.NodeNG | None, depth: int = 0) -> Iterator[nodes.ClassDef]:
    """The classes that an annotation names."""
    if annotation is None or depth > _DEEPEST:
        return
    if isinstance(annotation, nodes.Const) and isinstance(annotation.value, str):
        expr = extract_node(annotation.value)
        if isinstance(expr, nodes.NodeNG):
            expr.parent = annotation.parent
            yield from annotated(expr, depth + 1)
    elif isinstance(annotation, nodes.BinOp) and annotation.op == "|":
        yield from annotated(annotation.left, depth + 1)
        yield from annotated(annotation.right, depth + 1)
    elif isinstance(annotation, nodes.Subscript):
        name = annotation.value.as_string().rpartition(".")[2]
        if name not in _WRAPPERS:
            yield from annotated(annotation.value, depth + 1)
            return
        parts = annotation.slice.elts if isinstance(annotation.slice, nodes.Tuple) else None
        for part in [annotation.slice] if parts is None else parts:
            yield from annotated(part, depth + 1)
            if name == "Annotated":
                return
    elif isinstance(annotation, (nodes.Name, nodes.Attribute)):
        yield from (c for c in annotation.infer() if isinstance(c, nodes.ClassDef))


def _is_annotated(node: nodes.AssignName) -> bool:
    return isinstance(node.parent, nodes.Arguments) and _annotation(node) is not None


def _annotation(node: nodes.AssignName) -> nodes.NodeNG | None:
    arguments: Any = node.parent
    for names, notes in (
        (arguments.posonlyargs, arguments.posonlyargs_annotations),
        (arguments.args, arguments.annotations),
        (arguments.kwonlyargs, arguments.kwonlyargs_annotations),
    ):
        for name, note in zip(names or (), notes or (), strict=False):
            if name is node:
                found: nodes.NodeNG | None = note
                return found
    return None


def _parameter(node: nodes.AssignName, context: Any = None) -> Iterator[Any]:
    try:
        found = [cls.instantiate_class() for cls in annotated(_annotation(node))]
    except (AstroidError, SyntaxError, ValueError):
        found = []
    if not found:
        raise UseInferenceDefault
    return iter(found)
