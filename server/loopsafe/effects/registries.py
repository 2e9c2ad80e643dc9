"""What a registry keeps that a module holds, where its methods say whether it has something, and
take it: `if symbols.has(key): return symbols.get(key)`, and below `symbols.set(key, value)`.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects.guards import holds
from loopsafe.effects.holding import Holder, holder
from loopsafe.effects.relief import Relief, missing
from loopsafe.facts.ir import Attr, Call, Choice, Const, Expr, Function, HasKey, Name, Scope, Site
from loopsafe.facts.reach import conditions_around, parts_of
from loopsafe.resolve.methods import own_object
from loopsafe.resolve.names import definitions
from loopsafe.resolve.naming import only_of_project
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame


def registry_relief(
    resolver: Resolver, site: Site, scope: Scope, function: Function, frame: Frame
) -> Relief:
    """Whether a site runs only where a registry lacks what the function puts there."""
    around = conditions_around(scope, site.block, site.spot.line, ("if", "else"))
    for test, is_met in around:
        for asked, is_true in _parts(resolver, test, is_met, frame):
            for call in _looks(resolver, asked, is_true, frame):
                table = _table_of(resolver, call, frame)
                if (
                    table
                    and holder(resolver, site._replace(expr=call), frame) is Holder.PROCESS
                    and any(
                        _puts(resolver, other.expr, call, table, frame) for other in function.sites
                    )
                ):
                    return Relief.PROCESS
    return Relief.NONE


def _parts(
    resolver: Resolver, test: Expr, is_met: bool, frame: Frame
) -> Iterator[tuple[Expr, bool]]:
    """The conditions that are known to hold, or to fail, where one does: of an `and` that fails the
    one that is left where the others hold."""
    for part, is_true in parts_of(test, is_met):
        if not is_true and isinstance(part, Choice) and part.op == "and":
            left = [option for option in part.options if holds(resolver, option, frame) is not True]
            if len(left) == 1:
                yield from parts_of(left[0], False)
        else:
            yield part, is_true


def _looks(resolver: Resolver, asked: Expr, is_true: bool, frame: Frame) -> Iterator[Call]:
    """The calls of a registry's method that say it lacks something where a condition holds, or
    fails."""
    if isinstance(asked, Call):
        if not is_true:
            yield asked
        return
    absent = missing(asked, is_true)
    for definition in definitions(resolver, absent, frame) if isinstance(absent, Name) else ():
        if isinstance(definition.binding.value, Call):
            yield definition.binding.value


def _table_of(resolver: Resolver, call: Call, frame: Frame) -> str:
    """The table of its object that a method looks into, and does nothing else."""
    found = _method(resolver, call, frame)
    if found is None or len(found.values) != 1 or not call.args:
        return ""
    given = found.values[0]
    if isinstance(given, Call):
        is_look = isinstance(given.func, Attr) and given.func.name == "get"
        table = given.func.value if isinstance(given.func, Attr) and is_look else None
    else:
        table = given.value if isinstance(given, HasKey) else None
    return table.name if isinstance(table, Attr) and own_object(table, found) is not None else ""


def _puts(resolver: Resolver, put: Expr, look: Call, table: str, frame: Frame) -> bool:
    """Whether a call has the same registry keep something under the same key."""
    if not isinstance(put, Call) or put is look or not put.args:
        return False
    owners = [c.func.value for c in (put, look) if isinstance(c.func, Attr)]
    if len(owners) < 2 or not _is_same(*owners) or not _is_same(put.args[0], look.args[0]):
        return False
    found = _method(resolver, put, frame)
    return found is not None and any(
        site.kind == "operator"
        and isinstance(site.expr, Call)
        and isinstance(site.expr.func, Attr)
        and site.expr.func.name == "__setitem__"
        and isinstance(site.expr.func.value, Attr)
        and site.expr.func.value.name == table
        and own_object(site.expr.func.value, found) is not None
        for site in found.sites
    )


def _method(resolver: Resolver, call: Call, frame: Frame) -> Function | None:
    """The method of the project that a call means."""
    own = only_of_project(resolver, call, frame)
    if own is None:
        return None
    function, module = own
    facts = resolver.table.inside(module, function.number)
    resolver.table.trace |= module.text_bit
    is_plain = not facts.is_async and not facts.is_generator
    return facts if is_plain and facts.owner >= 0 and facts.parameters else None


def _is_same(one: Expr, other: Expr) -> bool:
    """Whether two expressions are spelled the same."""
    if isinstance(one, Attr) and isinstance(other, Attr):
        return one.name == other.name and _is_same(one.value, other.value)
    if isinstance(one, Name) and isinstance(other, Name):
        return one.id == other.id
    return isinstance(one, Const) and isinstance(other, Const) and one.value == other.value
