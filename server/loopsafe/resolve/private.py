"""Names that begin with two underscores: they belong to the class that is written around them.

`self.__ask()` in `Client` is `self._Client__ask()`, whatever a subclass calls `__ask`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.resolve.finding import Member
from loopsafe.resolve.members import member_values
from loopsafe.resolve.names import final_bindings
from loopsafe.resolve.values import ClassValue, Frame, Instance, Value, Values, is_same_class

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def is_private(name: str) -> bool:
    """Whether a name is another one in each class."""
    return name.startswith("__") and not name.endswith("__")


def private(resolver: Resolver, value: Value, name: str, frame: Frame) -> Values:
    """What a private name of a value's base is, read in the body of that base.

    Nothing where the value has another class, which has the name itself, or where the base has not.
    """
    cls = value.cls if isinstance(value, Instance) else value
    if not isinstance(cls, ClassValue):
        return ()
    around = _around(resolver, frame)
    if around is None or is_same_class(cls, around):
        return ()
    base = next((base for base in resolver.mro(cls) if is_same_class(base, around)), None)
    module = resolver.table.get(around.module)
    if module is None or not isinstance(base, ClassValue):
        return ()
    facts = module.facts.classes[base.number]
    bindings = final_bindings(module, facts.scope, name)
    stored = facts.attributes.get(name, ())
    if not bindings and not stored:
        return ()
    member = Member(base, bindings, stored)
    return member_values(resolver, member, name, cls, isinstance(value, Instance))


def _around(resolver: Resolver, frame: Frame) -> ClassValue | None:
    """The innermost class whose body has a frame's code."""
    module = resolver.table.get(frame.module)
    index = frame.scope
    while module is not None and index > 0:
        scope = module.facts.scopes[index]
        if scope.kind == "class":
            return ClassValue(frame.module, scope.owner)
        index = scope.parent
    return None
