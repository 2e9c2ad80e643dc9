"""Which conditions in a package decide whether a call waits: those whose other outcome does not."""

from __future__ import annotations

from loopsafe.effects.branches import Branch, branches
from loopsafe.effects.knowns import Known
from loopsafe.effects.passed import Asked, Texts
from loopsafe.effects.settled import Open
from loopsafe.model import Spot
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame


def open_conditions(
    resolver: Resolver,
    texts: Texts,
    frame: Frame,
    branch: Branch,
    known: dict[str, Known],
    is_asked_once: bool = False,
) -> Open | None:
    """The open conditions that a branch stands under, but for those on whose other outcome a call
    waits as well; None where it is never reached, as behind the first `yield` of a generator that
    is asked once."""
    others = [other for other in branches(resolver, frame) if other.site != branch.site]
    alike = _spots([other for other in others if other.primitive is not None])
    alike = alike if branch.primitive is not None else ()
    asked = Asked(branch.switches, is_asked_once)
    found = texts.conditions(frame, branch.site, known, alike, asked)
    if found is None or not found.number or branch.primitive is not None:
        return found
    alike = _spots([other for other in others if _does_alike(resolver, other, branch)])
    if not alike:
        return found
    return texts.conditions(frame, branch.site, known, alike, asked)


def _does_alike(resolver: Resolver, branch: Branch, chosen: Branch) -> bool:
    """Whether a call elsewhere in a function leads to the same, or to one that waits itself."""
    if branch.primitive is not None or branch.frame is None or branch.frame is chosen.frame:
        return True
    return any(inner.primitive is not None for inner in branches(resolver, branch.frame))


def _spots(found: list[Branch]) -> tuple[Spot, ...]:
    return tuple(dict.fromkeys(branch.site.spot for branch in found))
