"""Generators that are asked for their first value only: `db = next(sessions())`.

What stands behind the first `yield` does not run then: whoever asked drops the generator, or
closes it.
"""

from __future__ import annotations

from loopsafe.facts.ir import Attr, Call, Expr, Function, Name, Scope
from loopsafe.facts.reach import encloses
from loopsafe.resolve.names import definitions
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame, FunctionValue, GeneratorValue, Value


def is_fresh(resolver: Resolver, value: Value, expr: Expr, frame: Frame) -> bool:
    """Whether an expression gives a new generator each time, of which nothing was asked before."""
    if not isinstance(value, GeneratorValue):
        return False
    if isinstance(expr, Call):
        return all(
            isinstance(callee, FunctionValue) and callee.definition == value.function.definition
            for callee in resolver.values(expr.func, frame)
        )
    found = definitions(resolver, expr, frame) if isinstance(expr, Name) else ()
    module = resolver.table.get(frame.module)
    if not isinstance(expr, Name) or len(found) != 1 or found[0].frame is not frame:
        return False
    made, binding = found[0].binding.value, found[0].binding
    if module is None or not isinstance(made, Call) or binding.scope != frame.scope:
        return False
    scope = module.facts.scopes[frame.scope]
    function = module.facts.functions[scope.owner if scope.kind == "function" else 0]
    resolver.table.trace |= module.text_bit
    return (
        not _is_asked_before(function, expr)
        and not _comes_round(scope, expr.block, binding.block)
        and is_fresh(resolver, value, made, frame)
    )


def _comes_round(scope: Scope, use: int, made: int) -> bool:
    """Whether a use stands in a loop in which what it uses is not made."""
    while use > 0:
        if scope.blocks[use].kind == "loop" and not encloses(scope.blocks, use, made):
            return True
        use = scope.blocks[use].parent
    return False


def _is_asked_before(function: Function, name: Name) -> bool:
    """Whether something that stands before a use of a name may go on with what it stands for."""
    for site in function.sites:
        call = site.expr
        if isinstance(call, Call):
            given = (*call.args, *(value for _, value in call.keywords))
            if any(one is name for one in given):
                return False
            owner = call.func.value if isinstance(call.func, Attr) else None
            if any(isinstance(one, Name) and one.id == name.id for one in (*given, owner)):
                return True
        elif isinstance(call, Name) and call.id == name.id:
            return True
    return False
