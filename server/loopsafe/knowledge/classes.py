"""Turns a `[[class]]` table into what is known of the instances of a class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from loopsafe.knowledge.entries import (
    Header,
    Names,
    gathered,
    read_blocking,
    read_conditions,
    read_each,
    read_names,
    read_outcome,
    read_runner,
)
from loopsafe.knowledge.schema import Blocking, ClassKnowledge, Runner
from loopsafe.knowledge.table import Table
from loopsafe.model import Cost, Place

_ASYNC_PROTOCOL = {
    "__enter__": "__aenter__",
    "__exit__": "__aexit__",
    "__iter__": "__aiter__",
    "__next__": "__anext__",
}


@dataclass(frozen=True, slots=True)
class ClassEntry:
    """A class as written, and the classes whose knowledge it shares."""

    names: Names
    like: tuple[str, ...]
    knowledge: ClassKnowledge


def read_class(table: Table, defaults: Blocking, header: Header) -> ClassEntry:
    """One class."""
    entry = _read(table, read_names(table, header), defaults, header)
    table.finish()
    return entry


def read_classes(table: Table, defaults: Blocking, header: Header) -> Iterator[ClassEntry]:
    """Several classes of one kind."""
    entries = [_read(table, names, defaults, header) for names in read_each(table, header)]
    table.finish()
    yield from entries


def _read(table: Table, names: Names, defaults: Blocking, header: Header) -> ClassEntry:
    name = names.spellings[0]
    shared = _class_defaults(table, defaults)
    methods: dict[str, Blocking] = {}
    patterns: list[tuple[str, Blocking]] = []
    shown = table.text("shown", name)
    twin = table.text("twin")
    twins = table.mapping("twins")
    sisters = table.text("sisters")
    for method, blocking in _methods(table, shared):
        if method in methods or any(method == pattern for pattern, _ in patterns):
            raise table.error(f"method `{method}` is listed twice")
        named = replace(
            blocking,
            name=f"{shown}.{method}",
            twin=blocking.twin
            or _sister(name, method, sisters)
            or _method_twin(twin, method, twins),
        )
        if method == "__init__":
            named = replace(named, name=shown, only_if_made=(), harmless_if_made=())
        if "*" in method:
            patterns.append((method, named))
        else:
            methods[method] = named
    knowledge = ClassKnowledge(
        name=name,
        shown=shown,
        asynchronous=table.flag("asynchronous"),
        twin=twin,
        methods=methods,
        patterns=tuple(patterns),
        runners=dict(_method_runners(table, name, header)),
        harmless=frozenset(table.texts("harmless")),
        returns={**dict.fromkeys(table.texts("chains"), name), **table.results("returns")},
        outcomes=gathered(read_outcome(item) for item in table.tables("outcome")),
        attributes=table.mapping("attributes"),
        becomes=table.text("becomes"),
        of_holder=table.flag("of-holder"),
        keeps=table.places("keeps"),
        keeps_keywords=table.flag("keeps-keywords"),
        stand_in=table.flag("stand-in"),
        gives_back=_gives_back(table),
        overrides=_overrides(table),
        once=frozenset(table.texts("once")),
        made=frozenset(table.texts("made")),
        makers=frozenset(table.texts("makers")),
        writers=frozenset(table.texts("writers")),
        running=frozenset(table.texts("running")),
    )
    if twins.keys() - methods.keys():
        raise table.error(f"`twins` names no listed method: {min(twins.keys() - methods.keys())}")
    both = knowledge.harmless & methods.keys()
    if both:
        raise table.error(f"method `{min(both)}` is both blocking and harmless")
    return ClassEntry(names, table.texts("like"), knowledge)


def _class_defaults(table: Table, defaults: Blocking) -> Blocking:
    """A class may leave the category out when none of its methods blocks."""
    if "category" in table:
        # The twin of a class is a class: its methods get theirs one by one.
        values = Table(table.label, {"category": table.text("category")}, table.keys)
        defaults = read_blocking(values, defaults)
    return replace(
        defaults,
        cost=table.member("cost", Cost) or defaults.cost,
        harmless_after=table.texts("harmless-after"),
        harmless_behind=table.texts("harmless-behind"),
        harmless_by=table.texts("harmless-by"),
        only_if_made=read_conditions(table, "only-if-made"),
        harmless_if_made=read_conditions(table, "harmless-if-made"),
        twin_since=table.text("twin-since"),
        advice=table.text("advice"),
        caveat=table.text("caveat"),
        source=table.text("source", defaults.source),
    )


def _methods(table: Table, shared: Blocking) -> Iterator[tuple[str, Blocking]]:
    kinds = {
        "blocking": shared,
        "lazy": replace(shared, lazy=True),
        "properties": replace(shared, is_property=True),
    }
    for key, blocking in kinds.items():
        listed = table.texts(key)
        if listed and not shared.category:
            raise table.error("`category` is missing")
        for method in listed:
            yield method, blocking
    for group in table.tables("methods"):
        names = group.texts("names")
        blocking = read_blocking(group, shared)
        group.finish()
        if not names:
            raise group.error("`names` must list at least one method")
        for method in names:
            yield method, blocking


def _sister(owner: str, method: str, pattern: str) -> str:
    """The async method beside it in the same class, where their names differ by a pattern."""
    return f"{owner}.{pattern.replace('*', method)}" if pattern and method[0] != "_" else ""


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
            full = f"{owner}.{method}"
            also = tuple(replace(item, name=full) for item in runner.also)
            yield method, replace(runner, name=full, also=also)


def _gives_back(table: Table) -> dict[str, tuple[str, ...]]:
    methods = table.table("gives-back")
    given = {method: methods.texts(method) for method in methods.names()}
    methods.finish()
    return given


def _overrides(table: Table) -> dict[str, Place]:
    places: dict[str, Place] = {}
    for method, place in table.mapping("overrides").items():
        if place not in {item.value for item in Place}:
            raise table.error(f"`overrides` says {place!r} for `{method}`, which is no place")
        places[method] = Place(place)
    return places
