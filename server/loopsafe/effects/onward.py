"""Wrappers that hand all they are given on to one function: `func(*args, **kwargs)`."""

from __future__ import annotations

from typing import NamedTuple

from loopsafe.facts.ir import Attr, Call, Expr, Function, Name, Starred
from loopsafe.resolve.naming import of_project
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import FunctionValue


class Wrapped(NamedTuple):
    """The function that a wrapper is around."""

    value: FunctionValue
    facts: Function


def wrapped(resolver: Resolver, wrapper: FunctionValue, facts: Function) -> Wrapped | None:
    """The plain function of the project to which a plain wrapper of the project hands on all that
    it is given, in order; None for any other function."""
    kinds = [parameter.kind for parameter in facts.parameters]
    if facts.is_async or "args" not in kinds or kinds[-1] != "kwargs":
        return None
    return resolver.remember(
        ("hands on", wrapper), wrapper.module, lambda: _wrapped(resolver, wrapper, facts)
    )


def _wrapped(resolver: Resolver, wrapper: FunctionValue, facts: Function) -> Wrapped | None:
    frame = resolver.function_frame(wrapper)
    calls = [s.expr for s in facts.sites if isinstance(s.expr, Call) and s.scope == facts.scope]
    handing = [call for call in calls if _hands_on(call, facts)]
    if not handing or _changes(resolver, wrapper, facts, calls):
        return None
    found = {v for call in handing for v in resolver.values(call.func, frame)} if frame else set()
    own = of_project(resolver, found.pop()) if len(found) == 1 else None
    if own is None:
        return None
    value, module = own
    inner = resolver.table.inside(module, value.number)
    is_plain = value.definition != wrapper.definition and not inner.is_async
    return Wrapped(value, inner) if is_plain else None


def _hands_on(call: Call, facts: Function) -> bool:
    """Whether a call passes each parameter of the function around it, where it stands in it."""
    *own, args, kwargs = facts.parameters
    named = [_name(argument) for argument in call.args]
    keywords = [(name, _name(value)) for name, value in call.keywords]
    names = [*(parameter.name for parameter in own), f"*{args.name}"]
    return named == names and keywords == [(None, kwargs.name)]


def _changes(
    resolver: Resolver, wrapper: FunctionValue, facts: Function, calls: list[Call]
) -> bool:
    """Whether a wrapper may put something else into what it hands on."""
    module = resolver.table.get(wrapper.module)
    bindings = module.facts.scopes[facts.scope].bindings if module is not None else {}
    names = {parameter.name for parameter in facts.parameters}
    if any(len(bindings.get(name, ())) != 1 for name in names):
        return True
    return any(
        call.func.value.id in names and call.func.name not in _READING
        for call in calls
        if isinstance(call.func, Attr) and isinstance(call.func.value, Name)
    )


_READING = frozenset({"get", "items", "keys", "values", "copy", "__getitem__", "__contains__"})


def _name(expr: Expr) -> str:
    if isinstance(expr, Starred):
        return f"*{_name(expr.value)}"
    return expr.id if isinstance(expr, Name) else ""
