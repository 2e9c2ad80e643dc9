"""The catalogue's word on calling a value: by its name, or by the class it is called on."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.facts.ir import Attr, Call, Function, FunctionRef
from loopsafe.knowledge.schema import Blocking
from loopsafe.modules.finder import Origin
from loopsafe.modules.module import Module
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, External, FunctionValue, Instance, Value


def knowledge(resolver: Resolver, value: Value) -> Blocking | bool | None:
    """The catalogue's word on calling a value: an entry, False for harmless, None for nothing."""
    if isinstance(value, (FunctionValue, ClassValue)):
        found = resolver.remember(
            ("known", value), value.module, lambda: (_knowledge(resolver, value),)
        )
        return found[0] if found else None  # Empty while it is being asked.
    return _knowledge(resolver, value)


def _knowledge(resolver: Resolver, value: Value) -> Blocking | bool | None:
    catalogue = resolver.catalogue
    for name in taught_names(resolver, value) if catalogue.teaches else ():
        if (said := catalogue.word(name)) is not None:
            return said
    if isinstance(value, FunctionValue):
        name = dotted_name(resolver, value) or ""
        if value.receiver is not None:
            word = _method_knowledge(resolver, value.receiver, value)
            if word is not None:
                return word
        # A static method has no receiver, but a class in its name.
        told = catalogue.callable if value.receiver is None else catalogue.function
        if (entry := told(name)) is not None:
            return entry
        return False if catalogue.harmless(name) and not _is_own(resolver, value) else None
    if isinstance(value, External):
        if (found := catalogue.function(value.name)) is not None:
            return found
        if (member := catalogue.member(value.name)) is not None:
            return member[0].blocking(member[1])
        known = catalogue.klass(value.name)
        return known.blocking("__init__") if known is not None else None
    if isinstance(value, ClassValue):
        return _class_knowledge(resolver, value)
    return None


def as_written(resolver: Resolver, entry: Blocking, call: Call | None) -> Blocking:
    """The entry by the name that a call has for a method: `client.incr()` where the class says
    `incr = incrby`."""
    callee = call.func if call is not None else None
    owner, _, method = entry.name.rpartition(".")
    if not isinstance(callee, Attr) or callee.name == method:
        return entry
    known = resolver.catalogue.klass(owner)
    return (known.blocking(callee.name) if known is not None else None) or entry


def serves(resolver: Resolver, value: Value) -> bool:
    """Whether the catalogue says that from a call of a value on, others run on the loop."""
    name = dotted_name(resolver, value)
    return name is not None and resolver.catalogue.serves(name)


def ends(resolver: Resolver, value: Value) -> bool:
    """Whether the catalogue says that the program is over behind a call of a value: also of a
    method that a class of the project has in the place of that of its base."""
    if isinstance(value, FunctionValue) and value.receiver is not None:
        module = resolver.table.get(value.module)
        method = module.facts.functions[value.number].name if module is not None else ""
        owners = (dotted_name(resolver, owner) for owner in resolver.mro(value.receiver))
        return any(resolver.catalogue.ends(f"{owner}.{method}") for owner in owners)
    name = dotted_name(resolver, value.cls if isinstance(value, Instance) else value)
    return name is not None and resolver.catalogue.ends(name)


def taught_names(resolver: Resolver, value: Value) -> Iterator[str]:
    """The names by which a project's settings may speak of a callable, the nearest first."""
    own = dotted_name(resolver, value) or ""
    if isinstance(value, FunctionValue) and value.receiver is not None:
        method = own.rpartition(".")[2]
        for owner in resolver.mro(value.receiver):
            yield f"{dotted_name(resolver, owner)}.{method}"
            if isinstance(owner, ClassValue) and _defines(resolver, owner, method):
                break
    yield own
    if isinstance(value, ClassValue):
        yield f"{own}.__init__"


def _is_own(resolver: Resolver, value: Value) -> bool:
    """Whether the project defines this itself: its source says more than a catalogue does."""
    if not isinstance(value, (FunctionValue, ClassValue)):
        return False
    module = resolver.table.get(value.module)
    return module is not None and module.is_project


def _method_knowledge(
    resolver: Resolver, receiver: ClassValue, function: FunctionValue
) -> Blocking | bool | None:
    """Knowledge of a method by the receiver's class, up to the class that defines it."""
    module = resolver.table.get(function.module)
    if module is None:
        return None
    facts = module.facts.functions[function.number]
    for owner in resolver.mro(receiver):
        known = resolver.knowledge(owner)
        if known is not None:
            if known.is_harmless(facts.name) and not _is_own(resolver, owner):
                return None if _is_of_another(resolver, owner, function) else False
            if (found := known.blocking(facts.name)) is not None:
                return found
        is_its_own = _is_defined_by(resolver, owner, (function.module, facts.owner))
        if is_its_own and not _is_only_typed(resolver, module, owner, facts):
            return None
    return None


def _is_only_typed(
    resolver: Resolver, module: Module, owner: ClassValue | External, method: Function
) -> bool:
    """Whether a class is there for type checkers only: it says what its bases' methods are given.

    The stubs of boto3 have a class for each client, which is made while a program runs.
    """
    if not module.is_stub or module.file.origin is Origin.TYPESHED or method.is_async:
        return False
    source = resolver.source(owner) if isinstance(owner, ClassValue) else None
    behind = resolver.table.get(source.module) if source is not None else None
    if source is None or behind is None:
        return True
    scope = behind.facts.scopes[behind.facts.classes[source.number].scope]
    return all(
        isinstance(binding.value, FunctionRef) and behind.facts.functions[binding.value.number].bare
        for binding in scope.bindings.get(method.name, ())
    )


def _is_of_another(
    resolver: Resolver, owner: ClassValue | External, function: FunctionValue
) -> bool:
    """Whether a method comes from beside a class, which then says nothing of it."""
    module = resolver.table.get(function.module)
    if module is None:
        return False
    number, top = module.facts.functions[function.number].owner, module.dotted.partition(".")[0]
    for base in (owner,) if isinstance(owner, External) else resolver.mro(owner):
        if isinstance(base, External):
            if base.name.partition(".")[0] == top:
                return False  # What it has itself, nobody sees.
        elif _is_defined_by(resolver, base, (function.module, number)):
            return False
    return True


def _is_defined_by(
    resolver: Resolver, cls: ClassValue | External, definition: tuple[str, int]
) -> bool:
    """Whether a class is the one of a definition, be it that of its stub or of its source."""
    if isinstance(cls, External):
        return False
    source = resolver.source(cls)
    return definition in (cls.definition, source.definition if source is not None else None)


def _class_knowledge(resolver: Resolver, cls: ClassValue) -> Blocking | bool | None:
    name = dotted_name(resolver, cls)
    if name is not None and (found := resolver.catalogue.function(name)) is not None:
        return found
    for owner in resolver.mro(cls):
        known = resolver.knowledge(owner)
        if known is not None:
            if known.is_harmless("__init__") and not _is_own(resolver, owner):
                return False
            if (made := known.blocking("__init__")) is not None:
                return made
        if isinstance(owner, ClassValue) and _defines(resolver, owner, "__init__"):
            return None
    return None


def _defines(resolver: Resolver, cls: ClassValue, name: str) -> bool:
    module = resolver.table.get(cls.module)
    if module is None:
        return False
    scope = module.facts.scopes[module.facts.classes[cls.number].scope]
    return name in scope.bindings
