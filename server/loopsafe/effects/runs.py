"""What a site leads to."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from loopsafe.knowledge.schema import Blocking
from loopsafe.resolve.given import Arguments
from loopsafe.resolve.values import FunctionValue


class Run(NamedTuple):
    """A function's body that runs at a site."""

    function: FunctionValue
    arguments: Arguments
    iterated: bool
    """The site iterates over a generator; a mere call of a generator function runs nothing."""


Target: TypeAlias = Blocking | Run
"""What a site leads to: a catalogued blocking callable, or a function of known source."""
