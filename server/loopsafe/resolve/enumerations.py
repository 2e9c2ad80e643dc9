"""Members of enumerations: what each stands for, and what any of them has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.facts.ir import UNKNOWN, Binding, Call, ClassRef, Display, Expr, FunctionRef, Starred
from loopsafe.model import Spot
from loopsafe.resolve.held import holding
from loopsafe.resolve.values import ClassValue, Frame, Instance, Values, union

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver

_NOWHERE = Spot(0, 0, 0, 0)

_MOST = 40
"""Of so many members nobody asks what any of them stands for."""


def listed(resolver: Resolver, cls: ClassValue, binding: Binding, frame: Frame) -> Values:
    """A member by what it is written as: for conditions its value, and an object of its class.

    The object keeps what the class's `__init__` makes of a tuple: `ADD = 1, add`.
    """
    held = resolver.bound(binding, frame)
    written = binding.value
    parts: tuple[Expr, ...] = (written,) if written is not None else ()
    if isinstance(written, Display) and written.kind == "tuple":
        parts = written.items
    kept: tuple[tuple[str, Values], ...] = ()
    if not any(isinstance(part, Starred) for part in parts):
        kept = holding(resolver, cls, Call(UNKNOWN, parts, (), _NOWHERE), frame).holds
    return (*held, Instance(cls._replace(holds=(("value", held), *kept))))


def of_any(resolver: Resolver, cls: ClassValue, name: str) -> Values:
    """What an object of an enumeration has under a name where nobody knows which one it is."""
    name = "value" if name == "_value_" else name
    return union(dict(member.holds).get(name, ()) for member in _members(resolver, cls))


def _members(resolver: Resolver, cls: ClassValue) -> list[ClassValue]:
    """The classes of an enumeration's objects, each with what it holds."""
    module = resolver.table.get(cls.module)
    if module is None:
        return []
    bindings = module.facts.scopes[module.facts.classes[cls.number].scope].bindings
    names = [
        name
        for name, found in bindings.items()
        if not name.startswith("_")
        and not any(isinstance(b.value, (FunctionRef, ClassRef, type(None))) for b in found)
    ]
    if len(names) > _MOST:
        return []
    values = union(resolver.attribute(ClassValue(cls.module, cls.number), name) for name in names)
    return [v.cls for v in values if isinstance(v, Instance) and v.cls.definition == cls.definition]
