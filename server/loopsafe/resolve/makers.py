"""What packages give to the objects that they make themselves: `Session(self._pool)`.

Where no annotation tells what a constructor keeps, the calls in the same package that make such
objects do.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Binding, Call, Imported, last_name
from loopsafe.resolve.given import Arguments, constructors, given
from loopsafe.resolve.neighbours import above, neighbours
from loopsafe.resolve.setters import set_later
from loopsafe.resolve.values import (
    ClassValue,
    Frame,
    FunctionValue,
    Value,
    Values,
    is_same_class,
    union,
)

if TYPE_CHECKING:
    from loopsafe.modules.module import Module
    from loopsafe.resolve.resolver import Resolver

_MOST_MAKERS = 4
"""Modules that make objects of a class, the nearest ones, and calls in them."""


def kept(
    resolver: Resolver, cls: ClassValue, owner: ClassValue, stored: tuple[Binding, ...]
) -> Values:
    """What a package's objects hold in an attribute that their constructor or a setter stores."""
    module = resolver.table.get(owner.module)
    source = resolver.source(cls)
    if module is None or module.is_project or source is None:
        return ()
    found = _constructed(resolver, module, source, owner, stored)
    return found or set_later(resolver, module, source, owner, stored)


def _constructed(
    resolver: Resolver,
    module: Module,
    source: ClassValue,
    owner: ClassValue,
    stored: tuple[Binding, ...],
) -> Values:
    made_by, cls = next(iter(constructors(resolver, owner)), None), source
    if made_by is None or made_by.module != owner.module:
        return ()
    scope = module.facts.functions[made_by.number].scope
    bindings = [b for b in stored if b.scope == scope and b.value is not None]
    if not bindings:
        return ()
    found: list[Values] = []
    for arguments in _passed(resolver, cls, made_by._replace(receiver=cls)):
        frame = resolver.function_frame(made_by._replace(receiver=cls), arguments)
        if frame is not None and arguments:
            found.extend(resolver.known(resolver.bound(binding, frame)) for binding in bindings)
    return union(found)


def _passed(resolver: Resolver, cls: ClassValue, wanted: FunctionValue) -> tuple[Arguments, ...]:
    """What is passed to a constructor when the package makes objects of a class."""
    return resolver.remember(
        ("made with", cls, wanted),
        cls.module,
        lambda: tuple(dict.fromkeys(_arguments(resolver, cls, wanted))),
    )


def _arguments(resolver: Resolver, cls: ClassValue, wanted: FunctionValue) -> Iterator[Arguments]:
    own = next(iter(constructors(resolver, cls)), None)
    if own is None:
        return
    if own == wanted:
        for call, frame in _makers(resolver, cls):
            for around in _made_in(resolver, frame) or (frame,):
                yield given(resolver, own, call, around)
        return
    module = resolver.table.get(own.module)
    facts = module.facts.functions[own.number] if module is not None else None
    for outer in _passed(resolver, cls, own) or ((),):
        inner = resolver.function_frame(own, outer)
        if facts is None or inner is None:
            continue
        for site in facts.sites:
            made = site.expr
            if not isinstance(made, Call) or last_name(made.func) != "__init__":
                continue
            for callee in resolver.values(made.func, inner):
                if isinstance(callee, FunctionValue) and _is_of(resolver, callee, wanted):
                    yield given(resolver, wanted._replace(bound=callee.bound), made, inner)


def _made_in(resolver: Resolver, frame: Frame) -> tuple[Frame, ...]:
    """A constructor's frames, by what is passed to it where its own objects are made."""
    module = resolver.table.get(frame.module)
    scope = module.facts.scopes[frame.scope] if module is not None else None
    if module is None or scope is None or scope.kind != "function":
        return ()
    facts = module.facts.functions[scope.owner]
    if facts.owner < 0 or facts.name != "__init__":
        return ()
    cls = ClassValue(module.key, facts.owner)
    own = next(iter(constructors(resolver, cls)), None)
    if own is None or own.definition != (module.key, scope.owner):
        return ()
    own = own._replace(receiver=cls)
    frames = (resolver.function_frame(own, passed) for passed in _passed(resolver, cls, own))
    return tuple(frame for frame in frames if frame is not None)


def _is_of(resolver: Resolver, callee: FunctionValue, wanted: FunctionValue) -> bool:
    """Whether a constructor is that of a class, or stands for it in the stub."""
    module, home = resolver.table.get(callee.module), resolver.table.get(wanted.module)
    owner = module.facts.functions[callee.number].owner if module is not None else -1
    source = resolver.source(ClassValue(callee.module, owner)) if owner >= 0 else None
    if source is None or home is None:
        return False
    return source.definition == (wanted.module, home.facts.functions[wanted.number].owner)


def _makers(resolver: Resolver, cls: ClassValue) -> Iterator[tuple[Call, Frame]]:
    """The calls near a class that make objects of it."""
    home = resolver.table.get(cls.module)
    if home is None:
        return
    name = home.facts.classes[cls.number].name
    near = neighbours(resolver, home) or above(home)
    found = (resolver.table.user(key, name) for key in near)
    others = [module for module in found if module is not None and module.key != home.key]
    count = 0
    others.sort(key=lambda module: -_shared(module.dotted, home.dotted))
    for module in (home, *others[:_MOST_MAKERS]):
        names = {name, "cls"} if module is home else {name, *_other_names(module, name)}
        for call, scope in _calls(module, names):
            frame = resolver.frame(module.key, scope)
            if any(_makes(resolver, v, cls) for v in resolver.values(call.func, frame)):
                count += 1
                if count > _MOST_MAKERS:
                    return
                yield call, frame


def _shared(one: str, other: str) -> int:
    """How many folders two modules have in common."""
    pairs = zip(one.split("."), other.split("."), strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))


def _other_names(module: Module, name: str) -> Iterator[str]:
    """What a module imports a class as: `from .v3 import Device as Device_v3`."""
    for bound, bindings in module.facts.scopes[0].bindings.items():
        values = (binding.value for binding in bindings)
        if bound != name and any(isinstance(v, Imported) and v.name == name for v in values):
            yield bound


def _calls(module: Module, names: set[str]) -> Iterator[tuple[Call, int]]:
    for function in module.facts.functions:
        for site in function.sites:
            if isinstance(site.expr, Call) and last_name(site.expr.func) in names:
                yield site.expr, site.scope


def _makes(resolver: Resolver, value: Value, cls: ClassValue) -> bool:
    """Whether a call of a value makes objects of a class, or of one that inherits it."""
    source = resolver.source(value) if isinstance(value, ClassValue) else None
    bases = resolver.mro(source) if source is not None else ()
    sources = (resolver.source(base) for base in bases if isinstance(base, ClassValue))
    return any(is_same_class(base, cls) for base in sources)
