"""Where the sites of a project's function enter the source of packages, and what they meet."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects.bounds import bounds
from loopsafe.effects.derive import Derivation
from loopsafe.effects.dispatch import implementations
from loopsafe.effects.edges import Edge
from loopsafe.effects.meetings import meetings
from loopsafe.effects.runs import Run
from loopsafe.facts.ir import Site
from loopsafe.knowledge.schema import Blocking
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame


def library_edges(resolver: Resolver, derivation: Derivation, frame: Frame) -> tuple[Edge, ...]:
    """The edges from a frame's function to library functions whose source blocks."""
    return resolver.remember(
        ("library", frame),
        frame.module,
        lambda: tuple(_edges(resolver, derivation, frame)),
    )


def _edges(resolver: Resolver, derivation: Derivation, frame: Frame) -> Iterator[Edge]:
    module = resolver.table.get(frame.module)
    if module is None or not module.is_project:
        return
    seen: set[tuple[Site, Blocking]] = set()
    for meeting in meetings(resolver, frame):
        if not isinstance(meeting.target, Run):
            continue
        site = meeting.site
        for target in implementations(resolver, meeting.target, bounds().values):
            found = derivation.of(site, meeting.value, target)
            if found is not None and (site, found) not in seen:
                seen.add((site, found))
                yield Edge(site, found, meeting.names, meeting.relief)
