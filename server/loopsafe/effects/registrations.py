"""Registrations in a module: which functions its decorators and calls hand to what runs them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import NamedTuple, TypeAlias

from loopsafe.effects.helpers import handed_on, wrapped
from loopsafe.effects.implicit import AFTER_MAKING, functions
from loopsafe.effects.models import MAKING, WRITING, Part, running, running_in
from loopsafe.effects.runners import runners_of
from loopsafe.facts.ir import (
    Attr,
    Binary,
    Call,
    Compared,
    Comprehension,
    Const,
    DictDisplay,
    Display,
    Expr,
    Function,
    Has,
    HasKey,
    Name,
    Parameter,
    Same,
    Site,
    Test,
    Typed,
    last_name,
)
from loopsafe.knowledge.schema import Runner
from loopsafe.model import Place, Spot
from loopsafe.modules.module import Module
from loopsafe.resolve.arguments import argument_at, metadata
from loopsafe.resolve.conditions import holds
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    Frame,
    FunctionValue,
    Instance,
    ManagerFactory,
    PartialValue,
    Value,
)
from loopsafe.resolve.variables import followed


class Registration(NamedTuple):
    """A runner that takes a function, and what of it is known."""

    runner: Runner
    call: str
    """The runner as the reader knows it: `Depends`, `loop.call_soon`."""


Found: TypeAlias = tuple[tuple[tuple[str, int], Registration], ...]
"""Functions, by module and number, with what registers them."""

_DATA = frozenset({Binary, Compared, Comprehension, Const, Has, HasKey, Same, Test, Typed})
"""Arguments that are nothing to call."""

_Each: TypeAlias = Iterator[tuple[FunctionValue, Registration]]


def registrations(resolver: Resolver, module: Module) -> Found:
    """What a module registers, of its own functions and of others."""
    words = module.facts.words & resolver.catalogue.words.places.keys()
    if not words:
        return ()
    names = words | _aliases(module, words)
    found = _Scan(resolver, module, names).all()
    return tuple((f.definition, registration) for f, registration in found)


class _Scan(NamedTuple):
    resolver: Resolver
    module: Module
    names: frozenset[str]
    """Last parts of names that may be a runner's."""

    def all(self) -> _Each:
        for number in range(len(self.module.facts.functions)):
            yield from self.resolver.remember(
                ("registers", number), self.module.name, partial(self._of, number)
            )

    def _of(self, number: int) -> tuple[tuple[FunctionValue, Registration], ...]:
        """What one function registers, and what its decorators make of it."""
        function = self.module.facts.functions[number]
        decorated = (self._decorated(number, function, d) for d in function.decorators)
        given = (self._given(number, site) for site in function.sites)
        return tuple(chain.from_iterable((*decorated, *given)))

    def _decorated(self, number: int, function: Function, decorator: Expr) -> _Each:
        call = decorator if isinstance(decorator, Call) else None
        callee = call.func if call is not None else decorator
        if last_name(callee) not in self.names:
            return
        frame = self.resolver.frame(self.module.name, function.outer)
        target = FunctionValue(self.module.name, number)
        for runner in runners_of(self.resolver, callee, frame):
            if runner.decorated:
                yield from self._registered(runner, callee, call, frame, target)

    def _given(self, number: int, site: Site) -> _Each:
        call = site.expr
        if not isinstance(call, Call) or not self._may_give(call):
            return
        frame = self.resolver.frame(self.module.name, site.scope)
        for runner in runners_of(self.resolver, call.func, frame):
            if runner.inline or runner.during:
                continue
            argument = argument_at(call, runner.position, runner.argument)
            if argument is None:
                continue
            if runner.coroutine is Place.THREAD or runner.once:
                for value in handed_on(self.resolver, self.module, number, argument, frame):
                    yield from self._registered(runner, call.func, call, frame, value)
            listed = _items(self.resolver, argument, frame) if runner.several else ()
            for expr, where in listed or ((argument, frame),):
                for value in self.resolver.values(expr, where):
                    yield from self._registered(runner, call.func, call, frame, value)

    def _may_give(self, call: Call) -> bool:
        """Whether a call may be one of a runner, and of something that can be called."""
        name = last_name(call.func)
        places = self.resolver.catalogue.words.places.get(name)
        if places is None:
            return name in self.names
        given = (argument_at(call, position, argument) for position, argument in places)
        return any(expr is not None and type(expr) not in _DATA for expr in given)

    def _registered(
        self, runner: Runner, callee: Expr, call: Call | None, frame: Frame, value: Value
    ) -> _Each:
        """The functions that a runner runs when it is given a value."""
        made = call or Call(callee, (), (), Spot(0, 0, 0, 0))  # A decorator without arguments.
        if any(holds(self.resolver, c, made, frame) for c in runner.thread_if):
            runner = replace(runner, sync=Place.THREAD)
        for target in _targets(self.resolver, runner, value):
            # An object that serves many messages is made once.
            once = runner.once or bool(runner.methods and _is_maker(self.resolver, target))
            yield target, Registration(replace(runner, once=once), _label(callee))
            yield from self._models(runner, call, frame, target, _label(callee))

    def _models(
        self, runner: Runner, call: Call | None, frame: Frame, target: FunctionValue, label: str
    ) -> _Each:
        """What runs where a framework makes a function's parameters, or writes what it returns."""
        module = self.resolver.table.get(target.module)
        own = self.resolver.function_frame(target)
        if module is None or own is None:
            return
        self.resolver.table.trace |= module.bit
        facts = module.facts.functions[target.number]
        for parameter in facts.parameters if runner.reads is not None else ():
            if parameter.annotation is None:
                continue
            values = self.resolver.instances(parameter.annotation, own)
            providers = list(self._providers(parameter, own))
            for provider, is_given in providers:
                # `Depends()` stands for the annotated class.
                classes = () if is_given else (v.cls for v in values if isinstance(v, Instance))
                for cls in classes:
                    for made in _targets(self.resolver, provider, cls):
                        yield made, Registration(provider, label)
            if not providers:
                parts = running_in(self.resolver, values, MAKING)
                yield from _placed(parts, runner, runner.reads, label)
        if runner.writes is None:
            return
        returned = argument_at(call, -1, runner.returned) if call is not None else None
        if returned is not None:
            values = self.resolver.instances(returned, frame)
        else:
            values = self.resolver.instances(facts.returns, own) if facts.returns else ()
        place = runner.coroutine if facts.is_async else runner.sync
        yield from _placed(running_in(self.resolver, values, MAKING), runner, place, label)
        yield from _placed(running_in(self.resolver, values, WRITING), runner, runner.writes, label)

    def _providers(self, parameter: Parameter, frame: Frame) -> Iterator[tuple[Runner, bool]]:
        """Runners that give a parameter a function's result, and whether they name the function."""
        for marker in (parameter.default, *metadata(parameter.annotation)):
            if not isinstance(marker, Call):
                continue
            for runner in runners_of(self.resolver, marker.func, frame):
                if runner.gives == "result":
                    argument = argument_at(marker, runner.position, runner.argument)
                    yield runner, argument is not None


def _placed(parts: tuple[Part, ...], runner: Runner, place: Place | None, label: str) -> _Each:
    if place is None:
        return
    runs = replace(runner, role="validator", sync=place, coroutine=place, convertible=False)
    for part in parts:
        if isinstance(part.value, FunctionValue):
            yield part.value, Registration(runs, label)


def _targets(resolver: Resolver, runner: Runner, value: Value) -> Iterator[FunctionValue]:
    """The functions that run when a value is called, or used as an object of a class is."""
    if isinstance(value, (PartialValue, ManagerFactory)):
        yield from _targets(resolver, runner, value.function)
    elif isinstance(value, FunctionValue):
        yield value
        if runner.coroutine is Place.THREAD:
            yield from wrapped(resolver, value)
    elif isinstance(value, Instance):
        for name in runner.methods or ("__call__",):
            yield from functions(resolver, value.cls, name)
    elif isinstance(value, ClassValue):
        for name in ("__init__", *AFTER_MAKING, *runner.methods):
            yield from functions(resolver, value, name)
        for part in running(resolver, value, MAKING):
            if isinstance(part.value, FunctionValue):
                yield part.value


def _is_maker(resolver: Resolver, function: FunctionValue) -> bool:
    module = resolver.table.get(function.module)
    return module is not None and module.facts.functions[function.number].name == "__init__"


def _items(resolver: Resolver, expr: Expr, frame: Frame) -> list[tuple[Expr, Frame]]:
    """The elements of a list, or the values of a dict, that is written out here or named."""
    if isinstance(expr, Name):
        named = ((d.binding.value, d.frame) for d in followed(resolver, expr, frame))
        written = [found for found in named if isinstance(found[0], (Display, DictDisplay))]
        return [
            item for value, where in written if value for item in _items(resolver, value, where)
        ]
    if isinstance(expr, Display):
        return [(item, frame) for item in expr.items]
    return [(value, frame) for _, value in expr.items] if isinstance(expr, DictDisplay) else []


def _aliases(module: Module, words: frozenset[str]) -> frozenset[str]:
    """Names under which a module imports the words: `from fastapi import Depends as Needs`."""
    return frozenset(
        name
        for scope in module.facts.scopes
        for name, bindings in scope.bindings.items()
        if any(getattr(b.value, "name", None) in words for b in bindings)
    )


def _label(expr: Expr) -> str:
    if isinstance(expr, Attr):
        base = _label(expr.value)
        return f"{base}.{expr.name}" if base else expr.name
    return expr.id if isinstance(expr, Name) else ""
