"""Which methods of a package stand in for an abstract one: the overrides in its neighbourhood."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects.sources import facts_of
from loopsafe.effects.targets import Run, Target
from loopsafe.facts.ir import Attr, Expr, FunctionRef, Name, Subscript
from loopsafe.modules.table import Module
from loopsafe.resolve.bases import class_source
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, FunctionValue

_MOST_MODULES = 60
"""In the folder of an abstract class; a larger one has too many to look at."""


def implementations(resolver: Resolver, target: Target, most: int) -> tuple[Target, ...]:
    """The target; or, where that is an abstract method of a package, what it stands for.

    More than some say nothing about which one runs.
    """
    if not isinstance(target, Run) or target.function.receiver is None:
        return (target,)
    module = resolver.table.get(target.function.module)
    facts = facts_of(resolver, target.function)
    if module is None or module.is_project or facts is None or not facts.bare or module.is_stub:
        return (target,)
    receiver, name = target.function.receiver, facts.name
    found = resolver.remember(
        ("implementations", receiver, name),
        module.key,
        lambda: tuple(_overrides(resolver, module, receiver, name)),
    )
    if not 0 < len(found) <= most:
        return (target,)
    return tuple(target._replace(function=function) for function in found)


def _overrides(
    resolver: Resolver, module: Module, receiver: ClassValue, name: str
) -> Iterator[FunctionValue]:
    base = class_source(resolver, receiver)
    home = resolver.table.get(base.module) if base is not None else None
    if base is None or home is None or home.dotted.split(".")[0] != module.dotted.split(".")[0]:
        return
    wanted = home.facts.classes[base.number].name
    for key in _neighbours(resolver, home, wanted):
        other = resolver.table.get(key)
        if other is None or other.is_project or other.is_stub:
            continue
        for number, cls in enumerate(other.facts.classes):
            if wanted not in map(_last, cls.bases):
                continue
            candidate = ClassValue(other.key, number)
            if base not in resolver.mro(candidate):
                continue
            for binding in other.facts.scopes[cls.scope].bindings.get(name, ()):
                if isinstance(binding.value, FunctionRef):
                    method = binding.value.number
                    if not other.facts.functions[method].bare:
                        yield FunctionValue(other.key, method, candidate, True)


def _neighbours(resolver: Resolver, home: Module, wanted: str) -> Iterator[str]:
    """The module of a class, and those beside it that mention the class."""
    yield home.key
    folder = home.dotted if home.file.is_package else home.dotted.rpartition(".")[0]
    names = sorted(resolver.table.finder.submodules(folder)) if folder else []
    for name in names if len(names) <= _MOST_MODULES else ():
        key = f"{folder}.{name}"
        if key != home.key and not name.startswith("test") and resolver.table.mentions(key, wanted):
            yield key


def _last(base: Expr) -> str:
    expr = base.value if isinstance(base, Subscript) else base
    if isinstance(expr, Name):
        return expr.id
    return expr.name if isinstance(expr, Attr) else ""
