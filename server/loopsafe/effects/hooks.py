"""What a known library runs of somebody else's class, and what a stub's words leave unsaid.

A constructor that the catalogue calls harmless is so with its own class's methods. It runs those
of the class that is made: `HTTPAdapter.__init__` calls `init_poolmanager()`, in which an adapter of
a package loads certificates.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects.bounds import bounds
from loopsafe.effects.implicit import functions
from loopsafe.effects.known import knowledge
from loopsafe.effects.sources import body, facts_of
from loopsafe.facts.ir import Attr, Call, Expr, Name
from loopsafe.resolve.calls import ITERATORS
from loopsafe.resolve.methods import own_object
from loopsafe.resolve.names import definitions
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, Frame, FunctionValue, Instance, Value


def hooks(resolver: Resolver, value: Value) -> tuple[FunctionValue, ...]:
    """The methods of an object's own class that a harmless constructor runs."""
    cls = value.receiver if isinstance(value, FunctionValue) else value
    if not isinstance(cls, ClassValue):
        return ()
    return resolver.remember(
        ("hooks", value), cls.module, lambda: tuple(_hooks(resolver, cls, value))
    )


def is_hooked(resolver: Resolver, method: FunctionValue) -> bool:
    """Whether a method of the standard library runs another one of the object's class."""
    known = bounds().hooks
    facts = facts_of(resolver, method) if method.receiver is not None else None
    if facts is None or not any(name.endswith(f".{facts.name}") for name in known):
        return False
    return (dotted_name(resolver, method) or "") in known


def _hooks(resolver: Resolver, cls: ClassValue, value: Value) -> Iterator[FunctionValue]:
    known = bounds().hooks.get(dotted_name(resolver, value) or "")
    if known is not None:
        yield from functions(resolver, cls, known)
        return
    made = functions(resolver, cls, "__init__") if isinstance(value, ClassValue) else (value,)
    for constructor in made:
        source = _source(resolver, constructor) if isinstance(constructor, FunctionValue) else None
        facts = facts_of(resolver, source) if source is not None else None
        if (
            source is None
            or facts is None
            or facts.name != "__init__"
            or cls.module == source.module
        ):
            continue
        for site in facts.sites:
            call = site.expr
            asked = call.func if isinstance(call, Call) and site.block == 0 else None
            if not isinstance(asked, Attr) or own_object(asked, facts) is None:
                continue
            for method in functions(resolver, cls, asked.name):
                if method.module != source.module and knowledge(resolver, method) is None:
                    yield method


def _source(resolver: Resolver, method: FunctionValue) -> FunctionValue | None:
    """The body of a method as the class that defines it has it, whatever a class below it has."""
    facts = facts_of(resolver, method)
    if facts is None or facts.owner < 0:
        return None
    return body(resolver, method._replace(receiver=ClassValue(method.module, facts.owner)))


def behind_stub(
    resolver: Resolver, value: Value, expr: Expr, frame: Frame
) -> Iterator[FunctionValue]:
    """The generators whose stub says only that what they give can be gone through."""
    if not isinstance(value, Instance) or dotted_name(resolver, value.cls) not in ITERATORS:
        return
    calls = [(expr, frame)]
    if isinstance(expr, Name):
        found = definitions(resolver, expr, frame)
        calls = [(d.binding.value, d.frame) for d in found if d.binding.value is not None]
    for call, where in calls:
        for callee in resolver.values(call.func, where) if isinstance(call, Call) else ():
            if not isinstance(callee, FunctionValue):
                continue
            module = resolver.table.get(callee.module)
            if module is None or not module.is_stub:
                continue
            source = body(resolver, callee)
            facts = facts_of(resolver, source) if source is not None else None
            if facts is not None and facts.is_generator and not facts.is_async:
                yield callee
