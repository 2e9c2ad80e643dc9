"""Stubs that show another package's class for one of the package's own.

A double for tests is typed as what it stands for: the stub of mongomock says `from pymongo import
MongoClient`, and its source has a class of that name, which asks nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.facts.ir import Binding, ClassRef, Imported
from loopsafe.modules.finder import Origin

if TYPE_CHECKING:
    from loopsafe.modules.module import Module
    from loopsafe.resolve.resolver import Resolver


def own_source(
    resolver: Resolver, stub: Module, name: str, bindings: tuple[Binding, ...]
) -> Module | None:
    """The source of a stub, where that has a class of its own under a name which the stub takes
    from another package."""
    package = stub.dotted.partition(".")[0]
    if stub.file.origin is Origin.TYPESHED or any(
        _home(stub, binding) in ("", package) for binding in bindings
    ):
        return None
    source = resolver.table.source(stub)
    own = source.facts.scopes[0].bindings.get(name, ()) if source is not None else ()
    return source if source and own and all(_home(source, b) == package for b in own) else None


def _home(module: Module, binding: Binding) -> str:
    """The top-level package that the class behind a module's name is of; empty if none shows."""
    value = binding.value
    if isinstance(value, Imported) and value.name is not None:
        return module.absolute(value.module, value.level).partition(".")[0]
    return module.dotted.partition(".")[0] if isinstance(value, ClassRef) else ""
