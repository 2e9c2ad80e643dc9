"""Results that are asked for behind an `await` for the end of what has them: `await call.wait()`,
then `call.result()`. They are there."""

from __future__ import annotations

from typing import NamedTuple

from loopsafe.effects.chains import Way
from loopsafe.effects.conditions import shape
from loopsafe.facts.ir import Attr, Call, Display, Expr, Function, Name, Scope, Site, last_name
from loopsafe.facts.reach import encloses
from loopsafe.resolve.names import definitions
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame

_ENDS = frozenset(
    {
        *("wait", "wait_async", "async_wait", "wait_done", "wait_until_done", "join", "run"),
        *("wait_for", "wait_for_completion", "wrap_future", "shield", "gather"),
    }
)
"""How calls are named that end when what they are called on, or given, has ended."""
_RESULTS = frozenset({"result", "exception"})
"""What is asked of a future of the project's own, which waits as it likes."""
_RAISING = frozenset({"wait_for"})
"""Those that raise where they do not wait for the end."""
_STEPS = 3
"""Names and calls that what is awaited is made of, one after the other."""


def is_finished(resolver: Resolver, function: Function, way: Way, frame: Frame) -> bool:
    """Whether a way begins where what it waits for has been awaited: a future, or what an object
    keeps from then on."""
    site = way.edge.site
    is_result = way.blocking.category == "future" or (
        way.blocking.category == "lock" and _last(site.expr) in _RESULTS
    )
    asked = _asked(site) if is_result or way.held is not None else None
    module = resolver.table.get(frame.module)
    if asked is None or module is None or not function.awaits:
        return False
    scope = module.facts.scopes[frame.scope]
    if len(scope.bindings.get(asked[0], ())) > 1:
        return False
    return _Awaited(resolver, frame, asked).before(function, scope, site)


def _last(expr: Expr) -> str:
    return last_name(expr.func) if isinstance(expr, Call) else ""


def _asked(site: Site) -> tuple[str, ...] | None:
    """The object that is asked, as it is spelled: `self.call` of `self.call.result()`."""
    expr = site.expr.func if site.kind == "call" and isinstance(site.expr, Call) else site.expr
    is_asked = site.kind in ("call", "get") and isinstance(expr, Attr)
    return shape(expr.value) if is_asked and isinstance(expr, Attr) else None


class _Awaited(NamedTuple):
    resolver: Resolver
    frame: Frame
    asked: tuple[str, ...]

    def before(self, function: Function, scope: Scope, asking: Site) -> bool:
        """Whether the end was awaited on every way to a place."""
        for site in function.sites:
            if site.spot == asking.spot:
                return False
            if site.awaited or site.kind == "await":
                is_before = site.scope == asking.scope
                is_before = is_before and encloses(scope.blocks, site.block, asking.block)
                if is_before and self._is_end(site.expr, _STEPS):
                    return True
        return False

    def _is_end(self, expr: Expr, steps: int) -> bool:
        """Whether what is awaited ends with what is asked."""
        if isinstance(expr, Name) and steps:
            found = definitions(self.resolver, expr, self.frame)
            values = [d.binding.value for d in found]
            return bool(values) and all(
                isinstance(value, Call) and self._is_end(value, steps - 1) for value in values
            )
        if not isinstance(expr, Call) or last_name(expr.func) not in _ENDS:
            return False
        if isinstance(expr.func, Attr) and self._is_of(expr.func.value, steps):
            return not expr.args and not expr.keywords
        is_whole = not expr.keywords or last_name(expr.func) in _RAISING
        return is_whole and any(self._is_of(arg, steps) for arg in expr.args)

    def _is_of(self, expr: Expr, steps: int) -> bool:
        """Whether an expression is what is asked, or made of it: `Waiter(call)`."""
        if shape(expr) == self.asked:
            return True
        if not steps:
            return False
        if isinstance(expr, Display):
            return any(self._is_of(item, steps - 1) for item in expr.items)
        if isinstance(expr, Call):
            return any(self._is_of(arg, steps - 1) for arg in expr.args)
        found = definitions(self.resolver, expr, self.frame) if isinstance(expr, Name) else ()
        values = [d.binding.value for d in found]
        return bool(values) and all(
            isinstance(value, Call) and self._is_of(value, steps - 1) for value in values
        )
