"""What must follow when a function becomes a coroutine function: other functions, and calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath

from loopsafe.effects.places import Places
from loopsafe.effects.uses import AllUses, Use
from loopsafe.facts.ir import Call
from loopsafe.fixes.data import table
from loopsafe.model import Place, Span
from loopsafe.modules.marks import is_test_file
from loopsafe.modules.module import Module
from loopsafe.resolve.names import qualified
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, is_same_class

_MOST_FUNCTIONS = 30
_MOST_FILES = 60
_HARMLESS = frozenset({"object", "Generic", "Protocol", "ABC"})
"""Bases without methods that a project's method could override."""


class Refused(Exception):
    """Why it cannot be done, for the user."""


@dataclass(slots=True)
class Conversion:
    """Places by path; spans are those of the names after `def`, and of the callees of calls."""

    functions: dict[str, list[Span]] = field(default_factory=dict)
    awaited: dict[str, list[Span]] = field(default_factory=dict)
    """Calls in coroutine functions, or in functions that become ones."""
    run: dict[str, list[Span]] = field(default_factory=dict)
    """Calls in plain tests, where `asyncio.run` takes the place of `await`."""

    @property
    def calls(self) -> int:
        return sum(len(spans) for by_path in (self.awaited, self.run) for spans in by_path.values())

    @property
    def paths(self) -> list[str]:
        return list(dict.fromkeys((*self.functions, *self.awaited, *self.run)))


class Converter:
    """Follows calls upwards until coroutine functions and tests are reached."""

    def __init__(self, resolver: Resolver, places: Places, callers: AllUses, root: str) -> None:
        self._resolver = resolver
        self._places = places
        self._callers = callers
        self._root = root

    def conversion(self, module: Module, number: int, project: Iterable[Module]) -> Conversion:
        """All that must change with a function. Raises Refused."""
        found = Conversion()
        modules = tuple(project)
        waiting, seen = [(module, number)], {(module.name, number)}
        while waiting:
            where, index = waiting.pop()
            self._check(where, index, modules)
            span = where.facts.functions[index].span
            found.functions.setdefault(where.path, []).append(span)
            name = where.facts.functions[index].name
            files = self._callers.spread(name)
            if files > _MOST_FILES:
                raise Refused(f"`{name}` stands in {files} files, too many to look at each use")
            for use in self._callers.uses(where, index):
                caller = self._caller(name, use)
                if caller is None:
                    found.run.setdefault(use.module.path, []).append(use.span)
                    continue
                found.awaited.setdefault(use.module.path, []).append(use.span)
                if caller >= 0 and (use.module.name, caller) not in seen:
                    seen.add((use.module.name, caller))
                    waiting.append((use.module, caller))
            if len(seen) > _MOST_FUNCTIONS:
                raise Refused(f"more than {_MOST_FUNCTIONS} functions would have to follow")
        return found

    def _caller(self, name: str, use: Use) -> int | None:
        """The plain function that must follow; -1 for a coroutine function, None for a test."""
        place = self._place(use.module, use.span)
        if use.kind == "value":
            raise Refused(f"`{name}` is handed on, or named in a text, in {place}")
        if use.kind == "unknown":
            raise Refused(f"what `{name}` is in {place} is not known")
        caller = use.module.facts.functions[use.caller]
        if use.caller == 0:
            raise Refused(f"`{name}` is called while its module is imported, in {place}")
        if caller.name == "<lambda>":
            raise Refused(f"a lambda calls `{name}`, in {place}")
        if caller.is_async:
            return -1
        if caller.name.startswith("test") and is_test_file(use.module.path):
            return None
        return use.caller

    def _check(self, module: Module, number: int, project: Iterable[Module]) -> None:
        """Whether a plain function may become a coroutine function."""
        function = module.facts.functions[number]
        where = f"`{function.name}` in {self._place(module, function.span)}"
        if function.is_generator:
            raise Refused(f"{where} is a generator")
        if function.name.startswith("__") and function.name.endswith("__"):
            raise Refused(f"Python itself calls {where}")
        if not all(
            name in table("everywhere")["keeping"] for name in self._decorators(module, number)
        ):
            raise Refused(f"{where} has a decorator")
        run = self._places.run(module, number)
        if run.runner is not None or run.role:
            how = {Place.THREAD: " in a worker thread", Place.LOOP: " on the loop as it is"}
            raise Refused(f"a framework runs {where}{how.get(run.place or Place.IMPORT, '')}")
        if function.owner >= 0:
            self._check_family(module, number, project, where)

    def _decorators(self, module: Module, number: int) -> Iterator[str]:
        """The full names of a function's decorators, also of those that are made by a call."""
        function = module.facts.functions[number]
        frame = self._resolver.frame(module.name, function.outer)
        for expr in function.decorators:
            made = expr.func if isinstance(expr, Call) else expr
            yield (qualified(self._resolver, made, frame) or "").removeprefix("builtins.")

    def _check_family(
        self, module: Module, number: int, project: Iterable[Module], where: str
    ) -> None:
        """Methods of one name in related classes would all have to follow."""
        function = module.facts.functions[number]
        own = ClassValue(module.name, function.owner)
        for base in self._resolver.mro(own)[1:]:
            if not isinstance(base, ClassValue):
                if base.name.rpartition(".")[2] in _HARMLESS:
                    continue
                raise Refused(f"{where} may override a method of a library")
            other = self._resolver.table.get(base.module)
            if other is not None and _has_method(other, base.number, function.name):
                raise Refused(f"{where} overrides another method")
        for other in project:
            if function.name not in {f.name for f in other.facts.functions if f.owner >= 0}:
                continue
            for index in range(len(other.facts.classes)):
                cls = ClassValue(other.name, index)
                if is_same_class(cls, own) or not _has_method(other, index, function.name):
                    continue
                if any(is_same_class(base, own) for base in self._resolver.mro(cls)):
                    raise Refused(f"{where} is overridden in {self.shown(other.path)}")

    def shown(self, path: str) -> str:
        """A file name from the root of the project on."""
        full = PurePath(path)
        inside = full.is_relative_to(self._root)
        return (full.relative_to(self._root) if inside else full).as_posix()

    def _place(self, module: Module, span: Span) -> str:
        return f"{self.shown(module.path)}:{span.line}"


def _has_method(module: Module, cls: int, name: str) -> bool:
    return any(f.owner == cls and f.name == name for f in module.facts.functions)
