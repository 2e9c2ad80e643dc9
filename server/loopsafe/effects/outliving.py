"""Whether what a call is made on was there before its function began."""

from __future__ import annotations

from loopsafe.effects.callees import near
from loopsafe.facts.ir import Attr, Await, Call, Entered, Expr, Function, Name
from loopsafe.model import Span
from loopsafe.modules.module import Module

_LONGEST = 8
"""Variables that are made of one another."""


def outlives(module: Module, span: Span) -> bool:
    """Whether the receiver of the call with this callee is kept by an object or by the module.

    `self.connection.cursor().execute(...)`, and not `connect().execute(...)`.
    """
    for number, function in enumerate(module.facts.functions):
        for site in near(function, span) if number else ():
            call = site.expr
            if function.in_file(site.spot) != span or not isinstance(call, Call):
                continue
            if isinstance(call.func, Attr):
                return _is_kept(module, function, call.func.value)
    return False


def _is_kept(module: Module, function: Function, receiver: Expr) -> bool:
    expr: Expr = receiver
    for _ in range(_LONGEST):
        name, is_attribute = _origin(expr)
        if name is None:
            return False
        bindings = module.facts.scopes[function.scope].bindings.get(name.id, ())
        is_own = function.owner >= 0 and name.id == next(
            (parameter.name for parameter in function.parameters), ""
        )
        if is_own:
            return is_attribute
        if not bindings:
            return is_attribute or name is expr
        value = bindings[0].value if len(bindings) == 1 else None
        if value is None:
            return False
        expr = value
    return False


def _origin(expr: Expr) -> tuple[Name | None, bool]:
    """The name that an expression begins with, and whether an attribute of it is read there."""
    is_called = False
    while True:
        if isinstance(expr, Call):
            expr, is_called = expr.func, True
        elif isinstance(expr, Attr):
            if isinstance(expr.value, Name):
                return expr.value, not is_called
            expr, is_called = expr.value, False
        elif isinstance(expr, (Await, Entered)):
            expr, is_called = expr.value, False
        else:
            return (expr, False) if isinstance(expr, Name) else (None, False)
