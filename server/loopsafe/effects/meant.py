"""Which of several callables a call means: by its `await`, and by what was asked before it.

`await handler(event)` in a dispatcher means the coroutine functions among its handlers, and
`if iscoroutinefunction(handler)` tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.facts.ir import (
    Attr,
    Call,
    ClassRef,
    Expr,
    FunctionRef,
    Imported,
    Name,
    Scope,
    Site,
    Subscript,
    last_name,
)
from loopsafe.facts.reach import conditions_around, parts_of
from loopsafe.resolve.members import dotted_name, find
from loopsafe.resolve.names import definitions, qualified
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    CoroutineValue,
    External,
    Frame,
    FunctionValue,
    Instance,
    PartialValue,
    Value,
    Values,
)

_ASKS = frozenset(
    f"{module}.iscoroutinefunction" for module in ("inspect", "asyncio", "asyncio.coroutines")
)


def meant(resolver: Resolver, site: Site, values: Values, scope: Scope, frame: Frame) -> Values:
    """Of what a call may lead to, what it can mean where it stands."""
    call = site.expr
    if site.kind != "call" or not isinstance(call, Call) or not values:
        return values
    for test, is_met in conditions_around(scope, site.block, site.span.line, ("if", "else")):
        for asked, holds in _asked(resolver, test, is_met, frame):
            if _is_same(asked, call.func):
                values = tuple(
                    v for v in values if _is_coroutine_function(resolver, v) in (None, holds)
                )
    if not site.awaited:
        return values
    awaitable = tuple(
        v
        for v in values
        if _is_coroutine_function(resolver, v) is not False or gives_awaitable(resolver, v)
    )
    if len(awaitable) < len(values) and _is_own_name(resolver, call.func, frame):
        return values  # Who awaits a plain function by its own name makes a mistake.
    return awaitable


def _is_own_name(resolver: Resolver, callee: Expr, frame: Frame) -> bool:
    """Whether a function is called by the name of its definition, and not by that of a variable."""
    if isinstance(callee, Name):
        bindings = [found.binding for found in definitions(resolver, callee, frame)]
        return any(isinstance(b.value, (FunctionRef, Imported, ClassRef)) for b in bindings)
    if not isinstance(callee, Attr):
        return False
    for value in resolver.values(callee.value, frame):
        cls = value.cls if isinstance(value, Instance) else value
        member = find(resolver, cls, callee.name) if isinstance(cls, ClassValue) else None
        if member is None or any(isinstance(b.value, FunctionRef) for b in member.bindings):
            return True
    return False


def _asked(
    resolver: Resolver, test: Expr, holds: bool, frame: Frame
) -> Iterator[tuple[Expr, bool]]:
    """The callables that a condition asks about, where it is known to hold or to fail."""
    for part, is_met in parts_of(test, holds):
        found = definitions(resolver, part, frame) if isinstance(part, Name) else ()
        value = found[0].binding.value if len(found) == 1 else None
        call, home = (value, found[0].frame) if isinstance(value, Call) else (part, frame)
        if not isinstance(call, Call) or len(call.args) != 1 or last_name(call.func) not in _NAMES:
            continue
        names = [dotted_name(resolver, value) for value in resolver.values(call.func, home)]
        if _ASKS.intersection(
            name for name in (*names, qualified(resolver, call.func, home)) if name
        ):
            yield call.args[0], is_met


_NAMES = frozenset(name.rpartition(".")[2] for name in _ASKS)


def _is_coroutine_function(resolver: Resolver, value: Value) -> bool | None:
    """Whether a value is a coroutine function; None where nobody can say."""
    if isinstance(value, PartialValue):
        return _is_coroutine_function(resolver, value.function)
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


def gives_awaitable(resolver: Resolver, value: Value) -> bool:
    """Whether what a plain function gives can be awaited."""
    return any(
        isinstance(result, CoroutineValue)
        or (isinstance(result, Instance) and bool(resolver.attribute(result, "__await__")))
        for result in resolver.called(value)
    )


def _is_same(one: Expr, other: Expr) -> bool:
    """Whether two expressions are written alike."""
    if isinstance(one, Name) and isinstance(other, Name):
        return one.id == other.id
    if isinstance(one, Attr) and isinstance(other, Attr):
        return one.name == other.name and _is_same(one.value, other.value)
    if isinstance(one, Subscript) and isinstance(other, Subscript):
        return _is_same(one.value, other.value) and _is_same(one.key, other.key)
    left: object = one
    return type(one) is type(other) and left == other
