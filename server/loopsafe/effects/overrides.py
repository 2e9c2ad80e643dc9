"""Which functions stand in for an abstract method: the overrides in the project's subclasses.

A protocol also stands for the classes that have its methods.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from loopsafe.effects.structural import defining, fits, method_names, methods_of, wanted
from loopsafe.facts.ir import Function, FunctionRef
from loopsafe.modules.module import Module
from loopsafe.resolve.callbacks import is_protocol
from loopsafe.resolve.index import NameIndex
from loopsafe.resolve.outside import is_test
from loopsafe.resolve.private import is_private
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.subclasses import Subclasses, inherits
from loopsafe.resolve.values import ClassValue, FunctionValue, Instance

_DOUBLES = ("mock", "fake", "dummy", "stub", "test")
MOST = 8
"""More classes that merely have the methods of a protocol say nothing about which one runs."""

_MOST_NAMED = 24
"""Where the classes name what they implement, so many may be meant."""


class Overrides:
    """Finds them among the project's modules."""

    def __init__(self, project: Callable[[], Iterable[Module]]) -> None:
        self._project = project
        self._subclasses = Subclasses(project)
        self._having: NameIndex[Module] = NameIndex(
            "method", lambda module: ((name, module) for name in method_names(module))
        )

    def forget(self, changed: Collection[str] | None = None) -> None:
        """The texts of these modules changed; where none are told, there are other modules."""
        self._subclasses.forget(changed)
        self._having.forget(changed)

    def of(self, resolver: Resolver, function: FunctionValue) -> tuple[FunctionValue, ...]:
        """Overrides of a method that does nothing itself; none where it does something."""
        module = resolver.table.get(function.module)
        if module is None or not module.is_project:
            return ()
        facts = module.facts.functions[function.number]
        if not facts.bare or facts.owner < 0 or function.receiver is None:
            return ()
        if is_private(facts.name):
            return ()
        found = [
            chosen
            for cls, owner in self._implementations(resolver, function.receiver, facts.name)
            for chosen in _method(resolver, cls, owner, facts.name)
        ]
        if not is_test(module):
            found = [f for f in found if not _is_in_test(resolver, f)]
        real = [f for f in found if not _is_double(resolver, f)]
        kept = real or found
        home = resolver.table.get(function.receiver.module)
        is_named = home is None or not is_protocol(home.facts.classes[function.receiver.number])
        return tuple(kept) if len(kept) <= (_MOST_NAMED if is_named else MOST) else ()

    def are_coroutines(self, resolver: Resolver, function: FunctionValue) -> bool:
        """Whether subclasses, but those in tests, make a coroutine function of a plain method."""
        module, cls = resolver.table.get(function.module), function.receiver
        home = resolver.table.get(cls.module) if cls is not None else None
        if module is None or cls is None or home is None or not home.is_project:
            return False
        name = module.facts.functions[function.number].name
        return any(
            _has_coroutine(resolver, other, name)
            for other in self._subclasses.below(resolver, home.facts.classes[cls.number].name)
            if inherits(resolver, other, cls)
        )

    def _implementations(
        self, resolver: Resolver, cls: ClassValue, name: str
    ) -> Iterable[tuple[ClassValue, ClassValue]]:
        """Classes that stand in for one, each with the class that it has the method from."""
        module = resolver.table.get(cls.module)
        if module is None:
            return ()
        own = module.facts.classes[cls.number]
        below = self._subclasses.below(resolver, own.name)
        found = {other: other for other in below if inherits(resolver, other, cls)}
        asked = wanted(module, cls.number) if is_protocol(own) else {}
        if name in asked:
            # Asked at each call of the method, and a name may be had by hundreds of classes.
            fitting = resolver.remember(
                ("fitting", ClassValue(cls.module, cls.number), name),
                cls.module,
                lambda: tuple(self._fitting(resolver, asked, name)),
            )
            for other, home in fitting:
                found.setdefault(other, home)
        return found.items()

    def _fitting(
        self, resolver: Resolver, asked: dict[str, Function], name: str
    ) -> Iterator[tuple[ClassValue, ClassValue]]:
        """The classes that have a protocol's methods and define this one, else heirs of them.

        An heir may have what its base lacks, and what the base calls of itself.
        """
        for home in self._having.at(resolver.table, self._project, name):
            for number in defining(home, name):
                cls = ClassValue(home.name, number)
                own = methods_of(resolver, cls)
                if fits(asked, own):
                    yield cls, cls
                    continue
                for heir in self._subclasses.below(resolver, home.facts.classes[number].name):
                    others = methods_of(resolver, heir)
                    if others.get(name) is own.get(name) and fits(asked, others):
                        yield heir, cls


def _method(
    resolver: Resolver, cls: ClassValue, home: ClassValue, name: str
) -> list[FunctionValue]:
    """A method that a class defines, for an object of this class."""
    module = resolver.table.get(home.module)
    if module is None:
        return []
    scope = module.facts.scopes[module.facts.classes[home.number].scope]
    return [
        FunctionValue(home.module, binding.value.number, cls, True)
        for binding in scope.bindings.get(name, ())
        if isinstance(binding.value, FunctionRef)
        and not module.facts.functions[binding.value.number].bare
    ]


def decorated(resolver: Resolver, override: FunctionValue) -> tuple[FunctionValue, ...]:
    """What the decorators of an override make of it; itself where there are none, or nobody knows
    what they make."""
    module, cls = resolver.table.get(override.module), override.receiver
    facts = module.facts.functions[override.number] if module is not None else None
    if facts is None or cls is None or not facts.decorators:
        return (override,)
    made = resolver.attribute(Instance(cls), facts.name)
    functions = tuple(v for v in made if isinstance(v, FunctionValue))
    return functions if functions and len(functions) == len(made) else (override,)


def _has_coroutine(resolver: Resolver, cls: ClassValue, name: str) -> bool:
    """Whether a class, of the project and of no test, defines a coroutine function of a name."""
    module = resolver.table.get(cls.module)
    if module is None or is_test(module):
        return False
    scope = module.facts.scopes[module.facts.classes[cls.number].scope]
    return any(
        isinstance(binding.value, FunctionRef)
        and module.facts.functions[binding.value.number].is_async
        for binding in scope.bindings.get(name, ())
    )


def _is_in_test(resolver: Resolver, function: FunctionValue) -> bool:
    """Whether a function is in a module of tests, which no other code runs."""
    module = resolver.table.get(function.module)
    return module is not None and is_test(module)


def _is_double(resolver: Resolver, function: FunctionValue) -> bool:
    """A stand-in for tests: by its class's name, or by the folder it lives in."""
    module = resolver.table.get(function.module)
    if module is None:
        return False
    owner = module.facts.functions[function.number].owner
    name = module.facts.classes[owner].name.lower() if owner >= 0 else ""
    parts = module.dotted.lower().split(".")
    return name.startswith(_DOUBLES) or any(part.startswith(("test", "mock")) for part in parts)
