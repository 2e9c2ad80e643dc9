"""Which of several callables a call means: by its `await`, and by what was asked before it.

`await handler(event)` in a dispatcher means the coroutine functions among its handlers, and
`if iscoroutinefunction(handler)` tells them apart.
"""

from __future__ import annotations

from loopsafe.facts.ir import (
    Attr,
    Call,
    Choice,
    ClassRef,
    Expr,
    FunctionRef,
    Imported,
    Name,
    Scope,
    Site,
    Subscript,
)
from loopsafe.facts.reach import conditions_around
from loopsafe.resolve.choosing import asked, is_coroutine_function
from loopsafe.resolve.finding import find
from loopsafe.resolve.names import definitions
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    CoroutineValue,
    Frame,
    FunctionValue,
    Instance,
    Value,
    Values,
    union,
)


def meant(resolver: Resolver, site: Site, values: Values, scope: Scope, frame: Frame) -> Values:
    """Of what a call may lead to, what it can mean where it stands."""
    call = site.expr
    if site.kind != "call" or not isinstance(call, Call) or not values:
        return values
    for test, is_met in conditions_around(scope, site.block, site.spot.line, ("if", "else")):
        for callee, holds in asked(resolver, test, is_met, frame):
            if _is_same(callee, call.func):
                values = tuple(
                    v for v in values if is_coroutine_function(resolver, v) in (None, holds)
                )
    if not site.awaited:
        return values
    kinds = {v: is_coroutine_function(resolver, v) for v in values}
    awaitable = tuple(
        v for v, kind in kinds.items() if kind is not False or gives_awaitable(resolver, v)
    )
    is_told = len(awaitable) == len(values) or True in kinds.values()
    if not is_told and _is_own_name(resolver, call.func, frame):
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


def gives_awaitable(resolver: Resolver, value: Value) -> bool:
    """Whether what a plain function gives can be awaited."""
    return any(_is_awaitable(resolver, result) for result in resolver.called(value))


def always_gives_awaitable(resolver: Resolver, value: Value) -> bool:
    """The same of one that gives nothing else: `-> str | Awaitable[str]` is for both kinds."""
    results = resolver.called(value)
    return bool(results) and all(_is_awaitable(resolver, result) for result in results)


def _is_awaitable(resolver: Resolver, value: Value) -> bool:
    return isinstance(value, CoroutineValue) or (
        isinstance(value, Instance) and bool(resolver.attribute(value, "__await__"))
    )


def for_await(resolver: Resolver, function: FunctionValue) -> FunctionValue:
    """A function as it runs where what it gives is awaited.

    A decorator is given a plain function and a coroutine function, and its wrapper calls one of
    them: `fn = load if wants_plain() else aload`. Only the second gives something to await.
    """
    if function.outer is None:
        return function
    found = resolver.remember(
        ("for await", function), function.module, lambda: _for_await(resolver, function)
    )
    return found or function


def _for_await(resolver: Resolver, function: FunctionValue) -> FunctionValue:
    module, frame = resolver.table.get(function.module), resolver.function_frame(function)
    if module is None or frame is None or function.outer is None:
        return function
    facts = module.facts.functions[function.number]
    given = [
        option.func
        for expr in facts.values
        for option in (expr.options if isinstance(expr, Choice) else (expr,))
        if isinstance(option, Call)
    ]
    called = union(resolver.values(callee, frame) for callee in given)
    awaitable = tuple(
        v for v in called if is_coroutine_function(resolver, v) or gives_awaitable(resolver, v)
    )
    plain = frozenset(
        v for v in called if v not in awaitable and is_coroutine_function(resolver, v) is False
    )
    if facts.is_async or not awaitable or not plain:
        return function
    return function._replace(outer=_exchanged(resolver, function.outer, plain, awaitable))


def _exchanged(
    resolver: Resolver, frame: Frame, plain: frozenset[Value], awaitable: Values
) -> Frame:
    """A frame, and those around it, with other callables in the place of plain functions."""
    outer = _exchanged(resolver, frame.outer, plain, awaitable) if frame.outer else None
    arguments = tuple(
        (number, awaitable if plain.issuperset(values) and values else values)
        for number, values in frame.arguments
    )
    return resolver.frame(frame.module, frame.scope, frame.receiver, arguments, outer)


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
