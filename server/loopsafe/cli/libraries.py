"""`loopsafe explain` and `loopsafe library`: what is known of packages, in words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

from loopsafe.cli.errors import UsageError
from loopsafe.config import Settings
from loopsafe.deep import run_deep
from loopsafe.engine import Engine, Verdict
from loopsafe.explain import shown_path, step
from loopsafe.knowledge.catalogue import load
from loopsafe.knowledge.schema import Blocking, Condition
from loopsafe.model import Hop
from loopsafe.modules.cache import Cache, default_folder
from loopsafe.modules.distributions import import_names
from loopsafe.modules.environment import find_environment
from loopsafe.rules.wording import sink_label
from loopsafe.spelling import did_you_mean


def explain_name(name: str, python: str | None) -> None:
    """Prints what calling an importable name does to the event loop."""
    run_deep(lambda: _explain(name, python))


def list_library(package: str, python: str | None) -> None:
    """Prints what blocks in a package, a line for each callable."""
    run_deep(lambda: _list(package, python))


def _explain(name: str, python: str | None) -> None:
    engine = _engine(python)
    found = engine.verdict(name)
    if not found.found and engine.table.get(name) is not None:
        raise UsageError(f"{name} is a module: `loopsafe library {name}` lists what blocks in it")
    if not found.found:
        raise UsageError(f"{name}: no such function or class{_hint(engine, name)}")
    print("\n".join(_described(name, found)))


def _list(package: str, python: str | None) -> None:
    engine = _engine(python)
    names = _import_names(engine, package)
    if not names:
        raise UsageError(f"{package}: no such package in {_place_of(engine)}")
    for name in names:
        module = engine.table.get(name)
        release = engine.disk.bundle.release(module.path) if module else ""
        if release:
            print(f"{name} is not installed: as {release} has it.")
        elif module is None:
            print(f"{name} is not installed: as the catalogue has it.")
        _list_calls(engine, name)


def _hint(engine: Engine, name: str) -> str:
    """What else may have been meant by a name that leads nowhere, or where it was looked for."""
    holder, _, last = name.rpartition(".")
    module = engine.table.get(holder) if holder else None
    known = module.facts.scopes[0].bindings if module is not None else ()
    if meant := did_you_mean(last, (n for n in known if not n.startswith("_")), f"{holder}."):
        return meant
    example = "" if holder else ": its full name is needed, as in `requests.get`"
    return f" in {_place_of(engine)}{example}"


def _place_of(engine: Engine) -> str:
    """The environment that was looked into, and how to have another."""
    found = engine.environment
    return f"{found.label if found else 'any environment'} (`--python` names another)"


def _import_names(engine: Engine, package: str) -> list[str]:
    """A package by its import name, or else by that of its distribution: `GitPython`."""
    if package in engine.catalogue.libraries or engine.table.get(package) is not None:
        return [package]
    return (
        import_names(engine.environment, package)
        or engine.disk.bundle.tops(package)
        or _catalogued(package)
    )


def _catalogued(distribution: str) -> list[str]:
    """What the catalogue knows of a distribution, by the names that programs import."""
    wanted = canonicalize_name(distribution)
    known = (h.imports for h in load().headers if canonicalize_name(h.distribution) == wanted)
    return list(dict.fromkeys(name for names in known for name in names))


def _list_calls(engine: Engine, package: str) -> None:
    count = 0
    for found in engine.verdicts(package):
        count += 1
        entry = found.blocking
        how = _through(found) if found.derived_from or not entry else _source(entry)
        how += ", for the plain functions that it decorates" if found.decorates else ""
        print(f"{found.name}  {entry.category if entry else ''}  {how}")
    calls = "1 callable" if count == 1 else f"{count} callables"
    told = f"{calls} of {package} may block" if count else f"Nothing of {package} is known to block"
    print(f"{told} the event loop.")


def _engine(python: str | None) -> Engine:
    root = Path.cwd()
    settings = Settings.load(root)
    given = Path(os.path.abspath(python)) if python else settings.python
    problem = find_environment(root, given).problem if python else ""
    if problem:
        raise UsageError(f"--python: {problem}")
    return Engine(root, settings, given, Cache(default_folder(os.environ)))


def _described(asked: str, found: Verdict) -> Iterator[str]:
    entry = found.blocking
    alias = f" (known as {found.name})" if found.name != asked else ""
    if entry is None:
        if found.is_own:
            yield f"{asked}{alias}: of this project, whose calls `loopsafe check` follows"
            return
        who = found.origin or "the catalogue"
        word = f"does not block, says {who}" if found.harmless else "not known to block"
        yield f"{asked}{alias}: {word}"
        return
    when = " when it is awaited" if found.is_async else ""
    when += " when a plain function that it decorates is called" if found.decorates else ""
    if found.needs_arguments:
        when += " with certain arguments"
    if not found.derived_from:
        when += " while its result is gone through" if entry.lazy else ""
        when += " when it is read" if entry.is_property else ""
    yield f"{asked}{alias}: blocks the event loop{when}"
    yield f"  category: {entry.category}, {entry.cost.value}"
    if found.derived_from:
        yield from _way(found, entry)
    else:
        yield from _entry(entry)


def _way(found: Verdict, entry: Blocking) -> Iterator[str]:
    release = f" (not installed, as {found.bundled} has it)" if found.bundled else ""
    yield f"  derived from the source of {found.derived_from}{release}, through {sink_label(entry)}"
    for hop in found.chain:
        yield f"    {_place(hop)}  {step(hop)}"
    if found.conditions:
        open_ones = "1 condition" if found.conditions == 1 else f"{found.conditions} conditions"
        yield f"  {open_ones} on the way may keep it from blocking"


def _entry(entry: Blocking) -> Iterator[str]:
    yield f"  {_source(entry)}"
    if entry.only_if:
        yield f"  only with: {', '.join(map(_condition, entry.only_if))}"
    if entry.harmless_if:
        yield f"  not with: {', '.join(map(_condition, entry.harmless_if))}"
    if entry.harmless_after:
        yield f"  not after: {', '.join(entry.harmless_after)}"
    if entry.harmless_behind:
        yield f"  not behind: {', '.join(entry.harmless_behind)}"
    if entry.twin:
        since = f" (since {entry.twin_since})" if entry.twin_since else ""
        yield f"  async twin: {entry.twin}{since}"
    if entry.advice:
        yield f"  advice: {entry.advice}"
    if entry.caveat:
        yield f"  note: {entry.caveat}"
    if entry.source:
        yield f"  source: {entry.source}"


def _source(entry: Blocking) -> str:
    return f"said by {entry.origin}" if entry.origin else "catalogued"


def _through(found: Verdict) -> str:
    hop = found.chain[-1] if found.chain else None
    place = f" in {_place(hop)}" if hop else ""
    sink = sink_label(found.blocking) if found.blocking else ""
    return f"derived, through {sink}{place}"


def _place(hop: Hop) -> str:
    return hop.place or f"{shown_path(hop.path, None)}:{hop.span.line}"


def _condition(condition: Condition) -> str:
    name = condition.argument or f"argument {condition.position + 1}"
    if condition.given is not None:
        return name if condition.given else f"no {name}"
    if condition.has:
        return f"{condition.has} in {name}"
    if condition.type:
        return f"{name} of type {condition.type}"
    if condition.at_most is not None:
        return f"{name} up to {condition.at_most}"
    value = None if condition.equals == "None" else condition.equals
    return f"{name}={value!r}" if condition.argument else f"{name} being {value!r}"
