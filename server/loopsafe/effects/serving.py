"""From where on a program serves others, as the catalogue knows: what comes before is start-up,
and stalls none of those whom it serves, whatever runs already."""

from __future__ import annotations

from collections.abc import Sequence

from loopsafe.effects.chains import Chains, Step
from loopsafe.effects.known import serves
from loopsafe.effects.meetings import function_of
from loopsafe.effects.tasks import below, outermost_loop, quiet
from loopsafe.facts.ir import AWAITING, Call
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame


def serves_after(chains: Chains, frame: Frame, number: int) -> bool:
    """Whether a function begins to serve only behind one of its sites."""
    found = chains.resolver.remember(
        ("serves from", frame), frame.module, lambda: (_serving_from(chains, frame),)
    )
    return bool(found) and found[0] > number


def is_undisturbed(chains: Chains, steps: Sequence[Step]) -> bool:
    """Whether the end of a chain runs where no task runs that anything on its way has started, or
    before anything on its way serves."""
    before: list[tuple[Frame, int]] = []
    for step in steps:
        function = function_of(chains.resolver, step.frame)
        if function is None or step.edge.site not in function.sites:
            return False
        number = function.sites.index(step.edge.site)
        before.append((step.frame, number))
        if not quiet(chains, step.frame).has(number):
            return any(serves_after(chains, frame, at) for frame, at in before)
    return True


def _serving_from(chains: Chains, frame: Frame) -> int:
    """The number of the site with which a function begins to serve; -1 if it never does.

    Whoever comes is let in when the loop next has its turn: what stands between is start-up.
    """
    number = _first_serving(chains, frame)
    function = function_of(chains.resolver, frame)
    module = chains.resolver.table.get(frame.module)
    if number < 0 or function is None or module is None or function.is_generator:
        return number
    scope = module.facts.scopes[function.sites[number].scope]
    if outermost_loop(scope, function, number):
        return number  # In its next round it serves already.
    turns = (
        at
        for at, site in enumerate(function.sites)
        if at >= number and (site.is_awaited or site.kind in AWAITING)
    )
    return next(turns, number)


def _first_serving(chains: Chains, frame: Frame) -> int:
    """The number of the first site that serves, by itself or by what it calls; -1 if none does."""
    own = min(_serving_sites(chains.resolver, frame), default=-1)
    for number, found in below(chains, frame, {frame}):
        if 0 <= own <= number:
            break
        if _serving_sites(chains.resolver, found):
            return number
    return own


def _serving_sites(resolver: Resolver, frame: Frame) -> frozenset[int]:
    """The numbers of a function's own sites that serve."""
    module, function = resolver.table.get(frame.module), function_of(resolver, frame)
    if module is None or function is None:
        return frozenset()
    resolver.table.trace |= module.text_bit
    return frozenset(
        resolver.remember(
            ("serving sites", frame),
            frame.module,
            lambda: tuple(
                number
                for number, site in enumerate(function.sites)
                if isinstance(site.expr, Call)
                and any(serves(resolver, value) for value in resolver.values(site.expr.func, frame))
            ),
        )
        or ()
    )
