"""The bodies of an installed package's functions: behind its stubs too."""

from __future__ import annotations

from loopsafe.effects.implicit import functions
from loopsafe.facts.ir import Function
from loopsafe.modules.module import Module
from loopsafe.resolve.bases import class_source
from loopsafe.resolve.finding import find
from loopsafe.resolve.names import module_member
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, Frame, FunctionValue, Values

_LONGEST_WAY = 4
"""Re-exports between a stub's name and its source."""


def body(resolver: Resolver, function: FunctionValue) -> FunctionValue | None:
    """The function whose source runs; None in the project, and where there is only a stub."""
    found = resolver.remember(
        ("body", function), function.module, lambda: (_body(resolver, function),)
    )
    return found[0] if found else None  # Empty while it is being asked.


def _body(resolver: Resolver, function: FunctionValue) -> FunctionValue | None:
    module = resolver.table.get(function.module)
    if module is None or module.is_project:
        return None
    if not module.is_stub:
        return function
    facts = module.facts.functions[function.number]
    receiver = function.receiver
    if receiver is not None:
        cls = class_source(resolver, receiver) or receiver
        found = _method(resolver, cls, facts.name)
        if found is None:
            return None
        return found._replace(receiver=cls, bound=function.bound)
    return _function(resolver, module, facts.qualname)


def body_frame(
    resolver: Resolver,
    function: FunctionValue,
    typed: FunctionValue,
    arguments: tuple[tuple[int, Values], ...],
) -> Frame | None:
    """The frame of a body; the signature of its stub, `typed`, says what its parameters hold."""
    if typed.module == function.module:
        return resolver.function_frame(function, arguments)
    source, stub = facts_of(resolver, function), facts_of(resolver, typed)
    if source is None or stub is None:
        return None
    declared = {
        p.name: p.annotation for p in stub.parameters if p.kind in ("positional", "keyword")
    }
    outer = resolver.frame(typed.module, stub.outer, typed.receiver)
    known: list[tuple[int, Values]] = []
    for index, parameter in enumerate(source.parameters):
        annotation = declared.get(parameter.name)
        is_named = parameter.kind in ("positional", "keyword")
        if annotation is None or parameter.annotation is not None or not is_named:
            continue
        values = resolver.known(resolver.instances(annotation, outer))
        if values:
            known.append((index, values))
    return resolver.function_frame(function, tuple(known))


def facts_of(resolver: Resolver, function: FunctionValue) -> Function | None:
    """What is known of a function's text."""
    module = resolver.table.get(function.module)
    if module is None or function.number >= len(module.facts.functions):
        return None
    return module.facts.functions[function.number]


def _method(resolver: Resolver, cls: ClassValue, name: str) -> FunctionValue | None:
    """The last definition of a method, in source, in the order of lookup."""
    for chosen in reversed(functions(resolver, cls, name)):
        module = resolver.table.get(chosen.module)
        if module is None or module.is_project:
            continue
        if not module.is_stub:
            return chosen
        member = find(resolver, cls, name)
        owner = member.owner if member else None
        source = class_source(resolver, owner) if isinstance(owner, ClassValue) else None
        if source is not None and source.module != chosen.module:
            return _method(resolver, source, name)
    return None


def _function(resolver: Resolver, module: Module, qualname: str) -> FunctionValue | None:
    source: Module | None = resolver.table.source(module)
    for _ in range(_LONGEST_WAY):
        if source is None:
            return None
        numbers = [n for n, f in enumerate(source.facts.functions) if f.qualname == qualname]
        if numbers:
            return FunctionValue(source.key, numbers[-1])
        found = module_member(resolver, source.key, qualname)
        value = found[-1] if found else None
        if not isinstance(value, FunctionValue):
            return None
        owner = resolver.table.get(value.module)
        if owner is None or not owner.is_stub:
            return value if owner else None
        source, qualname = (
            resolver.table.source(owner),
            owner.facts.functions[value.number].qualname,
        )
    return None
