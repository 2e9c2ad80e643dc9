"""Where the sites of a project's function enter the source of packages, and what they meet."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects.bounds import bounds
from loopsafe.effects.conditions import makers
from loopsafe.effects.derive import Derivation
from loopsafe.effects.dispatch import implementations
from loopsafe.effects.edges import Edge
from loopsafe.effects.meetings import meetings
from loopsafe.effects.runs import Run
from loopsafe.facts.ir import Attr, Call, Expr, Site
from loopsafe.knowledge.schema import Blocking, Condition
from loopsafe.resolve.conditions import holds
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame

_PAUSE = "sleep"
_NO_TIME = Condition(argument="timeout", equals=0)
_ONCE = (_NO_TIME, Condition(argument="blocking", equals=False))


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
            found = derivation.of(site, meeting.value, target, frame)
            if (
                found is not None
                and found.category == _PAUSE
                and _tries_once(resolver, site, frame)
            ):
                continue
            if found is not None and (site, found) not in seen:
                seen.add((site, found))
                yield Edge(site, found, meeting.names, meeting.relief)


def _tries_once(resolver: Resolver, site: Site, frame: Frame) -> bool:
    """Whether a call leaves no time for a second attempt, nor for a pause before it: by what it is
    given, or its object was made with (`FileLock(path, timeout=0)`)."""
    receiver: Expr | None = site.expr
    if site.kind == "call":
        call = site.expr if isinstance(site.expr, Call) else None
        if call is None or any(holds(resolver, condition, call, frame) for condition in _ONCE):
            return call is not None
        if any(name == "timeout" for name, _ in call.keywords):
            return False  # It says for itself how long it may take.
        receiver = call.func.value if isinstance(call.func, Attr) else None
    made = () if receiver is None else tuple(makers(resolver, receiver, frame))
    return bool(made) and all(holds(resolver, _NO_TIME, *one) for one in made)
