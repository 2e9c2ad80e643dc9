"""The functions that decorators of packages put around others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Expr
from loopsafe.resolve.choosing import returned
from loopsafe.resolve.values import Frame, FunctionValue, Instance, Value

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def around(resolver: Resolver, function: FunctionValue) -> tuple[FunctionValue, ...]:
    """What decorators of packages put around one of a package's functions."""
    module = resolver.table.get(function.module)
    if module is None or module.is_project or module.is_stub:
        return ()
    facts = module.facts.functions[function.number]
    if not facts.decorators:
        return ()
    frame = function.outer or resolver.frame(function.module, facts.outer)
    return resolver.remember(
        ("around", function),
        function.module,
        lambda: tuple(
            wrapper._replace(receiver=function.receiver, bound=function.bound)
            for decorator in facts.decorators
            for maker in makers(resolver, decorator, frame)
            for wrapper in made(resolver, maker, function._replace(bound=False))
        ),
    )


def makers(resolver: Resolver, decorator: Expr, frame: Frame) -> Iterator[FunctionValue]:
    """The functions that are called with what is decorated."""
    for value in resolver.values(decorator, frame):
        callees = resolver.attribute(value, "__call__") if isinstance(value, Instance) else (value,)
        yield from (callee for callee in callees if isinstance(callee, FunctionValue))


def made(
    resolver: Resolver, maker: FunctionValue | None, function: Value
) -> Iterator[FunctionValue]:
    """The functions inside a decorator that it gives for another one."""
    module = resolver.table.get(maker.module) if maker is not None else None
    if maker is None or module is None or module.is_project or module.is_stub:
        return
    frame = resolver.function_frame(maker, ((int(maker.bound), (function,)),))
    if frame is None:
        return
    # One that asks `iscoroutinefunction(function)` gives the wrapper of that kind alone.
    for wrapper in returned(resolver, module.facts.functions[maker.number], frame):
        if isinstance(wrapper, FunctionValue) and wrapper.outer is frame:
            yield wrapper
