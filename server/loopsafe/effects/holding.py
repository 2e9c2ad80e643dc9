"""Whose object it is that a call's method belongs to: what it keeps lasts as long as itself.

What a module keeps lives as long as the process, and is asked for by a call as often as by its
name: `def get_manager()` above `return _manager`.
"""

from __future__ import annotations

from enum import Enum

from loopsafe.effects.relief import Relief, block_relief, function_relief
from loopsafe.facts.ir import (
    Attr,
    Binding,
    Call,
    Const,
    Expr,
    Function,
    Imported,
    Name,
    Param,
    Site,
    last_name,
)
from loopsafe.modules.module import Module
from loopsafe.resolve.names import definitions
from loopsafe.resolve.naming import of_project
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame, ModuleValue, Value


class Holder(Enum):
    """Whose object it is that a call's method belongs to."""

    OTHER = 0
    SAME = 1
    """That of the method in which the call stands: `self.load()`."""
    PROCESS = 2
    """What a module keeps: `settings.load()`, `get_settings().load()`."""


def holder(resolver: Resolver, site: Site, frame: Frame) -> Holder:
    """The object whose method runs at a site, by the name that it has there."""
    callee = site.expr.func if isinstance(site.expr, Call) else site.expr
    receiver = callee.value if isinstance(callee, Attr) else None
    if isinstance(receiver, Call) and last_name(receiver.func) == "super":
        return Holder.SAME
    if isinstance(receiver, Call) and gives_kept(resolver, receiver, frame):
        return Holder.PROCESS
    if not isinstance(receiver, Name):
        of_a_module = resolver.values(receiver.value, frame) if isinstance(receiver, Attr) else ()
        is_global = bool(of_a_module) and all(isinstance(v, ModuleValue) for v in of_a_module)
        return Holder.PROCESS if is_global else Holder.OTHER
    found = definitions(resolver, receiver, frame)
    if all(d.frame.scope == 0 or isinstance(d.binding.value, Imported) for d in found):
        return Holder.PROCESS  # What comes by a star has no definition here.
    calls = [d.binding.value for d in found if isinstance(d.binding.value, Call)]
    if len(calls) == len(found) and all(gives_kept(resolver, call, frame) for call in calls):
        return Holder.PROCESS
    module = resolver.table.get(frame.module)
    values = [d.binding.value for d in found]
    if module is None or not all(isinstance(v, Param) and v.number == 0 for v in values):
        return Holder.OTHER
    owners = (module.facts.scopes[d.frame.scope].owner for d in found)
    is_method = all(n >= 0 and module.facts.functions[n].owner >= 0 for n in owners)
    return Holder.SAME if is_method else Holder.OTHER


def gives_kept(resolver: Resolver, call: Call, frame: Frame) -> bool:
    """Whether what a call gives is kept by a module, whatever it is called with."""
    values = resolver.values(call.func, frame)
    return bool(values) and all(_is_getter(resolver, value) for value in values)


def _is_getter(resolver: Resolver, value: Value) -> bool:
    own = of_project(resolver, value)
    if own is None:
        return False
    function, module = own
    number = function.number
    found = resolver.remember(
        ("getter", number), module.key, lambda: (_gives(resolver, module, number),)
    )
    return bool(found) and found[0]


def _gives(resolver: Resolver, module: Module, number: int) -> bool:
    facts = resolver.table.inside(module, number)
    if facts.is_async or facts.is_generator:
        return False
    if not facts.parameters and function_relief(resolver, facts, module.key) is Relief.PROCESS:
        return True
    frame = resolver.frame(module.key, facts.scope)
    given = [value for value in facts.values if not _is_none(value)]
    return bool(given) and all(_is_kept(resolver, module, facts, value, frame) for value in given)


def _is_none(value: Expr) -> bool:
    return isinstance(value, Const) and value.value is None


def _is_kept(
    resolver: Resolver, module: Module, facts: Function, value: Expr, frame: Frame
) -> bool:
    if isinstance(value, Call):
        return gives_kept(resolver, value, frame)
    found = definitions(resolver, value, frame) if isinstance(value, Name) else ()
    name = value.id if isinstance(value, Name) else ""
    return bool(found) and all(_stays(module, facts, name, d.binding) for d in found)


def _stays(module: Module, facts: Function, name: str, binding: Binding) -> bool:
    """Whether a module's name is given a value only once, as far as the function says."""
    if binding not in module.facts.scopes[0].bindings.get(name, ()):
        return False
    scope = module.facts.scopes[facts.scope]
    making = [site for site in facts.sites if site.expr is binding.value]
    return all(block_relief(scope, site.block) is Relief.PROCESS for site in making)
