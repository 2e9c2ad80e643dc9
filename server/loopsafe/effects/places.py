"""Where functions run, and who decides it: the keyword `async`, decorators and registrations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from loopsafe.effects.callers import Callers
from loopsafe.effects.registrations import Found, Registration, registrations
from loopsafe.facts.ir import Function
from loopsafe.knowledge.schema import Runner
from loopsafe.model import Place
from loopsafe.modules.module import Module
from loopsafe.modules.units import Resting
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue

_MOST_CALLERS = 60
"""Functions looked at, upwards, before nothing is said about where one runs."""


class Run(NamedTuple):
    """Where a function runs, as far as known, and why."""

    place: Place | None
    role: str
    """`endpoint`, `dependency`, `callback`, ...; empty where nothing registers the function."""
    reason: str
    """One sentence."""
    once: bool
    """Only at start-up or shutdown."""
    convertible: bool
    """A coroutine function here may become a plain `def`."""
    runner: Runner | None


class Places:
    """Registrations found in the project's modules."""

    def __init__(
        self, resolver: Resolver, project: Callable[[], Iterable[Module]], callers: Callers
    ) -> None:
        self.resolver = resolver
        self.callers = callers
        self._project = project
        self._by_module: dict[str, tuple[Found, int]] = {}
        """By module, with what it rests on, as bits of the module table."""
        self._resting: Resting[str] = Resting()
        self._before: dict[str, Found] = {}
        """Of modules that are to be looked at again."""
        self._found: dict[tuple[str, int], list[Registration]] | None = None
        self._dropped: dict[str, Found] = {}
        """What `_found` has of modules that are to be looked at again."""

    def forget(self, changed: int | None = None) -> None:
        """Drops what rests on any of these bits, or all."""
        names = list(self._by_module) if changed is None else self._resting.take(changed)
        if changed is None:
            self._resting.clear()
        for name in names:
            found, _ = self._by_module.pop(name, ((), 0))
            self._before.setdefault(name, found)
            self._dropped.setdefault(name, found)

    def by_module(self) -> Mapping[str, tuple[Found, int]]:
        """What each module registers, with the bits that it rests on."""
        return self._by_module

    def take_over(self, found: Mapping[str, tuple[Found, int]], changed: int) -> None:
        """Takes over what an earlier run found; what rests on any of these bits is to be looked at
        again."""
        for name, (registered, trace) in found.items():
            if trace & changed:
                self._before[name] = registered
            else:
                self._by_module[name] = registered, trace
                self._resting.note(name, trace)
        self._found = None

    def appeared(self, name: str) -> None:
        """There is a module that was not there, or that is another file's now."""
        self._before.setdefault(name, ())
        self._found = None

    def look_again(self) -> None:
        """There may be more modules."""
        self._found = None

    def refreshed(self) -> int:
        """Looks again at what was dropped; gives the bits of modules whose functions are registered
        otherwise now."""
        if not self._before:
            return 0
        self._registrations()
        changed = 0
        for name, before in self._before.items():
            now = self._by_module[name][0] if name in self._by_module else ()
            if before != now:
                for (module, _), _ in set(before) ^ set(now) or now:
                    changed |= self.resolver.table.bit(("registered", module))
        self._before.clear()
        return changed

    def run(self, module: Module, number: int) -> Run:
        """Where a function of a module runs."""
        function = module.facts.functions[number]
        self.resolver.table.trace |= self.resolver.table.bit(("registered", module.name))
        known = self._registrations().get((module.name, number), [])
        chosen = _weightiest(known, function)
        if chosen is None:
            inherited = self._inherited(module, number)
            if inherited is not None:
                return inherited
            place = Place.LOOP if function.is_async else None
            reason = f"`{function.name}` is an `async def`" if function.is_async else ""
            return Run(place, "", reason, False, False, None)
        runner = chosen.runner
        place = runner.coroutine if function.is_async else runner.sync
        return Run(
            place or (Place.LOOP if function.is_async else None),
            runner.role,
            _reason(function, chosen, place),
            runner.once,
            runner.convertible and function.is_async,
            runner,
        )

    def is_private(self, module: Module, number: int) -> bool:
        """Whether a coroutine only ever runs on loops that worker threads start for themselves.

        Every way to it must be seen, and end at something that is run in a thread.
        """
        todo = [(module, number)]
        seen = {(module.name, number)}
        ends_in_thread = False
        while todo:
            here, index = todo.pop()
            function = here.facts.functions[index]
            run = self.run(here, index)
            is_in_thread = run.place is Place.THREAD
            ends_in_thread |= is_in_thread
            if len(seen) > _MOST_CALLERS or (run.role and not is_in_thread):
                return False
            uses = 0
            for use in self.callers.comings(here, index):
                if use.call is None and is_in_thread:
                    continue
                if function.is_async and self.callers.is_driven_aside(use):
                    ends_in_thread = True
                    uses += 1
                    continue
                user = use.module.facts.functions[use.number]
                is_own = function.is_async and not user.is_async
                is_driven = is_own and self.callers.is_driven(use)
                if not is_driven and (is_own or use.call is None):
                    return False
                uses += 1
                key = (use.module.name, use.number)
                if key not in seen:
                    seen.add(key)
                    todo.append((use.module, use.number))
            if not uses and not is_in_thread:
                return False
        # Functions that only call each other are called by somebody unseen.
        return ends_in_thread

    def _registrations(self) -> dict[tuple[str, int], list[Registration]]:
        table = self.resolver.table
        outer = table.trace
        if self._found is None or any(self._differs(*dropped) for dropped in self._dropped.items()):
            self._found = {}
            for module in self._project():
                for key, registration in self._of(module):
                    known = self._found.setdefault(key, [])
                    if registration not in known:
                        known.append(registration)
        self._dropped.clear()
        table.trace = outer
        return self._found

    def _differs(self, name: str, before: Found) -> bool:
        """Whether a module registers something else than before; most edits change nothing."""
        module = self.resolver.table.get(name)
        return module is None or not module.is_project or self._of(module) != before

    def _of(self, module: Module) -> Found:
        """What a module registers."""
        entry = self._by_module.get(module.name)
        if entry is None:
            table = self.resolver.table
            table.trace = module.bit | module.text_bit
            found = registrations(self.resolver, module)
            entry = self._by_module[module.name] = found, table.trace
            self._resting.note(module.name, table.trace)
        return entry[0]

    def _inherited(self, module: Module, number: int) -> Run | None:
        """A method that a library calls on instances of its subclasses."""
        function = module.facts.functions[number]
        if function.owner < 0:
            return None
        for owner in self.resolver.mro(ClassValue(module.name, function.owner))[1:]:
            known = self.resolver.knowledge(owner)
            if known is None:
                continue
            is_once = function.is_async and function.name in known.once
            plain = Place.LOOP if is_once else known.override(function.name)
            if plain is None:
                continue
            place = Place.LOOP if function.is_async else plain
            reason = f"`{known.name}` calls `{function.name}` {_WHERE[place]}"
            return Run(place, "handler", reason, is_once, False, None)
        return None


_WHERE = {
    Place.LOOP: "on the event loop",
    Place.THREAD: "in a worker thread",
    Place.IMPORT: "at import",
}


def _weightiest(known: list[Registration], function: Function) -> Registration | None:
    """The registration that decides: one that runs it on the loop, else one with a known place."""

    def weight(registration: Registration) -> int:
        runner = registration.runner
        place = runner.coroutine if function.is_async else runner.sync
        return 0 if place is Place.LOOP else 1 if place is not None else 2

    return min(known, key=weight, default=None)


def _reason(function: Function, registration: Registration, place: Place | None) -> str:
    runner = registration.runner
    who = runner.library or f"`{registration.call}()`"
    kind = "`async def`" if function.is_async else "`def`"
    if place is None:
        return f"`{function.name}` is an `async def`" if function.is_async else ""
    return f"{who} runs this {kind} {runner.role} {_WHERE[place]}"
