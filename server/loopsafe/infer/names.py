"""A name that the worker gave -> the values it stands for here."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects.known import knowledge
from loopsafe.infer.wire import Answer, Named
from loopsafe.modules.finder import Origin
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    External,
    ExternalInstance,
    FunctionValue,
    Instance,
    ManagerFactory,
    ModuleValue,
    PartialValue,
    Value,
    Values,
    union,
)

_SYSTEMS = {"posix": "os", "nt": "os"}

_SAYS_NOTHING = frozenset(
    {
        "_functools.partial",
        "builtins.NoneType",
        "builtins.classmethod",
        "builtins.function",
        "builtins.method",
        "builtins.object",
        "builtins.property",
        "builtins.staticmethod",
        "builtins.super",
        "builtins.type",
        "enum.Enum.name",
        "enum.Enum.value",
        "functools._lru_cache_wrapper",
        "functools.partial",
        "functools.partialmethod",
        "types.FunctionType",
        "types.MethodType",
        "types.NoneType",
        "typing.Any",
        "typing.Callable",
    }
)
"""Classes of callables whose name does not tell what a call runs, and attributes of that kind."""


def values_of(resolver: Resolver, answer: Answer) -> Values:
    """The callees that an answer names; those that nothing here knows are left out."""
    return union(_values(resolver, named) for named in answer)


def label(resolver: Resolver, value: Value) -> str | None:
    """A callee's dotted name for comparisons, whichever spelling it was reached by."""
    entry = knowledge(resolver, value)
    if entry is not None and not isinstance(entry, bool):
        return entry.name
    if isinstance(value, Instance):
        return dotted_name(resolver, value.cls)
    return dotted_name(resolver, value)


def _values(resolver: Resolver, named: Named) -> Values:
    if f"{named.module}.{named.qualname}" in _SAYS_NOTHING:
        return ()
    found = _defined(resolver, named)
    if named.kind == "instance":
        found = tuple(_instance(value) for value in found)
    if named.member:
        found = union(resolver.attribute(value, named.member) for value in found)
    return tuple(
        value
        for value in found
        if _runs(resolver, value) and dotted_name(resolver, value) not in _SAYS_NOTHING
    )


def _defined(resolver: Resolver, named: Named) -> Values:
    """What the name stands for; what is written in C by the name that people know it by."""
    if not named.path.endswith((".py", ".pyi")):
        for public in _public(named):
            found = _found(resolver, public)
            if any(isinstance(value, (ClassValue, FunctionValue)) for value in found):
                return found
    return _found(resolver, named)


def _public(named: Named) -> Iterator[Named]:
    """`_socket.socket` is `socket.socket`, `_ssl._SSLContext` is `ssl.SSLContext`."""
    module = _SYSTEMS.get(named.module, named.module.lstrip("_"))
    if module and module != named.module:
        yield named._replace(module=module)
        yield named._replace(module=module, qualname=named.qualname.lstrip("_"))


def _found(resolver: Resolver, named: Named) -> Values:
    key = _module_key(resolver, named)
    if not named.qualname:
        return (ModuleValue(key),) if resolver.table.get(key) is not None else ()
    if resolver.table.get(key) is None:
        return resolver.named(f"{named.module}.{named.qualname}")
    values: Values = (ModuleValue(key),)
    for part in named.qualname.split("."):
        values = union(resolver.attribute(value, part) for value in values)
    fitting = tuple(v for v in values if not isinstance(v, (External, ExternalInstance)))
    return fitting or _inner(resolver, key, named.qualname) or values


def _module_key(resolver: Resolver, named: Named) -> str:
    """The table's key: a project may have two files of one dotted name."""
    finder = resolver.table.finder
    if not named.path.endswith(".py") or finder.typeshed.has_stdlib(named.module.split(".")[0]):
        return named.module
    if finder.origin_of_path(named.path) is Origin.PROJECT:
        module = resolver.table.at(named.path)
        if module is not None and module.dotted == named.module:
            return module.key
    return named.module


def _inner(resolver: Resolver, key: str, qualname: str) -> Values:
    """A function that only its own scope has a name for."""
    module = resolver.table.get(key)
    for number, function in enumerate(module.facts.functions if module else ()):
        if number and function.qualname == qualname:
            return (FunctionValue(key, number),)
    return ()


def _instance(value: Value) -> Value:
    if isinstance(value, ClassValue):
        return Instance(value)
    return ExternalInstance(value.name) if isinstance(value, External) else value


def _runs(resolver: Resolver, value: Value) -> bool:
    """Whether calling the value runs something that is known here."""
    if isinstance(value, External):
        return knowledge(resolver, value) is not None
    if isinstance(value, Instance):
        methods = resolver.attribute(value, "__call__")
        return any(isinstance(method, FunctionValue) for method in methods)
    return isinstance(value, (FunctionValue, ClassValue, PartialValue, ManagerFactory))
