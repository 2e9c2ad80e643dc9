"""Whom a method call in a package means where nothing tells, by what classes near it have.

Objects come from registries, tables and decorators that no reader follows. The class of a `client`
is most likely one whose name ends so, and has the method; and a method that only one class in the
package defines is that one's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from loopsafe.effects.bounds import bounds
from loopsafe.effects.sources import facts_of
from loopsafe.facts.ir import Attr, Call, FunctionRef, Site, last_name
from loopsafe.modules.module import Module
from loopsafe.modules.outlines import Outline
from loopsafe.resolve.arguments import fits
from loopsafe.resolve.members import find
from loopsafe.resolve.neighbours import neighbours
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    ExternalInstance,
    Frame,
    FunctionValue,
    Instance,
    Values,
)

_SHORTEST = 4
"""Letters of a word that says something."""

_MOST_HOMES = 6
"""Modules that have such a class; more say that the word is a common one."""

_MOST = 3
"""Different methods that a call may mean."""


def owners(resolver: Resolver, site: Site, frame: Frame) -> Values:
    """The methods that a call of an unknown object in a package most likely means."""
    call = site.expr
    callee = call.func if site.kind == "call" and isinstance(call, Call) else None
    module = resolver.table.get(frame.module)
    if not isinstance(call, Call) or not isinstance(callee, Attr) or module is None:
        return ()
    name = callee.name
    if module.is_project or module.is_stub or name.startswith("__"):
        return ()
    known = resolver.known(resolver.values(callee.value, frame))
    word = _unseen(known) if known else last_name(callee.value).strip("_").lower()
    if known and not word:
        return ()
    found = _fitting(resolver, _of_word(resolver, module, word, name), site, call)
    return found or _fitting(resolver, _only(resolver, module, name), site, call)


def _unseen(values: Values) -> str:
    """The name of a class that an annotation has in quotes, and no import brings: `"Client"`."""
    value = values[0] if len(values) == 1 else None
    start, _, word = value.name.partition(".") if isinstance(value, ExternalInstance) else ("",) * 3
    return word.lower() if start == "builtins" and "." not in word else ""


def _fitting(resolver: Resolver, found: Values, site: Site, call: Call) -> Values:
    """Those that take what a call gives, and are awaited where it is."""
    chosen = [
        value
        for value in found
        if isinstance(value, FunctionValue)
        and (facts := facts_of(resolver, value)) is not None
        and facts.is_async is site.awaited
        and fits(resolver, value, call)
    ]
    return tuple(chosen) if len({value.definition for value in chosen}) <= _MOST else ()


def _of_word(resolver: Resolver, module: Module, word: str, name: str) -> Values:
    """The methods of a name that classes called after a word have: `client` after `HttpClient`."""
    if len(word) < _SHORTEST:
        return ()
    return resolver.remember(
        ("owners", word, name),
        module.key,
        lambda: tuple(_methods(resolver, _called(resolver, module, word), name)),
    )


def _only(resolver: Resolver, module: Module, name: str) -> Values:
    """The methods of a name that few classes near a module define."""
    if len(name) < _SHORTEST:
        return ()
    return resolver.remember(
        ("owners", name),
        module.key,
        lambda: tuple(_methods(resolver, _defining(resolver, module, name), name)),
    )


def _methods(
    resolver: Resolver, classes: Iterable[ClassValue], name: str
) -> Iterator[FunctionValue]:
    seen: set[tuple[str, int]] = set()
    for cls in classes:
        if find(resolver, cls, name) is None:
            continue
        for method in resolver.attribute(Instance(cls), name):
            if isinstance(method, FunctionValue) and method.definition not in seen:
                seen.add(method.definition)
                yield method


def _called(resolver: Resolver, module: Module, word: str) -> Iterator[ClassValue]:
    """The classes near a module whose names end with a word."""
    endings = {word.replace("_", ""), word.rpartition("_")[2]}

    def is_meant(cls: str) -> bool:
        return any(
            cls.lower().endswith(end) and cls[-len(end)].isupper() and len(end) >= _SHORTEST
            for end in endings
        )

    for home in _homes(resolver, module, lambda text: any(map(is_meant, text.classes))):
        for number, cls in enumerate(home.facts.classes):
            if is_meant(cls.name):
                yield ClassValue(home.key, number)


def _defining(resolver: Resolver, module: Module, name: str) -> Iterator[ClassValue]:
    """The classes near a module that define a method of a name, unless it is a common one."""
    if _is_common(resolver, name):
        return
    for home in _homes(resolver, module, lambda text: name in text.methods):
        for number, cls in enumerate(home.facts.classes):
            bindings = home.facts.scopes[cls.scope].bindings.get(name, ())
            if any(isinstance(binding.value, FunctionRef) for binding in bindings):
                yield ClassValue(home.key, number)


def _is_common(resolver: Resolver, name: str) -> bool:
    """Whether what everybody handles has a method of a name: strings, files, sockets."""
    classes = (value for dotted in bounds().common for value in resolver.named(dotted))
    return any(
        isinstance(cls, ClassValue) and find(resolver, cls, name) is not None for cls in classes
    )


def _homes(
    resolver: Resolver, module: Module, is_wanted: Callable[[Outline], bool]
) -> tuple[Module, ...]:
    """The modules near one that define what is wanted, unless there are many."""
    keys = neighbours(resolver, module)
    found = (resolver.table.defining(key, is_wanted) for key in dict.fromkeys(keys))
    homes = tuple(islice((home for home in found if home is not None), _MOST_HOMES + 1))
    return homes if len(homes) <= _MOST_HOMES else ()
