"""What is called at a place of a file, for those who know it by its span only."""

from __future__ import annotations

from loopsafe.effects.targets import site_values
from loopsafe.facts.ir import Function, Site
from loopsafe.model import Span
from loopsafe.modules.module import Module
from loopsafe.resolve.members import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import FunctionValue


def callees(resolver: Resolver, module: Module, span: Span) -> frozenset[str]:
    """The dotted names of what the call whose callee has this span may lead to."""
    for number, function in enumerate(module.facts.functions):
        frame = resolver.function_frame(FunctionValue(module.name, number))
        for site in near(function, span):
            if site.kind == "call" and site.span == span and frame is not None:
                is_own = site.scope == frame.scope
                here = frame if is_own else resolver.frame(module.name, site.scope)
                values = site_values(resolver, site, here)
                return frozenset(filter(None, (dotted_name(resolver, v) for v in values)))
    return frozenset()


def near(function: Function, span: Span) -> tuple[Site, ...]:
    """A function's sites; none where it ends before a span or begins behind it."""
    is_before = 0 < function.end < span.line
    return () if is_before or function.span.line > span.end_line else function.sites
