"""Where the sites of a library's function lead: to other functions of its kind, or to waiting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from loopsafe.effects.bounds import Bounds, bounds
from loopsafe.effects.dispatch import implementations, made_by_default, only_below
from loopsafe.effects.guards import never_on_loop
from loopsafe.effects.likely import namesakes
from loopsafe.effects.making import made
from loopsafe.effects.meant import always_gives_awaitable
from loopsafe.effects.meetings import function_of
from loopsafe.effects.owners import owners
from loopsafe.effects.relief import Relief, block_relief, function_relief
from loopsafe.effects.runs import Run, Target
from loopsafe.effects.sources import body, body_frame, facts_of
from loopsafe.effects.started import waits_for_own
from loopsafe.effects.targets import site_values, targets
from loopsafe.effects.unnamed import unnamed
from loopsafe.facts.ir import AWAITING, Call, Function, Imported, Scope, Site, root_name
from loopsafe.knowledge.schema import Blocking
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    External,
    Frame,
    FunctionValue,
    Instance,
    Value,
    Values,
)


class Branch(NamedTuple):
    """One way on from a function."""

    site: Site
    primitive: Blocking | None
    frame: Frame | None
    function: FunctionValue | None
    """Whose body the frame is."""
    direct: bool
    """The site's own call enters the function, so its arguments are the function's."""
    doubt: int
    """Where the site may lead elsewhere instead, or its result is kept."""
    conditions: int
    """That the site stands under, at most."""
    crowd: Crowd | None = None
    """What else the site may lead to: one of many says little about the site."""
    is_guessed: bool = False
    """Only what a package calls its objects and methods speaks for it."""
    switches: tuple[str, ...] = ()
    """Arguments of the site's call that have to be on."""


class Crowd(NamedTuple):
    """Everything that a site may lead to."""

    size: int
    primitives: int
    entries: tuple[tuple[FunctionValue, Frame], ...]
    """The functions that may be entered."""


def branches(resolver: Resolver, frame: Frame) -> tuple[Branch, ...]:
    """Where the sites of a library's function lead."""
    return resolver.remember(
        ("branches", frame), frame.module, lambda: tuple(_branches(resolver, bounds(), frame))
    )


def entered(
    resolver: Resolver, limits: Bounds, site: Site, value: Value, target: Target
) -> tuple[FunctionValue, Frame, bool] | None:
    """The library function whose body runs for a target of a site, with its frame."""
    if not isinstance(target, Run):
        return None
    declared = resolver.table.get(target.function.module)
    if declared is None or declared.is_project or not limits.enters(declared.dotted):
        return None
    function = body(resolver, target.function)
    facts = facts_of(resolver, function) if function else None
    if function is None or facts is None or facts.bare:
        return None
    if not _runs(site, facts, target):
        return None
    if site.awaited and not facts.is_async and not always_gives_awaitable(resolver, function):
        return None  # The object's class is not the one that it seems to be.
    if function_relief(resolver, facts, function.module) is Relief.PROCESS and not _asks(facts):
        return None
    frame = body_frame(resolver, function, target.function, target.arguments)
    # Who goes through an object passes nothing to it, whatever function asks it to.
    direct = _is_direct(value, target.function) or (target.iterated and not _asks(facts))
    return (function, frame, direct) if frame else None


def _runs(site: Site, function: Function, target: Run) -> bool:
    """Whether a site runs a function's body, and does not merely make a coroutine or generator."""
    if site.kind in AWAITING and not function.is_async:
        return False  # A statement with `async` over what may also be the other kind.
    if function.is_generator:
        return target.iterated
    return site.awaited or site.kind in AWAITING if function.is_async else True


def _asks(function: Function) -> bool:
    """Whether a function has a result for each of its arguments: what is kept of it is of one."""
    return len(function.parameters) > (function.owner >= 0)


def _is_direct(value: Value, function: FunctionValue) -> bool:
    if isinstance(value, FunctionValue):
        same = value.definition == function.definition
        # An override takes the arguments of what it stands for.
        same = same or (value.receiver is not None and function.receiver is not None)
        return same or function.outer is not None  # A decorator's wrapper takes what it wraps does.
    return isinstance(value, (ClassValue, Instance))


def _branches(resolver: Resolver, limits: Bounds, frame: Frame) -> Iterator[Branch]:
    function = function_of(resolver, frame)
    module = resolver.table.get(frame.module)
    if function is None or module is None:
        return
    for site in function.sites:
        if site.kind == "await":
            continue
        scope = module.facts.scopes[site.scope]
        here = frame if site.scope == frame.scope else resolver.frame(frame.module, site.scope)
        if never_on_loop(resolver, scope, site.block, site.spot.line, here):
            continue
        if block_relief(scope, site.block) is Relief.PROCESS:
            continue
        if _is_barred(resolver, limits, site, here):
            continue
        values = tuple(v for v in site_values(resolver, site, here) if not _is_unseen(v))
        near = () if values else _near(resolver, site, here)
        guessed = () if values or near else _guessed(resolver, limits, site, here)
        open_conditions = _conditions(scope, site.block)
        found, members = _site_branches(
            resolver, limits, site, values or near or guessed, here, function.is_async
        )
        crowd = _crowd(found, members) if members > 1 else None
        for branch in found if members <= limits.crowd else ():
            yield branch._replace(conditions=open_conditions, crowd=crowd, is_guessed=bool(guessed))


def _site_branches(
    resolver: Resolver, limits: Bounds, site: Site, values: Values, frame: Frame, is_async: bool
) -> tuple[list[Branch], int]:
    """Where a site leads, and to how many different things it may lead."""
    found: dict[Blocking | Frame | None, Branch] = {}
    values = _some(made_by_default(resolver, values), limits.crowd)
    count = len({dotted_name(resolver, value) or value for value in values})
    most = count
    for value in values if count <= limits.crowd else ():
        for target in targets(resolver, site, value, frame):
            chosen = implementations(resolver, target, limits.crowd)
            most = max(most, len(chosen))
            doubt = int(count > 1 or len(chosen) > 1)
            for one in chosen:
                branch = _branch(resolver, limits, site, value, one, frame, is_async)
                if branch is not None:
                    key = branch.primitive or branch.frame
                    found.setdefault(key, branch._replace(doubt=branch.doubt + doubt))
        for entry, is_open, switches in made(resolver, limits, value, site.expr):
            doubt = 1 + int(count > 1) + is_open  # It is brief, so it has to be sure.
            branch = Branch(site, entry, None, None, False, doubt, 0, switches=switches)
            found.setdefault(entry, branch)
    return list(found.values()), most


def _is_unseen(value: Value) -> bool:
    """Whether it is of a class that only the name in an annotation tells of."""
    return (
        isinstance(value, External)
        and value.name.startswith("builtins.")
        and value.name.count(".") > 1
    )


def _near(resolver: Resolver, site: Site, frame: Frame) -> Values:
    """What a call may mean of which nothing is known: by the object's name, or below its class."""
    return namesakes(resolver, site, frame) or only_below(resolver, site, frame)


def _guessed(resolver: Resolver, limits: Bounds, site: Site, frame: Frame) -> Values:
    """What a call most likely means: a method of one of a few classes, or of whatever name."""
    return owners(resolver, site, frame) or unnamed(resolver, site, frame, limits.crowd)


def _some(values: Values, most: int) -> Values:
    """Of many classes that stand in a table some, evenly spread: they speak for all."""
    if len(values) <= most or not all(isinstance(value, ClassValue) for value in values):
        return values
    return tuple(values[number * len(values) // most] for number in range(most))


def _crowd(branches: list[Branch], size: int) -> Crowd:
    entries = ((b.function, b.frame) for b in branches)
    known = tuple((f, frame) for f, frame in entries if f is not None and frame is not None)
    return Crowd(size, sum(b.primitive is not None for b in branches), known)


def _is_barred(resolver: Resolver, limits: Bounds, site: Site, frame: Frame) -> bool:
    """Whether a call begins with an import from behind a barrier, seen before it is resolved."""
    call = site.expr
    name = root_name(call.func) if isinstance(call, Call) else None
    module = resolver.table.get(frame.module)
    if not name or module is None:
        return False
    binding = next(iter(module.facts.scopes[0].bindings.get(name, ())), None)
    source = binding.value if binding is not None else None
    return isinstance(source, Imported) and not limits.enters(
        module.absolute(source.module, source.level)
    )


def _branch(
    resolver: Resolver,
    limits: Bounds,
    site: Site,
    value: Value,
    target: Target,
    frame: Frame,
    is_async: bool,
) -> Branch | None:
    if isinstance(target, Blocking):
        if not limits.surfaces(target, is_async) and not (
            target.name in limits.surfacing_started and waits_for_own(resolver, site, frame)
        ):
            return None
        if site.awaited:
            return None  # What is awaited is the asynchronous one.
        return Branch(site, target, None, None, False, 0, 0)
    entry = entered(resolver, limits, site, value, target)
    if entry is None:
        return None
    function, frame, direct = entry
    facts = facts_of(resolver, function)
    kept = facts is not None and (
        function_relief(resolver, facts, function.module) is not Relief.NONE
    )
    direct = direct and isinstance(site.expr, Call)
    return Branch(site, None, frame, function, direct, int(kept), 0)


def _conditions(scope: Scope, block: int) -> int:
    count = 0
    while block > 0:
        kind = scope.blocks[block].kind
        count += kind in ("if", "else", "case", "lazy", "own") or 2 * (kind == "except")
        block = scope.blocks[block].parent
    return count
