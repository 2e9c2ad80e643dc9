"""Whether astroid sees a finding's chain as `resolve` does, and what that means for confidence."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from loopsafe.infer.marks import Marked
from loopsafe.infer.names import label, values_of
from loopsafe.infer.wire import Answer
from loopsafe.model import Confidence, Finding
from loopsafe.modules.table import Module
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Values

_IMPLIED = frozenset({"__init__", "__new__", "__post_init__", "__call__"})
"""Methods that calling a class or an object runs."""

_LEVELS = (Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH)


class Verdict(Enum):
    """On one step of a chain."""

    AGREES = "agrees"
    CONTRADICTS = "contradicts"
    OPEN = "open"
    """No answer, or one that leaves it open."""


def verdict(
    resolver: Resolver, finding: Finding, step: int, module: Module, call: Marked, answer: Answer
) -> Verdict:
    """What astroid's answer for a step of the chain says of it."""
    theirs = _labels(resolver, values_of(resolver, answer))
    frame = resolver.frame(module.key, call.site.scope)
    ours = _labels(resolver, resolver.known(resolver.values(call.call.func, frame)))
    wanted = _wanted(finding, step)
    if ours and not ours & wanted:
        wanted = ours  # The callee takes what runs next as an argument, or has overrides.
    if not theirs:
        return Verdict.OPEN
    if not theirs & wanted:
        return Verdict.CONTRADICTS
    return Verdict.AGREES if theirs <= wanted else Verdict.OPEN


def weighed(confidence: Confidence, verdicts: Sequence[Verdict], hinted: bool) -> Confidence:
    """The confidence of a finding after the second opinion.

    `hinted` says that a step of the chain is known by a second opinion only.
    """
    level = _LEVELS.index(confidence)
    if hinted:
        level = min(level, _LEVELS.index(Confidence.MEDIUM))
    if Verdict.CONTRADICTS in verdicts:
        level = 0
    elif verdicts and all(found is Verdict.AGREES for found in verdicts):
        level = min(level + 1, len(_LEVELS) - 1)
    return _LEVELS[level]


def _wanted(finding: Finding, step: int) -> frozenset[str]:
    """The names that the callee of a step may have, if the chain is right."""
    if step == len(finding.chain) - 1:
        return frozenset({finding.sink})
    function = finding.chain[step + 1].function
    owner, _, name = function.rpartition(".")
    return frozenset({function, owner}) if name in _IMPLIED else frozenset({function})


def _labels(resolver: Resolver, values: Values) -> frozenset[str]:
    found = (label(resolver, value) for value in values)
    return frozenset(name for name in found if name)
