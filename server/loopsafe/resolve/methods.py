"""Methods, and what they call their own object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.facts.ir import Attr, Expr, Function, Name

if TYPE_CHECKING:
    from loopsafe.modules.module import Module
    from loopsafe.resolve.values import Frame


def method_of(module: Module | None, frame: Frame) -> Function | None:
    """The method that a frame is of."""
    scope = module.facts.scopes[frame.scope] if module is not None else None
    if module is None or scope is None or scope.kind != "function":
        return None
    function = module.facts.functions[scope.owner]
    return function if function.owner >= 0 and function.parameters else None


def own_object(expr: Expr, method: Function) -> Name | None:
    """The name of a method's own object, where an expression is an attribute of it: `self` of
    `self.token`."""
    receiver = expr.value if isinstance(expr, Attr) else None
    if not isinstance(receiver, Name) or not method.parameters:
        return None
    return receiver if receiver.id == method.parameters[0].name else None
