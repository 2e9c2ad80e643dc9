"""Names: what a dotted one stands for, what values are called, and which names they have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Call, Expr, FunctionRef
from loopsafe.resolve.names import qualified
from loopsafe.resolve.values import (
    ClassValue,
    External,
    ExternalInstance,
    Frame,
    FunctionValue,
    Instance,
    ModuleValue,
    Value,
    Values,
    union,
)

if TYPE_CHECKING:
    from loopsafe.modules.module import Module
    from loopsafe.resolve.resolver import Resolver

_PROPERTIES = frozenset({"computed_field", "reify"})
"""Decorators that make properties and whose names do not say so, as `threaded_cached_property`."""


def called_modules(resolver: Resolver, callee: Expr, frame: Frame) -> list[Module | None]:
    """The modules of the functions that a call may be of; None for one that is not found."""
    return [
        resolver.table.get(value.module)
        for value in resolver.values(callee, frame)
        if isinstance(value, FunctionValue)
    ]


def of_project(resolver: Resolver, value: Value | None) -> tuple[FunctionValue, Module] | None:
    """A value as a function of the project, with its module; None where it is anything else."""
    if not isinstance(value, FunctionValue):
        return None
    module = resolver.table.get(value.module)
    return (value, module) if module is not None and module.is_project else None


def only_of_project(
    resolver: Resolver, call: Call, frame: Frame
) -> tuple[FunctionValue, Module] | None:
    """The one function of the project that a call means, with its module; None where it may mean
    several, or anything else."""
    values = resolver.values(call.func, frame)
    return of_project(resolver, values[0]) if len(values) == 1 else None


def named(resolver: Resolver, dotted: str) -> Values:
    """What an absolute dotted name stands for: the longest module prefix, then attributes."""
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        module = ".".join(parts[:end])
        if resolver.table.get(module) is None:
            continue
        values: Values = (ModuleValue(module),)
        for name in parts[end:]:
            values = union(resolver.attribute(value, name) for value in values)
        return values
    return (External(dotted),)


def dotted_name(resolver: Resolver, value: Value) -> str | None:
    """The absolute dotted name under which a library defines a class or function."""
    if isinstance(value, (External, ExternalInstance)):
        return value.name
    if isinstance(value, (ClassValue, FunctionValue)):
        module = resolver.table.get(value.module)
        taught = resolver.catalogue.teaches
        if module is None or (module.is_namesake and module.dotted not in taught):
            return None
        owners = module.facts.classes if isinstance(value, ClassValue) else module.facts.functions
        qualname = owners[value.number].qualname
        if module.is_project and module.dotted.partition(".")[0] not in taught:
            return f"{module.dotted}.{qualname}"
        first, dot, rest = qualname.partition(".")
        return f"{resolver.exported(module, first)}{dot}{rest}"
    return None


def exported(resolver: Resolver, module: Module, name: str) -> str:
    """The name of what a library defines: the one that the catalogue has, or its own."""
    own = f"{module.dotted}.{name}"
    if resolver.catalogue.has(own):
        return own
    for candidate in resolver.catalogue.namesakes(own):
        for value in named(resolver, candidate):
            if not isinstance(value, (ClassValue, FunctionValue)):
                continue
            home = resolver.table.get(value.module)
            if home is None or home.dotted != module.dotted:
                continue
            owners = home.facts.classes if isinstance(value, ClassValue) else home.facts.functions
            if owners[value.number].qualname == name:
                return candidate
    return own


def decorator_names(resolver: Resolver, function: FunctionValue) -> tuple[str, ...]:
    """The dotted names that a function's decorators spell, outermost first."""
    module = resolver.table.get(function.module)
    if module is None:
        return ()
    facts = module.facts.functions[function.number]
    if not facts.decorators:
        return ()
    frame = resolver.frame(function.module, facts.outer)
    return tuple(qualified(resolver, expr, frame) or "" for expr in facts.decorators)


def is_property(names: tuple[str, ...]) -> bool:
    """Whether decorators make a function an attribute that is computed when it is read."""
    lasts = (name.rpartition(".")[2] for name in names)
    return any(last in _PROPERTIES or last.endswith("property") for last in lasts)


def annotated_names(resolver: Resolver, cls: ClassValue) -> list[str]:
    """The names that a class annotates in its own body, in order."""
    module = resolver.table.get(cls.module)
    if module is None:
        return []
    scope = module.facts.scopes[module.facts.classes[cls.number].scope]
    return [
        name
        for name, bindings in scope.bindings.items()
        if any(binding.annotation is not None for binding in bindings)
    ]


def function_names(resolver: Resolver, owner: Value) -> Iterator[str]:
    """The names of the project's functions in an object, a class or a module."""
    cls = owner.cls if isinstance(owner, Instance) else owner
    homes: list[tuple[str, int]] = []
    if isinstance(cls, ModuleValue):
        homes.append((cls.name, 0))
    elif isinstance(cls, ClassValue):
        mro = [base for base in resolver.mro(cls) if isinstance(base, ClassValue)]
        homes.extend((base.module, scope_of(resolver, base)) for base in mro)
    seen: set[str] = set()
    for home, scope in homes:
        module = resolver.table.get(home)
        for name, bindings in module.facts.scopes[scope].bindings.items() if module else ():
            if module and module.is_project and name not in seen:
                seen.add(name)
                if any(isinstance(binding.value, FunctionRef) for binding in bindings):
                    yield name


def scope_of(resolver: Resolver, cls: ClassValue) -> int:
    """The scope of a class's body."""
    module = resolver.table.get(cls.module)
    return module.facts.classes[cls.number].scope if module else 0
