"""What an object gives a base to keep that no source shows: `super().__init__(coordinator)`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Attr, Call, Expr, FunctionRef, Subscript, key_parts, last_name
from loopsafe.modules.module import Module
from loopsafe.resolve.arguments import argument_at
from loopsafe.resolve.naming import scope_of
from loopsafe.resolve.values import ClassValue, External, FunctionValue, Values, union

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver

_CONSTRUCTOR = "__init__"


def entrusted(resolver: Resolver, cls: ClassValue, base: External, name: str) -> Values:
    """What a class gives the constructor of a base that keeps it under a name, or else the class
    by which the base is told what it keeps: `CoordinatorEntity[Readings]`."""
    known = resolver.knowledge(base)
    place = known.keeps.get(name) if known is not None else None
    if place is None:
        return ()
    return resolver.remember(
        ("entrusted", cls, base.name, name),
        cls.module,
        lambda: _entrusted(resolver, cls, base, name, place),
    )


def _entrusted(
    resolver: Resolver, cls: ClassValue, base: External, name: str, place: int
) -> Values:
    own = base.name.rpartition(".")[2]
    owners = list(_owners(resolver, cls))
    given = union(
        values
        for owner, module in owners
        for values in _given(resolver, owner, module, name, place)
    )
    return resolver.known(given) or union(
        values for owner, module in owners for values in _subscripts(resolver, owner, module, own)
    )


def _owners(resolver: Resolver, cls: ClassValue) -> Iterator[tuple[ClassValue, Module]]:
    """The project's classes that a class is made of, the nearest first."""
    for owner in resolver.mro(cls):
        module = resolver.table.get(owner.module) if isinstance(owner, ClassValue) else None
        if isinstance(owner, ClassValue) and module is not None and module.is_project:
            yield owner._replace(holds=cls.holds), module


def _given(
    resolver: Resolver, owner: ClassValue, module: Module, name: str, place: int
) -> Iterator[Values]:
    """What the constructor of a class hands on to the next one, where it is told apart."""
    for binding in module.facts.scopes[scope_of(resolver, owner)].bindings.get(_CONSTRUCTOR, ()):
        if not isinstance(binding.value, FunctionRef):
            continue
        number = binding.value.number
        # An edit inside of it may hand on something else, or nothing any more.
        resolver.table.trace |= resolver.table.bit(("made", _CONSTRUCTOR))
        frame = resolver.function_frame(FunctionValue(owner.module, number, owner, True))
        for site in resolver.table.inside(module, number).sites:
            handed = _handed_on(site.expr, name, place)
            if handed is not None and frame is not None:
                yield resolver.values(handed, frame)


def _handed_on(expr: Expr, name: str, place: int) -> Expr | None:
    """The argument of a call of the next constructor, `super().__init__(coordinator)`."""
    func = expr.func if isinstance(expr, Call) else None
    if not isinstance(expr, Call) or not isinstance(func, Attr) or func.name != _CONSTRUCTOR:
        return None
    is_super = isinstance(func.value, Call) and last_name(func.value.func) == "super"
    # `Base.__init__(self, coordinator)` has the object before what it is given.
    return argument_at(expr, place if is_super else place + 1, name)


def _subscripts(
    resolver: Resolver, owner: ClassValue, module: Module, base: str
) -> Iterator[Values]:
    """What a class says in brackets that a base of this name is for."""
    for expr in module.facts.classes[owner.number].bases:
        if isinstance(expr, Subscript) and last_name(expr.value) == base:
            frame = resolver.frame(owner.module, module.facts.classes[owner.number].outer)
            yield resolver.instances(key_parts(expr)[0], frame)
