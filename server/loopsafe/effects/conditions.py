"""Whether a call's arguments, or the call that made its receiver, keep it from blocking."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from loopsafe.effects.ways import comes_without
from loopsafe.facts.ir import Attr, Call, Expr, Name
from loopsafe.knowledge.schema import Blocking
from loopsafe.resolve.conditions import holds, written
from loopsafe.resolve.naming import called_modules, of_project
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ConstantValue, Frame

_MOST_HELPERS = 2
"""Functions that give on what another one has made."""


def blocks(
    resolver: Resolver,
    entry: Blocking,
    call: Call | None,
    frame: Frame,
    receiver: Expr | None = None,
) -> bool:
    """Whether a catalogued callable really blocks, called so or, without a call, by `with`."""
    if entry.lazy or (entry.is_property and call is not None):
        return False
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
    found = makers(resolver, receiver, frame) if receiver is not None else ()
    made = tuple(one for one in found if not _is_of_project(resolver, *one))
    if any(holds(resolver, c, m, f) for c in entry.harmless_if_made for m, f in made):
        return False
    return not entry.only_if_made or any(
        holds(resolver, c, m, f) for c in entry.only_if_made for m, f in made
    )


def _is_of_project(resolver: Resolver, call: Call, frame: Frame) -> bool:
    """Whether a call is of a function of the project, whose arguments are none of a library's."""
    modules = called_modules(resolver, call.func, frame)
    return any(module is not None and module.is_project for module in modules)


def makers(
    resolver: Resolver, receiver: Expr, frame: Frame, steps: int = _MOST_HELPERS
) -> Iterator[tuple[Call, Frame]]:
    """The calls, as written, whose results a receiver may be, with the frames they are read in.

    What a helper of the project gives was made where that says.
    """
    for value, found in written(resolver, receiver, frame):
        if isinstance(value, Call):
            yield value, found
            for given, inner in _given(resolver, value, found) if steps else ():
                yield from makers(resolver, given, inner, steps - 1)


def _given(resolver: Resolver, call: Call, frame: Frame) -> Iterator[tuple[Expr, Frame]]:
    """What functions of the project give that a call runs."""
    for value in resolver.values(call.func, frame):
        own = of_project(resolver, value)
        if own is None:
            continue
        callee, module = own
        inner = resolver.function_frame(callee)
        function = resolver.table.inside(module, callee.number)
        if inner is not None and not function.is_async and not function.is_generator:
            yield from ((given, inner) for given in function.values)


def shape(expr: Expr) -> tuple[str, ...] | None:
    """A receiver as its dotted spelling: `self._socket`."""
    if isinstance(expr, Name):
        return (expr.id,)
    if isinstance(expr, Attr):
        base = shape(expr.value)
        return (*base, expr.name) if base else None
    return None


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
            if not isinstance(made, Call) or not isinstance(made.func, Attr):
                continue
            if shape(made.func.value) != wanted:
                continue
            is_before = function.scope == frame.scope and made.spot < call.spot
            # What a local name stands for changes from top to bottom.
            is_meant = is_before or len(wanted) > 1
            if is_before and f"{made.func.name}(...)" in calms:
                return True
            if is_meant and _spelled(resolver, made, frame) in calms:
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
