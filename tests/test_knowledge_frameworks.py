"""Each framework runs what it is given where the catalogue says: here it does so once."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import filter as matching
from pathlib import Path
from typing import Any

import pytest

from knowledge import frameworks, witness
from knowledge.spy import Spies
from loopsafe.knowledge.catalogue import load
from loopsafe.knowledge.loader import LibraryEntries, read_header, read_library
from loopsafe.knowledge.schema import Runner
from loopsafe.model import Place

APPLICATIONS = sorted(path.stem for path in Path(frameworks.__path__[0]).glob("[a-z]*.py"))


@pytest.mark.parametrize("name", APPLICATIONS)
def test_plain_functions_run_where_the_catalogue_says(name: str) -> None:
    application = load_application(name)
    spies = Spies()
    asyncio.run(asyncio.wait_for(application.use(spies), 30))
    assert not spies.mixed
    assert spies.seen == {item: place_of(item) for item in spies.seen}
    missed = [
        entry
        for entry in entries(name)
        if not any(matching(spies.seen.keys(), item) for item in entry)
    ]
    assert not missed, "\n".join(["never run:", *(" ".join(sorted(entry)) for entry in missed)])


def load_application(name: str) -> Any:
    for needed in read_header(*knowledge_file(name)).imports:
        if not witness.known(needed) or witness.module(needed) is witness.MISSING:
            pytest.skip(f"{needed} is not installed")
    return importlib.import_module(f"knowledge.frameworks.{name}")


def knowledge_file(name: str) -> tuple[str, str]:
    file = Path(read_header.__code__.co_filename).parent / f"{name}.toml"
    return file.name, file.read_text("utf-8")


def place_of(item: str) -> Place | None:
    """What the catalogue says of a noted name."""
    name, _, kind = item.partition("/")
    name, of_call, argument = name.removesuffix(")").partition("(")
    runner = runner_of(name)
    if runner is None:
        known, method = load().member(name) or (None, "")
        assert known is not None, name
        return known.override(method)
    if of_call:
        runner = next(other for other in (runner, *runner.also) if other.argument == argument)
    place = getattr(runner, kind or "sync")
    assert place is None or isinstance(place, Place)
    return place


def runner_of(name: str) -> Runner | None:
    found = load().runner(name)
    if found is None and (member := load().member(name)) is not None:
        found = member[0].runners.get(member[1])
    return found


def heirs(library: LibraryEntries, name: str) -> Iterator[str]:
    """Classes that are like one of a name."""
    for other in library.classes:
        if name in other.like:
            yield other.knowledge.name
            yield from heirs(library, other.knowledge.name)


def entries(name: str) -> Iterator[set[str]]:
    """The names of each entry that places plain functions; one of them stands for the others."""
    header = read_header(*knowledge_file(name))
    library = read_library(header, knowledge_file(name)[1])
    runners = [(names.spellings, runner) for names, runner in library.runners]
    for item in library.classes:
        known = item.knowledge
        owners = (known.name, *heirs(library, known.name))
        for method, runner in known.runners.items():
            runners.append((tuple(f"{owner}.{method}" for owner in owners), runner))
        for place in set(known.overrides.values()):
            methods = [method for method, where in known.overrides.items() if where is place]
            yield {f"{owner}.{method}" for owner in owners for method in methods}
    alike: dict[Runner, set[str]] = {}
    for spellings, runner in runners:
        for part in (runner, *runner.also):
            if part.sync is not None and not witness.gone(header.distribution, part.until):
                labels = {f"{name}({part.argument})" for name in spellings}
                labels.update(spellings if part is runner else ())
                alike.setdefault(replace(part, name="", also=()), set()).update(labels)
    yield from alike.values()
