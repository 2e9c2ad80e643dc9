"""Attributes that no source at hand shows: those that the catalogue knows, and plain names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.resolve.entrusted import entrusted
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.values import ClassValue, External, Instance, OffloadingValue, Values

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def known_attribute(resolver: Resolver, cls: ClassValue, name: str) -> Values:
    """An attribute that the source does not show and the catalogue knows."""
    for owner in resolver.mro(cls):
        known = resolver.knowledge(owner)
        if known is None:
            continue
        if sister := known.sister(name):
            given = resolver.attribute(Instance(cls), sister)
            return tuple(OffloadingValue(value) for value in given)
        if name in known.attributes:
            return _kept(resolver, cls, owner, name) or resolver.given_by(known.attributes[name])
        dotted = dotted_name(resolver, owner)
        if dotted and (known.blocking(name) is not None or name in known.returns):
            return (External(f"{dotted}.{name}"),)
        if "__getattr__" in known.returns and not name.startswith("__"):
            return resolver.given_by(known.returns["__getattr__"])
        if known.asynchronous:
            return ()  # What its bases have, it need not have in the same way.
    return ()


def declared_attribute(resolver: Resolver, cls: ClassValue, name: str) -> Values:
    """An attribute that the catalogue knows of any base whose source is not at hand."""
    for owner in resolver.mro(cls):
        known = resolver.knowledge(owner) if isinstance(owner, External) else None
        if known is not None and name in known.attributes:
            return _kept(resolver, cls, owner, name) or resolver.given_by(known.attributes[name])
    return ()


def _kept(resolver: Resolver, cls: ClassValue, owner: ClassValue | External, name: str) -> Values:
    return entrusted(resolver, cls, owner, name) if isinstance(owner, External) else ()


def external_attribute(resolver: Resolver, cls: str, name: str) -> Values:
    known = resolver.catalogue.klass(cls)
    if known is not None and name in known.attributes:
        return resolver.given_by(known.attributes[name])
    if (
        known is not None
        and "__getattr__" in known.returns
        and name not in known.returns
        and not name.startswith("__")
        and known.blocking(name) is None
    ):
        return resolver.given_by(known.returns["__getattr__"])
    return outside(cls, name)


def class_attribute(resolver: Resolver, cls: str, name: str) -> Values:
    """An attribute of what may be a class, on itself: `SQLModel.metadata`."""
    known = resolver.catalogue.klass(cls)
    if known is not None and name in known.attributes:
        return resolver.given_by(known.attributes[name])
    return outside(cls, name)


def outside(owner: str, name: str) -> Values:
    """An attribute of what nobody sees; unknown far from any name that a library may have.

    A function that calls itself with `part.base` would otherwise never come to an end.
    """
    return (External(f"{owner}.{name}"),) if owner.count(".") < _LONGEST_NAME else ()


_LONGEST_NAME = 8
"""Dots in the name of something that nobody sees."""
