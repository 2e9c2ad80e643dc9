"""What is known of a library's callable by itself, wherever it may be called from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from loopsafe.effects.derive import Derivation
from loopsafe.effects.implicit import functions
from loopsafe.effects.known import knowledge, taught_names
from loopsafe.effects.passed import passed
from loopsafe.effects.sources import body, body_frame, facts_of
from loopsafe.facts.ir import Call, Name
from loopsafe.knowledge.schema import Blocking
from loopsafe.knowledge.teachings import ORIGIN
from loopsafe.model import Hop, Spot
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, External, FunctionValue, Value, Values
from loopsafe.rules.hops import inside

_MOST_MODULES = 2000
"""Of one package."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a callable of a library does to the event loop."""

    name: str
    """The name by which it is known, which may not be the one that was asked for."""
    found: bool
    """Whether there is a function or a class of this name, or an entry for it."""
    blocking: Blocking | None = None
    derived_from: str = ""
    """The package whose source says so; empty for a catalogued callable."""
    bundled: str = ""
    """What Loopsafe has of that package, which is not installed: `GitPython 3.2.1`."""
    harmless: bool = False
    """Catalogued as not blocking."""
    origin: str = ""
    """Who says that it is harmless, where that is not the catalogue."""
    is_own: bool = False
    """It is a function or class of the project, whose calls are followed where the loop enters."""
    conditions: int = 0
    """On the way down that are open when it is called with its defaults."""
    needs_arguments: bool = False
    """It blocks with certain arguments only, and not with its defaults."""
    chain: tuple[Hop, ...] = ()
    is_async: bool = False
    decorates: bool = False
    """Not its own call blocks, but that of a plain function below it."""


def verdict(resolver: Resolver, derivation: Derivation, name: str) -> Verdict:
    """What a dotted name does when it is called, or awaited."""
    named = resolver.named(name)
    values = tuple(v for v in named if isinstance(v, (FunctionValue, ClassValue)))
    unseen: Values = (External(name),)
    for value in values or unseen:
        entry = knowledge(resolver, value)
        known = dotted_name(resolver, value) or name
        below = resolver.catalogue.decorator(known)
        if entry is None and below is not None:
            return Verdict(below.name, True, below, decorates=True)
        if isinstance(entry, Blocking):
            return Verdict(entry.name, True, entry, is_async=_is_async(resolver, value))
        if entry is False:
            told = any(resolver.catalogue.word(n) is False for n in taught_names(resolver, value))
            return Verdict(known, True, harmless=True, origin=ORIGIN if told else "")
        if isinstance(value, (FunctionValue, ClassValue)):
            found = _derived(resolver, derivation, value, known)
            module = resolver.table.get(value.module)
            is_own = found.blocking is None and module is not None and module.is_project
            return replace(found, is_own=is_own)
    return Verdict(name, False)


def members(resolver: Resolver, package: str) -> Iterator[str]:
    """The public functions and methods of a package, by their dotted names, and its entries."""
    seen: set[str] = set()
    for name in (*_entries(resolver, package), *_defined(resolver, package)):
        if name not in seen:
            seen.add(name)
            yield name


def _derived(
    resolver: Resolver, derivation: Derivation, value: FunctionValue | ClassValue, name: str
) -> Verdict:
    chosen = functions(resolver, value, "__init__") if isinstance(value, ClassValue) else (value,)
    for typed in chosen:
        function = body(resolver, typed)
        frame = body_frame(resolver, function, typed, ()) if function else None
        if function is None or frame is None:
            continue
        bare = Call(Name(name, 0, 0), (), (), Spot(0, 0, 0, 0))
        defaults = passed(resolver, function, bare, {})
        found = derivation.verdict(function, frame, defaults)
        any_way = found or derivation.verdict(function, frame, {})
        if any_way is not None:
            chain = tuple(inside(resolver, any_way.steps, None))
            return Verdict(
                name,
                True,
                any_way.primitive,
                any_way.package,
                bundled=any_way.release,
                conditions=any_way.conditions,
                needs_arguments=found is None,
                chain=chain,
                is_async=_is_async(resolver, function),
            )
    return Verdict(name, True, is_async=_is_async(resolver, value))


def _is_async(resolver: Resolver, value: Value) -> bool:
    facts = facts_of(resolver, value) if isinstance(value, FunctionValue) else None
    return facts is not None and facts.is_async


def _entries(resolver: Resolver, package: str) -> Iterator[str]:
    """The catalogue's callables of a package, each under the name that is shown."""
    start = f"{package}."
    for name, entry in resolver.catalogue.functions():
        if name.startswith(start) and entry.name == name:
            yield name
    for name, entry in resolver.catalogue.decorators():
        if name.startswith(start) and entry.name == name:
            yield name
    for name, cls in resolver.catalogue.classes():
        if name.startswith(start) and cls.name == name:
            for method in (*cls.methods, *(_written(resolver, name) if cls.patterns else ())):
                yield f"{name}.{method}"


def _written(resolver: Resolver, name: str) -> Iterator[str]:
    """The public methods that a class has by its source, for those that are known as families."""
    found = next((v for v in resolver.named(name) if isinstance(v, ClassValue)), None)
    owners = resolver.mro(found) if found is not None else ()
    for owner in owners:
        module = resolver.table.get(owner.module) if isinstance(owner, ClassValue) else None
        if module is None or not isinstance(owner, ClassValue):
            continue
        scope = module.facts.classes[owner.number].scope
        for function in module.facts.functions:
            method = function.qualname.rpartition(".")[2]
            if function.outer == scope and not method.startswith("_"):
                yield method


def _defined(resolver: Resolver, package: str) -> Iterator[str]:
    todo, count = [package], 0
    while todo and count < _MOST_MODULES:
        key = todo.pop(0)
        module = resolver.table.get(key)
        count += 1
        if module is None:
            continue
        names = sorted(name for name in resolver.table.finder.submodules(key) if _is_public(name))
        todo.extend(f"{key}.{name}" for name in names)
        for number, function in enumerate(module.facts.functions):
            outer = module.facts.scopes[function.outer].kind
            parts = function.qualname.split(".")
            if number and outer != "function" and all(map(_is_public, parts)):
                yield dotted_name(resolver, FunctionValue(module.key, number)) or ""


def _is_public(name: str) -> bool:
    is_test = name in ("tests", "testing", "conftest") or name.startswith("test_")
    return not is_test and (not name.startswith("_") or name == "__init__") and name.isidentifier()
