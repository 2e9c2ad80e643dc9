"""Whether astroid sees a finding's chain as `resolve` does, and what that means for confidence."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from loopsafe.effects.implicit import AFTER_MAKING
from loopsafe.infer.marks import Marked
from loopsafe.infer.names import label, values_of
from loopsafe.infer.wire import Answer
from loopsafe.model import Confidence, Finding
from loopsafe.modules.module import Module
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, FunctionValue, Value, Values

_IMPLIED = frozenset({"__init__", "__new__", "__call__", *AFTER_MAKING})
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
    frame = resolver.frame(module.key, call.site.scope)
    ours = resolver.known(resolver.values(call.call.func, frame))
    theirs = values_of(resolver, answer)
    our_names, their_names = _labels(resolver, ours), _labels(resolver, theirs)
    wanted = _wanted(finding, step)
    if our_names and not our_names & wanted:
        wanted = our_names  # The callee takes what runs next as an argument, or has overrides.
    if not their_names:
        return Verdict.OPEN
    if their_names & wanted:
        return Verdict.AGREES if their_names <= wanted else Verdict.OPEN
    led = [value for value in ours if label(resolver, value) in wanted]
    if any(_are_kin(resolver, a, b) for a in led for b in theirs):
        return Verdict.OPEN
    if {_last(name) for name in their_names} & {_last(name) for name in wanted}:
        return Verdict.OPEN  # Another spelling: stubs define what the source only passes on.
    return Verdict.CONTRADICTS


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


def _are_kin(resolver: Resolver, one: Value, other: Value) -> bool:
    """Whether two methods of one name stand for each other, one's class being the other's base.

    A stub may promise less than the source holds: `typing.TextIO` for `io.TextIOWrapper`.
    """
    lines = [_owners(resolver, value) for value in (one, other)]
    return any(a[:1] and a[0] in b for a, b in (lines, lines[::-1]))


def _owners(resolver: Resolver, value: Value) -> list[tuple[str, int]]:
    """The class that a method belongs to, and its bases."""
    module = resolver.table.get(value.module) if isinstance(value, FunctionValue) else None
    if module is None or not isinstance(value, FunctionValue):
        return []
    owner = module.facts.functions[value.number].owner
    cls = value.receiver or (ClassValue(value.module, owner) if owner >= 0 else None)
    line = resolver.mro(cls) if cls is not None else ()
    return [c.definition for c in line if isinstance(c, ClassValue)]


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _labels(resolver: Resolver, values: Values) -> frozenset[str]:
    found = (label(resolver, value) for value in values)
    return frozenset(name for name in found if name)
