"""Type parameters written in brackets: `class Box[T]`, `def first[T: Path](...)`."""

from __future__ import annotations

import ast

_ATTRIBUTE = "loopsafe_type_parameters"


def remember(node: ast.AST, text: str) -> None:
    """Keeps the text between the brackets on a definition that lost it to an older syntax."""
    setattr(node, _ATTRIBUTE, text)


def type_parameters(node: ast.AST) -> list[tuple[str, ast.expr | None]]:
    """Names and bounds of a definition's type parameters."""
    known = getattr(node, "type_params", None)
    if known:
        return [(parameter.name, getattr(parameter, "bound", None)) for parameter in known]
    text = getattr(node, _ATTRIBUTE, "")
    if not text:
        return []
    try:
        # They look like a function's parameters: `T: Path, *Ts, **P`.
        function = ast.parse(f"def _(\n{text}\n): ...").body[0]
    except SyntaxError:
        return []
    if not isinstance(function, ast.FunctionDef):
        return []
    args = function.args
    stars = [arg for arg in (args.vararg, args.kwarg) if arg is not None]
    return [(arg.arg, arg.annotation) for arg in (*args.args, *args.kwonlyargs, *stars)]
