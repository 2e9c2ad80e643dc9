"""Ways through a package by an object that lives as long as the process: what it lacks and fills,
it fills once, `if not self._project: self._look_up_project()`."""

from __future__ import annotations

from loopsafe.effects.branches import Branch
from loopsafe.effects.holding import Holder, holder
from loopsafe.effects.relief import missing
from loopsafe.effects.sources import facts_of
from loopsafe.facts.ir import Attr, Name
from loopsafe.facts.reach import conditions_around, parts_of
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame

_CHOICES = frozenset({"if", "else", "own", "lazy"})


def is_lasting(resolver: Resolver, frame: Frame, branch: Branch, before: bool) -> bool:
    """Whether a module keeps the object whose method a branch leads to; `before` says it of the
    one whose method holds the branch."""
    whose = holder(resolver, branch.site, frame)
    return whose is Holder.PROCESS or (before and whose is Holder.SAME)


def is_filling(resolver: Resolver, frame: Frame, branch: Branch) -> bool:
    """Whether a branch leads from a method to one that stores what the object was found to lack."""
    module = resolver.table.get(frame.module)
    called = facts_of(resolver, branch.function) if branch.function is not None else None
    home = resolver.table.get(branch.function.module) if branch.function is not None else None
    if module is None or home is None or called is None or called.owner < 0:
        return False
    scope = module.facts.scopes[branch.site.scope]
    stored = home.facts.classes[called.owner].attributes
    around = conditions_around(scope, branch.site.block, branch.site.spot.line, _CHOICES)
    absent = (
        missing(asked, is_true)
        for test, holds in around
        for asked, is_true in parts_of(test, holds)
    )
    return any(
        isinstance(attribute, Attr)
        and isinstance(attribute.value, Name)
        and any(binding.scope == called.scope for binding in stored.get(attribute.name, ()))
        for attribute in absent
    )
