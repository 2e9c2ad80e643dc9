"""Who uses a function of the project, found by its name, and where that lets it run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from loopsafe.effects.drivers import is_driving, is_driving_aside
from loopsafe.facts.ir import Attr, Call, Expr, Function, Name, last_name
from loopsafe.modules.module import Module
from loopsafe.resolve.members import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    External,
    Frame,
    FunctionValue,
    Instance,
    Value,
)

_MOST_KEPT = 10_000
"""Of the pairs of a module and a name, for each of which the module is read through."""


class Use(NamedTuple):
    """A place where a function is called, or handed on."""

    module: Module
    number: int
    """Of the function in which it stands."""
    call: Call | None
    around: tuple[Call, ...]
    """The calls whose arguments hold the use, the nearest first: `print(run(wait_for(f(), 5)))`."""
    scope: int
    mention: Expr | None = None
    """The name as it stands there, where it is not called."""


class Callers:
    """Looks for uses in all modules of the project that have a function's name."""

    def __init__(self, resolver: Resolver, project: Callable[[], Iterable[Module]]) -> None:
        self.resolver = resolver
        self._project = project
        self._mentions: dict[tuple[str, str], tuple[Module, tuple[Use, ...]]] = {}
        """By module and name, as long as the module is the same."""

    def is_called(self, module: Module, number: int) -> bool:
        """Whether some code of the project calls a function by its name, and not a framework."""
        return any(use.call is not None for use in self.uses(module, number))

    def uses(self, module: Module, number: int) -> Iterator[Use]:
        """Calls of a function and other mentions of it; what is unknown may be one."""
        name, table = module.facts.functions[number].name, self.resolver.table
        # Its own module may use it by a plain name, which is not among the words.
        trace = table.trace | table.bit(("used", name)) | module.bit
        modules = list(self._project())
        table.trace = trace
        for other in modules:
            if other is module or name in other.facts.words:
                for use in self._mentioned(other, name):
                    expr = use.call.func if use.call is not None else use.mention
                    if expr is None or self._may_mean(other, use, expr, module, number):
                        yield use

    def _mentioned(self, module: Module, name: str) -> tuple[Use, ...]:
        known, uses = self._mentions.get((module.key, name), (None, ()))
        if known is not module:
            if len(self._mentions) > _MOST_KEPT:
                self._mentions.clear()
            uses = tuple(_mentions(module, name))
            self._mentions[module.key, name] = module, uses
        return uses

    def _may_mean(self, other: Module, use: Use, expr: Expr, module: Module, number: int) -> bool:
        frame = self.resolver.frame(other.name, use.scope)
        callees = self.resolver.values(expr, frame)
        if not callees:
            return self._may_be_reached(expr, frame, module.facts.functions[number].owner >= 0)
        return any(self._is_one(value, module, number) for value in callees)

    def _may_be_reached(self, expr: Expr, frame: Frame, is_method: bool) -> bool:
        """Whether what nobody knows may be a function: an attribute of an unknown object is none
        that stands in a module, unless that object is one."""
        if is_method or not isinstance(expr, Attr):
            return True
        owners = self.resolver.values(expr.value, frame)
        return any(_is_module(self.resolver, owner) for owner in owners)

    def _is_one(self, value: Value, module: Module, number: int) -> bool:
        """Whether a callee is a function, or the method of a base class that it overrides."""
        owner = module.facts.functions[number].owner
        if isinstance(value, External) and owner >= 0:
            # A method of a base class whose source is not at hand.
            base = External(value.name.rpartition(".")[0])
            return base in self.resolver.mro(ClassValue(module.name, owner))
        if not isinstance(value, FunctionValue):
            return False
        if (value.module, value.number) == (module.name, number):
            return True
        called = self.resolver.table.get(value.module)
        if owner < 0 or called is None or called.facts.functions[value.number].owner < 0:
            return False
        defines = (value.module, called.facts.functions[value.number].owner)
        return any(
            isinstance(cls, ClassValue) and (cls.module, cls.number) == defines
            for cls in self.resolver.mro(ClassValue(module.name, owner))[1:]
        )

    def is_driven(self, use: Use) -> bool:
        """Whether a coroutine made here is run by a loop that starts here: `asyncio.run(f())`."""
        given = use.call or use.mention
        if given is None:
            return False
        if use.module.facts.functions[use.number].is_async:
            return False
        frame = self.resolver.frame(use.module.name, use.scope)
        return any(is_driving(self.resolver, call, given, frame) for call in use.around)

    def is_driven_aside(self, use: Use) -> bool:
        """Whether a worker thread runs a coroutine made here on a loop that it starts."""
        frame = self.resolver.frame(use.module.name, use.scope)
        return use.call is not None and any(
            is_driving_aside(self.resolver, call, frame) for call in use.around[:1]
        )


def _is_module(resolver: Resolver, value: Value) -> bool:
    """Whether a value is a module that is looked for at run time: `import_module(name)`."""
    return isinstance(value, Instance) and dotted_name(resolver, value.cls) == "types.ModuleType"


def _mentions(module: Module, name: str) -> Iterator[Use]:
    """Where a module's code has a name, other than to define it."""
    for number, function in enumerate(module.facts.functions):
        parents: dict[Call, Call] = {}
        called: list[tuple[Call, int]] = []
        named: list[tuple[Call | None, Expr, int]] = []
        handed = {id(arg) for arg in _handed(function)}
        for site in function.sites:
            call = site.expr
            if not isinstance(call, Call):
                if id(call) not in handed:
                    named.extend((None, found, site.scope) for found in _named(call, name))
                continue
            if last_name(call.func) == name:
                called.append((call, site.scope))
            for part in (*call.args, *(value for _, value in call.keywords)):
                named.extend((call, found, site.scope) for found in _named(part, name))
                parents.update((inner, call) for inner in _calls(part))
        kept = (*function.values, *function.yields, *function.decorators)
        defaults = (p.default for p in function.parameters if p.default is not None)
        for expr in (*kept, *defaults):
            named.extend((None, found, function.scope) for found in _named(expr, name))
        for made, index in called:
            yield Use(module, number, made, _around(made, parents), index)
        for taker, found, index in named:
            around = (taker, *_around(taker, parents)) if taker is not None else ()
            yield Use(module, number, None, around, index, found)
    yield from _bound(module, name)


def _handed(function: Function) -> Iterator[Expr]:
    """What a function passes to others, which is told of with the call."""
    for site in function.sites:
        if isinstance(site.expr, Call):
            yield from site.expr.args
            yield from (value for _, value in site.expr.keywords)


def _bound(module: Module, name: str) -> Iterator[Use]:
    """Where a name's value is given another name."""
    for index, scope in enumerate(module.facts.scopes):
        bindings = (b for named in scope.bindings.values() for b in named)
        for binding in bindings:
            for _ in _named(binding.value, name):
                yield Use(module, max(scope.owner, 0), None, (), index)
    for assigned in module.facts.assigned:
        for _ in _named(assigned.binding.value, name):
            yield Use(module, 0, None, (), 0)


def _around(call: Call, parents: dict[Call, Call]) -> tuple[Call, ...]:
    found: list[Call] = []
    outer = parents.get(call)
    while outer is not None:
        found.append(outer)
        outer = parents.get(outer)
    return tuple(found)


def _named(expr: object, name: str) -> Iterator[Name | Attr]:
    """Mentions of a name in an expression; what calls in it hold is looked at with them."""
    todo = [expr]
    while todo:
        part = todo.pop()
        if isinstance(part, (Name, Attr)):
            if last_name(part) == name:
                yield part
        elif isinstance(part, tuple) and not isinstance(part, Call):
            todo.extend(part)


def _calls(expr: object) -> Iterator[Call]:
    """The outer calls in an expression."""
    todo = [expr]
    while todo:
        part = todo.pop()
        if isinstance(part, Call):
            yield part
        elif isinstance(part, tuple):
            todo.extend(part)
