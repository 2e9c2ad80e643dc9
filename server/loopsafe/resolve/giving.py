"""What objects give back that was put into them elsewhere: `current.set(db)`, `current.get()`.

Which classes do so, the catalogue says. Which object is meant, the variable says that holds it: of
a module, a class, or an object.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from loopsafe.facts.ir import Attr, Call, Display, Expr, Imported, Name, last_name
from loopsafe.resolve.finding import find
from loopsafe.resolve.index import NameIndex
from loopsafe.resolve.names import module_definitions, own_name
from loopsafe.resolve.outside import is_test
from loopsafe.resolve.values import (
    ClassValue,
    CoroutineValue,
    Frame,
    FunctionValue,
    Instance,
    ModuleValue,
    TupleValue,
    Values,
    union,
)
from loopsafe.resolve.variables import followed

if TYPE_CHECKING:
    from loopsafe.modules.module import Module
    from loopsafe.resolve.resolver import Resolver

_MOST = 16
"""What more places than this put into an object says little about any of them."""


class _Put(NamedTuple):
    """A call that may put something into what a variable of some name holds."""

    module: str
    call: Call
    func: Attr
    scope: int


class Giving:
    """Finds by a variable's name the calls that put something into what it holds."""

    def __init__(self, words: frozenset[str], giving: frozenset[str]) -> None:
        """`words` are the names of the methods that put, `giving` those of what gives it back."""
        self._giving = giving
        self._puts = NameIndex("used", lambda module: _puts(module, words))

    def forget(self, changed: Collection[str] | None = None) -> None:
        """The texts of these modules changed; where none are told, there are other modules."""
        self._puts.forget(changed)

    def back(
        self, resolver: Resolver, function: FunctionValue, call: Call, frame: Frame, result: Values
    ) -> Values:
        """What a method gives, where its class does not say it and its object gives back things."""
        if not isinstance(call.func, Attr) or call.func.name not in self._giving:
            return result
        if function.receiver is None or _tells(resolver, result):
            return result
        method = own_name(resolver, function)
        putting = _putting(resolver, function.receiver, method)
        put = self._put(resolver, call.func.value, putting, frame) if putting else ()
        if put and any(isinstance(value, CoroutineValue) for value in result):
            return (CoroutineValue(put),)
        return union((result, put))

    def _put(
        self, resolver: Resolver, holder: Expr, putting: tuple[str, ...], frame: Frame
    ) -> Values:
        wanted = set(_variables(resolver, holder, frame))
        found: list[Values] = []
        names = {name for name, _ in wanted}
        for place in (p for name in names for p in self._at(resolver, name)):
            if place.func.name not in putting:
                continue
            inner = resolver.frame(place.module, place.scope)
            if wanted.isdisjoint(_variables(resolver, place.func.value, inner)):
                continue
            values = _given(resolver, place.call.args[0], inner)
            if not values or resolver.known(values):
                found.append(resolver.known(values))
        return union(found) if () not in found and len(found) <= _MOST else ()

    def _at(self, resolver: Resolver, name: str) -> Iterator[_Put]:
        yield from self._puts.at(resolver.table, resolver.outside.project, name)


def _given(resolver: Resolver, expr: Expr, frame: Frame) -> Values:
    """What a call puts; of a parameter, what its function is called with."""
    if isinstance(expr, Display) and expr.kind == "tuple":
        return (TupleValue(tuple(_given(resolver, item, frame) for item in expr.items)),)
    return resolver.told(expr, frame)


def _tells(resolver: Resolver, result: Values) -> bool:
    """Whether more is known of what a call gives than that it is None."""
    return any(
        bool(resolver.known(value.result)) if isinstance(value, CoroutineValue) else True
        for value in resolver.known(result)
    )


def _putting(resolver: Resolver, cls: ClassValue, method: str) -> tuple[str, ...]:
    """The methods whose argument a method gives back."""
    for base in resolver.mro(cls):
        known = resolver.knowledge(base)
        if known is not None and method in known.gives_back:
            return known.gives_back[method]
    return ()


def _variables(resolver: Resolver, expr: Expr, frame: Frame) -> Iterator[tuple[str, Hashable]]:
    """The variables that an expression may be, with their names: bindings that make an object."""
    if isinstance(expr, Name):
        for found in followed(resolver, expr, frame):
            if isinstance(found.binding.value, Call):
                yield _name_of(resolver, expr, frame), id(found.binding)
    elif isinstance(expr, Attr):
        for owner in resolver.values(expr.value, frame):
            if isinstance(owner, ModuleValue):
                for found in module_definitions(resolver, owner.name, expr.name):
                    yield expr.name, id(found.binding)
            cls = owner.cls if isinstance(owner, Instance) else owner
            member = find(resolver, cls, expr.name) if isinstance(cls, ClassValue) else None
            if member is not None and isinstance(member.owner, ClassValue):
                yield expr.name, (*member.owner.definition, expr.name)


def _name_of(resolver: Resolver, name: Name, frame: Frame) -> str:
    """What a variable is called where it is at home: `from db import current as db_now`."""
    module = resolver.table.get(frame.module)
    bindings = module.facts.scopes[0].bindings.get(name.id, ()) if module is not None else ()
    return _own_name(name.id, bindings[0].value if bindings else None)


def _own_name(name: str, value: Expr | None) -> str:
    return value.name or name if isinstance(value, Imported) else name


def _puts(module: Module, words: frozenset[str]) -> Iterator[tuple[str, _Put]]:
    if words.isdisjoint(module.facts.words) or is_test(module):
        return
    bound = module.facts.scopes[0].bindings
    for function in module.facts.functions:
        for site in function.sites:
            call = site.expr
            func = call.func if isinstance(call, Call) and call.args else None
            if not isinstance(call, Call) or not isinstance(func, Attr) or func.name not in words:
                continue
            name = last_name(func.value)
            if name in bound and isinstance(func.value, Name):
                name = _own_name(name, bound[name][0].value)
            yield name, _Put(module.name, call, func, site.scope)
