"""What of the project runs a coroutine on a loop that starts for it: `asyncio.run(f())`, helpers
like `run_sync(f())`, and decorators that make a command of a coroutine function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from loopsafe.effects.known import knowledge
from loopsafe.facts.ir import Attr, Call, Expr, Function, FunctionRef, Name, Param
from loopsafe.facts.reach import scopes_around
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import Place
from loopsafe.modules.module import Module
from loopsafe.resolve.arguments import argument_at, matched
from loopsafe.resolve.names import definitions
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.runners import runner_of
from loopsafe.resolve.values import (
    ClassValue,
    CoroutineValue,
    Frame,
    FunctionValue,
    Instance,
    Value,
)

_DRIVEN = frozenset({"driven"})
_STEPS = frozenset({"__anext__", "asend"})
"""Methods of an asynchronous generator that run it on."""


def is_driving(resolver: Resolver, call: Call, given: Expr, frame: Frame) -> bool:
    """Whether a call runs the coroutine, or the coroutine function, that stands in its arguments
    on a loop that starts for it."""
    callees = resolver.values(call.func, frame)
    return bool(callees) and all(
        _starts_loop(resolver, callee, call, frame)
        or _fates_of(resolver, callee, call, given) == _DRIVEN
        for callee in callees
    )


def is_driving_aside(resolver: Resolver, call: Call, frame: Frame) -> bool:
    """Whether a call has a worker thread start a loop: `to_thread(asyncio.run, f())`."""
    callees = resolver.values(call.func, frame)
    return bool(callees) and all(
        runner is not None
        and runner.sync is Place.THREAD
        and (target := argument_at(call, runner.position, runner.argument)) is not None
        and any(_is_loop(knowledge(resolver, value)) for value in resolver.values(target, frame))
        for runner in (runner_of(resolver, callee) for callee in callees)
    )


def takers(module: Module, function: Function) -> dict[int, list[Call]]:
    """The calls of a function that are given what a call makes, also by a name, by the identity of
    that call."""
    bindings = module.facts.scopes[function.scope].bindings
    found: dict[int, list[Call]] = {}
    for site in function.sites:
        if site.kind != "call" or not isinstance(site.expr, Call):
            continue
        for arg in site.expr.args:
            named = bindings.get(arg.id, ()) if isinstance(arg, Name) else ()
            for made in (arg, *(binding.value for binding in named)):
                if isinstance(made, Call):
                    found.setdefault(id(made), []).append(site.expr)
    return found


def is_driven_by_decorator(resolver: Resolver, module: Module, number: int) -> bool:
    """Whether a decorator of the project makes a plain function of a coroutine function, which
    runs it on a loop of its own."""
    function = module.facts.functions[number]
    frame = resolver.frame(module.name, function.outer)
    for decorator in reversed(function.decorators):
        fates: frozenset[str] = frozenset()
        for value in resolver.values(decorator, frame):
            if isinstance(value, FunctionValue) and not _is_foreign(resolver, value):
                fates |= _fates(resolver, value, 1 if value.bound else 0)
        if "driven" in fates:
            return fates <= {"driven", "returned"}
        if "kept" in fates:
            return False
    return False


def _starts_loop(resolver: Resolver, callee: Value, call: Call, frame: Frame) -> bool:
    """`asyncio.run(f())`, and `submit(asyncio.run, f())`."""
    if _is_loop(knowledge(resolver, callee)):
        return True
    handed = (v for arg in call.args for v in resolver.values(arg, frame))
    return any(_is_loop(knowledge(resolver, value)) for value in handed)


def _is_loop(entry: Blocking | bool | None) -> bool:
    return isinstance(entry, Blocking) and entry.category == "loop"


def _is_foreign(resolver: Resolver, function: FunctionValue) -> bool:
    module = resolver.table.get(function.module)
    return module is None or not module.is_project


def _fates_of(resolver: Resolver, callee: Value, call: Call, given: Expr) -> frozenset[str]:
    """What becomes of an argument of a call in the project's function that it calls."""
    if not isinstance(callee, FunctionValue) or _is_foreign(resolver, callee):
        return frozenset()
    module = resolver.table.get(callee.module)
    facts = module.facts.functions[callee.number] if module is not None else None
    fates: frozenset[str] = frozenset()
    for index, expr in matched(facts, call, callee.bound) if facts is not None else ():
        if _contains(expr, given):
            fates |= _fates(resolver, callee, index)
    return fates


def _fates(resolver: Resolver, function: FunctionValue, index: int) -> frozenset[str]:
    """What a function does with what its parameter is given: `driven` by a loop, `awaited`,
    `returned`, or `kept`, which may be anything else."""
    module = resolver.table.get(function.module)
    if module is None:
        return frozenset({"kept"})
    resolver.table.trace |= module.text_bit
    found = resolver.remember(
        ("fates", function.number, index),
        function.module,
        lambda: frozenset(_Fates(resolver, module, function.number, index).all()),
    )
    return frozenset(found)  # Empty while it is being asked.


class _Fates(NamedTuple):
    resolver: Resolver
    module: Module
    number: int
    parameter: int

    def all(self) -> Iterator[str]:
        facts = self.module.facts
        own = facts.functions[self.number]
        inside = {
            number: function
            for number, function in enumerate(facts.functions)
            if number == self.number or own.scope in scopes_around(facts, function.outer)
        }
        awaited = frozenset(number for number, function in inside.items() if self._awaits(function))
        found = {fate for function in inside.values() for fate in self._of(function, awaited)}
        if awaited and "driven" not in found:
            found.add("awaited")
        if any(self._carries(value, self._frame(own.scope), awaited) for value in own.values):
            found.add("returned")
        yield from found

    def _frame(self, scope: int) -> Frame:
        return self.resolver.frame(self.module.name, scope)

    def _awaits(self, function: Function) -> bool:
        """Whether a function awaits the coroutine itself."""
        return any(
            site.awaited and self._carries(site.expr, self._frame(site.scope), frozenset())
            for site in function.sites
        )

    def _of(self, function: Function, awaited: frozenset[int]) -> Iterator[str]:
        for site in function.sites:
            call = site.expr
            if site.kind not in ("call", "decorate") or not isinstance(call, Call):
                continue
            frame = self._frame(site.scope)
            if self._carries(call, frame, awaited):
                continue  # What is made of it stands in another call.
            for part in (*call.args, *(value for _, value in call.keywords)):
                if self._carries(part, frame, awaited):
                    yield from self._taken(call, part, frame)

    def _taken(self, call: Call, part: Expr, frame: Frame) -> Iterator[str]:
        """What a call does with the coroutine, or the function, among its arguments."""
        callees = self.resolver.values(call.func, frame)
        if not callees:
            yield "kept"
        for callee in callees:
            if _starts_loop(self.resolver, callee, call, frame):
                yield "driven"
            elif fates := _fates_of(self.resolver, callee, call, part):
                yield from fates
            elif not self._only_looks(callee, call, frame):
                yield "kept"

    def _only_looks(self, callee: Value, call: Call, frame: Frame) -> bool:
        """`inspect.iscoroutinefunction(f)`, `functools.wraps(f)`: nothing that could run it."""
        if not isinstance(callee, FunctionValue) or callee.receiver is not None:
            return isinstance(callee, ClassValue) and callee.module == "builtins"
        module = self.resolver.table.get(callee.module)
        if module is None or not module.is_stub or runner_of(self.resolver, callee) is not None:
            return False
        name = dotted_name(self.resolver, callee) or ""
        gives = self.resolver.values(call, frame)
        is_plain = all(isinstance(v, Instance) and v.cls.module == "builtins" for v in gives)
        return is_plain or not self.resolver.catalogue.in_asynchronous_module(name)

    def _carries(self, expr: Expr, frame: Frame, awaited: frozenset[int]) -> bool:
        """Whether an expression is what the parameter is given, or a coroutine made of it."""
        if isinstance(expr, Call):
            callee = expr.func
            if isinstance(callee, Attr) and callee.name in _STEPS:
                callee = callee.value  # `generator.__anext__()`
            if self._carries(callee, frame, awaited):
                return True
            gives = self.resolver.values(expr, frame)
            return any(isinstance(value, CoroutineValue) for value in gives) and any(
                self._carries(arg, frame, awaited) for arg in expr.args
            )
        if not isinstance(expr, Name):
            return False
        for found in definitions(self.resolver, expr, frame):
            value = found.binding.value
            if isinstance(value, Param):
                own = self.module.facts.functions[self.number]
                if value.number == self.parameter and found.binding.scope == own.scope:
                    return True
            elif isinstance(value, FunctionRef) and found.frame.module == self.module.name:
                if value.number in awaited:
                    return True
            elif isinstance(value, Call) and value.func != expr:
                return self._carries(value.func, found.frame, awaited)
        return False


def _contains(expr: object, wanted: Expr) -> bool:
    """Whether an expression is another one, or holds it."""
    todo = [expr]
    while todo:
        part = todo.pop()
        if part is wanted:
            return True
        if isinstance(part, tuple) and not isinstance(part, (Name, Attr)):
            todo.extend(part)
    return False
