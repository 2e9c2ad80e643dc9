"""Coroutines that run once in the life of a program that goes on: tasks that start with it, and
those that end it.

They do hold up whoever is served by then, but once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from loopsafe.effects.alone import TERMINAL
from loopsafe.effects.chains import Chains, Step
from loopsafe.effects.ending import ends_behind
from loopsafe.effects.meetings import function_of
from loopsafe.effects.mentions import Use
from loopsafe.effects.places import Places
from loopsafe.effects.serving import serves_after
from loopsafe.effects.tasks import outermost_loop
from loopsafe.facts.ir import Attr, Call, Display, Element, Expr, Function, Item, Scope
from loopsafe.modules.marks import is_of_tests
from loopsafe.modules.module import Module
from loopsafe.resolve.calls import decorated
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, FunctionValue, ManagerFactory

_MOST = 30
"""Functions looked at, upwards, before nothing is said."""
_PARTS = frozenset({"items", "keys", "values"})
_IDLE = frozenset({"builtins", "abc", "typing"})
"""Modules whose classes call no method of a class below them."""
_ENTRY = "main"
"""What a function is called that nobody calls, as the start of a program."""


def runs_once(
    places: Places, chains: Chains, module: Module, number: int, steps: Sequence[Step]
) -> bool:
    """Whether a chain that begins in a coroutine is gone through once in the life of a program that
    goes on: every way to it is seen, begins at its start or its end, and is in no loop that may go
    on for good; or the program ends behind it."""
    if not module.facts.functions[number].is_async:
        return False
    if any(_is_in_loop(chains.resolver, step) for step in steps):
        return False
    if ends_behind(chains.resolver, steps[0]):
        return True
    search = _Search(places, chains, set(), [])
    # What is asked last looks through all that is called.
    if not search.is_once(module, number) or search.lasts(module, number):
        return False  # What it does itself may keep those waiting whom it lets in.
    return any(found is None or search.lasts(*found) for found in search.passed)


class _Search(NamedTuple):
    """Goes upwards from a function to where programs begin."""

    places: Places
    chains: Chains
    seen: set[tuple[str, int]]
    passed: list[tuple[Module, int] | None]
    """What is come to, and may begin what lasts; None for what is known to."""

    def is_once(self, module: Module, number: int) -> bool:
        """Whether a function runs once."""
        key = (module.name, number)
        if key in self.seen:
            return True  # It calls itself, which is told by how that is done elsewhere.
        self.seen.add(key)
        if len(self.seen) > _MOST:
            return False
        self.passed.append((module, number))
        if number == 0:
            return True
        function, run = module.facts.functions[number], self.places.run(module, number)
        if run.once:
            self.passed.append(None)
            return True
        is_other = run.role or function.decorators or function.is_generator
        if is_other and not _is_entered_whole(self.places.resolver, module, number):
            return run.role == TERMINAL
        if not _is_seen_whole(self.places.resolver, module, function):
            return False
        uses = [use for use in self.places.callers.comings(module, number) if _says(use, module)]
        if not uses:
            return function.name == _ENTRY and function.owner < 0
        return all(self._is_once_used(use, key) for use in uses)

    def _is_once_used(self, use: Use, key: tuple[str, int]) -> bool:
        if use.call is None or (use.module.name, use.number) == key:
            return False
        self.places.resolver.table.trace |= use.module.text_bit
        user = use.module.facts.functions[use.number]
        at = next((n for n, site in enumerate(user.sites) if site.expr is use.call), -1)
        if at < 0 or _is_without_end(use.module, user, at):
            return False
        if not self.is_once(use.module, use.number):
            return False
        is_late = self.lasts(use.module, use.number)
        is_late = is_late and not self.lasts(use.module, use.number, at - 1)
        # Others are served already then, unless a loop of its own starts for it.
        return not is_late or self.places.callers.is_driven(use)

    def lasts(self, module: Module, number: int, behind: int = -1) -> bool:
        """Whether a function begins to serve, or runs its loop for good, behind a site."""
        frame = self.chains.resolver.function_frame(FunctionValue(module.name, number))
        return frame is not None and serves_after(self.chains, frame, behind)


def _is_in_loop(resolver: Resolver, step: Step) -> bool:
    module = resolver.table.get(step.frame.module)
    function = function_of(resolver, step.frame)
    if module is None or function is None or step.edge.site not in function.sites:
        return True
    resolver.table.trace |= module.text_bit
    return _is_repeated(module, function, function.sites.index(step.edge.site))


def _is_repeated(module: Module, function: Function, number: int) -> bool:
    """Whether a site may be come to again and again while the function runs once."""
    site = function.sites[number]
    if site.scope != function.scope:
        return True
    return bool(outermost_loop(module.facts.scopes[site.scope], function, number))


def _is_without_end(module: Module, function: Function, number: int) -> bool:
    """Whether that may go on for good: it does not where a loop goes through what is there."""
    site = function.sites[number]
    if site.scope != function.scope:
        return True
    scope, block = module.facts.scopes[site.scope], site.block
    while block > 0:
        if scope.blocks[block].kind == "loop" and not _goes_through(scope, block):
            return True
        block = scope.blocks[block].parent
    return False


def _goes_through(scope: Scope, loop: int) -> bool:
    """Whether a loop is over the parts of a table, or of what is written there."""
    for binding in (b for named in scope.bindings.values() for b in named if b.block == loop):
        value = binding.value
        while isinstance(value, Item):
            value = value.value
        if isinstance(value, Element) and not value.is_async:
            return isinstance(value.value, Display) or _is_table(value.value)
    return False


def _is_table(parts: Expr) -> bool:
    """Whether these are the parts of a table: `needs.items()`."""
    func = parts.func if isinstance(parts, Call) and not parts.args else None
    return isinstance(func, Attr) and func.name in _PARTS


def _is_seen_whole(resolver: Resolver, module: Module, function: Function) -> bool:
    """Whether no library may call a function as a method of its own class."""
    if function.owner < 0:
        return True
    for base in resolver.mro(ClassValue(module.name, function.owner)):
        home = resolver.table.get(base.module) if isinstance(base, ClassValue) else None
        if home is None or not (home.is_project or home.name in _IDLE):
            return False
    return True


def _is_entered_whole(resolver: Resolver, module: Module, number: int) -> bool:
    """Whether a function is a generator that is a context manager: it runs once for each call."""
    made = decorated(resolver, FunctionValue(module.name, number))
    return bool(made) and all(isinstance(value, ManagerFactory) for value in made)


def _says(use: Use, module: Module) -> bool:
    """Whether a use says anything of how often a function runs: tests try what is none of them."""
    return is_of_tests(module.path) or not is_of_tests(use.module.path)
