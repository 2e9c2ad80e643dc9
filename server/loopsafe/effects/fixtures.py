"""What the fixtures of tests give: a test's parameter gets that of the fixture of its name."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.facts.ir import Call, Expr, Function
from loopsafe.modules.marks import is_collected
from loopsafe.modules.module import Module
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.runners import runner_of
from loopsafe.resolve.values import FunctionValue, Values

_ROLE = "fixture"
_SHARED = "conftest"
"""The module of a folder in which fixtures stand for the tests in and below it."""


def fixture_values(resolver: Resolver, module: Module, number: int, index: int) -> Values:
    """What a test, or another fixture, gets for a parameter; nothing where that is not known."""
    function = module.facts.functions[number]
    if not is_collected(module.path):
        return ()
    if not function.name.startswith("test") and not _is_fixture(resolver, module, function):
        return ()
    name = function.parameters[index].name
    for home in _homes(resolver, module):
        for at, found in enumerate(home.facts.functions):
            is_it = found.name == name and found.owner < 0 and found is not function
            if is_it and _is_fixture(resolver, home, found):
                return _given(resolver, home, at)
    return ()


def _homes(resolver: Resolver, module: Module) -> Iterator[Module]:
    """The modules whose fixtures a test sees, the nearest first."""
    resolver.table.trace |= module.bit | module.text_bit
    yield module
    package = module.name
    while package:
        package = package.rpartition(".")[0]
        shared = resolver.table.get(f"{package}.{_SHARED}" if package else _SHARED)
        if shared is not None and shared is not module and shared.is_project:
            resolver.table.trace |= shared.bit | shared.text_bit
            yield shared


def _is_fixture(resolver: Resolver, module: Module, function: Function) -> bool:
    frame = resolver.frame(module.name, function.outer)
    return any(
        runner is not None and runner.role == _ROLE
        for decorator in function.decorators
        for value in resolver.values(_callee(decorator), frame)
        if (runner := runner_of(resolver, value)) is not None
    )


def _callee(decorator: Expr) -> Expr:
    return decorator.func if isinstance(decorator, Call) else decorator


def _given(resolver: Resolver, module: Module, number: int) -> Values:
    function = module.facts.functions[number]
    made = resolver.function_result(FunctionValue(module.name, number), ())
    if function.is_generator:
        return resolver.elements(made, function.is_async)
    return resolver.awaited(made) if function.is_async else made
