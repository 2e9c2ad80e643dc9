"""Whom a method call in a package means where nothing tells, by what classes near it have.

Objects come from registries, tables and decorators that no reader follows. The class of a `client`
is most likely one whose name ends so, and has the method; and a method that only one class in the
package defines is that one's, as are others that are called of the same attribute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from loopsafe.effects.bounds import bounds
from loopsafe.effects.sources import facts_of
from loopsafe.facts.ir import Attr, Call, FunctionRef, Name, Site, last_name
from loopsafe.modules.module import Module
from loopsafe.resolve.arguments import fits
from loopsafe.resolve.finding import find
from loopsafe.resolve.neighbours import neighbours
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    ExternalInstance,
    Frame,
    FunctionValue,
    Instance,
    Value,
    Values,
)

_SHORTEST = 4
"""Letters of a word that says something."""

_MOST_HOMES = 6
"""Modules that have such a class; more say that the word is a common one."""

_MOST = 3
"""Different methods that a call may mean."""


class _Index(NamedTuple):
    """The keys of the modules that define something, by its name."""

    methods: dict[str, tuple[str, ...]]
    endings: dict[str, tuple[str, ...]]
    """Of classes, by what their names end with."""


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
    if all(_lacks(resolver, value, name) for value in known):
        known = ()
    word = _unseen(known) if known else last_name(callee.value).strip("_").lower()
    if known and not word:
        return ()
    found = _fitting(resolver, _of_word(resolver, module, word, name), site, call)
    found = found or _fitting(resolver, _only(resolver, module, name), site, call)
    return found or _fitting(resolver, _beside(resolver, module, callee), site, call)


def _lacks(resolver: Resolver, value: Value, name: str) -> bool:
    """Whether an object certainly has not what is called of it, so that it is another one."""
    lineage = resolver.mro(value.cls) if isinstance(value, Instance) else ()
    if not lineage or not all(isinstance(cls, ClassValue) for cls in lineage):
        return False
    cls = lineage[0]
    asked = (name, "__getattr__", "__getattribute__")
    return isinstance(cls, ClassValue) and not any(
        (member := find(resolver, cls, one)) is not None and member.owner != lineage[-1]
        for one in asked
    )


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


def _beside(resolver: Resolver, module: Module, callee: Attr) -> Values:
    """The methods of a name that a class has of which an attribute's other methods are: nobody
    else has the `prepare` of `self.base.prepare()`, so `self.base.send()` is of the same class."""
    held = callee.value
    if not isinstance(held, Attr) or not isinstance(held.value, Name):
        return ()
    return resolver.remember(
        ("owners beside", held.name, callee.name),
        module.key,
        lambda: tuple(_methods(resolver, _having(resolver, module, held.name), callee.name)),
    )


def _having(resolver: Resolver, module: Module, attribute: str) -> list[ClassValue]:
    """The classes near a module that define all that only few define of what it calls of an
    attribute."""
    called = {
        site.expr.func.name: None
        for function in module.facts.functions
        for site in function.sites
        if isinstance(site.expr, Call) and isinstance(site.expr.func, Attr)
        if isinstance(site.expr.func.value, Attr) and site.expr.func.value.name == attribute
    }
    found = [tuple(_defining(resolver, module, name)) for name in called if len(name) >= _SHORTEST]
    telling = [classes for classes in found if classes]
    first = telling[0] if telling else ()
    return [cls for cls in first if all(cls in classes for classes in telling)]


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
    endings = (word.replace("_", ""), word.rpartition("_")[2])
    chosen = tuple(end for end in dict.fromkeys(endings) if len(end) >= _SHORTEST)
    index = _index(resolver, module)
    for home in _homes(resolver, *(index.endings.get(end, ()) for end in chosen)):
        for number, cls in enumerate(home.facts.classes):
            if not set(_endings(cls.name)).isdisjoint(chosen):
                yield ClassValue(home.key, number)


def _defining(resolver: Resolver, module: Module, name: str) -> Iterator[ClassValue]:
    """The classes near a module that define a method of a name, unless it is a common one."""
    keys = _index(resolver, module).methods.get(name, ())
    if not keys or name in _common(resolver):
        return
    for home in _homes(resolver, keys):
        for number, cls in enumerate(home.facts.classes):
            bindings = home.facts.scopes[cls.scope].bindings.get(name, ())
            if any(isinstance(binding.value, FunctionRef) for binding in bindings):
                yield ClassValue(home.key, number)


def _homes(resolver: Resolver, *keys: tuple[str, ...]) -> Iterator[Module]:
    """The modules of some keys, unless there are many."""
    chosen = tuple(dict.fromkeys(chain.from_iterable(keys)))
    for key in chosen if len(chosen) <= _MOST_HOMES else ():
        home = resolver.table.get(key)
        if home is not None:
            yield home


def _common(resolver: Resolver) -> frozenset[str]:
    """The names of methods that everybody's objects have: strings, files, sockets."""
    found = resolver.remember(("common",), "builtins", lambda: (_common_names(resolver),))
    return found[0] if found else frozenset()


def _common_names(resolver: Resolver) -> frozenset[str]:
    names: set[str] = set()
    for value in chain.from_iterable(map(resolver.named, bounds().common)):
        for cls in resolver.mro(value) if isinstance(value, ClassValue) else ():
            module = resolver.table.get(cls.module) if isinstance(cls, ClassValue) else None
            if module is not None and isinstance(cls, ClassValue):
                names.update(module.facts.scopes[module.facts.classes[cls.number].scope].bindings)
    return frozenset(names)


def _index(resolver: Resolver, module: Module) -> _Index:
    """Where the modules near one define what; those of a folder have the same."""
    folder = module.dotted if module.file.is_package else module.dotted.rpartition(".")[0]
    found = resolver.remember(
        ("outlines", folder or module.dotted),
        module.dotted.partition(".")[0],
        lambda: (_indexed(resolver, module),),
    )
    return found[0] if found else _Index({}, {})


def _indexed(resolver: Resolver, module: Module) -> _Index:
    index = _Index({}, {})
    for neighbour in sorted(set(neighbours(resolver, module))):
        found = resolver.table.outline(neighbour)
        if found is None:
            continue
        key, text = found
        for name in text.methods:
            index.methods[name] = (*index.methods.get(name, ()), key)
        for ending in {end for cls in text.classes for end in _endings(cls)}:
            index.endings[ending] = (*index.endings.get(ending, ()), key)
    return index


def _endings(name: str) -> Iterator[str]:
    """What a class may be called for short: `httpclient` and `client` of `HttpClient`."""
    for place, letter in enumerate(name):
        if letter.isupper():
            yield name[place:].lower()
