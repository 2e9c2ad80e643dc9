"""The resolver: answers what an expression may be, and remembers its answers by module.

An answer that was cut short by a cycle is kept only until the cycle's head is known, so the order
of questions does not change answers.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from loopsafe.facts.ir import Binding, Const, Expr
from loopsafe.facts.kept import Kept
from loopsafe.knowledge.catalogue import Catalogue
from loopsafe.knowledge.schema import ClassKnowledge, Result
from loopsafe.modules.module import Module
from loopsafe.modules.table import ModuleTable
from loopsafe.resolve import bases, calls, expressions, makers, members, protocols, types
from loopsafe.resolve.handed import Handed
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
    without_none,
)

T = TypeVar("T")

_DEEPEST = 120
"""Questions nested deeper than this are answered with "unknown"."""

_NEVER = 1 << 30

_ABOUT_PARTS = frozenset({"type", "bound", "holds", "variable"})
"""Questions about an expression or a binding, by its `id`."""

_ABOUT_SITES = frozenset({"edges", "library", "meetings"})
"""Questions about what the sites of a frame's function lead to: answers with a `site` each."""

_ABOUT_INTERFACES = frozenset(
    {"attribute", "decorated", "during", "exported", "member", "mro", "result"}
)
"""Questions about what others can see of a module."""


class _Shelf:
    """The answers about one module."""

    __slots__ = ("answers", "bit", "traces")

    def __init__(self, bit: int) -> None:
        self.bit = bit
        self.answers: dict[Hashable, object] = {}
        self.traces: dict[Hashable, int] = {}
        """What answers rest on, where it is more than the module's own interface."""


class Resolver:
    """Lazy, memoised resolution over a module table."""

    def __init__(self, table: ModuleTable, catalogue: Catalogue) -> None:
        self.table = table
        self.catalogue = catalogue
        self.outside = Outside()
        self.handed = Handed(catalogue.passing_words)
        self.hints: dict[tuple[str, str | int], Values] = {}
        """Extra values for what nothing here settles, by module and name or expression's `id`."""
        self._frames: dict[str, dict[Hashable, Frame]] = {}
        self._shelves: dict[str, _Shelf] = {}
        self._traces: dict[int, int] = {}
        self._rested = 0
        """All bits that an answer has ever rested on."""
        self._names: dict[ClassValue | External, tuple[ClassKnowledge | None, int]] = {}
        self._active: dict[Hashable, int] = {}
        self._provisional: list[tuple[_Shelf, Hashable]] = []
        self._lowest = _NEVER

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
            ("exported", name), module.key, lambda: members.exported(self, module, name)
        )
        # While the export is looked for, the thing goes by its own name.
        return found or f"{module.dotted}.{name}"

    def kept(self, cls: ClassValue, owner: ClassValue, stored: tuple[Binding, ...]) -> Values:
        """What objects that packages make hold in an attribute that their constructor stores."""
        return makers.kept(self, cls, owner, stored)

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
        return members.named(self, dotted)

    def instance_of(self, dotted: str) -> Values:
        """An object of the class with this absolute dotted name."""
        return tuple(as_instance(value) for value in self.named(dotted))

    def given_by(self, result: Result) -> Values:
        """What a call gives of which the catalogue tells the class, or those of a tuple's items."""
        if isinstance(result, str):
            return self.instance_of(result)
        return (TupleValue(tuple(self.instance_of(item) if item else () for item in result)),)

    def builtin(self, name: str, *arguments: Values) -> Values:
        """An object of a builtin class."""
        return tuple(
            Instance(value._replace(arguments=arguments))
            for value in self.named(f"builtins.{name}")
            if isinstance(value, ClassValue)
        )

    def unresolved(self, module: str, name: str) -> Values:
        """Extra values for a module's name that its source does not settle."""
        return self.hints.get((module, name), ())

    def known(self, values: Values) -> Values:
        """Values without None: what a program that goes on may hold."""
        return without_none(values)

    def tells(self, declared: Values) -> bool:
        """Whether what an annotation says is more than the name of a class nobody knows."""
        return any(
            not isinstance(value, ExternalInstance) or self.catalogue.klass(value.name) is not None
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
        outer = function.outer
        return self.frame(function.module, scope, function.receiver, arguments, outer)

    def module(self, name: str) -> Module | None:
        return self.table.get(name)

    # Memory

    def remember(self, key: Hashable, module: str, compute: Callable[[], T]) -> T:
        """The answer to a question about a module; an empty one while it is being asked."""
        shelf = self._shelves.get(module)
        if shelf is None:
            shelf = self._shelf(module)
        if key in shelf.answers:
            self.table.trace |= shelf.traces.get(key, shelf.bit)
            return shelf.answers[key]  # type: ignore[return-value]
        if key in self._active:
            self._lowest = min(self._lowest, self._active[key])
            return ()  # type: ignore[return-value]
        depth = len(self._active)
        if depth > _DEEPEST:
            self._lowest = 0
            return ()  # type: ignore[return-value]
        return self._compute(key, shelf, compute, depth)

    def settled(self, question: Callable[[], T]) -> tuple[T, int, bool]:
        """An answer, what it rests on as bits of the module table, and whether it is final.

        One that was cut short by a question around it is not.
        """
        table = self.table
        outer_trace, table.trace = table.trace, 0
        outer_lowest, self._lowest = self._lowest, _NEVER
        try:
            answer = question()
        finally:
            trace, lowest = table.trace, self._lowest
            table.trace |= outer_trace
            self._lowest = min(outer_lowest, lowest)
        return answer, trace, lowest == _NEVER

    def _compute(self, key: Hashable, shelf: _Shelf, compute: Callable[[], T], depth: int) -> T:
        table = self.table
        self._active[key] = depth
        outer_trace, table.trace = table.trace, shelf.bit
        outer_lowest, self._lowest = self._lowest, _NEVER
        mark = len(self._provisional)
        try:
            result = compute()
        finally:
            del self._active[key]
            lowest, self._lowest = self._lowest, outer_lowest
            trace = table.trace
            table.trace |= outer_trace
        if lowest < depth:
            self._provisional.append((shelf, key))
            self._lowest = min(self._lowest, lowest)
        else:
            for other, stale in self._provisional[mark:]:
                other.answers.pop(stale, None)
                other.traces.pop(stale, None)
            del self._provisional[mark:]
        shelf.answers[key] = result
        if trace != shelf.bit:
            # Most answers rest on the same few modules as many others.
            known = self._traces.get(trace)
            if known is None:
                known = self._traces[trace] = trace
                self._rested |= trace
            shelf.traces[key] = known
        return result

    def _shelf(self, module: str) -> _Shelf:
        entry = self.table.get(module)
        shelf = self._shelves[module] = _Shelf(entry.bit if entry is not None else 0)
        return shelf

    def renew(self, module: str, kept: Kept) -> None:
        """Only insides of a module's functions changed: drops the answers about their parts.

        Those about parts that are the same are answers about their twins from now on, and what
        others know of the module still holds.
        """
        shelf = self._shelves.pop(module, None)
        if shelf is None:
            return
        renewed = self._shelves[module] = _Shelf(shelf.bit)
        answers, traces, traced = renewed.answers, renewed.traces, shelf.traces
        for key, answer in shelf.answers.items():
            found = self._renewed(key, answer, kept)
            if found is not None:
                name = found[0]
                answers[name] = found[1]
                if key in traced:
                    traces[name] = traced[key]

    def _renewed(self, key: Hashable, answer: object, kept: Kept) -> tuple[Hashable, object] | None:
        """A question and its answer after an edit; None where they are to be found again."""
        assert isinstance(key, tuple)
        first, about = key[0], key[1]
        if type(first) is int:
            twin = kept.twin(first)
            if twin == first:
                return key, answer
            return ((twin, about), answer) if twin is not None else None
        if first in _ABOUT_PARTS:
            twin = kept.twin(about)
            return ((first, twin, *key[2:]), answer) if twin is not None else None
        if first == "registers":
            return (key, answer) if about in kept.functions else None
        if first in _ABOUT_SITES:
            found = self._renewed_sites(about, answer, kept)
            return (key, found) if found is not None else None
        is_gone = (
            about.number in kept.difference.functions
            if isinstance(about, FunctionValue)
            else key[-1] in kept.difference.names
        )
        return (key, answer) if first in _ABOUT_INTERFACES and not is_gone else None

    def _renewed_sites(self, frame: Frame, answer: object, kept: Kept) -> object | None:
        """What is known of the sites of a function, of their twins."""
        module = self.table.get(frame.module)
        scopes = module.facts.scopes if module is not None else ()
        if frame.scope >= len(scopes) or max(scopes[frame.scope].owner, 0) not in kept.functions:
            return None
        assert isinstance(answer, tuple)
        sites = [kept.same(item.site) for item in answer]
        return tuple(
            item if site is item.site else item._replace(site=site)
            for site, item in zip(sites, answer, strict=True)
        )

    def forget(self, modules: Iterable[str], changed: int) -> None:
        """Drops the answers about these modules, and those that rest on any of these bits."""
        for name in modules:
            self._shelves.pop(name, None)
            self._frames.pop(name, None)
        changed &= self._rested
        gone = {trace for trace in self._traces if trace & changed} if changed else ()
        for shelf in self._shelves.values() if gone else ():
            for key in [key for key, trace in shelf.traces.items() if trace in gone]:
                del shelf.answers[key], shelf.traces[key]
        for trace in gone:
            del self._traces[trace]
        self._names.clear()

    def forget_kind(self, kind: str) -> None:
        """Drops one kind of answer about all modules."""
        for shelf in self._shelves.values():
            for key in [k for k in shelf.answers if isinstance(k, tuple) and k[0] == kind]:
                del shelf.answers[key]
                shelf.traces.pop(key, None)

    def forget_places(self) -> None:
        """Drops what is known of where the project's modules do something: a text changed."""
        self.outside.forget()
        self.handed.forget()

    def forget_all(self) -> None:
        """Drops every answer."""
        self._shelves.clear()
        self._frames.clear()
        self._traces.clear()
        self._names.clear()

    def knowledge(self, cls: ClassValue | External) -> ClassKnowledge | None:
        """What the catalogue knows of a class itself, its bases not asked."""
        known = self._names.get(cls)
        if known is None:
            outer, self.table.trace = self.table.trace, 0
            name = members.dotted_name(self, cls)
            known = (self.catalogue.klass(name) if name else None, self.table.trace)
            self._names[cls] = known
            self.table.trace = outer
        self.table.trace |= known[1]
        return known[0]

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
