"""Whom a call in a package's source means where nothing tells, by what the object is called.

Sources without annotations name what they are given after its class: `database.execute()` in the
module that has a class `Database`.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.facts.ir import Attr, ClassRef, Imported, Site, last_name
from loopsafe.modules.module import Module
from loopsafe.resolve.finding import find
from loopsafe.resolve.names import module_member
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, Frame, Instance, Values

_SHORTEST = 4
"""Letters of a name that says something: a `db` or a `c` may be anything."""


def namesakes(resolver: Resolver, site: Site, frame: Frame) -> Values:
    """What the call of a method may be of an unknown object: that of the class of its name."""
    callee = getattr(site.expr, "func", None) if site.kind == "call" else None
    if not isinstance(callee, Attr):
        return ()
    word = last_name(callee.value).strip("_")
    module = resolver.table.get(frame.module)
    if len(word) < _SHORTEST or module is None:
        return ()
    if resolver.known(resolver.values(callee.value, frame)):
        return ()
    cls = next(_classes(resolver, module, word.replace("_", "").lower(), word), None)
    if cls is None or find(resolver, cls, callee.name) is None:
        return ()
    return resolver.attribute(Instance(cls), callee.name)


def _classes(resolver: Resolver, module: Module, plain: str, word: str) -> Iterator[ClassValue]:
    """The class of a name in a module, or in one near it that has the name as well."""
    for key in (module.key, *_beside(module, word)):
        home = resolver.table.get(key)
        if home is None or home.is_project:
            continue
        for name, bindings in home.facts.scopes[0].bindings.items():
            if name.lower() != plain or name == word:
                continue
            if any(isinstance(binding.value, (ClassRef, Imported)) for binding in bindings):
                yield from _only_class(module_member(resolver, home.key, name))


def _beside(module: Module, word: str) -> Iterator[str]:
    """The modules that may be called like a class, in a module's folder and in those above it."""
    folder = module.dotted if module.file.is_package else module.dotted.rpartition(".")[0]
    while folder:
        yield f"{folder}.{word}"
        yield f"{folder}.{word}s"
        folder = folder.rpartition(".")[0]


def _only_class(values: Values) -> Iterator[ClassValue]:
    if len(values) == 1 and isinstance(values[0], ClassValue):
        yield values[0]
