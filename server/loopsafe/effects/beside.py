"""What a coroutine waits for by what it is given, also beside what it waits for anyway."""

from __future__ import annotations

from loopsafe.effects.chains import Chains, Step, Way
from loopsafe.effects.edges import Edge
from loopsafe.effects.meetings import function_of
from loopsafe.resolve.values import Frame

_MOST_STEPS = 3
"""Coroutines, one called by the other, that wait for something of the kind anyway."""


def by_what_is_given(
    chains: Chains, frame: Frame, edge: Edge, steps: int = _MOST_STEPS
) -> tuple[Way, list[Step]] | None:
    """The best way behind an edge of a frame that is told there, with its steps: also where the
    coroutine waits for something else of the kind whatever it is given, which is told inside of
    it and hides the way."""
    best = min(chains.through(edge), key=_weight, default=None)
    if not isinstance(edge.target, Frame):
        return (best, [Step(frame, edge)]) if best is not None else None
    if best is not None:
        return best, [Step(frame, edge), *chains.steps(edge.target, best.blocking.category)]
    if not steps or not chains.ways(edge.target) or _gives_something_else(chains, edge):
        return None
    for inner in chains.edges(edge.target):
        found = by_what_is_given(chains, edge.target, inner, steps - 1)
        if found is not None and not chains.is_met_anyway(edge.target, found[0]):
            way, rest = found
            return way._replace(edge=edge, length=way.length + 1), [Step(frame, edge), *rest]
    return None


def _gives_something_else(chains: Chains, edge: Edge) -> bool:
    """Whether what is awaited is what a plain function gives: of that, only the chains know which
    ways are meant."""
    target = edge.target
    function = function_of(chains.resolver, target) if isinstance(target, Frame) else None
    return edge.site.is_awaited and function is not None and not function.is_async


def _weight(way: Way) -> tuple[int, int]:
    return way.rank, way.length
