"""What answers may rest on that is different after an edit.

Said once: for the answers that an engine remembers, and for those that an earlier run kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from loopsafe.effects.deciding import decide_otherwise, deciding
from loopsafe.effects.defaults import sets_by_name, setting_by_name
from loopsafe.effects.structural import method_names
from loopsafe.facts.ir import Imported, ModuleFacts
from loopsafe.facts.kept import Kept
from loopsafe.facts.nodes import spelled_names
from loopsafe.facts.touched import beside, touched
from loopsafe.modules.module import Change, Module
from loopsafe.modules.units import Unit
from loopsafe.resolve.handovers import decorator_names, given_names
from loopsafe.resolve.kept_literals import ask_otherwise, asking
from loopsafe.resolve.outside import stored_names
from loopsafe.resolve.subclasses import bases_of

BY_NAME = ("used", "made", "stored", "handed", "decorates", "among")
"""Kinds of units about what all modules do with a name."""


def news(change: Change) -> Iterator[Unit]:
    """What a module's functions say otherwise about names, and those whose inside differs for
    others. Of a text that is gone, nothing.
    """
    if change.after is None:
        return
    if change.kept is not None:
        yield from (change.after.inside_of(n) for n in change.kept.difference.insides)
    before, after = change.before.facts, change.after.facts
    if sets_by_name(before, change.kept) != sets_by_name(after, change.kept):
        yield setting_by_name(change.after)
    if ask_otherwise(before, after, change.kept):
        yield asking(change.after)
    if change.kept is not None:
        changed = decide_otherwise(before, after, change.kept)
        yield from (deciding(change.after, number) for number in changed)
    if change.kept is None or change.kept.difference.functions:
        texts = (change.before, change.after)
        yield from (("decorates", name) for text in texts for name in decorator_names(text))
    mentioned = _mentioned(before, after, change.kept)
    for name in mentioned:
        yield ("used", name)
        yield ("made", name)
    for name in _handed_on(before, after, change.kept):
        if change.kept is None or name in mentioned:
            yield ("handed", name)
    if change.kept is None:
        # Where all but insides of functions is the same, so is what they store.
        yield from (("stored", name) for facts in (before, after) for name in stored_names(facts))


def inherited(before: Module | None, after: Module | None) -> Iterator[Unit]:
    """What the classes of two texts of a module may say otherwise about methods and bases."""
    texts = [module for module in (before, after) if module is not None]
    yield from (("method", name) for module in texts for name in method_names(module))
    then, now = (tuple(bases_of(m)) if m is not None else () for m in (before, after))
    if then != now:
        yield from (("base", name) for name, _ in (*then, *now))


def _mentioned(before: ModuleFacts, after: ModuleFacts, kept: Kept | None) -> set[str]:
    """Names that stand in what differs between two texts of a module."""
    if kept is None:
        return {*before.words, *after.words}
    found: set[str] = set(kept.names or ())
    if kept.names is None:
        for number in range(max(len(before.functions), len(after.functions))):
            if number not in kept.functions:
                is_headed = number in kept.difference.functions
                names = None if is_headed else touched(before, after, number)
                found.update(names if names is not None else _standing(number, before, after))
    found.update(beside(after, kept.difference.speakers, kept.difference.names))
    return found | {own for facts in (before, after) for own in _at_home(facts, found)}


def _at_home(facts: ModuleFacts, names: set[str]) -> Iterator[str]:
    """What is meant by names that a module gives to what it imports: `import f as g`."""
    bindings = facts.scopes[0].bindings
    for binding in chain.from_iterable(bindings.get(name, ()) for name in names):
        if isinstance(binding.value, Imported) and binding.value.name:
            yield binding.value.name


def _handed_on(before: ModuleFacts, after: ModuleFacts, kept: Kept | None) -> set[str]:
    """Names of what functions that differ between two texts give to calls."""
    return {
        name
        for facts in (before, after)
        for number, function in enumerate(facts.functions)
        if kept is None or number not in kept.functions
        for name in given_names(function)
    }


def _standing(number: int, *texts: ModuleFacts) -> Iterator[str]:
    """All names that stand in a function, in any of the texts that have it."""
    for facts in texts:
        for function in facts.functions[number : number + 1]:
            # What is assigned to attributes stands with no function.
            own = tuple(a for a in facts.assigned if a.binding.scope == function.scope)
            yield from spelled_names((function, facts.scopes[function.scope].bindings, own))
