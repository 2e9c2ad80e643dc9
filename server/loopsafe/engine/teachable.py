"""What could be said of a call in `pyproject.toml`: by which name, and what is known by now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from loopsafe.effects.known import knowledge
from loopsafe.effects.targets import site_values
from loopsafe.facts.ir import Call, Expr
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import Span
from loopsafe.modules.module import Module
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.runners import runner_of
from loopsafe.resolve.values import ClassValue, External, Frame, FunctionValue, PartialValue


class Teachable(NamedTuple):
    """A function that is called somewhere."""

    name: str
    """Dotted."""
    blocks: bool
    """It is known to block."""
    takes_callable: bool
    """Its first argument is a function, and nobody knows where that runs."""


def teachables(resolver: Resolver, module: Module, span: Span) -> Iterator[Teachable]:
    """The functions that may be called at a place, each once; builtins and keywords left out."""
    seen: set[str] = set()
    for function in module.facts.functions:
        for site in function.sites:
            call = site.expr
            if site.kind != "call" or not isinstance(call, Call):
                continue
            if not _holds(function.in_file(site.spot), span):
                continue
            frame = resolver.frame(module.name, site.scope)
            for value in site_values(resolver, site, frame):
                if not isinstance(value, (FunctionValue, ClassValue, External)):
                    continue
                name = _name(resolver, value)
                if "." not in name or name.startswith("builtins.") or name in seen:
                    continue
                seen.add(name)
                entry = knowledge(resolver, value)
                is_open = runner_of(resolver, value) is None
                takes = is_open and bool(call.args) and _is_callable(resolver, call.args[0], frame)
                yield Teachable(name, isinstance(entry, Blocking), takes)


def _name(resolver: Resolver, value: FunctionValue | ClassValue | External) -> str:
    """The name that settings may use, of a module at the top of the project as well."""
    name = dotted_name(resolver, value)
    if name is not None or isinstance(value, External):
        return name or ""
    module = resolver.table.get(value.module)
    if module is None:
        return ""
    facts = module.facts
    owners = facts.classes if isinstance(value, ClassValue) else facts.functions
    return f"{module.dotted}.{owners[value.number].qualname}"


def _holds(outer: Span, inner: Span) -> bool:
    return outer[:2] <= inner[:2] and inner[2:] <= outer[2:]


def _is_callable(resolver: Resolver, argument: Expr, frame: Frame) -> bool:
    values = resolver.values(argument, frame)
    return any(isinstance(value, (FunctionValue, PartialValue)) for value in values)
