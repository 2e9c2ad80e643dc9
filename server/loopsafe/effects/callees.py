"""What is called at a place of a file, for those who know it by its span only."""

from __future__ import annotations

from loopsafe.effects.targets import site_values
from loopsafe.facts.ir import Call, Const, Function, Site
from loopsafe.model import Span
from loopsafe.modules.module import Module
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    Frame,
    FunctionValue,
    Instance,
    ModuleValue,
    TupleValue,
    Value,
    Values,
)


def callees(resolver: Resolver, module: Module, span: Span) -> frozenset[str]:
    """The dotted names of what the call whose callee has this span may lead to."""
    values = _values(resolver, module, span)
    return frozenset(filter(None, (dotted_name(resolver, v) for v in values)))


def exchanged(resolver: Resolver, module: Module, span: Span) -> frozenset[str]:
    """The full names of the classes of what such a call is given, and of what it gives."""
    found = _site(resolver, module, span)
    if found is None or not isinstance(found[0].expr, Call):
        return frozenset()
    frame, call = found[1], found[0].expr
    parts = (call, *call.args, *(value for _, value in call.keywords))
    given = [value for part in parts for value in resolver.values(part, frame)]
    items = [i for v in given if isinstance(v, TupleValue) for values in v.items for i in values]
    classes = (value.cls for value in (*given, *items) if isinstance(value, Instance))
    return frozenset(filter(None, (dotted_name(resolver, cls) for cls in classes)))


def gives_plainly(resolver: Resolver, module: Module, span: Span) -> bool:
    """Whether what such a call gives is known, and nothing that can be awaited."""
    values = _values(resolver, module, span)
    return bool(values) and all(_is_plain(resolver, value) for value in values)


def _values(resolver: Resolver, module: Module, span: Span) -> Values:
    found = _site(resolver, module, span)
    return site_values(resolver, *found) if found is not None else ()


def _site(resolver: Resolver, module: Module, span: Span) -> tuple[Site, Frame] | None:
    """The call whose callee has this span, and the frame in which it is read."""
    for number, function in enumerate(module.facts.functions):
        frame = resolver.function_frame(FunctionValue(module.name, number))
        for site in near(function, span):
            if site.kind == "call" and function.in_file(site.spot) == span and frame is not None:
                is_own = site.scope == frame.scope
                return site, frame if is_own else resolver.frame(module.name, site.scope)
    return None


def _is_plain(resolver: Resolver, value: Value) -> bool:
    """Whether a value is a function of the project that returns, whatever its way, known things."""
    module = resolver.table.get(value.module) if isinstance(value, FunctionValue) else None
    frame = resolver.function_frame(value) if isinstance(value, FunctionValue) else None
    if module is None or frame is None or not isinstance(value, FunctionValue):
        return False
    function = module.facts.functions[value.number]
    if not module.is_project or function.is_async or function.is_generator or function.decorators:
        return False
    declared = resolver.instances(function.returns, frame) if function.returns else ()
    if resolver.tells(declared):
        return not any(_may_be_awaited(resolver, given) for given in declared)
    return all(
        isinstance(expr, Const) or _is_known(resolver, resolver.values(expr, frame))
        for expr in function.values
    )


def _is_known(resolver: Resolver, values: Values) -> bool:
    return bool(values) and not any(_may_be_awaited(resolver, given) for given in values)


def _may_be_awaited(resolver: Resolver, given: Value) -> bool:
    if isinstance(given, Instance):
        return bool(resolver.attribute(given, "__await__"))
    return not isinstance(given, (ConstantValue, TupleValue, ModuleValue, ClassValue))


def near(function: Function, span: Span) -> tuple[Site, ...]:
    """A function's sites; none where it ends before a span or begins behind it."""
    is_before = 0 < function.end < span.line
    return () if is_before or function.span.line > span.end_line else function.sites
