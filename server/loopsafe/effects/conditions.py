"""Whether a call's arguments, or the call that made its receiver, keep it from blocking."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from loopsafe.effects.ways import comes_without
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
from loopsafe.knowledge.schema import Blocking, Condition
from loopsafe.resolve.members import dotted_name, find
from loopsafe.resolve.names import Definition, definitions, module_definitions
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    ExternalInstance,
    Frame,
    Instance,
    ModuleValue,
)


def blocks(
    resolver: Resolver,
    entry: Blocking,
    call: Call | None,
    frame: Frame,
    receiver: Expr | None = None,
) -> bool:
    """Whether a catalogued callable really blocks, called so or, without a call, by `with`."""
    if entry.awaitable or (entry.harmless_by and not _is_asked(resolver, entry, receiver, frame)):
        return False
    if call is None:
        return not entry.only_if and _fits_making(resolver, entry, receiver, frame)
    if any(holds(resolver, c, call, frame) for c in entry.harmless_if):
        return False
    if entry.only_if and not any(holds(resolver, c, call, frame) for c in entry.only_if):
        return False
    if entry.harmless_after and _is_tamed(resolver, entry.harmless_after, call, frame):
        return False
    return _fits_making(resolver, entry, _receiver(entry, call), frame)


def _is_asked(resolver: Resolver, entry: Blocking, read: Expr | None, frame: Frame) -> bool:
    """Whether an attribute is read of an object that surely has not got it yet."""
    return isinstance(read, Attr) and comes_without(
        resolver, read.value, read.name, entry.harmless_by, frame
    )


def _receiver(entry: Blocking, call: Call) -> Expr | None:
    """What a call's method belongs to; of an object that is called, the object."""
    method = call.func.name if isinstance(call.func, Attr) else ""
    if entry.name.endswith(".__call__") and method != "__call__":
        return call.func
    return call.func.value if isinstance(call.func, Attr) else None


def _fits_making(resolver: Resolver, entry: Blocking, receiver: Expr | None, frame: Frame) -> bool:
    """Whether the receiver was made so that it blocks."""
    if not (entry.only_if_made or entry.harmless_if_made):
        return True
    made = tuple(makers(resolver, receiver, frame)) if receiver is not None else ()
    if any(holds(resolver, c, m, f) for c in entry.harmless_if_made for m, f in made):
        return False
    return not entry.only_if_made or any(
        holds(resolver, c, m, f) for c in entry.only_if_made for m, f in made
    )


def makers(resolver: Resolver, receiver: Expr, frame: Frame) -> Iterable[tuple[Call, Frame]]:
    """The calls, as written, whose results a receiver may be, with the frames they are read in."""
    for value, found in _written(resolver, receiver, frame):
        if isinstance(value, Call):
            yield value, found


def _written(resolver: Resolver, expr: Expr, frame: Frame) -> Iterable[tuple[Expr, Frame]]:
    """What an expression stands for, as written: itself, or what a name or attribute was given.

    One step only: a chain of plain renamings is rare and may be circular.
    """
    if isinstance(expr, Entered):
        yield from _written(resolver, expr.value, frame)
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


def shape(expr: Expr) -> tuple[str, ...] | None:
    """A receiver as its dotted spelling: `self._socket`."""
    if isinstance(expr, Name):
        return (expr.id,)
    if isinstance(expr, Attr):
        base = shape(expr.value)
        return (*base, expr.name) if base else None
    return None


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
            for keys, found in _written(resolver, mapping, frame):
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


def _is_tamed(resolver: Resolver, calms: tuple[str, ...], call: Call, frame: Frame) -> bool:
    """Whether this function, or the class that holds the receiver, switches it to non-blocking."""
    receiver = call.func.value if isinstance(call.func, Attr) else None
    module = resolver.table.get(frame.module)
    if receiver is None or module is None:
        return False
    wanted = shape(receiver)
    if wanted is None:
        return False
    resolver.table.trace |= module.text_bit
    functions = module.facts.functions
    owner = module.facts.scopes[frame.scope].owner
    same_class = functions[owner].owner if owner >= 0 else -1
    for function in functions:
        if function.scope != frame.scope and (same_class < 0 or function.owner != same_class):
            continue
        for site in function.sites:
            made = site.expr
            if (
                isinstance(made, Call)
                and isinstance(made.func, Attr)
                and shape(made.func.value) == wanted
                # What a local name stands for changes from top to bottom.
                and (len(wanted) > 1 or made.spot < call.spot)
                and _spelled(resolver, made, frame) in calms
            ):
                return True
    return False


def _spelled(resolver: Resolver, call: Call, frame: Frame) -> str:
    """A call of one literal argument, as the catalogue spells it: `setblocking(False)`."""
    name = call.func.name if isinstance(call.func, Attr) else ""
    values = resolver.values(call.args[0], frame) if len(call.args) == 1 else ()
    literal = values[0].value if values and isinstance(values[0], ConstantValue) else ...
    if isinstance(literal, float) and literal.is_integer():
        literal = int(literal)
    return f"{name}({ast.unparse(ast.Constant(literal))})" if literal is not ... else f"{name}()"
