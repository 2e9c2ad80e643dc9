"""Arguments: which parameter gets what of a call, and what that tells of a generic class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Call, Expr, Function, FunctionRef, Starred
from loopsafe.resolve.members import find
from loopsafe.resolve.types import from_arguments, mentions_variable, type_parameters
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    External,
    Frame,
    FunctionValue,
    Instance,
    ManagerFactory,
    OffloadingValue,
    PartialValue,
    Value,
    Values,
    union,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver

Arguments = tuple[tuple[int, Values], ...]

_DEEPEST = 3
"""Beyond this many calls, what was passed along is no longer told apart by call site."""


def given(
    resolver: Resolver, function: FunctionValue, call: Call | None, frame: Frame | None
) -> Arguments:
    """What a call passes to the parameters whose own annotation does not tell."""
    module = resolver.table.get(function.module)
    if module is None or call is None or frame is None or frame.depth >= _DEEPEST:
        return ()
    facts = module.facts.functions[function.number]
    outer = resolver.frame(function.module, facts.outer)
    found: dict[int, Values] = {}
    for index, expr in matched(facts, call, function.bound):
        values = resolver.values(expr, frame)
        if not values:
            continue
        annotation = facts.parameters[index].annotation
        if annotation is not None and mentions_variable(resolver, annotation, outer):
            found[index] = union((found.get(index, ()), values))
        elif not module.is_stub:
            telling = values if annotation is None else tuple(v for v in values if is_callable(v))
            if telling and not all(isinstance(v, ConstantValue) for v in telling):
                found[index] = union((found.get(index, ()), telling))
    return tuple(found.items())


def matched(facts: Function, call: Call, bound: bool) -> list[tuple[int, Expr]]:
    """The call's arguments by parameter index; those behind a `*` cannot be placed."""
    parameters = facts.parameters
    positions = [i for i, p in enumerate(parameters) if p.kind == "positional"]
    if bound and positions:
        positions = positions[1:]
    others = {p.kind: i for i, p in enumerate(parameters) if p.kind in ("args", "kwargs")}
    found: list[tuple[int, Expr]] = []
    for position, expr in enumerate(call.args):
        index = positions[position] if position < len(positions) else others.get("args")
        if isinstance(expr, Starred) or index is None:
            break
        found.append((index, expr))
    names = {p.name: i for i, p in enumerate(parameters) if p.kind in ("positional", "keyword")}
    for name, expr in call.keywords:
        index = names.get(name, others.get("kwargs")) if name is not None else None
        if index is not None:
            found.append((index, expr))
    return found


def fitting(resolver: Resolver, callees: Values, call: Call) -> Values:
    """Of a function's overloads those that take the call's arguments; all where none does."""
    if len(callees) < 2 or any(isinstance(arg, Starred) for arg in call.args):
        return callees
    fits = tuple(v for v in callees if not isinstance(v, FunctionValue) or _fits(resolver, v, call))
    return fits or callees


def instances_made(resolver: Resolver, cls: ClassValue, call: Call, frame: Frame) -> Values:
    """Objects of a generic class whose type arguments show in what its constructor is given."""
    names = type_parameters(resolver, cls)
    if not names or cls.arguments:
        return ()
    best: tuple[Values, ...] = ()
    for function in _constructors(resolver, cls):
        arguments = given(resolver, function, call, frame)
        inner = resolver.function_frame(function, arguments)
        if inner is None or not arguments or not _fits(resolver, function, call):
            continue
        declared = resolver.function_result(function, arguments)
        made = tuple(v for v in declared if isinstance(v, Instance) and any(v.cls.arguments))
        if made:
            return made
        known = tuple(from_arguments(resolver, name, inner) for name in names)
        best = max(best, known, key=lambda values: sum(map(bool, values)))
    return (Instance(cls._replace(arguments=best)),) if any(best) else ()


def argument_at(call: Call, position: int, name: str) -> Expr | None:
    """The argument of a call at a position or under a keyword."""
    for keyword, value in call.keywords:
        if name and keyword == name:
            return value
    if 0 <= position < len(call.args):
        found = call.args[position]
        return None if isinstance(found, Starred) else found
    return None


def metadata(annotation: Expr | None) -> Iterable[Expr]:
    """What `Annotated[T, ...]` carries besides the type."""
    index = getattr(annotation, "key", None)
    items = getattr(index, "items", ())
    return items[1:] if isinstance(items, tuple) else ()


def is_callable(value: Value) -> bool:
    """Whether a value is there to be called."""
    return isinstance(
        value,
        (
            FunctionValue,
            ClassValue,
            PartialValue,
            OffloadingValue,
            ManagerFactory,
            External,
        ),
    )


def _constructors(resolver: Resolver, cls: ClassValue) -> Iterator[FunctionValue]:
    for name in ("__new__", "__init__"):
        member = find(resolver, cls, name)
        if member is None or not isinstance(member.owner, ClassValue):
            continue
        for binding in member.bindings:
            if isinstance(binding.value, FunctionRef):
                yield FunctionValue(member.owner.module, binding.value.number, cls, True)


def _fits(resolver: Resolver, function: FunctionValue, call: Call) -> bool:
    """Whether a call gives a function all it requires, and nothing it does not take."""
    module = resolver.table.get(function.module)
    if module is None:
        return False
    facts = module.facts.functions[function.number]
    placed = [index for index, _ in matched(facts, call, function.bound)]
    if len(placed) < len(call.args) + sum(name is not None for name, _ in call.keywords):
        return False
    if any(isinstance(arg, Starred) for arg in call.args) or (None in dict(call.keywords)):
        return True
    first = 1 if function.bound else 0
    return all(
        index in placed or parameter.default is not None
        for index, parameter in enumerate(facts.parameters)
        if index >= first and parameter.kind in ("positional", "keyword")
    )
