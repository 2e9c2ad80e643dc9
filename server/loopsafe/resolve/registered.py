"""Methods that decorators of a package put on its classes: `setattr(Stream, func.__name__, func)`.

The function stands in another module than the class, so it is looked for when an attribute is
missed: one of that name, under a decorator that stores what it decorates on a class.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from loopsafe.facts.ir import FunctionRef, Name
from loopsafe.resolve.neighbours import neighbours
from loopsafe.resolve.values import ClassValue, FunctionValue, Values, is_same_class
from loopsafe.resolve.wrappers import makers

if TYPE_CHECKING:
    from loopsafe.modules.module import Module
    from loopsafe.resolve.resolver import Resolver

_MOST = 3
"""Functions of a name that are registered; more tell too little apart."""


def registered(resolver: Resolver, cls: ClassValue, name: str, bound: bool) -> Values:
    """What decorators in a class's package register on it under a name."""
    home = resolver.table.get(cls.module)
    if home is None or home.is_project or home.is_stub:
        return ()
    found = tuple(dict.fromkeys(_registered(resolver, home, cls, name)))
    methods = tuple(function._replace(receiver=cls, bound=bound) for function in found)
    return methods if len(methods) <= _MOST else ()


def _registered(
    resolver: Resolver, home: Module, cls: ClassValue, name: str
) -> Iterator[FunctionValue]:
    for key in neighbours(resolver, home):
        module = resolver.table.user(key, name)
        bindings = module.facts.scopes[0].bindings.get(name, ()) if module is not None else ()
        for binding in bindings:
            if module is None or not isinstance(binding.value, FunctionRef):
                continue
            frame = resolver.frame(module.key, 0)
            for decorator in module.facts.functions[binding.value.number].decorators:
                for maker in makers(resolver, decorator, frame):
                    if _registers(resolver, maker, cls, name):
                        yield FunctionValue(module.key, binding.value.number, None, False, None)


def _registers(resolver: Resolver, maker: FunctionValue, cls: ClassValue, name: str) -> bool:
    """Whether a decorator stores what it is given on a class, or on one that nobody knows."""
    module = resolver.table.get(maker.module)
    facts = module.facts.functions[maker.number] if module is not None else None
    if module is None or facts is None or len(facts.parameters) <= maker.bound:
        return False
    given = facts.parameters[int(maker.bound)].name
    for target, stored, binding in module.facts.assigned:
        if stored not in ("", name) or not isinstance(binding.value, Name):
            continue
        if binding.value.id != given or not _is_inside(module, binding.scope, facts.scope):
            continue
        outer = resolver.function_frame(maker, ())
        inner = outer if binding.scope == facts.scope else None
        frame = inner or resolver.frame(module.key, binding.scope)
        classes = [v for v in resolver.values(target, frame) if isinstance(v, ClassValue)]
        bases = [base for base in resolver.mro(cls) if isinstance(base, ClassValue)]
        if not classes or any(is_same_class(c, base) for c in classes for base in bases):
            return True
    return False


def _is_inside(module: Module, scope: int, outer: int) -> bool:
    """Whether a scope is that of a function, or of a comprehension in it."""
    while scope > 0 and scope != outer and module.facts.scopes[scope].kind != "function":
        scope = module.facts.scopes[scope].parent
    return scope == outer
