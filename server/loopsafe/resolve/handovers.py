"""Where a module hands functions over by their names: to calls, and to what decorates them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from loopsafe.facts.ir import Attr, Call, Expr, Function, Name, last_name
from loopsafe.resolve.values import ClassValue, FunctionValue

if TYPE_CHECKING:
    from loopsafe.modules.module import Module


class Handover(NamedTuple):
    """A call that may hand a function of some name to a framework."""

    module: str
    call: Call
    scope: int


class Decoration(NamedTuple):
    """A function or a class that something of some name decorates."""

    decorated: FunctionValue | ClassValue
    decorator: Expr


def handovers(module: Module, words: frozenset[str]) -> Iterator[tuple[str, Handover]]:
    if words.isdisjoint(module.facts.words):
        return
    for function in module.facts.functions:
        for site in function.sites:
            call = site.expr
            if not isinstance(call, Call) or last_name(call.func) not in words:
                continue
            for name in _given_to(call):
                yield name, Handover(module.name, call, site.scope)


def given_names(function: Function) -> Iterator[str]:
    """The names of what a function gives to calls."""
    for site in function.sites:
        if isinstance(site.expr, Call):
            yield from _given_to(site.expr)


def _given_to(call: Call) -> Iterator[str]:
    given: list[Expr] = [*call.args, *(value for _, value in call.keywords)]
    return (last_name(expr) for expr in given if isinstance(expr, (Name, Attr)))


def decorator_names(module: Module) -> Iterator[str]:
    """What decorates the functions and classes that a module defines."""
    return (name for name, _ in decorations(module))


def decorations(module: Module) -> Iterator[tuple[str, Decoration]]:
    for number, function in enumerate(module.facts.functions):
        # Methods are decorated before there is an object to call them on.
        for expr in function.decorators if function.owner < 0 and not function.outer else ():
            callee = expr.func if isinstance(expr, Call) else expr
            yield last_name(callee), Decoration(FunctionValue(module.name, number), expr)
    for number, cls in enumerate(module.facts.classes):
        # Where there is no call, decorating is one.
        for expr in cls.decorators if not cls.outer else ():
            if isinstance(expr, Call):
                yield last_name(expr.func), Decoration(ClassValue(module.name, number), expr)
