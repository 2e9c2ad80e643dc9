"""Turns the tables of a knowledge file into entries. README.md beside it describes the syntax."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from loopsafe.knowledge.schema import (
    CATEGORIES,
    PROBES,
    ROLES,
    TWINS,
    Blocking,
    Condition,
    Outcome,
    Runner,
)
from loopsafe.knowledge.table import Table
from loopsafe.model import Cost, Place

_GIVES = frozenset(("result", "awaitable", "future", "callable", "iterator"))
_DURING = frozenset(("making", "writing"))
_NAMES = "len str repr bool int float abs format hash fspath lt iter exit"
_METHODS = ("close", *(f"__{name}__" for name in _NAMES.split()))
_TAKES = frozenset(
    (
        *("callable", "iterator", "first", "context manager", "async context manager"),
        *_METHODS,
        *(f"each {name}" for name in _METHODS),
    )
)
_CALLED_WITH = re.compile(r"\*|each (\*|\d)")


@dataclass(frozen=True, slots=True)
class Header:
    """The `[library]` table: what the file is about, enough to know when it must be read."""

    file: str
    title: str
    imports: tuple[str, ...]
    distribution: str
    source: str
    harmless: frozenset[str]
    asynchronous: tuple[str, ...]
    serves: tuple[str, ...]
    ends: tuple[str, ...]
    has_runners: bool
    origin: str = ""
    """Who says what the file says, where that is not the catalogue: `acme/loopsafe.toml`."""
    has_versions: bool = False
    """Some entries hold for some versions of the distribution only."""

    def owns(self, name: str) -> bool:
        """Whether a dotted name lies in one of the file's modules."""
        return any(name == home or name.startswith(home + ".") for home in self.imports)


@dataclass(frozen=True, slots=True)
class Names:
    """How a thing is called: spellings of one object, the one to show first, and stand-ins."""

    spellings: tuple[str, ...]
    variants: tuple[str, ...] = ()
    """Other objects of the same use: another platform's, the C or the Python implementation."""

    @property
    def all(self) -> tuple[str, ...]:
        """Every dotted name that means this."""
        return self.spellings + self.variants


def check_home(table: Table, name: str, header: Header) -> None:
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        raise table.error(f"{name!r} is not a dotted name", text=name)
    if not header.owns(name):
        homes = ", ".join(header.imports)
        raise table.error(f"{name!r} is in none of the imports {homes}", text=name)


def read_names(table: Table, header: Header, key: str = "names") -> Names:
    """What a table is about, each name in one of the file's modules."""
    names = Names(table.texts(key), table.texts("variants"))
    if not names.spellings:
        raise table.error(f"`{key}` must list at least one dotted name")
    for name in names.all:
        check_home(table, name, header)
    return names


def read_function(table: Table, defaults: Blocking, header: Header) -> tuple[Names, Blocking]:
    names = read_names(table, header)
    blocking = replace(read_blocking(table, defaults), name=names.spellings[0])
    table.finish()
    return names, blocking


def read_functions(
    table: Table, defaults: Blocking, header: Header
) -> Iterator[tuple[Names, Blocking]]:
    """Several callables of one kind."""
    each = list(read_each(table, header))
    shared = read_blocking(table, defaults)
    table.finish()
    for names in each:
        yield names, replace(shared, name=names.spellings[0])


def read_probe(table: Table, header: Header) -> tuple[Names, str]:
    """A callable that tells whether an event loop runs, and what it does where none does."""
    names = read_names(table, header)
    outcome = table.choice("without-loop", PROBES, "")
    table.finish()
    if not outcome:
        raise table.error(f"`without-loop` is missing, one of {', '.join(sorted(PROBES))}")
    return names, outcome


def read_runners(table: Table, header: Header) -> Iterator[tuple[Names, Runner]]:
    """Several runners of one kind."""
    each = list(read_each(table, header))
    shared = read_runner(table, "", header)
    for names in each:
        also = tuple(replace(item, name=names.spellings[0]) for item in shared.also)
        yield names, replace(shared, name=names.spellings[0], also=also)


def read_each(table: Table, header: Header) -> Iterator[Names]:
    """The callables of a family, which other modules (`also-in`, `variants-in`) have too."""
    also, variants = table.texts("also-in"), table.texts("variants-in")
    for name in read_names(table, header, "each").spellings:
        last = name.rpartition(".")[2]
        names = Names(
            (name, *(f"{module}.{last}" for module in also)),
            tuple(f"{module}.{last}" for module in variants),
        )
        for spelling in names.all:
            check_home(table, spelling, header)
        yield names


def read_blocking(table: Table, defaults: Blocking) -> Blocking:
    """Reads what a table says of blocking, over what its surroundings say."""
    category = table.choice("category", CATEGORIES, defaults.category)
    if not category:
        raise table.error(f"`category` is missing, one of {', '.join(sorted(CATEGORIES))}")
    since = table.text("twin-since", defaults.twin_since)
    source = table.text("source", defaults.source)
    if source and not source.startswith("https://"):
        raise table.error("`source` must be an https address", "source")
    blocking = replace(
        defaults,
        category=category,
        cost=table.member("cost", Cost) or defaults.cost,
        harmless_if=read_conditions(table, "harmless-if") or defaults.harmless_if,
        only_if=read_conditions(table, "only-if") or defaults.only_if,
        only_if_made=read_conditions(table, "only-if-made") or defaults.only_if_made,
        harmless_if_made=read_conditions(table, "harmless-if-made") or defaults.harmless_if_made,
        harmless_after=table.texts("harmless-after") or defaults.harmless_after,
        harmless_behind=table.texts("harmless-behind") or defaults.harmless_behind,
        harmless_by=table.texts("harmless-by") or defaults.harmless_by,
        lazy=table.flag("lazy"),
        is_property=table.flag("property"),
        awaitable=table.flag("awaitable"),
        twin=table.text("twin", defaults.twin),
        twin_is=table.choice("twin-is", TWINS, defaults.twin_is),
        twin_since=since,
        until=table.text("until", defaults.until),
        advice=table.text("advice", defaults.advice),
        caveat=table.text("caveat", defaults.caveat),
        source=source,
    )
    if blocking.lazy and (blocking.harmless_if or blocking.only_if):
        raise table.error("what is `lazy` takes no conditions: no arguments go with it")
    return blocking


def read_outcome(table: Table) -> tuple[tuple[str, ...], Outcome]:
    """What calls give where their arguments say so."""
    names, only_if = table.texts("names"), read_conditions(table, "only-if")
    gives = table.result("gives")
    table.finish()
    if not names:
        raise table.error("`names` must list at least one")
    if not only_if:
        raise table.error("`only-if` is missing: what a call always gives stands in `returns`")
    return names, Outcome(only_if, gives)


def gathered(
    outcomes: Iterable[tuple[tuple[str, ...], Outcome]],
) -> dict[str, tuple[Outcome, ...]]:
    """By name, in the order of the file: the first that holds decides."""
    found: dict[str, tuple[Outcome, ...]] = {}
    for names, outcome in outcomes:
        for name in names:
            found[name] = (*found.get(name, ()), outcome)
    return found


def read_conditions(table: Table, key: str) -> tuple[Condition, ...]:
    return tuple(_condition(item) for item in table.tables(key))


def _condition(table: Table) -> Condition:
    equals = table.any("equals")
    if not isinstance(equals, bool | int | float | str | None):
        raise table.error("`equals` must be a string, a number or a boolean")
    at_most = table.any("at-most")
    if isinstance(at_most, bool) or not isinstance(at_most, int | float | None):
        raise table.error("`at-most` must be a number")
    condition = Condition(
        argument=table.text("argument"),
        position=table.number("position", -1),
        equals=equals,
        at_most=at_most,
        has=table.text("has"),
        given=table.flag("given") if "given" in table else None,
        type=table.text("type"),
    )
    table.finish()
    if not condition.argument and condition.position < 0:
        raise table.error("a condition needs `argument`, `position` or both")
    present = (value is not None for value in (equals, at_most, condition.given))
    if sum((*present, bool(condition.has), bool(condition.type))) != 1:
        raise table.error(
            "a condition needs exactly one of `equals`, `has`, `given`, `type`, `at-most`"
        )
    return condition


def read_runner(table: Table, name: str, header: Header, role: str = "") -> Runner:
    """Reads what a table says of a runner; `role` stands where it says none."""
    runner = Runner(
        name=name,
        role=table.choice("role", ROLES, role),
        sync=table.member("sync", Place),
        coroutine=table.member("coroutine", Place),
        decorated=table.flag("decorated"),
        position=table.number("position", -1),
        argument=table.text("argument"),
        gives=table.choice("gives", _GIVES, ""),
        once=table.flag("once"),
        follows=table.flag("follows"),
        offloads=table.flag("offloads"),
        convertible=table.flag("convertible"),
        inline=table.flag("inline"),
        thread_if=read_conditions(table, "thread-if"),
        takes=table.choice("takes", _TAKES, "callable"),
        library=header.title,
        until=table.text("until"),
        several=table.flag("several"),
        methods=table.texts("methods"),
        during=table.choice("during", _DURING, ""),
        reads=table.member("reads", Place),
        writes=table.member("writes", Place),
        returned=table.text("returned"),
        called_with=_called_with(table),
        passes=table.texts("passes"),
        yields=table.texts("yields"),
        also=tuple(read_runner(item, name, header) for item in table.tables("also")),
    )
    table.finish()
    if not runner.role:
        raise table.error(f"`role` is missing, one of {', '.join(sorted(ROLES))}")
    if not (runner.decorated or runner.argument or runner.position >= 0):
        raise table.error("says neither `decorated`, `argument` nor `position`")
    return runner


def _called_with(table: Table) -> tuple[str, ...]:
    given = table.texts("called-with")
    is_known = not given or _CALLED_WITH.fullmatch(given[0]) is not None or len(given) == 2
    if not is_known or len(given) > 2:
        raise table.error(
            '`called-with` must be ["*"], ["each 0"], ["each *"] or the names of two keywords',
            "called-with",
        )
    return given
