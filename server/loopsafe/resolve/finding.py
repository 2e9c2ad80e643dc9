"""Which class has an attribute: the first in the order of lookup."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from loopsafe.facts.ir import Binding, Filled
from loopsafe.resolve.names import final_bindings
from loopsafe.resolve.values import ClassValue, External, is_same_class

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


class Member(NamedTuple):
    """A class's attribute, and the class in the order of lookup that has it."""

    owner: ClassValue | External
    bindings: tuple[Binding, ...]
    """In the class body, or, if there is none, stored by its methods."""
    stored: tuple[Binding, ...]


def find(
    resolver: Resolver, cls: ClassValue, name: str, after: ClassValue | None = None
) -> Member | None:
    """The first class in the order of lookup that has an attribute.

    One that only puts something into it (`self.rows.append(row)`) counts where none makes it. A
    class whose source is not at hand counts where the catalogue knows the attribute of it, or where
    no other class has it.
    """
    if after is not None:
        return _found(resolver, cls, name, after)
    found = resolver.remember(
        ("find", cls, name), cls.module, lambda: _found(resolver, cls, name, None)
    )
    return found or None


def _found(
    resolver: Resolver, cls: ClassValue, name: str, after: ClassValue | None
) -> Member | None:
    passed = after is None
    filling: Member | None = None
    unseen: Member | None = None
    for owner in resolver.mro(cls):
        if not passed:
            passed = after is not None and is_same_class(owner, after)
            continue
        if isinstance(owner, External):
            known = resolver.knowledge(owner)
            if filling is not None or (known is not None and known.mentions(name)):
                return filling or Member(owner, (), ())
            unseen = unseen or Member(owner, (), ())
            continue
        if unseen is not None and owner.module == "builtins":
            continue  # What `object` has, every class may have of its own.
        module = resolver.table.get(owner.module)
        if module is None:
            continue
        facts = module.facts.classes[owner.number]
        bindings = final_bindings(module, facts.scope, name)
        stored = facts.attributes.get(name, ())
        if bindings or any(not isinstance(binding.value, Filled) for binding in stored):
            return Member(owner, bindings, stored)
        if stored and filling is None:
            filling = Member(owner, bindings, stored)
    unlisted = None if filling or unseen else _unlisted(resolver, cls, name)
    if after is not None and unlisted is not None and unlisted.owner == after:
        return None  # Nothing comes behind what no stub lists.
    return filling or unseen or unlisted


def _unlisted(resolver: Resolver, cls: ClassValue, name: str) -> Member | None:
    """An attribute that the stub of a class leaves out, and its source has."""
    for owner in resolver.mro(cls):
        module = resolver.table.get(owner.module) if isinstance(owner, ClassValue) else None
        if module is None or not module.is_stub or not isinstance(owner, ClassValue):
            continue
        source = resolver.source(owner)
        home = resolver.table.get(source.module) if source is not None else None
        if source is None or home is None or home.is_stub:
            continue
        facts = home.facts.classes[source.number]
        bindings = final_bindings(home, facts.scope, name)
        stored = facts.attributes.get(name, ())
        if bindings or stored:
            return Member(source, bindings, stored)
    return None
