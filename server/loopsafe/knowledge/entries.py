"""Turns the tables of a knowledge file into entries. README.md beside it describes the syntax."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from loopsafe.knowledge.schema import (
    CATEGORIES,
    ROLES,
    Blocking,
    ClassKnowledge,
    Condition,
    Runner,
)
from loopsafe.knowledge.table import Table
from loopsafe.model import Cost, Place

_GIVES = frozenset(("result", "awaitable", "future", "callable", "iterator"))
_TAKES = frozenset(("callable", "iterator", "context manager"))
_ASYNC_PROTOCOL = {
    "__enter__": "__aenter__",
    "__exit__": "__aexit__",
    "__iter__": "__aiter__",
    "__next__": "__anext__",
}


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
    has_runners: bool

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


@dataclass(frozen=True, slots=True)
class ClassEntry:
    """A class as written, and the classes whose knowledge it shares."""

    names: Names
    like: tuple[str, ...]
    knowledge: ClassKnowledge


def check_home(table: Table, name: str, header: Header) -> None:
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        raise table.error(f"{name!r} is not a dotted name")
    if not header.owns(name):
        raise table.error(f"{name!r} is in none of the imports {', '.join(header.imports)}")


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
    blocking = replace(_blocking(table, defaults), name=names.spellings[0])
    table.finish()
    return names, blocking


def read_functions(
    table: Table, defaults: Blocking, header: Header
) -> Iterator[tuple[Names, Blocking]]:
    """Several callables of one kind, which other modules (`also-in`, `variants-in`) have too."""
    each = read_names(table, header, "each").spellings
    also, variants = table.texts("also-in"), table.texts("variants-in")
    shared = _blocking(table, defaults)
    table.finish()
    for name in each:
        last = name.rpartition(".")[2]
        names = Names(
            (name, *(f"{module}.{last}" for module in also)),
            tuple(f"{module}.{last}" for module in variants),
        )
        for spelling in names.all:
            check_home(table, spelling, header)
        yield names, replace(shared, name=name)


def _blocking(table: Table, defaults: Blocking) -> Blocking:
    """Reads what a table says of blocking, over what its surroundings say."""
    category = table.choice("category", CATEGORIES, defaults.category)
    if not category:
        raise table.error(f"`category` is missing, one of {', '.join(sorted(CATEGORIES))}")
    since = table.text("twin-since", defaults.twin_since)
    source = table.text("source", defaults.source)
    if not source.startswith("https://"):
        raise table.error("`source` must be an https address")
    return replace(
        defaults,
        category=category,
        cost=table.member("cost", Cost) or defaults.cost,
        harmless_if=_conditions(table, "harmless-if") or defaults.harmless_if,
        only_if=_conditions(table, "only-if") or defaults.only_if,
        only_if_made=_conditions(table, "only-if-made") or defaults.only_if_made,
        harmless_if_made=_conditions(table, "harmless-if-made") or defaults.harmless_if_made,
        harmless_after=table.texts("harmless-after") or defaults.harmless_after,
        awaitable=table.flag("awaitable"),
        twin=table.text("twin", defaults.twin),
        twin_since=since,
        advice=table.text("advice", defaults.advice),
        caveat=table.text("caveat", defaults.caveat),
        source=source,
    )


def _conditions(table: Table, key: str) -> tuple[Condition, ...]:
    return tuple(_condition(item) for item in table.tables(key))


def _condition(table: Table) -> Condition:
    equals = table.any("equals")
    if not isinstance(equals, bool | int | float | str | None):
        raise table.error("`equals` must be a string, a number or a boolean")
    condition = Condition(
        argument=table.text("argument"),
        position=table.number("position", -1),
        equals=equals,
        has=table.text("has"),
        given=table.flag("given") if "given" in table else None,
        type=table.text("type"),
    )
    table.finish()
    if not condition.argument and condition.position < 0:
        raise table.error("a condition needs `argument`, `position` or both")
    tests = (equals is not None, condition.has, condition.given is not None, condition.type)
    if sum(map(bool, tests)) != 1:
        raise table.error("a condition needs exactly one of `equals`, `has`, `given`, `type`")
    return condition


def read_runner(table: Table, name: str, header: Header) -> Runner:
    runner = Runner(
        name=name,
        role=table.choice("role", ROLES, ""),
        sync=table.member("sync", Place),
        coroutine=table.member("coroutine", Place),
        decorated=table.flag("decorated"),
        position=table.number("position", -1),
        argument=table.text("argument"),
        gives=table.choice("gives", _GIVES, ""),
        once=table.flag("once"),
        offloads=table.flag("offloads"),
        convertible=table.flag("convertible"),
        inline=table.flag("inline"),
        takes=table.choice("takes", _TAKES, "callable"),
        library=header.title,
    )
    table.finish()
    if not runner.role:
        raise table.error(f"`role` is missing, one of {', '.join(sorted(ROLES))}")
    if not (runner.decorated or runner.argument or runner.position >= 0):
        raise table.error("says neither `decorated`, `argument` nor `position`")
    return runner


def read_class(table: Table, defaults: Blocking, header: Header) -> ClassEntry:
    names = read_names(table, header)
    name = names.spellings[0]
    shared = _class_defaults(table, defaults)
    methods: dict[str, Blocking] = {}
    patterns: list[tuple[str, Blocking]] = []
    twin = table.text("twin")
    twins = table.mapping("twins")
    for method, blocking in _methods(table, shared):
        if method in methods or any(method == pattern for pattern, _ in patterns):
            raise table.error(f"method `{method}` is listed twice")
        named = replace(
            blocking,
            name=f"{name}.{method}" if method != "__init__" else name,
            twin=blocking.twin or _method_twin(twin, method, twins),
        )
        if "*" in method:
            patterns.append((method, named))
        else:
            methods[method] = named
    knowledge = ClassKnowledge(
        name=name,
        asynchronous=table.flag("asynchronous"),
        twin=twin,
        methods=methods,
        patterns=tuple(patterns),
        runners=dict(_method_runners(table, name, header)),
        harmless=frozenset(table.texts("harmless")),
        returns=table.mapping("returns"),
        attributes=table.mapping("attributes"),
        overrides=_overrides(table),
    )
    entry = ClassEntry(names, table.texts("like"), knowledge)
    table.finish()
    if twins.keys() - methods.keys():
        raise table.error(f"`twins` names no listed method: {min(twins.keys() - methods.keys())}")
    both = knowledge.harmless & methods.keys()
    if both:
        raise table.error(f"method `{min(both)}` is both blocking and harmless")
    return entry


def _class_defaults(table: Table, defaults: Blocking) -> Blocking:
    """A class may leave the category out when none of its methods blocks."""
    if "category" in table:
        # The twin of a class is a class: its methods get theirs one by one.
        values = Table(table.label, {"category": table.text("category")})
        defaults = _blocking(values, defaults)
    return replace(
        defaults,
        cost=table.member("cost", Cost) or defaults.cost,
        harmless_after=table.texts("harmless-after"),
        only_if_made=_conditions(table, "only-if-made"),
        harmless_if_made=_conditions(table, "harmless-if-made"),
        twin_since=table.text("twin-since"),
        advice=table.text("advice"),
        caveat=table.text("caveat"),
        source=table.text("source", defaults.source),
    )


def _methods(table: Table, shared: Blocking) -> Iterator[tuple[str, Blocking]]:
    listed = table.texts("blocking")
    if listed and not shared.category:
        raise table.error("`category` is missing")
    for method in listed:
        yield method, shared
    for group in table.tables("methods"):
        names = group.texts("names")
        blocking = _blocking(group, shared)
        group.finish()
        if not names:
            raise group.error("`names` must list at least one method")
        for method in names:
            yield method, blocking


def _method_twin(twin: str, method: str, twins: dict[str, str]) -> str:
    """The async class's method of the same job; an empty one in `twins` says there is none."""
    if not twin:
        return ""
    if method in twins:
        return f"{twin}.{twins[method]}" if twins[method] else ""
    if method == "__init__":
        return twin
    return f"{twin}.{_ASYNC_PROTOCOL.get(method, method)}"


def _method_runners(table: Table, owner: str, header: Header) -> Iterator[tuple[str, Runner]]:
    for group in table.tables("runner"):
        names = group.texts("names")
        if not names:
            raise group.error("`names` must list at least one method")
        runner = read_runner(group, "", header)
        for method in names:
            yield method, replace(runner, name=f"{owner}.{method}")


def _overrides(table: Table) -> dict[str, Place]:
    places: dict[str, Place] = {}
    for method, place in table.mapping("overrides").items():
        if place not in {item.value for item in Place}:
            raise table.error(f"`overrides` says {place!r} for `{method}`, which is no place")
        places[method] = Place(place)
    return places
