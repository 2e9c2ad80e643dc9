"""Reports what a coroutine does with what plain code gives it, and starts a loop for."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects.chains import Step
from loopsafe.effects.edges import Edge
from loopsafe.effects.launches import launched
from loopsafe.model import Finding, Place
from loopsafe.resolve.values import Frame
from loopsafe.rules.blocking import tell
from loopsafe.rules.view import Root, View


def check(view: View) -> Iterator[Finding]:
    """What blocks in coroutines that the module's plain functions run on loops of their own."""
    given = (view.resolver, view.chains.overrides, view.places.callers, view.module)
    for number, function in enumerate(view.module.facts.functions):
        view.check_in()
        if function.is_async or view.places.run(view.module, number).place is Place.LOOP:
            continue
        for frame, edge in launched(*given, number):
            yield from _tell(view, number, frame, edge)


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
    best = min(view.chains.through(edge), key=lambda way: (way.rank, way.length), default=None)
    if best is not None:
        root = Root(view.module.facts.functions[number], number, frame, coroutine.run)
        steps = [Step(frame, edge), *view.chains.steps(target, best.blocking.category)]
        yield tell(view, root, best, steps, inside.is_alone(coroutine))
