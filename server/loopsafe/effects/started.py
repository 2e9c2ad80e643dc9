"""Whether a function of a package waits for what it has started itself: `pool.submit(f).result()`.

Waiting for another thread does not show through from inside packages, as whatever has locks and
queues waits now and then. Where the thread, or the future, is of the function's own making, nothing
can have ended it before, and the call takes as long as what was started.
"""

from __future__ import annotations

from loopsafe.facts.ir import (
    Attr,
    Call,
    Comprehension,
    Display,
    Element,
    Expr,
    Filled,
    Name,
    Site,
)
from loopsafe.resolve.names import definitions
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame

_MOST_STEPS = 4
"""From a name to what it stands for."""


def waits_for_own(resolver: Resolver, site: Site, frame: Frame) -> bool:
    """Whether what a call waits for is made in the same function."""
    call = site.expr
    callee = call.func if isinstance(call, Call) else None
    return isinstance(callee, Attr) and _is_made(resolver, callee.value, frame)


def _is_made(resolver: Resolver, expr: Expr, frame: Frame, steps: int = _MOST_STEPS) -> bool:
    """Whether an expression is what a call of the function gives, or one of several of these."""
    if isinstance(expr, Element):
        return _is_made(resolver, expr.value, frame, steps)
    if isinstance(expr, Comprehension):
        return isinstance(expr.element, Call)
    if isinstance(expr, Filled):
        return _is_made(resolver, expr.element, frame, steps)
    if not isinstance(expr, Name):
        return isinstance(expr, Call)
    if not steps or frame.scope == 0:
        return False
    found = [one.binding for one in definitions(resolver, expr, frame)]
    values = [
        binding.value if binding.scope == frame.scope else None
        for binding in found
        if not isinstance(binding.value, Display)
    ]
    return bool(values) and all(
        value is not None and _is_made(resolver, value, frame, steps - 1) for value in values
    )
