"""Whether an argument of a call, as it is written, fits a condition of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from loopsafe.facts.ir import (
    Attr,
    Binary,
    Call,
    Const,
    DictDisplay,
    Entered,
    Expr,
    Imported,
    Name,
    Starred,
)
from loopsafe.knowledge.schema import Condition, Outcome, Result
from loopsafe.resolve.finding import find
from loopsafe.resolve.names import Definition, definitions, module_definitions
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    ExternalInstance,
    Frame,
    Instance,
    ModuleValue,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def outcome(
    resolver: Resolver, outcomes: tuple[Outcome, ...], call: Call | None, frame: Frame | None
) -> Result | None:
    """What a call gives for its arguments: the first outcome of which a condition holds."""
    if call is None or frame is None:
        return None
    for one in outcomes:
        if any(holds(resolver, condition, call, frame) for condition in one.only_if):
            return one.gives
    return None


def holds(resolver: Resolver, condition: Condition, call: Call, frame: Frame) -> bool:
    """Whether an argument of a call, as it is written, fits a condition."""
    argument, frame = _argument(resolver, condition, call, frame)
    if condition.given is not None:
        return (argument is not None) is condition.given
    if argument is None:
        return False
    if condition.has:
        return condition.has in _names_in(argument)
    values = resolver.values(argument, frame)
    if condition.type:
        return any(_is_of(resolver, value, condition.type) for value in values)
    constants = [value for value in values if isinstance(value, ConstantValue)]
    if condition.at_most is not None:
        is_known = bool(constants) and len(constants) == len(values)
        return is_known and all(_is_at_most(value.value, condition.at_most) for value in constants)
    wanted = None if condition.equals == "None" else condition.equals
    return bool(constants) and all(value.value == wanted for value in constants)


def _is_at_most(value: object, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value <= most


def written(resolver: Resolver, expr: Expr, frame: Frame) -> Iterable[tuple[Expr, Frame]]:
    """What an expression stands for, as written: itself, or what a name or attribute was given.

    One step only: a chain of plain renamings is rare and may be circular.
    """
    if isinstance(expr, Entered):
        yield from written(resolver, expr.value, frame)
    elif isinstance(expr, Name):
        for found in definitions(resolver, expr, frame):
            yield from _given(resolver, found, expr)
    elif isinstance(expr, Attr):
        for owner in resolver.values(expr.value, frame):
            if isinstance(owner, Instance):
                yield from _stored(resolver, owner.cls, expr.name)
            elif isinstance(owner, ModuleValue):
                yield from _of_module(resolver, owner.name, expr.name)
    else:
        yield expr, frame


def _given(resolver: Resolver, found: Definition, name: Name) -> Iterable[tuple[Expr, Frame]]:
    itself: object = name
    value = found.binding.value
    if isinstance(value, Imported) and value.name is not None:
        module = resolver.table.get(found.frame.module)
        if module is not None:
            source = resolver.table.imported(module, value.module, value.level)
            yield from _of_module(resolver, source, value.name)
    elif value is not None and value != itself:
        yield _unentered(value), found.frame


def _of_module(resolver: Resolver, module: str, name: str) -> Iterable[tuple[Expr, Frame]]:
    for found in module_definitions(resolver, module, name):
        if found.binding.value is not None:
            yield _unentered(found.binding.value), found.frame


def _unentered(value: Expr) -> Expr:
    return value.value if isinstance(value, Entered) else value


def _stored(resolver: Resolver, cls: ClassValue, name: str) -> Iterable[tuple[Expr, Frame]]:
    member = find(resolver, cls, name)
    if member is None or not isinstance(member.owner, ClassValue):
        return
    for binding in (*member.bindings, *member.stored):
        if binding.value is not None:
            frame = resolver.frame(member.owner.module, binding.scope, cls)
            yield _unentered(binding.value), frame


def _argument(
    resolver: Resolver, condition: Condition, call: Call, frame: Frame
) -> tuple[Expr | None, Frame]:
    """The argument that a condition asks about, and the frame that it is read in."""
    for name, value in call.keywords:
        if condition.argument and name == condition.argument:
            return value, frame
    if 0 <= condition.position < len(call.args):
        before = call.args[: condition.position + 1]
        if not any(isinstance(part, Starred) for part in before):
            return call.args[condition.position], frame
    for name, mapping in call.keywords:
        if condition.argument and name is None:
            for keys, found in written(resolver, mapping, frame):
                under = _under(keys, condition.argument)
                if under is not None:
                    return under, found
    return None, frame


def _under(mapping: Expr, key: str) -> Expr | None:
    """What `dict(key=value)` and `{"key": value}` have under a key."""
    if isinstance(mapping, DictDisplay):
        return next((value for k, value in mapping.items if k == Const(key)), None)
    if isinstance(mapping, Call) and isinstance(mapping.func, Name) and mapping.func.id == "dict":
        return next((value for k, value in mapping.keywords if k == key), None)
    return None


def _names_in(expr: Expr) -> set[str]:
    if isinstance(expr, Name):
        return {expr.id}
    if isinstance(expr, Attr):
        return {expr.name}
    if isinstance(expr, Binary):
        return _names_in(expr.left) | _names_in(expr.right)
    return set()


def _is_of(resolver: Resolver, value: object, wanted: str) -> bool:
    canonical = resolver.catalogue.canonical
    if isinstance(value, ExternalInstance):
        return canonical(value.name) == canonical(wanted)
    if not isinstance(value, Instance):
        return False
    names = (dotted_name(resolver, cls) for cls in resolver.mro(value.cls))
    return any(canonical(name) == canonical(wanted) for name in names if name)
