"""Which functions stand in for an abstract method: the overrides in the project's subclasses.

A protocol also stands for the classes that have its methods.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from loopsafe.effects.structural import is_protocol, matching, method_names, wanted
from loopsafe.facts.ir import FunctionRef
from loopsafe.modules.module import Module
from loopsafe.resolve.below import bases_of
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, FunctionValue

_DOUBLES = ("mock", "fake", "dummy", "stub", "test")
MOST = 8
"""More classes that merely have the methods of a protocol say nothing about which one runs."""

_MOST_NAMED = 24
"""Where the classes name what they implement, so many may be meant."""


class Overrides:
    """Finds subclasses among the project's modules, by the names that classes give as bases."""

    def __init__(self, project: Callable[[], Iterable[Module]]) -> None:
        self._project = project
        self._methods: dict[str, frozenset[str]] = {}
        """By module, the names of all methods of its classes."""
        self._by_module: dict[str, tuple[tuple[str, int], ...]] = {}
        self._by_base: dict[str, list[tuple[str, int]]] | None = None

    def forget(self, modules: Iterable[str]) -> None:
        """The classes of some modules may have changed."""
        for key in modules:
            self._by_module.pop(key, None)
            self._methods.pop(key, None)
        self._by_base = None

    def look_again(self) -> None:
        """There may be more modules."""
        self._by_base = None

    def of(self, resolver: Resolver, function: FunctionValue) -> tuple[FunctionValue, ...]:
        """Overrides of a method that does nothing itself; none where it does something."""
        module = resolver.table.get(function.module)
        if module is None or not module.is_project:
            return ()
        facts = module.facts.functions[function.number]
        if not facts.bare or facts.owner < 0 or function.receiver is None:
            return ()
        found = [
            chosen
            for cls in self._implementations(resolver, function.receiver, facts.name)
            for chosen in _own_method(resolver, cls, facts.name)
        ]
        real = [f for f in found if not _is_double(resolver, f)]
        kept = real or found
        home = resolver.table.get(function.receiver.module)
        is_named = home is None or not is_protocol(home.facts.classes[function.receiver.number])
        return tuple(kept) if len(kept) <= (_MOST_NAMED if is_named else MOST) else ()

    def _implementations(
        self, resolver: Resolver, cls: ClassValue, name: str
    ) -> Iterable[ClassValue]:
        module = resolver.table.get(cls.module)
        found = dict.fromkeys(self._subclasses(resolver, cls))
        if module is not None and is_protocol(module.facts.classes[cls.number]):
            asked = wanted(module, cls.number)
            for other in self._having(resolver, name) if name in asked else ():
                found.update((ClassValue(other.name, n), None) for n in matching(other, asked))
        return found

    def _having(self, resolver: Resolver, name: str) -> list[Module]:
        """The modules of the project with a class that has a method."""
        trace = resolver.table.trace | resolver.table.bit(("method", name))
        found = []
        for module in self._project():
            if module.name not in self._methods:
                self._methods[module.name] = method_names(module)
            if name in self._methods[module.name]:
                found.append(module)
        resolver.table.trace = trace
        return found

    def _subclasses(self, resolver: Resolver, cls: ClassValue) -> list[ClassValue]:
        trace = resolver.table.trace
        index = self._index()
        resolver.table.trace = trace
        module = resolver.table.get(cls.module)
        if module is None:
            return []
        found: dict[ClassValue, None] = {}
        todo = [module.facts.classes[cls.number].name]
        seen = set(todo)
        while todo:
            base = todo.pop()
            resolver.table.trace |= resolver.table.bit(("base", base))
            for name, number in index.get(base, ()):
                candidate = ClassValue(name, number)
                bases = resolver.mro(candidate)[1:]
                if any(
                    isinstance(b, ClassValue) and (b.module, b.number) == (cls.module, cls.number)
                    for b in bases
                ):
                    found.setdefault(candidate)
                owner = resolver.table.get(name)
                own = owner.facts.classes[number].name if owner else ""
                if own and own not in seen:
                    seen.add(own)
                    todo.append(own)
        return list(found)

    def _index(self) -> dict[str, list[tuple[str, int]]]:
        if self._by_base is None:
            self._by_base = {}
            for module in self._project():
                bases = self._by_module.get(module.name)
                if bases is None:
                    bases = self._by_module[module.name] = tuple(bases_of(module))
                for base, number in bases:
                    self._by_base.setdefault(base, []).append((module.name, number))
        return self._by_base


def _own_method(resolver: Resolver, cls: ClassValue, name: str) -> list[FunctionValue]:
    module = resolver.table.get(cls.module)
    if module is None:
        return []
    scope = module.facts.scopes[module.facts.classes[cls.number].scope]
    return [
        FunctionValue(cls.module, binding.value.number, cls, True)
        for binding in scope.bindings.get(name, ())
        if isinstance(binding.value, FunctionRef)
        and not module.facts.functions[binding.value.number].bare
    ]


def _is_double(resolver: Resolver, function: FunctionValue) -> bool:
    """A stand-in for tests: by its class's name, or by the folder it lives in."""
    module = resolver.table.get(function.module)
    if module is None:
        return False
    owner = module.facts.functions[function.number].owner
    name = module.facts.classes[owner].name.lower() if owner >= 0 else ""
    parts = module.dotted.lower().split(".")
    return name.startswith(_DOUBLES) or any(part.startswith(("test", "mock")) for part in parts)
