"""What tables give by key: what other places put there, and what a key that is a class tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.facts.ir import Const, Name, Subscript
from loopsafe.facts.keyed import any_key, keyed
from loopsafe.resolve.values import ClassValue, External, ExternalInstance, Frame, Instance, Values

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def kept(resolver: Resolver, expr: Subscript, keys: Values, frame: Frame) -> Values:
    """What other places put under a key of an object: `request.app["db"]`."""
    places = list(keyed(_spelled(resolver, expr, keys)))
    if not isinstance(expr.key, Const):
        # Which of the entries a variable means, nobody can tell.
        places += [(owner, any_key(name)) for owner, name in places if any_key(name)]
    for owner, name in places:
        owners = resolver.values(owner, frame)
        values = resolver.outside.attribute(resolver, owners, name)
        if values:
            return of_class(resolver, values, keys)
    return ()


def kept_exactly(resolver: Resolver, expr: Subscript, frame: Frame) -> Values:
    """What other places put under the last of several keys, where that one is a constant."""
    for owner, name in keyed(expr):
        if ":" in name:
            values = resolver.outside.attribute(resolver, resolver.values(owner, frame), name)
            if values:
                return values
    return ()


def of_class(resolver: Resolver, values: Values, keys: Values) -> Values:
    """Of what a table holds, what is most likely behind a class: `made[Client]` is a `Client`.

    Where nothing is of that class, what nobody knows, or else all of it: a protocol has no
    subclasses, and neither has an interface that is registered for what does its work.
    """
    if not keys or len(values) < _SEVERAL:
        return values
    wanted = {kind for kind in map(_kind, keys) if kind is not None}
    if len(wanted) < len(keys):
        return values
    lines = [(value, _lineage(resolver, value)) for value in values]
    related = tuple(value for value, line in lines if not wanted.isdisjoint(line))
    return related or tuple(value for value, line in lines if not line) or values


def _spelled(resolver: Resolver, expr: Subscript, keys: Values) -> Subscript:
    """A lookup with the name of the class in the place of that of a variable which has it."""
    key = keys[0] if len(keys) == 1 else None
    module = resolver.table.get(key.module) if isinstance(key, ClassValue) else None
    if module is None or not isinstance(key, ClassValue) or not isinstance(expr.key, Name):
        return expr
    return expr._replace(key=expr.key._replace(id=module.facts.classes[key.number].name))


def _kind(value: object) -> object:
    if isinstance(value, ClassValue):
        return value.module, value.number
    return value.name if isinstance(value, External) else None


def _lineage(resolver: Resolver, value: object) -> set[object]:
    """The classes that an object, or what makes one, is of; none where its class is not known."""
    if isinstance(value, ExternalInstance):
        return {value.name}
    cls = value.cls if isinstance(value, Instance) else value
    if not isinstance(cls, (ClassValue, External)):
        return set()
    return {_kind(base) for base in resolver.mro(cls)} if isinstance(cls, ClassValue) else set()


_SEVERAL = 2
"""Of one there is nothing to choose."""
