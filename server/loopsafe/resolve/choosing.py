"""Which `return` of a function a call gets to: `if iscoroutinefunction(f): return later`.

Decorators for both kinds of functions make another wrapper for each, and ask which it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

from loopsafe.facts.ir import (
    Call,
    Choice,
    Expr,
    Function,
    FunctionRef,
    Name,
    Scope,
    Test,
    last_name,
)
from loopsafe.facts.reach import conditions_around, parts_of
from loopsafe.resolve.names import definitions, qualified
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.values import (
    ClassValue,
    External,
    Frame,
    FunctionValue,
    Instance,
    PartialValue,
    Value,
    Values,
    union,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver

T = TypeVar("T")
_COROUTINE = "iscoroutinefunction"
_NAMES = frozenset(
    {_COROUTINE, "isasyncgenfunction", "isgeneratorfunction", "isfunction", "isclass"}
)
_ASKS = frozenset(
    [f"inspect.{name}" for name in _NAMES]
    + [f"{module}.{_COROUTINE}" for module in ("asyncio", "asyncio.coroutines")]
)


def returned(resolver: Resolver, function: Function, frame: Frame) -> Values:
    """What a function returns where a call passes these arguments, as far as they decide it."""
    module = resolver.table.get(frame.module)
    if module is None or not frame.arguments or _NAMES.isdisjoint(module.facts.words):
        return union(resolver.values(expr, frame) for expr in function.values)
    scope = module.facts.scopes[function.scope]
    options = [option for expr in function.values for option in _options(expr)]
    places = [(expr, _block(function, expr)) for expr in options]
    chosen = _reached(resolver, scope, places, frame)
    return union(_defined(resolver, scope, expr, frame) for expr in chosen)


def _options(expr: Expr) -> tuple[Expr, ...]:
    """The two sides of `later if iscoroutinefunction(f) else now`, whose branches are blocks."""
    return expr.options if isinstance(expr, Choice) and not expr.op else (expr,)


def _block(function: Function, expr: Expr) -> int:
    """The block in which something is returned: a name, or what a call gives."""
    if isinstance(expr, Name):
        return expr.block
    return next((site.block for site in function.sites if site.expr is expr), 0)


def _defined(resolver: Resolver, scope: Scope, expr: Expr, frame: Frame) -> Values:
    """The value of what is returned: of two functions of one name that which is defined then."""
    found = definitions(resolver, expr, frame) if isinstance(expr, Name) else ()
    if len(found) < 2 or not all(isinstance(d.binding.value, FunctionRef) for d in found):
        return resolver.values(expr, frame)
    if any(d.frame.scope != frame.scope for d in found):
        return resolver.values(expr, frame)
    chosen = _reached(resolver, scope, [(d, d.binding.block) for d in found], frame)
    return union(resolver.bound(d.binding, d.frame) for d in chosen)


def _reached(
    resolver: Resolver, scope: Scope, things: list[tuple[T, int]], frame: Frame
) -> list[T]:
    """Of things in blocks those that a call gets to; one alone where it is sure of it."""
    left: list[T] = []
    for thing, block in things if len(things) > 1 else ():
        verdicts = [
            None if (truth := holds(resolver, test, frame)) is None else truth == is_met
            for test, is_met in conditions_around(scope, block, 0, ("if", "else"))
        ]
        if verdicts and all(verdicts):
            return [thing]
        if False not in verdicts:
            left.append(thing)
    return left or [thing for thing, _ in things]


def holds(resolver: Resolver, test: Expr, frame: Frame) -> bool | None:
    """Whether what is asked about is a coroutine function, or one of another kind, by what a call
    passes; None where nobody can say, or something else is asked."""
    if isinstance(test, Test):
        inner = holds(resolver, test.value, frame) if test.kind == "not" else None
        return None if inner is None else not inner
    if isinstance(test, Choice) and test.op:
        parts = [holds(resolver, option, frame) for option in test.options]
        decisive = test.op == "or"
        return decisive if decisive in parts else None if None in parts else not decisive
    for callee, kind, _ in _questions(resolver, test, True, frame):
        known = {_is_of(resolver, kind, v) for v in resolver.values(callee, frame)}
        return known.pop() if len(known) == 1 else None
    return None


def asked(resolver: Resolver, test: Expr, holds: bool, frame: Frame) -> Iterator[tuple[Expr, bool]]:
    """The callables of which a condition asks whether they are coroutine functions, where it is
    known to hold or to fail."""
    for callee, kind, is_met in _questions(resolver, test, holds, frame):
        if kind == _COROUTINE:
            yield callee, is_met


def _questions(
    resolver: Resolver, test: Expr, holds: bool, frame: Frame
) -> Iterator[tuple[Expr, str, bool]]:
    """The callables that a condition asks about, and by which function."""
    for part, is_met in parts_of(test, holds):
        found = definitions(resolver, part, frame) if isinstance(part, Name) else ()
        value = found[0].binding.value if len(found) == 1 else None
        call, home = (value, found[0].frame) if isinstance(value, Call) else (part, frame)
        if not isinstance(call, Call) or len(call.args) != 1 or last_name(call.func) not in _NAMES:
            continue
        names = [dotted_name(resolver, value) for value in resolver.values(call.func, home)]
        for name in (*names, qualified(resolver, call.func, home)):
            if name in _ASKS:
                yield call.args[0], name.rpartition(".")[2], is_met
                break


def _is_of(resolver: Resolver, kind: str, value: Value) -> bool | None:
    """Whether a value is what a function of `inspect` asks for; None where nobody can say."""
    if kind == "isclass" and isinstance(value, (ClassValue, FunctionValue)):
        return isinstance(value, ClassValue)
    is_async = is_coroutine_function(resolver, value)
    module = resolver.table.get(value.module) if isinstance(value, FunctionValue) else None
    if module is None or not isinstance(value, FunctionValue):
        return is_async if kind == _COROUTINE or is_async is False else None
    if kind == "isfunction":
        return not value.bound
    yields = module.facts.functions[value.number].is_generator
    if kind == "isgeneratorfunction":
        return yields and not is_async
    return bool(is_async) and yields == (kind == "isasyncgenfunction")


def is_coroutine_function(resolver: Resolver, value: Value) -> bool | None:
    """Whether a value is a coroutine function; None where nobody can say."""
    if isinstance(value, PartialValue):
        return is_coroutine_function(resolver, value.function)
    if isinstance(value, ClassValue):
        return False
    if isinstance(value, Instance):
        # Python asks about the object, not about its `__call__`, whatever that is.
        return False if resolver.attribute(value, "__call__") else None
    if isinstance(value, External):
        return False if resolver.catalogue.callable(value.name) is not None else None
    module = resolver.table.get(value.module) if isinstance(value, FunctionValue) else None
    if module is None or not isinstance(value, FunctionValue):
        return None
    return module.facts.functions[value.number].is_async
