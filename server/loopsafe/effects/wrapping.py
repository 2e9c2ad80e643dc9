"""What decorators of libraries put around functions: what runs with each call of one."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects.bounds import bounds
from loopsafe.effects.conditions import blocks
from loopsafe.effects.runs import Run, Target
from loopsafe.effects.sources import body
from loopsafe.facts.ir import Call, Expr
from loopsafe.modules.module import Module
from loopsafe.resolve.names import qualified
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame, FunctionValue, ManagerValue
from loopsafe.resolve.wrappers import around, made, makers


def added_by_decorators(resolver: Resolver, function: FunctionValue) -> Iterator[Target]:
    """What a library's decorator adds to each call of a function: a retry that sleeps."""
    module = resolver.table.get(function.module)
    if module is None:
        return
    if not module.is_project:
        yield from _wrappers_inside(resolver, function, module)
        return
    facts = module.facts.functions[function.number]
    frame = resolver.frame(function.module, facts.outer)
    for expr in facts.decorators:
        for entered in resolver.values(expr, frame) if isinstance(expr, Call) else ():
            # What `@contextmanager` makes may also stand above a function.
            if isinstance(entered, ManagerValue) and not facts.is_async:
                yield Run(entered.function, entered.arguments, True)
        call = expr if isinstance(expr, Call) else None
        name = qualified(resolver, call.func if call else expr, frame)
        entry = resolver.catalogue.decorator(name) if name else None
        if entry is not None and not facts.is_async and blocks(resolver, entry, call, frame):
            yield entry
        if entry is None and not facts.is_async:
            yield from _wrappers(resolver, function, expr, frame)


def _wrappers(
    resolver: Resolver, function: FunctionValue, decorator: Expr, frame: Frame
) -> Iterator[Run]:
    """The functions that a library's decorator without an entry puts around one."""
    for maker in makers(resolver, decorator, frame):
        if resolver.catalogue.runner(dotted_name(resolver, maker) or "") is None:
            for wrapper in made(resolver, body(resolver, maker), function):
                yield Run(wrapper, (), False)


def _wrappers_inside(resolver: Resolver, function: FunctionValue, module: Module) -> Iterator[Run]:
    """The functions that a package's decorators put around its own: a query that one sends."""
    source = body(resolver, function) if bounds().enters(module.dotted) else None
    if source is not None:
        for wrapper in around(resolver, source):
            yield Run(wrapper, (), False)
