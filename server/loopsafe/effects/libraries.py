"""Where the sites of a project's function enter the source of packages, and what they meet."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects.derive import Derivation
from loopsafe.effects.dispatch import implementations
from loopsafe.effects.edges import Edge, function_of
from loopsafe.effects.guards import never_on_loop
from loopsafe.effects.relief import block_relief
from loopsafe.effects.targets import Run, site_values, targets
from loopsafe.facts.ir import Site
from loopsafe.knowledge.schema import Blocking
from loopsafe.resolve.members import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame


def library_edges(resolver: Resolver, derivation: Derivation, frame: Frame) -> tuple[Edge, ...]:
    """The edges from a frame's function to library functions whose source blocks."""
    return resolver.remember(
        ("edges", frame, "library"),
        frame.module,
        lambda: tuple(_edges(resolver, derivation, frame)),
    )


def _edges(resolver: Resolver, derivation: Derivation, frame: Frame) -> Iterator[Edge]:
    function = function_of(resolver, frame)
    module = resolver.table.get(frame.module)
    if function is None or module is None or not module.is_project:
        return
    seen: set[tuple[Site, Blocking]] = set()
    for site in function.sites:
        scope = module.facts.scopes[site.scope]
        here = frame if site.scope == frame.scope else resolver.frame(frame.module, site.scope)
        if never_on_loop(resolver, scope, site.block, site.span.line, here):
            continue
        values = site_values(resolver, site, here)
        members = len({dotted_name(resolver, value) or value for value in values})
        for value in values:
            runs = (t for t in targets(resolver, site, value, here) if isinstance(t, Run))
            for target in (one for run in runs for one in implementations(resolver, run)):
                found = derivation.of(site, value, target)
                if found is not None and (site, found) not in seen:
                    seen.add((site, found))
                    yield Edge(site, found, members, block_relief(scope, site.block))
