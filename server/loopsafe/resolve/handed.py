"""What functions are given by those who call them, where no annotation says it.

A framework is known to pass a request to what a decorator or a call hands over to it:
`router.add_get("/", handler)`. And what a project's own method keeps of its arguments, its calls
say: `bus.subscribe(listener)`, or `@bus.listener`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Binding, Call, Expr, Function, Name, Param
from loopsafe.resolve.arguments import argument_at, matched
from loopsafe.resolve.finding import Member
from loopsafe.resolve.handovers import decorations, handovers
from loopsafe.resolve.index import NameIndex
from loopsafe.resolve.names import definitions
from loopsafe.resolve.naming import named
from loopsafe.resolve.runners import runner_of
from loopsafe.resolve.values import (
    ClassValue,
    External,
    ExternalInstance,
    FunctionValue,
    Instance,
    ManagerFactory,
    OffloadingValue,
    PartialValue,
    Value,
    Values,
    as_instance,
    union,
)

if TYPE_CHECKING:
    from loopsafe.knowledge.schema import Runner
    from loopsafe.modules.module import Module
    from loopsafe.resolve.outside import Made
    from loopsafe.resolve.resolver import Resolver


_MOST = 16
"""What more places than this give to a function says little about any of them."""

_MOST_FUNCTIONS = 128
"""A table of routes may make as many handlers by one function: what each calls is written there."""

_MAKERS = frozenset({"__init__", "__new__"})
"""What these are given belongs to one object, not to all of a class."""

_SEVERAL = frozenset({"args", "kwargs"})

FUNCTIONS = (FunctionValue, PartialValue, OffloadingValue, External)
"""What is there to be called, and is no class."""


class Handed:
    """Finds by a function's name the calls that hand it on, or that give it something."""

    def __init__(self, passing: frozenset[str]) -> None:
        """`passing` are the names of the calls that hand a function on, without their dots."""
        self._handovers = NameIndex("handed", lambda module: handovers(module, passing))
        self._decorations = NameIndex("decorates", decorations)

    def forget(self, changed: Collection[str] | None = None) -> None:
        """The texts of these modules changed; where none are told, there are other modules."""
        self._handovers.forget(changed)
        self._decorations.forget(changed)

    def stored(self, resolver: Resolver, expr: Expr | None, module: str, scope: int) -> Values:
        """What a function of the project keeps, by its calls, where it is one of its parameters."""
        return resolver.known(union(self._each(resolver, expr, module, scope)))

    def agreed(self, resolver: Resolver, name: Name, module: str, scope: int) -> Values:
        """What a function finds in one of its parameters, if all its calls agree.

        `def routes(shop):` has the handlers of a router, and `app.include_router(routes(Shop()))`.
        A constructor counts as well: `Server(Shop())` makes such a router of what it is given.
        """
        found = self._each(resolver, name, module, scope, of_makers=True)
        values = resolver.real(union(found))
        kinds = {v.cls.definition if isinstance(v, Instance) else v for v in values}
        are_objects = all(isinstance(v, (Instance, ExternalInstance)) for v in values)
        return values if len(kinds) == 1 and are_objects and () not in found else ()

    def functions(self, resolver: Resolver, name: Name, module: str, scope: int) -> Values:
        """The functions that another one is given, each time it makes a handler that calls them.

        `get("/a", handler(load_a))` and `get("/b", handler(load_b))`: the handler calls either, so
        either may be meant. What a decorator is given is told where it is called by its own name.
        """
        parameter = self._parameter(resolver, name, module, scope)
        if parameter is None:
            return ()
        home, number, index = parameter
        found = resolver.remember(
            ("given functions", number, index),
            module,
            lambda: self._given_functions(resolver, home, number, index),
        )
        return union(found)

    def _given_functions(
        self, resolver: Resolver, home: Module, number: int, index: int
    ) -> tuple[Values, ...]:
        name = home.facts.functions[number].name
        if any(self._decorations.at(resolver.table, resolver.outside.project, name)):
            return ()
        found = self._given(resolver, home, number, index, _MOST_FUNCTIONS)
        are_functions = all(
            values and all(isinstance(value, FUNCTIONS) for value in values) for values in found
        )
        return found if are_functions else ()

    def called(self, resolver: Resolver, name: Name, module: str, scope: int) -> Values:
        """What a function gets in one of its parameters where it is nothing but functions.

        Of what is there to be called, each of a few may be meant: `table[name] = Tool(function)`
        in a decorator.
        """
        values = self.stored(resolver, name, module, scope)
        return values if all(isinstance(value, FUNCTIONS) for value in values) else ()

    def _each(
        self,
        resolver: Resolver,
        expr: Expr | None,
        module: str,
        scope: int,
        of_makers: bool = False,
    ) -> tuple[Values, ...]:
        """What each call of a function gives to one of its parameters."""
        parameter = self._parameter(resolver, expr, module, scope, of_makers)
        if parameter is None:
            return ()
        home, number, index = parameter
        return resolver.remember(
            ("given", number, index), module, lambda: self._given(resolver, home, number, index)
        )

    def _parameter(
        self,
        resolver: Resolver,
        expr: Expr | None,
        module: str,
        scope: int,
        of_makers: bool = False,
    ) -> tuple[Module, int, int] | None:
        """The project's function that a name is a parameter of, and which of its parameters."""
        home = resolver.table.get(module)
        if home is None or not home.is_project or not isinstance(expr, Name):
            return None
        if home.facts.scopes[scope].kind == "class":
            return None
        number = home.facts.scopes[scope].owner
        facts = home.facts.functions[number]
        bindings = home.facts.scopes[scope].bindings.get(expr.id, ())
        if facts.scope != scope or len(bindings) != 1:
            return None
        if facts.name in _MAKERS and (facts.owner < 0 or not of_makers):
            return None
        value = bindings[0].value
        if not isinstance(value, Param) or facts.parameters[value.number].kind in _SEVERAL:
            return None
        return home, number, value.number

    def _given(
        self, resolver: Resolver, home: Module, number: int, index: int, most: int = _MOST
    ) -> tuple[Values, ...]:
        facts = home.facts.functions[number]
        is_maker = facts.name in _MAKERS
        name = home.facts.classes[facts.owner].name if is_maker else facts.name
        calls = resolver.outside.calls_of(resolver, home, name)
        decorations = list(self._decorating(resolver, home, number, index))
        if len(calls) + len(decorations) > most:
            return ()
        found: list[Values] = [(value,) for value in decorations]
        for made in calls:
            frame = resolver.frame(made.module, made.scope)
            for callee in resolver.values(made.call.func, frame):
                if is_maker:
                    is_meant = is_bound = _is_class(callee, home.name, facts.owner)
                else:
                    is_function = isinstance(callee, FunctionValue)
                    is_meant = is_function and _is_one(callee, home.name, number)
                    is_bound = isinstance(callee, FunctionValue) and callee.bound
                if is_meant:
                    given = dict(matched(facts, made.call, is_bound)).get(index)
                    found.append(self._passed(resolver, given, made) if given is not None else ())
                    if given is not None and _is_half_told(resolver, given, made):
                        found.append(())
        return tuple(found)

    def _passed(self, resolver: Resolver, given: Expr, made: Made) -> Values:
        """What a call passes; of a parameter that is passed on its default is not all."""
        values = resolver.values(given, resolver.frame(made.module, made.scope))
        if resolver.known(values):
            return values
        place = made.module, made.scope
        passed_on = self.stored(resolver, given, *place)
        if not passed_on and isinstance(given, Name):
            passed_on = self.agreed(resolver, given, *place)
        return passed_on or values

    def _decorating(
        self, resolver: Resolver, home: Module, number: int, index: int
    ) -> Iterator[Value]:
        """What a function gets as its decorator, or what it makes the decorator of."""
        facts = home.facts.functions[number]
        if index != (facts.owner >= 0):
            return
        outer = home.facts.scopes[facts.outer]
        # The owner of a class's scope is the number of a class.
        is_inner = outer.kind == "function"
        name = home.facts.functions[outer.owner].name if is_inner else facts.name
        for place in self._decorations.at(resolver.table, resolver.outside.project, name):
            frame = resolver.frame(place.decorated.module, 0)
            values = resolver.values(place.decorator, frame)
            if any(_is_one(value, home.name, number) for value in values):
                yield place.decorated

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
        for place in self._handovers.at(resolver.table, resolver.outside.project, facts.name):
            frame = resolver.frame(place.module, place.scope)
            for value in resolver.values(place.call.func, frame):
                runner = runner_of(resolver, value)
                if runner is None or not runner.passes:
                    continue
                given = argument_at(place.call, runner.position, runner.argument)
                targets = resolver.values(given, frame) if given is not None else ()
                if any(_is_one(target, module.name, number) for target in targets):
                    yield runner


def passed_on(resolver: Resolver, member: Member, stored: Sequence[Binding], made: Made) -> Values:
    """What a function passes on to a constructor that keeps it, by the calls of that function."""
    home = resolver.table.get(member.owner.module) if isinstance(member.owner, ClassValue) else None
    if home is None:
        return ()
    for binding in stored:
        constructor = home.facts.functions[home.facts.scopes[binding.scope].owner]
        names = [parameter.name for parameter in constructor.parameters]
        name = binding.value.id if isinstance(binding.value, Name) else ""
        if constructor.name != "__init__" or name not in names:
            continue
        given = dict(matched(constructor, made.call, bound=True)).get(names.index(name))
        if isinstance(given, Name):
            return given_on(resolver, given, made)
    return ()


def given_on(resolver: Resolver, given: Name, made: Made) -> Values:
    """What the calls of a function pass for the parameter that it gives to what it makes."""
    place = (resolver, given, made.module, made.scope)
    return resolver.handed.agreed(*place) or resolver.handed.called(*place)


def _is_half_told(resolver: Resolver, given: Expr, made: Made) -> bool:
    """Whether a name is something else in a branch that says nothing: `client = connect(later)`."""
    if not isinstance(given, Name):
        return False
    found = definitions(resolver, given, resolver.frame(made.module, made.scope))
    told = [bool(resolver.bound(each.binding, each.frame)) for each in found]
    return any(told) and not all(told)


def _is_one(value: Value, module: str, number: int) -> bool:
    inner = value.function if isinstance(value, (ManagerFactory, PartialValue)) else value
    return isinstance(inner, FunctionValue) and inner.definition == (module, number)


def _is_class(value: Value, module: str, number: int) -> bool:
    return isinstance(value, ClassValue) and value.definition == (module, number)
