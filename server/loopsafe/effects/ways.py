"""Where an object comes from, as it is written: the calls in a row that lead to it.

What a database's row knows of others depends on how it was asked for: `select_related("author")`.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.facts.ir import Attr, Await, Call, Element, Expr, Item, Name, Subscript
from loopsafe.resolve.names import definitions
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, Frame, FunctionValue, Instance, Value

_LONGEST = 24
"""Steps from an object back to where the first call of its way is made."""


def comes_without(
    resolver: Resolver, receiver: Expr, attribute: str, methods: tuple[str, ...], frame: Frame
) -> bool:
    """Whether all ways to an object are in sight, and none calls one of some methods.

    A way that begins in the project's own class, or goes by a method of one, may have called them.
    """
    if _is_set(resolver, receiver, attribute, frame):
        return False
    ways = list(_ways(resolver, receiver, frame, _LONGEST))
    return bool(ways) and all(way is not None and way and way.isdisjoint(methods) for way in ways)


def _ways(
    resolver: Resolver, expr: Expr, frame: Frame, left: int
) -> Iterator[frozenset[str] | None]:
    """The names of the methods on each way; None for one that is not in sight."""
    if isinstance(expr, (Await, Element, Item, Subscript)):
        expr = expr.value
        yield from _ways(resolver, expr, frame, left - 1) if left else (None,)
    elif isinstance(expr, Call) and isinstance(expr.func, Attr) and left:
        is_plain = all(not _is_own(resolver, v) for v in resolver.values(expr.func, frame))
        for way in _ways(resolver, expr.func.value, frame, left - 1):
            yield way | {expr.func.name} if way is not None and is_plain else None
    elif isinstance(expr, Name) and left:
        found = definitions(resolver, expr, frame)
        itself: object = expr
        for definition in found:
            value = definition.binding.value
            is_other = value is not None and value != itself
            if value is not None and is_other and definition.frame is frame:
                yield from _ways(resolver, value, definition.frame, left - 1)
            else:
                yield None
    else:
        yield frozenset() if _is_outside(resolver, expr, frame) else None


def _is_outside(resolver: Resolver, expr: Expr, frame: Frame) -> bool:
    """Whether an object is of a class that the project does not define."""
    values = resolver.values(expr, frame) if isinstance(expr, Attr) else ()
    return bool(values) and all(
        isinstance(v, Instance) and not _is_own(resolver, v) for v in values
    )


def _is_own(resolver: Resolver, value: Value) -> bool:
    cls = value.cls if isinstance(value, Instance) else value
    module = (
        resolver.table.get(cls.module) if isinstance(cls, (ClassValue, FunctionValue)) else None
    )
    return module is not None and module.is_project


def _is_set(resolver: Resolver, receiver: Expr, attribute: str, frame: Frame) -> bool:
    """Whether the function itself gives the object this attribute."""
    module = resolver.table.get(frame.module)
    scope = module.facts.scopes[frame.scope] if module is not None else None
    if (
        module is None
        or scope is None
        or scope.kind != "function"
        or not isinstance(receiver, Name)
    ):
        return True
    resolver.table.trace |= module.text_bit
    return any(
        site.kind == "set"
        and isinstance(site.expr, Attr)
        and site.expr.name == attribute
        and isinstance(site.expr.value, Name)
        and site.expr.value.id == receiver.id
        for site in module.facts.functions[scope.owner].sites
    )
