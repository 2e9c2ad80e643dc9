"""Reports what a coroutine, or a callback, does with what plain code gives it."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects.beside import by_what_is_given
from loopsafe.effects.edges import Edge
from loopsafe.effects.launches import launched
from loopsafe.model import Finding, Spot
from loopsafe.resolve.values import Frame
from loopsafe.rules.blocking import tell
from loopsafe.rules.view import Root, View


def check(view: View) -> Iterator[Finding]:
    """What blocks in what the module's plain functions have a loop run, by what they give it."""
    given = (view.resolver, view.chains.overrides, view.places.callers, view.module)
    for number, function in enumerate(view.module.facts.functions):
        view.check_in()
        if function.is_async:
            continue
        told: set[Spot] = set()
        for frame, edge in launched(*given, number):
            if edge.site.spot not in told:
                for finding in _tell(view, number, frame, edge):
                    told.add(edge.site.spot)
                    yield finding


def _tell(view: View, number: int, frame: Frame, edge: Edge) -> Iterator[Finding]:
    target = edge.target
    module = view.resolver.table.get(target.module) if isinstance(target, Frame) else None
    if module is None or not isinstance(target, Frame):
        return
    inside = view.of(module)
    begun = module.facts.scopes[target.scope].owner
    coroutine = inside.root(begun, view.places.run(module, begun))
    if coroutine is None or inside.is_private(coroutine):
        return
    found = by_what_is_given(view.chains, frame, edge)
    if found is not None:
        root = Root(view.module.facts.functions[number], number, frame, coroutine.run)
        yield tell(view, root, *found, inside.is_alone(coroutine))
