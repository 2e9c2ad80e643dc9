"""What of a module's facts is the same after an edit, apart from the line on which it stands.

Most keystrokes change one function. Answers about the parts of the others are answers about their
twins in the new facts, which saves finding them again.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import NamedTuple, TypeVar

from loopsafe.facts.difference import Difference
from loopsafe.facts.ir import Exit, Function, ModuleFacts
from loopsafe.model import Span, Spot

T = TypeVar("T")

_LINES = {
    Exit: frozenset({Exit._fields.index("line")}),
    Function: frozenset(map(Function._fields.index, ("start", "end"))),
}
"""Where records have lines that are no spans."""


class Kept(NamedTuple):
    """The parts that are the same before and after an edit."""

    twins: dict[int, object]
    """Expressions, bindings and sites after the edit, by the `id` of what they were before it."""
    functions: frozenset[int]
    """Numbers of the functions whose whole body is the same."""
    difference: Difference
    """What others can tell."""
    gone: frozenset[int]
    """The `id`s of the parts that are not; all others are as they were, or have a twin."""
    names: frozenset[str] | None = None
    """Those of whose places the functions that differ say something else, where it is known."""

    def same(self, part: T) -> T:
        """What a part that is the same is after the edit."""
        found = self.twins.get(id(part), part)
        assert isinstance(found, type(part))
        return found


def together(first: Kept, then: Kept) -> Kept:
    """What is the same before one edit and after another one behind it."""
    twins = dict(then.twins)
    gone = set(then.gone | first.gone)
    for number, part in first.twins.items():
        between = id(part)
        if between in then.gone and between not in then.twins:
            gone.add(number)
        else:
            twins[number] = then.twins.get(between, part)
    return Kept(twins, first.functions & then.functions, _both(first, then), frozenset(gone))


def _both(first: Kept, then: Kept) -> Difference:
    a, b = first.difference, then.difference
    return Difference(
        a.names | b.names,
        a.functions | b.functions,
        a.insides | b.insides,
        a.speakers | b.speakers,
    )


def kept(before: ModuleFacts, after: ModuleFacts, difference: Difference) -> Kept:
    """What two versions of a module have in common, as far as numbers stand for the same."""
    twins: dict[int, object] = {}
    functions: set[int] = set()
    gone = _replaced(before, after)
    for number, (old, new) in enumerate(zip(before.functions, after.functions, strict=False)):
        old_scope, new_scope = before.scopes[old.scope], after.scopes[new.scope]
        if number in difference.speakers:
            own = tuple(a for a in before.assigned if a.binding.scope == old.scope)
            collect((old, old_scope, own), gone)
            continue
        if old is new and old_scope is new_scope:
            functions.add(number)
            continue
        found = _Twins()
        if found.same(old, new) and found.same(old_scope, new_scope) and found.moved_as_one():
            twins.update(found.by_id)
            functions.add(number)
    for old_class, new_class in zip(before.classes, after.classes, strict=False):
        old_scope, new_scope = before.scopes[old_class.scope], after.scopes[new_class.scope]
        if old_class is new_class and old_scope is new_scope:
            continue
        found = _Twins()
        if found.same(old_class, new_class) and found.same(old_scope, new_scope):
            twins.update(found.by_id)
    return Kept(twins, frozenset(functions), difference, frozenset(gone))


def _replaced(before: ModuleFacts, after: ModuleFacts) -> set[int]:
    """The `id`s of the parts that have another one in their place."""
    gone: set[int] = set()
    for number, function in enumerate(before.functions):
        twin = after.functions[number] if number < len(after.functions) else None
        if function is not twin:
            gone.add(id(function))
            # A function that only moved has its body as it was.
            for own, other in zip_longest(function, twin or ()):
                if own is not other:
                    collect(own, gone)
    for then, now in (
        (before.classes, after.classes),
        (before.scopes[1:], after.scopes[1:]),
        (before.assigned, after.assigned),
    ):
        for old, new in zip_longest(then, now):
            if old is not new:
                collect(old, gone)
    own, other = before.scopes[0], after.scopes[0]
    if own.blocks is not other.blocks:
        collect(own, gone)
    for name, found in own.bindings.items():
        if other.bindings.get(name) is not found:
            collect(found, gone)
    return gone


def collect(part: object, ids: set[int]) -> None:
    """Adds the `id`s of all parts of a part that questions may be about."""
    todo = [part]
    while todo:
        part = todo.pop()
        if isinstance(part, tuple):
            if type(part) is not tuple:
                ids.add(id(part))
            todo += [item for item in part if type(item) not in _WITHOUT_PARTS]
        elif isinstance(part, dict):
            todo += part.values()


_WITHOUT_PARTS = frozenset({Span, Spot, str, int, bool, type(None)})
"""What is no part that a question may be about, and has none."""


def is_unmoved(old: object, new: object) -> bool:
    """Whether two parts mean the same and stand at the same place."""
    twins = _Twins()
    return twins.same(old, new) and twins.moves <= {0}


class _Twins:
    """Walks two parts side by side."""

    def __init__(self) -> None:
        self.by_id: dict[int, object] = {}
        self.moves: set[int] = set()
        """Lines by which something stands elsewhere."""

    def moved_as_one(self) -> bool:
        """Whether everything kept its order: only one edit lies between before and after."""
        return len(self.moves - {0}) <= 1

    def same(self, old: object, new: object) -> bool:
        """Whether two parts mean the same; types count, for `1` is not `True` to an argument."""
        kind = type(old)
        if kind is not type(new):
            return False
        if kind is Span or kind is Spot:
            return self._moved(old, new)
        if isinstance(old, tuple):
            return self._same_items(old, new)
        if isinstance(old, dict) and isinstance(new, dict):
            if len(old) != len(new):
                return False
            pairs = zip(old.items(), new.items(), strict=True)
            return all(a[0] == b[0] and self.same(a[1], b[1]) for a, b in pairs)
        return old == new

    def _same_items(self, old: tuple[object, ...], new: object) -> bool:
        assert isinstance(new, tuple)
        if self.by_id.get(id(old)) is new:
            return True  # A call is a site's and a binding's, too.
        if len(old) != len(new):
            return False
        kind = type(old)
        lines = _LINES.get(kind, ())
        for number, (a, b) in enumerate(zip(old, new, strict=True)):
            if number in lines:
                self.moves.add(b - a)
            elif a is not b and not self.same(a, b):
                return False
        if kind is not tuple:
            self.by_id[id(old)] = new
        return True

    def _moved(self, old: object, new: object) -> bool:
        assert isinstance(old, (Span, Spot))
        assert isinstance(new, (Span, Spot))
        by = new.line - old.line
        self.moves.add(by)
        return (old.column, old.end_column, old.end_line + by) == (
            new.column,
            new.end_column,
            new.end_line,
        )
