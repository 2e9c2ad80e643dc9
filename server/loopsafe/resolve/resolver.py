"""The resolver: answers what an expression may be, and remembers its answers."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable

from loopsafe.facts.ir import Binding, Const, Expr
from loopsafe.knowledge.catalogue import Catalogue
from loopsafe.knowledge.schema import ClassKnowledge, Result
from loopsafe.modules.module import Module
from loopsafe.modules.table import ModuleTable
from loopsafe.resolve import (
    bases,
    calls,
    enumerations,
    expressions,
    makers,
    members,
    metaclasses,
    naming,
    protocols,
    types,
)
from loopsafe.resolve.callbacks import is_promise, only_to_call
from loopsafe.resolve.giving import Giving
from loopsafe.resolve.handed import Handed
from loopsafe.resolve.memory import Memory
from loopsafe.resolve.outside import Outside
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    External,
    ExternalInstance,
    Frame,
    FunctionValue,
    Instance,
    TupleValue,
    Value,
    Values,
    as_instance,
    is_same_class,
    without_none,
)
from loopsafe.resolve.yielding import Yielding


class Resolver(Memory):
    """Lazy, memoised resolution over a module table."""

    def __init__(self, table: ModuleTable, catalogue: Catalogue) -> None:
        super().__init__(table)
        self.catalogue = catalogue
        self.outside = Outside()
        self.handed = Handed(catalogue.words.passing)
        self.giving = Giving(catalogue.words.putting, catalogue.words.giving)
        self.yielding = Yielding(catalogue)
        self.hints: dict[tuple[str, str | int], Values] = {}
        """Extra values for what nothing here settles, by module and name or expression's `id`."""
        self._frames: dict[str, dict[Hashable, Frame]] = {}
        self._names: dict[ClassValue | External, tuple[ClassKnowledge | None, int]] = {}

    # Questions

    def values(self, expr: Expr, frame: Frame) -> Values:
        """What an expression may be."""
        if type(expr) is Const:
            return (ConstantValue(expr.value),)  # Sooner made than remembered.
        return self.remember((id(expr), frame), frame.module, lambda: self._values(expr, frame))

    def instances(self, annotation: Expr, frame: Frame) -> Values:
        """What a value annotated so may be."""
        return self.remember(
            ("type", id(annotation), frame),
            frame.module,
            lambda: types.instances(self, annotation, frame),
        )

    def told(self, expr: Expr, frame: Frame) -> Values:
        """What an expression may be, also by what calls give to a function's own parameter.

        These are asked where its annotation says at most that it is to be called.
        """
        values = self.values(expr, frame)
        if self.known(values) and not only_to_call(self, values):
            return values
        return self.handed.stored(self, expr, frame.module, frame.scope) or values

    def bound(self, binding: Binding, frame: Frame) -> Values:
        """What a binding gives its name."""
        return self.remember(
            ("bound", id(binding), frame),
            frame.module,
            lambda: expressions.bound(self, binding, frame),
        )

    def attribute(self, value: Value, name: str) -> Values:
        """What `value.name` may be."""
        return members.attribute(self, value, name)

    def read(self, values: Values, name: str, frame: Frame) -> Values:
        """What reading an attribute in some code gives, also where only other places tell."""
        return expressions.read(self, values, name, frame)

    def mro(self, cls: ClassValue) -> tuple[ClassValue | External, ...]:
        """The class and its bases in the order of lookup."""
        return self.remember(("mro", cls), cls.module, lambda: bases.linearise(self, cls))

    def source(self, cls: ClassValue) -> ClassValue | None:
        """The class that a stub's class describes; the class itself where it is no stub's."""
        found = self.remember(("source", cls), cls.module, lambda: (bases.class_source(self, cls),))
        return found[0] if found else None  # Empty while it is being asked.

    def function_result(
        self, function: FunctionValue, arguments: tuple[tuple[int, Values], ...]
    ) -> Values:
        """What calling a function gives."""
        return self.remember(
            ("result", function, arguments),
            function.module,
            lambda: calls.function_result(self, function, arguments),
        )

    def decorated(self, function: FunctionValue) -> Values:
        """What a function's name stands for after its decorators."""
        return self.remember(
            ("decorated", function),
            function.module,
            lambda: calls.decorated(self, function),
        )

    def exported(self, module: Module, name: str) -> str:
        """The dotted name by which the catalogue knows what a library defines in a module."""
        found = self.remember(
            ("exported", name), module.key, lambda: naming.exported(self, module, name)
        )
        # While the export is looked for, the thing goes by its own name.
        return found or f"{module.dotted}.{name}"

    def kept(self, cls: ClassValue, owner: ClassValue, stored: tuple[Binding, ...]) -> Values:
        """What objects that packages make hold in an attribute that their constructor stores."""
        return makers.kept(self, cls, owner, stored)

    def listed(self, cls: ClassValue, binding: Binding, frame: Frame) -> Values:
        """A member of an enumeration, by what it is written as."""
        return enumerations.listed(self, cls, binding, frame)

    def of_any(self, cls: ClassValue, name: str) -> Values:
        """What any of an enumeration's members has under a name."""
        return enumerations.of_any(self, cls, name)

    def of_metaclass(self, cls: ClassValue, name: str) -> Values:
        """What a class has of its metaclass."""
        return metaclasses.of_metaclass(self, cls, name)

    def called(self, value: Value) -> Values:
        """What calling a value gives, whatever the arguments."""
        return calls.call_value(self, value, None, None)

    def awaited(self, values: Values) -> Values:
        """What awaiting gives."""
        return protocols.awaited(self, values)

    def elements(self, values: Values, is_async: bool = False) -> Values:
        """What iterating gives."""
        return protocols.elements(self, values, is_async)

    def entered(self, values: Values, is_async: bool) -> Values:
        """What `with value as target` gives the target."""
        return protocols.entered(self, values, is_async)

    def named(self, dotted: str) -> Values:
        """What an absolute dotted name stands for."""
        return naming.named(self, dotted)

    def instance_of(self, dotted: str) -> Values:
        """An object of the class with this absolute dotted name."""
        return tuple(as_instance(value) for value in self.named(dotted))

    def given_by(self, result: Result, receiver: ClassValue | None = None) -> Values:
        """What a call gives of which the catalogue tells the class, or those of a tuple's items."""
        if not isinstance(result, str):
            return (TupleValue(tuple(self.given_by(item) if item else () for item in result)),)
        if result == "Self" and receiver is not None:
            return (Instance(receiver),)
        name, _, held = result.removesuffix("]").partition("[")
        name = name if "." in name else f"builtins.{name}"
        if held:
            return self._generic(name, *(self.given_by(part) for part in held.split(", ")))
        return self.instance_of(name)

    def builtin(self, name: str, *arguments: Values) -> Values:
        """An object of a builtin class."""
        return self._generic(f"builtins.{name}", *arguments)

    def _generic(self, name: str, *arguments: Values) -> Values:
        return tuple(
            Instance(value._replace(arguments=arguments))
            for value in self.named(name)
            if isinstance(value, ClassValue)
        )

    def unresolved(self, module: str, name: str) -> Values:
        """Extra values for a module's name that its source does not settle."""
        return self.hints.get((module, name), ())

    def known(self, values: Values) -> Values:
        """Values without None: what a program that goes on may hold."""
        return without_none(values)

    def real(self, values: Values) -> Values:
        """Values without None and without what stands for anything in tests, unless that is all."""
        kept = without_none(values)
        if len(kept) < 2:
            return kept
        return tuple(value for value in kept if not self._is_stand_in(value)) or kept

    def tells(self, declared: Values) -> bool:
        """Whether what an annotation says is more than the name of a class nobody knows, what a
        call of something gives, or what is left to others to do."""
        return not only_to_call(self, declared) and any(
            self.catalogue.klass(value.name) is not None
            if isinstance(value, ExternalInstance)
            else not is_promise(self, value)
            for value in without_none(declared)
        )

    # Frames

    def frame(
        self,
        module: str,
        scope: int,
        receiver: ClassValue | None = None,
        arguments: tuple[tuple[int, Values], ...] = (),
        outer: Frame | None = None,
    ) -> Frame:
        """The one frame of these properties."""
        frames = self._frames.get(module)
        if frames is None:
            frames = self._frames[module] = {}
        key = (scope, receiver, arguments, outer)
        found = frames.get(key)
        if found is None:
            if receiver is None:
                receiver = self._own_class(module, scope)
            found = frames[key] = Frame(module, scope, receiver, arguments, outer)
        return found

    def function_frame(
        self, function: FunctionValue, arguments: tuple[tuple[int, Values], ...] = ()
    ) -> Frame | None:
        """The frame of a function's body; None where its module is gone."""
        module = self.table.get(function.module)
        if module is None or function.number >= len(module.facts.functions):
            return None
        scope = module.facts.functions[function.number].scope
        receiver = function.receiver
        if receiver is not None and not function.bound:
            receiver = self._handed(receiver, dict(arguments).get(0, ()))
        return self.frame(function.module, scope, receiver, arguments, function.outer)

    def _handed(self, receiver: ClassValue, values: Values) -> ClassValue:
        """The class of what a method runs on that is called by its class: `Base.load(self)`."""
        given = values[0] if len(values) == 1 else None
        if not isinstance(given, Instance):
            return receiver
        bases = self.mro(given.cls)
        return given.cls if any(is_same_class(base, receiver) for base in bases) else receiver

    def module(self, name: str) -> Module | None:
        return self.table.get(name)

    # Memory

    def forget(self, modules: Iterable[str], changed: int) -> None:
        """Drops the answers about these modules, and those that rest on any of these bits."""
        modules = tuple(modules)
        super().forget(modules, changed)
        for name in modules:
            self._frames.pop(name, None)
        self._names.clear()

    def forget_places(self, changed: Collection[str] | None = None) -> None:
        """Drops what is known of where the project's modules do something: the texts of these
        changed, or where none are told, there are other modules."""
        self.outside.forget(changed)
        self.handed.forget(changed)
        self.giving.forget(changed)
        self.yielding.forget(changed)

    def forget_all(self) -> None:
        """Drops every answer."""
        super().forget_all()
        self._frames.clear()
        self._names.clear()

    def knowledge(self, cls: ClassValue | External) -> ClassKnowledge | None:
        """What the catalogue knows of a class itself, its bases not asked."""
        known = self._names.get(cls)
        if known is None:
            outer, self.table.trace = self.table.trace, 0
            name = naming.dotted_name(self, cls)
            known = (self.catalogue.klass(name) if name else None, self.table.trace)
            self._names[cls] = known
            self.table.trace = outer
        self.table.trace |= known[1]
        return known[0]

    def _is_stand_in(self, value: Value) -> bool:
        if isinstance(value, Instance):
            known = self.knowledge(value.cls)
        elif isinstance(value, ExternalInstance):
            known = self.catalogue.klass(value.name)
        else:
            return False
        return known is not None and known.stand_in

    def _values(self, expr: Expr, frame: Frame) -> Values:
        found = expressions.evaluate(self, expr, frame)
        if self.hints and not without_none(found):
            return self.hints.get((frame.module, id(expr)), found)
        return found

    def _own_class(self, module: str, scope: int) -> ClassValue | None:
        entry = self.table.get(module)
        if entry is None or scope >= len(entry.facts.scopes):
            return None
        found = entry.facts.scopes[scope]
        if found.kind != "function":
            return ClassValue(module, found.owner) if found.kind == "class" else None
        owner = entry.facts.functions[found.owner].owner
        return ClassValue(module, owner) if owner >= 0 else None
