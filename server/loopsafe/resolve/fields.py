"""What fields of classes hold that a function makes for each object: `attr.ib(factory=Client)`.

Stubs of such functions give their many kinds of fields as anything. What makes a field, or what it
is checked against, says more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.facts.ir import Attr, Call, Expr, Name, last_name
from loopsafe.resolve.values import ClassValue, Frame, FunctionValue, Values, as_instance, union

if TYPE_CHECKING:
    from loopsafe.resolve.finding import Member
    from loopsafe.resolve.resolver import Resolver


def made_for_field(resolver: Resolver, member: Member, name: str, cls: ClassValue) -> Values:
    """What an object has in a field where nothing else tells it."""
    owner = member.owner
    if not isinstance(owner, ClassValue):
        return ()
    calls = [b for b in member.bindings if isinstance(b.value, Call)]
    if not calls:
        return ()
    found = _by_decorator(resolver, owner, name, cls)
    for binding in calls:
        frame = resolver.frame(owner.module, binding.scope, cls)
        if isinstance(binding.value, Call) and not found:
            found = _by_factory(resolver, binding.value, frame)
            found = found or _by_validator(resolver, binding.value, frame)
    return found


def _by_decorator(resolver: Resolver, owner: ClassValue, name: str, cls: ClassValue) -> Values:
    """What a method gives that is the default of a field: `@client.default`."""
    module = resolver.table.get(owner.module)
    found: list[Values] = []
    for number, function in enumerate(module.facts.functions if module is not None else ()):
        if function.owner == owner.number and any(
            _is_default_of(expr, name) for expr in function.decorators
        ):
            method = FunctionValue(owner.module, number, cls, True, owner.outer)
            found.append(resolver.function_result(method, ()))
    return union(found)


def _is_default_of(decorator: Expr, name: str) -> bool:
    return (
        isinstance(decorator, Attr)
        and decorator.name == "default"
        and isinstance(decorator.value, Name)
        and decorator.value.id == name
    )


def _by_factory(resolver: Resolver, call: Call, frame: Frame) -> Values:
    for keyword, expr in call.keywords:
        made_by = expr if keyword in _FACTORIES else None
        if keyword == "default" and isinstance(expr, Call) and last_name(expr.func) == "Factory":
            made_by = expr.args[0] if expr.args else None
        if made_by is not None:
            return union(resolver.called(value) for value in resolver.values(made_by, frame))
    return ()


def _by_validator(resolver: Resolver, call: Call, frame: Frame) -> Values:
    """An object of the class that a field is checked against: `validator=instance_of(Client)`."""
    for keyword, expr in call.keywords:
        if keyword == "validator" and isinstance(expr, Call) and last_name(expr.func) in _CHECKS:
            classes = resolver.values(expr.args[0], frame) if expr.args else ()
            return tuple(map(as_instance, classes))
    return ()


_FACTORIES = frozenset({"factory", "default_factory"})
_CHECKS = frozenset({"instance_of"})
