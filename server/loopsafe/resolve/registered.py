"""Methods that a package puts on its classes from elsewhere: `setattr(Stream, func.__name__, func)`
in a decorator, or `Client.pull = pull` in a function that imports both.

They stand in another module than the class, so they are looked for when an attribute is missed: a
function of that name under a decorator that stores what it decorates on a class, or what a module
near it stores there.
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
    """What a class's package puts on it under a name: by decorators, or from another module."""
    home = resolver.table.get(cls.module)
    if home is None or home.is_project or home.is_stub:
        return ()
    found = tuple(dict.fromkeys(_registered(resolver, home, cls, name)))
    found = found or tuple(dict.fromkeys(_put_on(resolver, home, cls, name)))
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


def _put_on(
    resolver: Resolver, home: Module, cls: ClassValue, name: str
) -> Iterator[FunctionValue]:
    """Functions that other modules of the package store on a class which they import."""
    bases = [base for base in resolver.mro(cls) if isinstance(base, ClassValue)]
    for key in neighbours(resolver, home) if name else ():
        outline = resolver.table.outline(key) if key != home.key else None
        is_stored = outline is not None and name in outline[1].stored
        module = resolver.table.get(outline[0]) if outline is not None and is_stored else None
        for target, stored, binding in module.facts.assigned if module is not None else ():
            if module is None or stored != name or binding.value is None:
                continue
            frame = resolver.frame(module.key, binding.scope)
            targets = resolver.values(target, frame)
            if not any(is_same_class(value, base) for value in targets for base in bases):
                continue
            for value in resolver.values(binding.value, frame):
                if isinstance(value, FunctionValue) and value.receiver is None:
                    yield value


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
