"""Handlers of exceptions that nothing raises: of a plain wrapper around a coroutine function, and
for imports of what is installed.

`try: return func(*args)` only makes a coroutine, where a decorator was put on an `async def`. What
that raises, whoever awaits it gets, and not the handler.
"""

from __future__ import annotations

from loopsafe.facts.ir import Call, Display, Expr, Function, Imported, Name, Scope, Site
from loopsafe.facts.reach import encloses
from loopsafe.resolve.names import module_member
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import CoroutineValue, External, Frame


def is_never_raised(resolver: Resolver, scope: Scope, block: int, frame: Frame) -> bool:
    """Whether all that the `try` of an `except` block does is to make coroutines.

    Asked only of functions inside functions: what a decorator gives.
    """
    if frame.outer is None or scope.kind != "function":
        return False
    found = resolver.remember(
        ("never raised", block, frame),
        frame.module,
        lambda: (_makes_coroutines(resolver, scope, block, frame),),
    )
    return bool(found) and found[0]


def is_importable(resolver: Resolver, wanted: Expr) -> bool:
    """Whether the environment has all that a `try` imports, so that it is not for this that its
    handler is there: a program runs beside what it was installed with.

    What of the standard library is there depends on the system, and what of the project can be
    imported depends on what it imports itself.
    """
    parts = wanted.items if isinstance(wanted, Display) else ()
    return bool(parts) and all(
        isinstance(part, Imported) and part.level == 0 and _is_there(resolver, part)
        for part in parts
    )


def _is_there(resolver: Resolver, imported: Imported) -> bool:
    module, name = imported.module, imported.name
    if not resolver.table.finder.in_environment(module):
        return False
    if name is None or resolver.table.finder.in_environment(f"{module}.{name}"):
        return True
    found = module_member(resolver, module, name)
    return bool(found) and not any(isinstance(value, External) for value in found)


def _makes_coroutines(resolver: Resolver, scope: Scope, block: int, frame: Frame) -> bool:
    module = resolver.table.get(frame.module)
    if module is None:
        return False
    function, tried = module.facts.functions[scope.owner], _tried(scope, block)
    sites = [
        site
        for site in function.sites
        if site.scope == frame.scope and encloses(scope.blocks, tried, site.block)
    ]
    calls = [site for site in sites if not _is_handed_on(function, site)]
    return bool(calls) and all(_makes_coroutine(resolver, site, frame) for site in calls)


def _tried(scope: Scope, block: int) -> int:
    """The block of the `try` that an `except` block belongs to."""
    parent = scope.blocks[block].parent
    return next(
        (
            number
            for number in range(block - 1, -1, -1)
            if scope.blocks[number].kind == "try" and scope.blocks[number].parent == parent
        ),
        0,
    )


def _is_handed_on(function: Function, site: Site) -> bool:
    """Whether a site is what a call hands on of a function's own `*args`."""
    gathered = {p.name for p in function.parameters if p.kind == "args"}
    return site.kind == "iterate" and isinstance(site.expr, Name) and site.expr.id in gathered


def _makes_coroutine(resolver: Resolver, site: Site, frame: Frame) -> bool:
    if site.kind != "call" or site.is_awaited or not isinstance(site.expr, Call):
        return False
    values = resolver.values(site.expr, frame)
    return bool(values) and all(isinstance(value, CoroutineValue) for value in values)
