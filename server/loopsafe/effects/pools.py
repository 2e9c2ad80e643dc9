"""Pools whose work is awaited inside their `with`: nothing is left to wait for at its end."""

from __future__ import annotations

from loopsafe.facts.ir import AWAITING, Attr, Call, Entered, Function, Site, last_name
from loopsafe.modules.module import Module


def is_awaited_within(module: Module, function: Function, end: Site) -> bool:
    """Whether a pool is only handed to what is awaited: `await loop.run_in_executor(pool, f)`.

    `end` is where its `with` is left. Whoever calls a pool's methods gets futures of threads, which
    may be left for the end of the block.
    """
    entered: object = Entered(end.expr, False)
    names = {
        name
        for name, bindings in module.facts.scopes[end.scope].bindings.items()
        if any(binding.value == entered for binding in bindings)
    }
    body = _within(function, end)
    calls = [site.expr for site in body if isinstance(site.expr, Call)]
    owners = {last_name(call.func.value) for call in calls if isinstance(call.func, Attr)}
    awaits = any(site.is_awaited or site.kind in AWAITING for site in body)
    return bool(names) and awaits and not names & owners


def _within(function: Function, end: Site) -> list[Site]:
    """The sites in the block of a `with`, by the one that leaves it."""
    marks = [
        number
        for number, site in enumerate(function.sites)
        if site.spot == end.spot and site.kind in ("enter", "exit") and site.expr == end.expr
    ]
    return list(function.sites[marks[0] + 1 : marks[-1]])
