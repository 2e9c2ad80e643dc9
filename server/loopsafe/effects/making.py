"""What making an object does inside a package, of classes that the catalogue calls harmless.

A program makes an HTTP client once, and the catalogue is silent about the certificates that this
loads. A package may make one for each of its calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from loopsafe.effects.bounds import Bounds, Making
from loopsafe.effects.sources import facts_of
from loopsafe.facts.ir import Attr, Call, Const, Expr, Name
from loopsafe.knowledge.schema import Blocking
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, External, FunctionValue, Value


class Made(NamedTuple):
    """What runs where an object is made."""

    entry: Blocking
    is_open: bool
    """What the call hands on may keep it from that."""
    switches: tuple[str, ...]
    """Arguments of the call that keep it from that if they are off."""


def made(resolver: Resolver, limits: Bounds, value: Value, call: Expr) -> Iterator[Made]:
    """What runs where an object is made."""
    if not isinstance(call, Call) or not isinstance(value, (ClassValue, External, FunctionValue)):
        return
    names = tuple(_made_by(resolver, value))
    for making in limits.making if names else ():
        entry = resolver.catalogue.callable(making.does)
        if entry is None or making.classes.isdisjoint(names) or _is_spared(making, call):
            continue
        yield Made(entry, None in dict(call.keywords), tuple(_switches(making, call)))


def _made_by(resolver: Resolver, value: ClassValue | External | FunctionValue) -> Iterator[str]:
    """The names of the class whose constructor a call runs."""
    if isinstance(value, External):
        yield value.name.removesuffix(".__init__")
        return
    if isinstance(value, FunctionValue):
        facts = facts_of(resolver, value)
        if facts is not None and facts.name == "__init__" and facts.owner >= 0:
            yield dotted_name(resolver, ClassValue(value.module, facts.owner)) or ""
        return
    for cls in resolver.mro(value):
        yield dotted_name(resolver, cls) or ""
        module = resolver.table.get(cls.module) if isinstance(cls, ClassValue) else None
        if module is None or not isinstance(cls, ClassValue):
            return
        if "__init__" in module.facts.scopes[module.facts.classes[cls.number].scope].bindings:
            return


def _is_spared(making: Making, call: Call) -> bool:
    """Whether a call gives an argument with which nothing of it happens."""
    asked = tuple(_switches(making, call))
    return any(
        name in making.unless
        and name not in asked
        and not (isinstance(value, Const) and value.value in (True, None))
        for name, value in call.keywords
    )


def _switches(making: Making, call: Call) -> Iterator[str]:
    """Arguments that a call only hands on, so that who asks for it decides: `verify=verify`."""
    for name, value in call.keywords:
        inner = value.args[0] if isinstance(value, Call) and len(value.args) == 1 else value
        if name in making.switches and isinstance(inner, (Name, Attr)):
            yield name or ""
