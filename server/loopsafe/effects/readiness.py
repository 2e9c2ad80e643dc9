"""Calls behind a look whether there is anything to wait for: `if not jobs.empty(): jobs.get()`."""

from __future__ import annotations

from dataclasses import dataclass

from loopsafe.effects.conditions import shape
from loopsafe.facts.ir import (
    Attr,
    Call,
    Choice,
    Display,
    Element,
    Expr,
    Item,
    Name,
    Scope,
    Site,
    Test,
)
from loopsafe.facts.reach import conditions_around
from loopsafe.knowledge.schema import Blocking
from loopsafe.resolve.names import definitions, qualified
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame

_HOLDING = frozenset({"if", "once", "own", "lazy", "loop", "else"})


def is_ready(resolver: Resolver, entry: Blocking, site: Site, scope: Scope, frame: Frame) -> bool:
    """Whether a call stands where a look at its receiver said that it need not wait."""
    call = site.expr
    if "*" in entry.harmless_behind:
        return any(conditions_around(scope, site.block, site.spot.line, _HOLDING))
    if not entry.harmless_behind or not isinstance(call, Call) or not isinstance(call.func, Attr):
        return False
    receiver = shape(call.func.value)
    if receiver is None:
        return False
    look = _Look(resolver, frame, receiver, entry.harmless_behind)
    return look.chose(call.func.value) or any(
        look.says(test, holds)
        for test, holds in conditions_around(scope, site.block, site.spot.line, _HOLDING)
    )


@dataclass(frozen=True, slots=True)
class _Look:
    resolver: Resolver
    frame: Frame
    receiver: tuple[str, ...]
    """As it is spelled: `self.jobs`."""
    looks: tuple[str, ...]
    """What the catalogue takes for a look, as its conditions spell it."""

    def says(self, test: Expr, holds: bool) -> bool:
        """Whether a condition that holds, or does not, says that nothing is to be waited for."""
        if isinstance(test, Choice):
            # All parts of an `and` hold with it; of an `or` nobody knows which one does.
            every = (test.op == "and") is holds
            parts = [self.says(part, holds) for part in test.options]
            return bool(test.op) and (any(parts) if every else all(parts))
        if isinstance(test, Test) and test.kind == "not":
            return self.says(test.value, not holds)
        if isinstance(test, Test) and test.kind == "is none":
            return not holds and f"{self._look(test.value)} is not None" in self.looks
        if isinstance(test, Name) and holds and self._is_selected(test):
            return True
        spelled = self._look(test)
        return bool(spelled) and (spelled if holds else f"not {spelled}") in self.looks

    def chose(self, receiver: Expr) -> bool:
        """Whether the receiver is one of those that are ready: `for sock in readable`,
        `for future in as_completed(futures)`."""
        return isinstance(receiver, Name) and any(
            isinstance(found.binding.value, Element)
            and self._gives_ready(found.binding.value.value, found.frame)
            for found in definitions(self.resolver, receiver, self.frame)
        )

    def _gives_ready(self, iterated: Expr, frame: Frame) -> bool:
        if isinstance(iterated, Name):
            return self._selection(iterated) is not None
        return isinstance(iterated, Call) and self._selects(iterated, frame)

    def _look(self, test: Expr) -> str:
        """A look at the receiver as the catalogue spells it: `empty()`, `in_waiting`."""
        looked = test.func if isinstance(test, Call) else test
        if not isinstance(looked, Attr) or shape(looked.value) != self.receiver:
            return ""
        return f"{looked.name}()" if isinstance(test, Call) else looked.name

    def _is_selected(self, name: Name) -> bool:
        """Whether a list of what is ready is one that can only hold the receiver."""
        call = self._selection(name)
        asked = call.args[0] if call is not None and call.args else None
        items = asked.items if isinstance(asked, Display) else ()
        return len(items) == 1 and shape(items[0]) == self.receiver

    def _selection(self, name: Name) -> Call | None:
        """The call that gave a list of what is ready: `readable, _, _ = select(...)`."""
        for found in definitions(self.resolver, name, self.frame):
            value = found.binding.value
            call = value.value if isinstance(value, Item) and value.number == 0 else None
            if isinstance(call, Call) and self._selects(call, found.frame):
                return call
        return None

    def _selects(self, call: Call, frame: Frame) -> bool:
        return f"{qualified(self.resolver, call.func, frame)}()" in self.looks
