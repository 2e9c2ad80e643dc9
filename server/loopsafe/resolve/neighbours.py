"""The modules of a package that may know of what one of them defines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loopsafe.modules.module import Module
    from loopsafe.resolve.resolver import Resolver

_MOST = 120
"""Modules that are looked at; a larger package has too many."""


def neighbours(resolver: Resolver, home: Module) -> tuple[str, ...]:
    """The modules of a module's package; of a large one those of its folder and above it."""
    parts = home.dotted.split(".")
    top = parts[0]
    whole = resolver.remember(("modules", top), top, lambda: tuple(_below(resolver, top)))
    if len(whole) <= _MOST:
        return whole or (home.key,)
    folders = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
    near = [
        f"{folder}.{name}"
        for folder in folders
        for name in sorted(resolver.table.finder.submodules(folder))
    ]
    return tuple(dict.fromkeys([home.key, *folders, *near])) if len(near) <= _MOST else ()


def above(home: Module) -> tuple[str, ...]:
    """The packages that a module is in, the nearest first: there a large one puts its parts
    together."""
    parts = home.dotted.split(".")
    return (home.key, *(".".join(parts[:end]) for end in range(len(parts) - 1, 0, -1)))


def _below(resolver: Resolver, package: str) -> Iterator[str]:
    """A package and the modules in it, at most one more than are looked at."""
    todo, count = [package], 0
    while todo and count <= _MOST:
        module = todo.pop(0)
        yield module
        count += 1
        names = sorted(resolver.table.finder.submodules(module))
        todo.extend(f"{module}.{name}" for name in names if not name.startswith("test"))
