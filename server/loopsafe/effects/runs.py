"""What a site leads to."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from loopsafe.facts.ir import Call
from loopsafe.knowledge.schema import Blocking
from loopsafe.resolve.given import Arguments
from loopsafe.resolve.values import ConstantValue, Frame, FunctionValue

_BEGUN = 1 << 15
"""Stands among what a generator's body is given; no parameter has this number."""


class Run(NamedTuple):
    """A function's body that runs at a site."""

    function: FunctionValue
    arguments: Arguments
    iterated: bool
    """The site iterates over a generator; a mere call of a generator function runs nothing."""
    apart: Call | None = None
    """The call that the loop makes of it later, by itself: it has a place of its own, where it is
    told what it reaches whatever it is given."""


Target: TypeAlias = Blocking | Run
"""What a site leads to: a catalogued blocking callable, or a function of known source."""


def up_to_first_yield(target: Target, how: str) -> Target:
    """The same where a generator is asked for its first value only, and then `held` or dropped."""
    if isinstance(target, Blocking):
        return target
    return target._replace(arguments=(*target.arguments, (_BEGUN, (ConstantValue(how),))))


def is_left(frame: Frame, how: str) -> bool:
    """Whether nobody goes on behind the first `yield` of a generator's body: it is only `begun`,
    and may be `held` there."""
    if not frame.arguments or frame.arguments[-1][0] != _BEGUN:
        return False
    return how == "begun" or frame.arguments[-1][1] == (ConstantValue(how),)
