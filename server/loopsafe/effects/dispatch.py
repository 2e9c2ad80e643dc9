"""Which methods of a package stand in for an abstract one: the overrides in its neighbourhood.

Also those that a class calls of an object although only its subclasses have them.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects.runs import Run, Target
from loopsafe.effects.sources import facts_of
from loopsafe.facts.ir import Attr, Expr, FunctionRef, Name, Site, Subscript
from loopsafe.modules.module import Module
from loopsafe.resolve.finding import find
from loopsafe.resolve.neighbours import neighbours
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    Frame,
    FunctionValue,
    Instance,
    Value,
    Values,
    union,
)

_MOST_CLASSES = 100
"""Below an abstract one; more say nothing about which of them is meant."""


def implementations(resolver: Resolver, target: Target, most: int) -> tuple[Target, ...]:
    """The target; or, where that is an abstract method of a package, what it stands for.

    Of many some, evenly spread: they speak for all, as plug-ins for many services are alike.
    """
    if not isinstance(target, Run) or target.function.receiver is None:
        return (target,)
    module = resolver.table.get(target.function.module)
    facts = facts_of(resolver, target.function)
    if module is None or module.is_project or facts is None or not facts.bare or module.is_stub:
        return (target,)
    receiver, name = target.function.receiver, facts.name
    found = resolver.remember(
        ("implementations", receiver, name),
        module.key,
        lambda: tuple(_overrides(resolver, module, receiver, name)),
    )
    if not found:
        return (target,)
    chosen = (found[number * len(found) // most] for number in range(most))
    some = found if len(found) <= most else tuple(chosen)
    return tuple(target._replace(function=function) for function in some)


def made_by_default(resolver: Resolver, values: Values) -> Values:
    """Of objects of a class and of one below it, the latter.

    `store or MemoryStore()` makes it where nothing is given; who gives another knows which.
    """
    classes = [_class_of(value) for value in values]
    if len(values) < 2:
        return values
    below = {
        base
        for cls in classes
        if cls is not None
        for base in resolver.mro(cls)[1:]
        if isinstance(base, ClassValue)
    }
    return tuple(v for v, cls in zip(values, classes, strict=True) if cls not in below)


def _class_of(value: Value) -> ClassValue | None:
    if isinstance(value, Instance):
        return value.cls
    return value.receiver if isinstance(value, FunctionValue) else None


def only_below(resolver: Resolver, site: Site, frame: Frame) -> Values:
    """What a site calls of an object of a package's class that only subclasses of it have."""
    callee = getattr(site.expr, "func", None) if site.kind == "call" else None
    if not isinstance(callee, Attr):
        return ()
    values = resolver.known(resolver.values(callee.value, frame))
    value = values[0] if len(values) == 1 else None
    base = resolver.source(value.cls) if isinstance(value, Instance) else None
    home = resolver.table.get(base.module) if base is not None else None
    if base is None or home is None or home.is_project or home.is_stub:
        return ()
    name = callee.name
    return resolver.remember(
        ("only below", base, name),
        home.key,
        lambda: union(_below(resolver, home, base, name)),
    )


def _below(resolver: Resolver, home: Module, base: ClassValue, name: str) -> Iterator[Values]:
    lineage = resolver.mro(base)
    if not all(isinstance(cls, ClassValue) for cls in lineage):
        return  # A base that nobody sees may have it.
    if find(resolver, base, name) is not None or find(resolver, base, "__getattr__") is not None:
        return
    for cls in _subclasses(resolver, home, base):
        if next(_defined(resolver, cls, name), None) is not None:
            yield resolver.attribute(Instance(cls), name)


def _overrides(
    resolver: Resolver, module: Module, receiver: ClassValue, name: str
) -> Iterator[FunctionValue]:
    """What a class has under a method's name beside the abstract one, or those below it have."""
    base = resolver.source(receiver)
    home = resolver.table.get(base.module) if base is not None else None
    if base is None or home is None or home.dotted.split(".")[0] != module.dotted.split(".")[0]:
        return
    if own := tuple(_defined(resolver, base, name)):
        yield from own
        return
    seen: set[tuple[str, int]] = set()
    for cls in _subclasses(resolver, home, base):
        for method in _defined(resolver, cls, name):
            if method.definition not in seen:
                seen.add(method.definition)
                yield method


def _defined(resolver: Resolver, cls: ClassValue, name: str) -> Iterator[FunctionValue]:
    """The first definition of a method that does something, in the order of lookup."""
    for owner in resolver.mro(cls):
        module = resolver.table.get(owner.module) if isinstance(owner, ClassValue) else None
        if module is None or not isinstance(owner, ClassValue):
            continue
        scope = module.facts.scopes[module.facts.classes[owner.number].scope]
        refs = [b.value for b in scope.bindings.get(name, ()) if isinstance(b.value, FunctionRef)]
        defined = [ref for ref in refs if not module.facts.functions[ref.number].bare]
        if defined:
            yield from (FunctionValue(owner.module, r.number, cls, True) for r in defined)
            return


def _subclasses(resolver: Resolver, home: Module, base: ClassValue) -> list[ClassValue]:
    """The classes near one that inherit from it, those that do it directly first."""
    todo, found = [home.facts.classes[base.number].name], [base]
    for wanted in todo:
        keys = neighbours(resolver, home)
        users = (resolver.table.user(key, wanted) for key in keys)
        for other in {home.key: home, **{user.key: user for user in users if user}}.values():
            for number, cls in enumerate(other.facts.classes):
                candidate = ClassValue(other.key, number)
                if wanted not in map(_last, cls.bases) or candidate in found:
                    continue
                lineage = (b for b in resolver.mro(candidate) if isinstance(b, ClassValue))
                if any(resolver.source(b) == base for b in lineage):
                    found.append(candidate)
                    todo.append(cls.name)
        if len(found) > _MOST_CLASSES:
            return []
    return found[1:]


def _last(base: Expr) -> str:
    expr = base.value if isinstance(base, Subscript) else base
    if isinstance(expr, Name):
        return expr.id
    return expr.name if isinstance(expr, Attr) else ""
