"""Who uses a function of the project, found by its name, and where that lets it run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from loopsafe.effects.drivers import is_driving, is_driving_aside
from loopsafe.effects.implicit import functions
from loopsafe.effects.mentions import Mentions, Use
from loopsafe.facts.ir import Attr, Call, Expr, FunctionRef, Name
from loopsafe.modules.module import Change, Module
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.runners import runner_of
from loopsafe.resolve.values import (
    ClassValue,
    External,
    Frame,
    FunctionValue,
    Instance,
    ManagerFactory,
    Value,
    is_same_class,
)

ENTERING = frozenset({"__aenter__", "__aexit__"})
"""What `async with` runs of an object."""
_ENTERED = frozenset({"aenter", "aexit"})
_MOST_KEPT = 10_000
"""Names of which it is known where they stand."""


class Callers:
    """Looks for uses in all modules of the project that have a function's name."""

    def __init__(self, resolver: Resolver, project: Callable[[], Iterable[Module]]) -> None:
        self.resolver = resolver
        self._project = project
        self._mentions = Mentions()
        self._having: dict[tuple[str, str], list[str]] = {}
        """The modules that have a name, by that and by the module whose it is."""

    def forget(self) -> None:
        """There are other modules."""
        self._having.clear()

    def renew(self, change: Change) -> None:
        """A module's text changed."""
        self._mentions.renew(change)
        if change.after is None:
            self._having.clear()
            return
        words = change.before.facts.words ^ change.after.facts.words
        for key in [key for key in self._having if key[0] in words] if words else ():
            del self._having[key]

    def is_called(self, module: Module, number: int) -> bool:
        """Whether some code of the project calls a function by its name, and not a framework."""
        return any(use.call is not None for use in self.uses(module, number))

    def uses(self, module: Module, number: int) -> Iterator[Use]:
        """Calls of a function and other mentions of it; what is unknown may be one."""
        for use in self._named(module.facts.functions[number].name, module):
            expr = use.call.func if use.call is not None else use.mention
            if expr is None or self._may_mean(use, expr, module, number):
                yield use

    def comings(self, module: Module, number: int) -> Iterator[Use]:
        """Uses of a function and, for what `async with` runs, where its objects are made and
        entered at once: `async with Store()`, `await stack.enter_async_context(Store())`."""
        yield from self.uses(module, number)
        function = module.facts.functions[number]
        if function.name not in ENTERING or function.owner < 0:
            return
        own = ClassValue(module.name, function.owner)
        for cls in (own, *self.resolver.outside.subclasses(self.resolver, own)):
            if isinstance(cls, ClassValue):
                yield from self._entries(cls, function.name, (module.name, number))

    def _entries(self, cls: ClassValue, method: str, wanted: tuple[str, int]) -> Iterator[Use]:
        """Where objects of a class are made whose method is the one that is meant; without the
        call where one is not entered at once."""
        resolver, home = self.resolver, self.resolver.table.get(cls.module)
        entering = functions(resolver, cls, method)
        if home is None or all(each.definition != wanted for each in entering):
            return
        yield from _made_by_itself(home, cls.number)
        for use in self._named(home.facts.classes[cls.number].name, home):
            expr = use.call.func if use.call is not None else use.mention
            frame = resolver.frame(use.module.name, use.scope)
            values = resolver.values(expr, frame) if expr is not None else ()
            if expr is None or any(is_same_class(value, cls) for value in values):
                is_entered = use.call is not None and self._is_entered(use, use.call, frame)
                yield use if is_entered else use._replace(call=None)

    def _is_entered(self, use: Use, made: Call, frame: Frame) -> bool:
        """Whether an object is entered where it is made."""
        self.resolver.table.trace |= use.module.text_bit
        sites = use.module.facts.functions[use.number].sites
        if any(site.kind in _ENTERED and site.expr is made for site in sites):
            return True
        return any(
            runner is not None and runner.takes == "async context manager"
            for taker in use.around[:1]
            for value in self.resolver.values(taker.func, frame)
            if (runner := runner_of(self.resolver, value)) is not None
        )

    def _named(self, name: str, home: Module) -> Iterator[Use]:
        """Where the project's code has the name of something that a module defines."""
        table = self.resolver.table
        # Its own module may use it by a plain name, which is not among the words.
        trace = table.trace | table.bit(("used", name)) | home.bit
        modules = list(self._with(name, home))
        table.trace = trace
        for other in modules:
            yield from self._mentions.of(other, name)

    def _with(self, name: str, home: Module) -> Iterator[Module]:
        """The modules that have a name, and the one whose it is."""
        keys = self._having.get((name, home.key))
        if keys is None:
            if len(self._having) > _MOST_KEPT:
                self._having.clear()
            found = (m for m in self._project() if m is home or name in m.facts.words)
            keys = self._having[name, home.key] = [module.key for module in found]
        for key in keys:
            module = self.resolver.table.get(key)
            if module is not None:
                yield module

    def _may_mean(self, use: Use, expr: Expr, module: Module, number: int) -> bool:
        frame = self.resolver.frame(use.module.name, use.scope)
        callees = self.resolver.values(expr, frame)
        if not callees:
            return self._may_be_reached(expr, frame, module.facts.functions[number].owner >= 0)
        return any(self._is_one(value, module, number) for value in callees)

    def _may_be_reached(self, expr: Expr, frame: Frame, is_method: bool) -> bool:
        """Whether what nobody knows may be a function: an attribute of an unknown object is none
        that stands in a module, unless that object is one."""
        if is_method or not isinstance(expr, Attr):
            return True
        owners = self.resolver.values(expr.value, frame)
        return any(_is_module(self.resolver, owner) for owner in owners)

    def _is_one(self, value: Value, module: Module, number: int) -> bool:
        """Whether a callee is a function, or the method of a base class that it overrides."""
        owner = module.facts.functions[number].owner
        if isinstance(value, External) and owner >= 0:
            # A method of a base class whose source is not at hand.
            base = External(value.name.rpartition(".")[0])
            return base in self.resolver.mro(ClassValue(module.name, owner))
        value = value.function if isinstance(value, ManagerFactory) else value
        if not isinstance(value, FunctionValue):
            return False
        if value.definition == (module.name, number):
            return True
        called = self.resolver.table.get(value.module)
        if owner < 0 or called is None or called.facts.functions[value.number].owner < 0:
            return False
        defines = (value.module, called.facts.functions[value.number].owner)
        return any(
            isinstance(cls, ClassValue) and cls.definition == defines
            for cls in self.resolver.mro(ClassValue(module.name, owner))[1:]
        )

    def is_driven(self, use: Use) -> bool:
        """Whether a coroutine made here is run by a loop that starts here: `asyncio.run(f())`."""
        given = use.call or use.mention
        if given is None:
            return False
        if use.module.facts.functions[use.number].is_async:
            return False
        frame = self.resolver.frame(use.module.name, use.scope)
        if any(is_driving(self.resolver, call, given, frame) for call in use.around):
            return True
        return use.call is not None and self._is_made_for_loop(use, use.call)

    def _is_made_for_loop(self, use: Use, made: Call) -> bool:
        """Whether a lambda gives the coroutine to what runs it: `run(lambda: f())`."""
        facts = use.module.facts
        function = facts.functions[use.number]
        if function.name != "<lambda>" or not any(value is made for value in function.values):
            return False
        self.resolver.table.trace |= use.module.text_bit
        frame = self.resolver.frame(use.module.name, function.outer)
        return any(
            is_driving(self.resolver, site.expr, part, frame)
            for site in facts.functions[facts.scopes[function.outer].owner].sites
            if isinstance(site.expr, Call) and site.scope == function.outer
            for part in site.expr.args
            if isinstance(part, FunctionRef) and part.number == use.number
        )

    def is_driven_aside(self, use: Use) -> bool:
        """Whether a worker thread runs a coroutine made here on a loop that it starts."""
        frame = self.resolver.frame(use.module.name, use.scope)
        return use.call is not None and any(
            is_driving_aside(self.resolver, call, frame) for call in use.around[:1]
        )


def _made_by_itself(home: Module, number: int) -> Iterator[Use]:
    """Methods in which a class makes objects of whatever class it is called on: `cls()`. Who has
    those is not seen."""
    for index, function in enumerate(home.facts.functions):
        first = function.parameters[0].name if function.parameters else ""
        for site in function.sites if function.owner == number else ():
            made = site.expr.func if isinstance(site.expr, Call) else None
            if isinstance(made, Name) and made.id == first:
                yield Use(home, index, None, (), site.scope)


def _is_module(resolver: Resolver, value: Value) -> bool:
    """Whether a value is a module that is looked for at run time: `import_module(name)`."""
    return isinstance(value, Instance) and dotted_name(resolver, value.cls) == "types.ModuleType"
