"""Coroutines that are the only task of their event loop: a command of the terminal, or a test.

What they block stalls nobody but themselves. So it is before they start other tasks, behind the
end of these, and with what only start-up and shutdown wait for.
"""

from __future__ import annotations

from loopsafe.effects.callers import Use
from loopsafe.effects.chains import Chains
from loopsafe.effects.drivers import is_driven_by_decorator
from loopsafe.effects.places import Places
from loopsafe.effects.tasks import Quiet, quiet, waited_for
from loopsafe.modules.marks import is_of_tests, is_test_file
from loopsafe.modules.module import Module
from loopsafe.resolve.members import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, FunctionValue

_MOST_CALLERS = 60
"""Looked at before nothing is said."""


def is_alone(places: Places, chains: Chains, module: Module, number: int) -> bool:
    """Whether nothing else may run on its loop where a coroutine begins: every way to it begins
    with a loop that is started for it, or at start-up, and has no task running when it comes."""
    ways = _ways_to(places, module, number)
    if ways is None:
        return False
    known: dict[tuple[str, int], Quiet | None] = {}
    for user, index, at in ways:
        key = (user.name, index)
        if key not in known:
            frame = chains.resolver.function_frame(FunctionValue(*key))
            known[key] = quiet(chains, frame) if frame is not None else None
        where = known[key]
        if where is None or not where.has(at):
            return False
    return True


def _ways_to(places: Places, module: Module, number: int) -> list[tuple[Module, int, int]] | None:
    """The functions, and the sites in them, by which a loop that is started for it comes to a
    coroutine; None where one of the ways to it begins elsewhere, or nobody can say.

    Tests that call a function of the application say nothing of who else does.
    """
    todo = [(module, number)]
    seen = {(module.name, number)}
    ways: list[tuple[Module, int, int]] = []
    starts = False
    while todo:
        here, index = todo.pop()
        if len(seen) > _MOST_CALLERS or places.run(here, index).role:
            return None
        if _is_test(places.resolver, here, index):
            starts = True
            continue
        if is_driven_by_decorator(places.resolver, here, index):
            starts = True
            continue
        uses = [use for use in places.callers.uses(here, index) if _says(use, module, here, index)]
        for use in uses:
            if places.callers.is_driven(use):
                starts = True
                continue
            # What stands before it counts as well.
            places.resolver.table.trace |= use.module.text_bit
            at = _awaited_at(places.resolver, use)
            if at < 0:
                return None
            if places.run(use.module, use.number).once:
                starts = True
                continue
            ways.append((use.module, use.number, at))
            if (use.module.name, use.number) not in seen:
                seen.add((use.module.name, use.number))
                todo.append((use.module, use.number))
        if not uses:
            return None
    return ways if starts else None


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


def _awaited_at(resolver: Resolver, use: Use) -> int:
    """The number of the site at which a coroutine waits for the call of another one; -1 where it
    does not do so at once."""
    frame = resolver.function_frame(FunctionValue(use.module.name, use.number))
    sites = use.module.facts.functions[use.number].sites
    if frame is None or use.call is None:
        return -1
    is_awaited = any(
        (site.expr is use.call and (site.awaited or site.kind == "aiterate"))
        or waited_for(resolver, site, frame) is use.call
        for site in sites
    )
    numbers = (at for at, site in enumerate(sites) if site.expr is use.call)
    return next(numbers, -1) if is_awaited else -1
