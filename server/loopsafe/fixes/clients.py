"""The table of HTTP clients, and what of a call can be written with an async one."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from loopsafe.fixes.data import table
from loopsafe.fixes.imports import Spelling, spell
from loopsafe.fixes.layout import opened
from loopsafe.fixes.names import survey
from loopsafe.fixes.site import Site

Change = tuple[int, int, str]
_SETS = (
    "rivals", "sessions", "session_attributes", "session_settings", "session_arguments", "safe",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the blocking client."""

    positional: tuple[str, ...]
    no: frozenset[str]
    defaults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """One entry of `clients.toml`, which explains the fields, for one blocking library."""

    package: str
    clients: tuple[str, ...]
    client: str
    session: str
    caveat: str
    methods: Mapping[str, Method]
    keywords: Mapping[str, str]
    constructor: Mapping[str, str]
    rivals: frozenset[str] = frozenset()
    sessions: frozenset[str] = frozenset()
    session_attributes: frozenset[str] = frozenset()
    session_settings: frozenset[str] = frozenset()
    session_arguments: frozenset[str] = frozenset()
    defaults: Mapping[str, str] = field(default_factory=dict)
    literal: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    attributes: Mapping[str, str] | None = None
    exceptions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    safe: frozenset[str] = frozenset()
    streamed: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A call of the blocking library, translated."""

    changes: tuple[Change, ...]
    """Inside the brackets of the call."""
    constructor: Mapping[str, str]
    """Arguments of the client."""
    safe: bool
    plain: bool
    """No argument of the call belongs to the client, and its defaults are all the library's."""


@cache
def pairs() -> tuple[Pair, ...]:
    """All of them, in the order of `clients.toml`."""
    return tuple(
        _pair(entry, package) for entry in table("clients")["pair"] for package in entry["packages"]
    )


def spell_client(site: Site, pair: Pair) -> tuple[str, Spelling] | None:
    """The module of the async client that the file can have, and how it names the class."""
    imported = survey(site.context.tree).imported
    present = [m for m in pair.clients if m in imported]
    if imported.isdisjoint(pair.rivals):
        present += [m for m in pair.clients if site.context.installed(m)]
    if not present:
        return None
    spelling = spell(site, present[0], pair.client)
    return (present[0], spelling) if spelling else None


def translate(
    site: Site, pair: Pair, call: ast.Call, method: str, without: ast.keyword | None = None
) -> Request | None:
    """The call's arguments as the async client wants them; None where it has no such ones.

    One keyword may be left out, which is taken out by others.
    """
    known = pair.methods.get(method)
    if known is None or len(call.args) > len(known.positional):
        return None
    changes: list[Change] = []
    constructor = {name: pair.defaults[name] for name in known.defaults}
    given = set()
    for position, (argument, name) in enumerate(zip(call.args, known.positional, strict=False)):
        if not _translatable(pair, known, name, argument):
            return None
        given.add(name)
        # Behind the address, the async client takes keywords only.
        if name not in ("url", "method"):
            at = opened(site.draft, call, position)
            changes.append((at, at, f"{pair.keywords[name]}="))
    for keyword in (k for k in call.keywords if k is not without):
        if keyword.arg is None or not _translatable(pair, known, keyword.arg, keyword.value):
            return None
        given.add(keyword.arg)
        if keyword.arg in pair.constructor:
            gone = removal(site, call, keyword)
            if gone is None:
                return None
            changes.append(gone)
            constructor[pair.constructor[keyword.arg]] = site.draft.code(keyword.value)
        elif pair.keywords[keyword.arg] != keyword.arg:
            start = site.draft.source.offset(keyword.lineno, keyword.col_offset)
            changes.append((start, start + len(keyword.arg), pair.keywords[keyword.arg]))
    for name in given:
        constructor.pop(pair.keywords.get(name, ""), None)
    plain = not given & set(pair.constructor) and set(known.defaults) == set(pair.defaults)
    return Request(tuple(changes), constructor, given <= pair.safe, plain)


def removal(site: Site, call: ast.Call, keyword: ast.keyword) -> Change | None:
    """Takes a keyword argument and the comma before it out of a call."""
    draft, text = site.draft, site.draft.source.text
    stop = draft.stop(keyword.value)
    others = [*call.args, *(k.value for k in call.keywords)]
    before = [draft.stop(a) for a in others if draft.stop(a) < stop]
    if not before or "#" in text[max(before) : stop]:
        return None
    start = draft.source.offset(keyword.lineno, keyword.col_offset)
    comma = text.find(",", max(before), start)
    return None if comma < 0 else (comma, stop, "")


def _translatable(pair: Pair, method: Method, name: str, value: ast.expr) -> bool:
    if isinstance(value, ast.Starred) or name in method.no:
        return False
    if name not in pair.keywords and name not in pair.constructor:
        return False
    kinds = pair.literal.get(name)
    return kinds is None or _kind(value) in kinds


def _kind(value: ast.expr) -> str:
    if isinstance(value, ast.Constant):
        return "None" if value.value is None else type(value.value).__name__
    return type(value).__name__


def _pair(entry: dict[str, Any], package: str) -> Pair:
    fields = {key: _filled(value, package) for key, value in entry.items() if key != "packages"}
    defaults = tuple(fields.get("defaults", ()))
    fields["methods"] = {
        name: Method(
            method["positional"], frozenset(method.get("no", ())), method.get("defaults", defaults)
        )
        for name, method in fields["methods"].items()
    }
    for name in _SETS:
        fields[name] = frozenset(fields.get(name, ()))
    return Pair(package=package, **fields)


def _filled(value: Any, package: str) -> Any:
    """A value of the table with the library's name put in and lists frozen."""
    if isinstance(value, str):
        return value.replace("{0}", package)
    if isinstance(value, list):
        return tuple(_filled(item, package) for item in value)
    if isinstance(value, dict):
        return {key: _filled(item, package) for key, item in value.items()}
    return value
