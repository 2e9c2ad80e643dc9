"""Which classes of the project are what a protocol asks for, though none of them says so."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.facts.ir import Function, FunctionRef
from loopsafe.modules.module import Module
from loopsafe.resolve.callbacks import is_protocol
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue

_DRIFTING = 10
"""Of so many methods of a protocol one may be missing, or take something else."""


def wanted(module: Module, number: int) -> dict[str, Function]:
    """The methods that a protocol asks for; none where they tell too little.

    A single method without parameters, such as `read()`, is had by many that are never meant.
    """
    methods = {
        name: function for name, function in _methods(module, number) if not name.startswith("__")
    }
    parameters = sum(len(function.parameters) - 1 for function in methods.values())
    return methods if len(methods) > 1 or parameters > 0 else {}


def fits(asked: dict[str, Function], own: dict[str, Function]) -> bool:
    """Whether methods are those that a protocol asks for, with the same parameters.

    Long protocols and what implements them drift apart: one method in ten may be another.
    """
    others = sum(
        1 for name, method in asked.items() if name not in own or not _alike(own[name], method)
    )
    return others <= len(asked) // _DRIFTING


def defining(module: Module, name: str) -> Iterator[int]:
    """The numbers of a module's classes that have a method themselves, and are no protocols."""
    for number, cls in enumerate(module.facts.classes):
        if not is_protocol(cls) and name in dict(_methods(module, number)):
            yield number


def methods_of(resolver: Resolver, cls: ClassValue) -> dict[str, Function]:
    """The methods of a class, with those of its bases."""
    found: dict[str, Function] = {}
    for base in reversed(resolver.mro(cls)):
        module = resolver.table.get(base.module) if isinstance(base, ClassValue) else None
        if module is not None and isinstance(base, ClassValue):
            found.update(_methods(module, base.number))
    return found


def method_names(module: Module) -> frozenset[str]:
    """The names of all methods of a module's classes."""
    numbers = range(len(module.facts.classes))
    return frozenset(name for number in numbers for name, _ in _methods(module, number))


def _methods(module: Module, number: int) -> Iterator[tuple[str, Function]]:
    scope = module.facts.scopes[module.facts.classes[number].scope]
    for name, bindings in scope.bindings.items():
        for binding in bindings:
            if isinstance(binding.value, FunctionRef):
                yield name, module.facts.functions[binding.value.number]


def _alike(own: Function, method: Function) -> bool:
    """Whether a method takes what another one takes, and is a coroutine if that is one."""
    names = [parameter.name for parameter in own.parameters]
    needed = [parameter.name for parameter in method.parameters]
    return own.is_async == method.is_async and names[: len(needed)] == needed
