"""What the project's helpers hand on to a runner: `def start(job): queue.enqueue(job)`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loopsafe.facts.ir import Call, Expr, Function, Name, Param
from loopsafe.modules.module import Module
from loopsafe.resolve.arguments import argument_at, matched
from loopsafe.resolve.names import Definition, definitions
from loopsafe.resolve.naming import of_project
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.runners import runner_of
from loopsafe.resolve.values import Frame, FunctionValue, Value


def handed_on(
    resolver: Resolver, module: Module, number: int, expr: Expr, frame: Frame
) -> Iterator[Value]:
    """What those who call a function give it, where an expression in it is its parameter."""
    function = module.facts.functions[number]
    found = definitions(resolver, expr, frame) if isinstance(expr, Name) else ()
    indices = _own_parameters(function, found)
    if not indices or len(indices) < len(found):
        return
    for made in resolver.outside.calls_of(resolver, module, function.name):
        home = resolver.frame(made.module, made.scope)
        for callee in resolver.values(made.call.func, home):
            if not isinstance(callee, FunctionValue):
                continue
            if callee.definition != (module.name, number):
                continue
            for index, given in matched(function, made.call, callee.bound):
                if index in indices:
                    yield from resolver.values(given, home)


def handed_over(resolver: Resolver, value: Value, call: Call) -> Iterator[Call]:
    """The calls among the arguments of a call of a helper that wants a function there, for a
    thread: `run_blocking(load())`, where it does `await to_thread(function)`."""
    own = of_project(resolver, value)
    if own is None:
        return
    value, module = own
    function = resolver.table.inside(module, value.number)
    made = [(i, arg) for i, arg in matched(function, call, value.bound) if isinstance(arg, Call)]
    offloaded = _offloaded(resolver, function, value) if made else frozenset()
    yield from (arg for index, arg in made if index in offloaded)


def _offloaded(resolver: Resolver, function: Function, value: FunctionValue) -> frozenset[int]:
    """The parameters of a function that it gives to a thread to call."""
    frame = resolver.frame(value.module, function.scope)
    found: set[int] = set()
    for site in function.sites:
        call = site.expr
        if site.kind != "call" or not isinstance(call, Call):
            continue
        for callee in resolver.values(call.func, frame):
            runner = runner_of(resolver, callee)
            given = argument_at(call, runner.position, runner.argument) if runner else None
            if runner is None or not runner.offloads or not isinstance(given, Name):
                continue
            found |= _own_parameters(function, definitions(resolver, given, frame))
    return frozenset(found)


def _own_parameters(function: Function, found: Iterable[Definition]) -> set[int]:
    """The numbers of those parameters of a function that a name stands for."""
    return {
        d.binding.value.number
        for d in found
        if isinstance(d.binding.value, Param) and d.binding.scope == function.scope
    }


def wrapped(resolver: Resolver, value: Value) -> Iterator[FunctionValue]:
    """The project's coroutine functions around which decorators have put what is called."""
    outer = value.outer if isinstance(value, FunctionValue) else None
    for _, values in outer.arguments if outer is not None else ():
        for inner in values:
            module = resolver.table.get(inner.module) if isinstance(inner, FunctionValue) else None
            if module is None or not isinstance(inner, FunctionValue):
                continue
            if module.is_project and module.facts.functions[inner.number].is_async:
                yield inner
                yield from wrapped(resolver, inner)
