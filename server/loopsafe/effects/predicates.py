"""Functions of the project that only ask something of what they are given, `exists(value)`, or of
their object: `self.has_token()`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from loopsafe.effects.texts import asked
from loopsafe.facts.ir import Attr, Call, Choice, Compared, Expr, Function, Has, HasKey, Same, Test
from loopsafe.resolve.arguments import matched
from loopsafe.resolve.naming import only_of_project
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame, FunctionValue


class Predicate(NamedTuple):
    """Such a function, as a condition calls it."""

    function: FunctionValue
    facts: Function
    call: Call

    @property
    def test(self) -> Expr:
        """What it asks, in words of its parameters."""
        return self.facts.values[0]

    def given(self) -> Iterator[tuple[int, Expr]]:
        """What the condition asks it about, by its parameters."""
        yield from matched(self.facts, self.call, self.function.bound)


def predicate(resolver: Resolver, call: Call, frame: Frame) -> Predicate | None:
    """The predicate that a condition calls; None where it calls anything else."""
    if not call.args and not call.keywords and not isinstance(call.func, Attr):
        return None
    found = only_of_project(resolver, call, frame)
    if found is None:
        return None
    value, module = found
    facts = resolver.table.inside(module, value.number)
    if facts.is_async or facts.is_generator or len(facts.values) != 1 or facts.returned[0][0]:
        return None
    return Predicate(value, facts, call) if _is_asking(facts.values[0]) else None


def _is_asking(expr: Expr) -> bool:
    if isinstance(expr, Choice) and expr.op:
        return all(map(_is_asking, expr.options))
    if isinstance(expr, Call):
        return asked(expr) is not None
    return isinstance(expr, (Compared, Has, HasKey, Same, Test))
