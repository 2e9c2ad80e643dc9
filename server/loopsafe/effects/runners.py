"""The catalogue's entries for a callee as it is written."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.facts.ir import Expr
from loopsafe.knowledge.schema import Runner
from loopsafe.resolve.names import qualified
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.runners import runner_of
from loopsafe.resolve.values import Frame


def runners_of(resolver: Resolver, callee: Expr, frame: Frame) -> Iterator[Runner]:
    """The entries for a callee as it is written, one for each argument that is a callable."""
    found = [runner_of(resolver, value) for value in resolver.values(callee, frame)]
    if not any(found):
        # What makes it is beyond its source, or left out of a stub: `path = partial(...)`.
        name = qualified(resolver, callee, frame)
        found = [resolver.catalogue.runner(name)] if name is not None else []
    for runner in found:
        if runner is not None:
            yield from (runner, *runner.also)
