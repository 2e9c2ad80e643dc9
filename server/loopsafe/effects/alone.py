"""Coroutines that are the only task of their event loop: a command of the terminal, or a test.

What they block stalls nobody but themselves. So it is before they start other tasks, behind the
end of these, and with what only start-up and shutdown wait for.
"""

from __future__ import annotations

from typing import NamedTuple

from loopsafe.effects.callers import ENTERING
from loopsafe.effects.chains import Chains
from loopsafe.effects.drivers import is_driven_by_decorator
from loopsafe.effects.mentions import Use
from loopsafe.effects.places import Places
from loopsafe.effects.serving import serves_after
from loopsafe.effects.tasks import quiet, waited_for
from loopsafe.modules.marks import is_of_tests, is_test_file
from loopsafe.modules.module import Module
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, FunctionValue

TERMINAL = "terminal command"
"""The role of what runs on a loop that is started for it."""
_FIXTURE = "fixture"
"""The role of what prepares a test: its runner waits for it, as for the test."""
_ROLES = frozenset({"", TERMINAL, _FIXTURE})
"""Of what begins on a loop of its own, if anybody says so: others are served there."""
_RUN_HERE = frozenset({"aiterate", "aenter"})
"""Kinds of sites at which a coroutine waits for what they are written over."""
_MOST_CALLERS = 60
"""Looked at before nothing is said."""


class Way(NamedTuple):
    """A site at which a coroutine waits for another one."""

    to: tuple[str, int]
    """The module and number of the function that is waited for."""
    user: Module
    number: int
    at: int

    @property
    def key(self) -> tuple[str, int]:
        """The module and number of the function that waits."""
        return self.user.name, self.number


class Ways(NamedTuple):
    """How a coroutine is come to from loops that are started for it."""

    ways: tuple[Way, ...]
    begun: frozenset[tuple[str, int]]
    """Functions that a loop is started for, or that a test waits for."""
    prepared: frozenset[tuple[str, int]]
    """Functions that what a server does at its start or its end waits for."""


def is_alone(places: Places, chains: Chains, module: Module, number: int) -> bool:
    """Whether nothing else may run on its loop where a coroutine begins: every way to it begins
    with a loop that is started for it, or at start-up, and has no task running when it comes, or
    nothing that is served."""
    if places.run(module, number).role not in _ROLES:
        return False
    found = _ways_to(places, module, number)
    if found is None:
        return False
    before: dict[tuple[str, int], bool] = {}
    return all(
        _is_quiet(chains, way) or _comes_before(chains, found, way.key, before)
        for way in found.ways
    )


def is_start_up(places: Places, chains: Chains, module: Module, number: int) -> bool:
    """Whether every way to a coroutine comes by what runs before the program serves anybody."""
    found = _ways_to(places, module, number)
    return found is not None and _comes_before(chains, found, (module.name, number), {})


def _is_quiet(chains: Chains, way: Way) -> bool:
    frame = chains.resolver.function_frame(FunctionValue(*way.key))
    if frame is None:
        return False
    return quiet(chains, frame).has(way.at) or serves_after(chains, frame, way.at)


def _comes_before(
    chains: Chains, found: Ways, key: tuple[str, int], known: dict[tuple[str, int], bool]
) -> bool:
    """Whether whoever waits for a function, or for who waits for it, serves only behind that."""
    if key not in known:
        known[key] = False  # While it is being asked.
        ways = [way for way in found.ways if way.to == key]
        known[key] = (
            (bool(ways) or key in found.prepared)
            and key not in found.begun
            and all(
                _serves_behind(chains, way) or _comes_before(chains, found, way.key, known)
                for way in ways
            )
        )
    return known[key]


def _serves_behind(chains: Chains, way: Way) -> bool:
    frame = chains.resolver.function_frame(FunctionValue(*way.key))
    return frame is not None and serves_after(chains, frame, way.at)


def _ways_to(places: Places, module: Module, number: int) -> Ways | None:
    """The ways by which a loop that is started for it comes to a coroutine; None where one of them
    begins elsewhere, or nobody can say.

    Tests that call a function of the application say nothing of who else does.
    """
    todo = [(module, number)]
    seen = {(module.name, number)}
    ways: list[Way] = []
    begun: set[tuple[str, int]] = set()
    prepared: set[tuple[str, int]] = set()
    while todo:
        here, index = todo.pop()
        key = (here.name, index)
        role = places.run(here, index).role
        if len(seen) > _MOST_CALLERS or role not in _ROLES:
            return None
        if role:
            begun.add(key)
        if role == _FIXTURE or _is_test(places.resolver, here, index):
            begun.add(key)
            continue
        if is_driven_by_decorator(places.resolver, here, index):
            begun.add(key)
            continue
        uses = [
            use for use in places.callers.comings(here, index) if _says(use, module, here, index)
        ]
        for use in uses:
            if places.callers.is_driven(use):
                begun.add(key)
                continue
            # What stands before it counts as well.
            places.resolver.table.trace |= use.module.text_bit
            is_entered = here.facts.functions[index].name in ENTERING
            at = _awaited_at(places.resolver, use, is_entered)
            if at < 0:
                return None
            if places.run(use.module, use.number).once:
                prepared.add(key)
                continue
            ways.append(Way(key, use.module, use.number, at))
            if (use.module.name, use.number) not in seen:
                seen.add((use.module.name, use.number))
                todo.append((use.module, use.number))
        if not uses and not role:
            return None
    is_known = begun or prepared
    return Ways(tuple(ways), frozenset(begun), frozenset(prepared)) if is_known else None


def _says(use: Use, module: Module, here: Module, number: int) -> bool:
    """Whether a use of a coroutine says anything of where it begins: not if it calls itself, nor
    if a test, or what helps tests, calls what is none of them."""
    if (use.module.name, use.number) == (here.name, number):
        return False
    return use.module is module or is_of_tests(module.path) or not is_of_tests(use.module.path)


def _is_test(resolver: Resolver, module: Module, number: int) -> bool:
    """Whether a coroutine function is a test, for which its runner starts a loop."""
    function = module.facts.functions[number]
    if not function.name.startswith("test"):
        return False
    bases = resolver.mro(ClassValue(module.name, function.owner)) if function.owner >= 0 else ()
    names = (dotted_name(resolver, base) or "" for base in bases)
    return is_test_file(module.path) or any(name.endswith("TestCase") for name in names)


def _awaited_at(resolver: Resolver, use: Use, is_entered: bool) -> int:
    """The number of the site at which a coroutine waits for the call of another one, or enters what
    the call makes; -1 where it does not do so at once."""
    frame = resolver.function_frame(FunctionValue(use.module.name, use.number))
    sites = use.module.facts.functions[use.number].sites
    if frame is None or use.call is None:
        return -1
    is_awaited = any(
        (site.expr is use.call and (site.awaited or site.kind in _RUN_HERE))
        or (is_entered and site.awaited and site.expr in use.around[:1])
        or waited_for(resolver, site, frame) is use.call
        for site in sites
    )
    numbers = (at for at, site in enumerate(sites) if site.expr is use.call)
    return next(numbers, -1) if is_awaited else -1
