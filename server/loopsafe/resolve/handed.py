"""What functions are given by those who call them: a handler's request, where no annotation says it.

A framework is known to pass it to what a decorator or a call hands over to it:
`router.add_get("/", handler)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from loopsafe.facts.ir import Attr, Call, Expr, Function, Name, last_name
from loopsafe.resolve.arguments import argument_at
from loopsafe.resolve.members import named
from loopsafe.resolve.runners import runner_of
from loopsafe.resolve.values import FunctionValue, PartialValue, Value, Values, as_instance

if TYPE_CHECKING:
    from loopsafe.knowledge.schema import Runner
    from loopsafe.modules.table import Module
    from loopsafe.resolve.resolver import Resolver


class _Handover(NamedTuple):
    """A call that may hand a function of some name to a framework."""

    module: str
    call: Call
    scope: int


class Handed:
    """Finds by a function's name the calls that hand it to what will call it."""

    def __init__(self) -> None:
        self._by_name: dict[str, list[_Handover]] | None = None

    def forget(self) -> None:
        """A text changed, or there are other modules."""
        self._by_name = None

    def parameter(self, resolver: Resolver, module: Module, function: int, index: int) -> Values:
        """What a framework is known to pass for a parameter of a function."""
        facts = module.facts.functions[function]
        place = index - (facts.owner >= 0)
        if place < 0:
            return ()
        for runner in self._runners(resolver, module, function, facts):
            if place < len(runner.passes):
                return tuple(as_instance(v) for v in named(resolver, runner.passes[place]))
        return ()

    def _runners(
        self, resolver: Resolver, module: Module, number: int, facts: Function
    ) -> Iterator[Runner]:
        outer = resolver.frame(module.name, facts.outer)
        for expr in facts.decorators:
            callee = expr.func if isinstance(expr, Call) else expr
            for value in resolver.values(callee, outer):
                runner = runner_of(resolver, value)
                if runner is not None and runner.decorated:
                    yield runner
        for place in self._places(resolver, facts.name):
            frame = resolver.frame(place.module, place.scope)
            for value in resolver.values(place.call.func, frame):
                runner = runner_of(resolver, value)
                if runner is None or not runner.passes:
                    continue
                given = argument_at(place.call, runner.position, runner.argument)
                targets = resolver.values(given, frame) if given is not None else ()
                if any(_is_one(target, module.name, number) for target in targets):
                    yield runner

    def _places(self, resolver: Resolver, name: str) -> list[_Handover]:
        table = resolver.table
        trace = table.trace | table.bit(("used", name))
        if self._by_name is None:
            self._by_name = {}
            for module in resolver.outside.project():
                for handed, place in _handovers(module, resolver.catalogue.passing_words):
                    self._by_name.setdefault(handed, []).append(place)
        table.trace = trace
        return self._by_name.get(name, [])


def _handovers(module: Module, words: frozenset[str]) -> Iterator[tuple[str, _Handover]]:
    if words.isdisjoint(module.facts.words):
        return
    for function in module.facts.functions:
        for site in function.sites:
            call = site.expr
            if not isinstance(call, Call) or last_name(call.func) not in words:
                continue
            given: list[Expr] = [*call.args, *(value for _, value in call.keywords)]
            for expr in given:
                if isinstance(expr, (Name, Attr)):
                    yield last_name(expr), _Handover(module.name, call, site.scope)


def _is_one(value: Value, module: str, number: int) -> bool:
    inner = value.function if isinstance(value, PartialValue) else value
    return isinstance(inner, FunctionValue) and (inner.module, inner.number) == (module, number)
