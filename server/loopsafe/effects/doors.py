"""What takers call their callables with: `loop.call_soon(load, client)`, `map(load, urls)`.

The catalogue says of each taker where its own call has that.
"""

from __future__ import annotations

from loopsafe.facts.ir import UNKNOWN, Call, Const, DictDisplay, Display, Element, Expr, Starred
from loopsafe.knowledge.schema import Runner
from loopsafe.model import Place
from loopsafe.resolve.arguments import argument_at
from loopsafe.resolve.conditions import holds
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame, FunctionValue

_BEHIND = "*"
"""Everything that stands behind the callable, and all keywords."""
_EACH = "each "
"""What one argument, or with a star each one behind the callable, gives when it is gone through."""


def made_call(runner: Runner, call: Call) -> Call | None:
    """The call that a runner makes of what it is given; None where nobody knows with what."""
    callee = argument_at(call, runner.position, runner.argument)
    if callee is None or not runner.called_with:
        return None
    is_placed = 0 <= runner.position < len(call.args) and call.args[runner.position] is callee
    behind = call.args[runner.position + 1 :] if is_placed else call.args
    args: tuple[Expr, ...] = ()
    keywords: tuple[tuple[str | None, Expr], ...] = ()
    if runner.called_with == (_BEHIND,):
        args = behind
        keywords = tuple(pair for pair in call.keywords if pair[1] is not callee)
    elif runner.called_with[0].startswith(_EACH):
        args = _elements(runner.called_with[0].removeprefix(_EACH), behind, call)
    else:
        listed, mapped = (argument_at(call, -1, name) for name in runner.called_with)
        args = _listed(listed) if listed is not None else ()
        keywords = _mapped(mapped) if mapped is not None else ()
    return Call(callee, args, keywords, call.spot)


def runs_on_loop(
    resolver: Resolver, runner: Runner, call: Call, function: FunctionValue, frame: Frame
) -> bool:
    """Whether a runner has the loop run a function that it is given by a call."""
    module = resolver.table.get(function.module)
    if module is None:
        return False
    if module.facts.functions[function.number].is_async:
        return runner.coroutine is Place.LOOP
    in_thread = any(holds(resolver, each, call, frame) for each in runner.thread_if)
    return runner.sync is Place.LOOP and not in_thread


def _elements(which: str, behind: tuple[Expr, ...], call: Call) -> tuple[Expr, ...]:
    gone_through = behind if which == _BEHIND else call.args[int(which) : int(which) + 1]
    return tuple(
        Starred(UNKNOWN) if isinstance(expr, Starred) else Element(expr, False)
        for expr in gone_through
    )


def _listed(expr: Expr) -> tuple[Expr, ...]:
    return expr.items if isinstance(expr, Display) else (Starred(UNKNOWN),)


def _mapped(expr: Expr) -> tuple[tuple[str | None, Expr], ...]:
    if not isinstance(expr, DictDisplay):
        return ((None, UNKNOWN),)
    return tuple(
        (key.value if isinstance(key, Const) and isinstance(key.value, str) else None, value)
        for key, value in expr.items
    )
