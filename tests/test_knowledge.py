"""Every name in the catalogue exists in the library it is about, and means what the entry says."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from knowledge import witness
from loopsafe.knowledge.entries import Header
from loopsafe.knowledge.loader import LibraryEntries, read_header, read_library
from loopsafe.knowledge.schema import Blocking, ClassKnowledge, Condition, Runner

FOLDER = Path(read_header.__code__.co_filename).parent
FILES = sorted(path.name for path in FOLDER.glob("*.toml"))

# Checked only where somebody has installed them; tests/knowledge/requirements.txt has the others.
ON_DEMAND = frozenset({"homeassistant"})


@cache
def header(file: str) -> Header:
    return read_header(file, (FOLDER / file).read_text("utf-8"))


@cache
def library(file: str) -> LibraryEntries:
    return read_library(header(file), (FOLDER / file).read_text("utf-8"))


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest) -> str:
    """Each file whose library can be looked at here."""
    name = str(request.param)
    unknown = {top(home) for home in header(name).imports if not witness.known(top(home))}
    if unknown and unknown <= ON_DEMAND:
        pytest.skip(f"{', '.join(sorted(unknown))} is neither installed nor in typeshed")
    assert not unknown, f"install tests/knowledge/requirements.txt, {unknown} is missing"
    return name


def top(name: str) -> str:
    return name.partition(".")[0]


def report(lines: Iterable[str]) -> str:
    return "\n".join(["", *sorted(lines)])


def test_names_exist(file: str) -> None:
    names = {*_callables(file), *header(file).harmless, *header(file).asynchronous}
    names.update(_returned(file))
    missing = [name for name in names if not witness.exists(name)]
    assert not missing, report(missing)


def _callables(file: str) -> Iterator[str]:
    entries = library(file)
    for names, _ in (*entries.functions, *entries.decorators, *entries.runners):
        yield from names.all
    for entry in entries.classes:
        yield from entry.names.all


def _returned(file: str) -> Iterator[str]:
    for name, result in library(file).returns.items():
        yield from (name, result)
    for entry in library(file).classes:
        yield from entry.knowledge.returns.values()
        yield from entry.knowledge.attributes.values()


def test_spellings_are_one_object(file: str) -> None:
    entries = library(file)
    callables = (*entries.functions, *entries.decorators, *entries.runners)
    listed = [names for names, _ in callables]
    listed += [entry.names for entry in entries.classes]
    different = [" ".join(n.spellings) for n in listed if not witness.same(n.spellings)]
    assert not different, report(different)


def test_methods_exist(file: str) -> None:
    missing = [
        f"{entry.knowledge.name}.{method}"
        for entry in library(file).classes
        for method, until in _methods(entry.knowledge)
        if _has(entry.knowledge.name, method) == witness.gone(header(file).distribution, until)
    ]
    assert not missing, report(missing)


def _methods(known: ClassKnowledge) -> Iterator[tuple[str, str]]:
    """Names, and the versions in which they are gone."""
    yield from ((name, blocking.until) for name, blocking in known.methods.items())
    yield from ((name, runner.until) for name, runner in known.runners.items())
    yield from ((name, "") for name in known.harmless - {"*"})
    yield from ((name, blocking.until) for name, blocking in known.patterns if name != "*")


def _has(owner: str, method: str) -> bool:
    if "*" in method:
        holders = (witness.runtime(owner), *_heirs(owner))
        return any(fnmatchcase(name, method) for holder in holders for name in dir(holder))
    if method == "__init__" or witness.exists(f"{owner}.{method}"):
        return True
    return any(hasattr(example, method) for example in (*_examples(owner), *_heirs(owner)))


def _heirs(owner: str) -> Iterator[type]:
    """Classes that a library derives from one of its own, which defines less than they do."""
    value = witness.runtime(owner)
    if inspect.isclass(value):
        yield from (
            heir for heir in type.__subclasses__(value) if heir.__module__.startswith(top(owner))
        )


def _examples(owner: str) -> Iterator[object]:
    """Instances of classes whose methods are made at run time."""
    if owner == "botocore.client.BaseClient":
        yield witness.runtime("boto3.client")("s3", region_name="eu-west-1")
    elif owner == "boto3.resources.base.ServiceResource":
        for service in ("s3", "dynamodb", "sqs", "sns", "ec2"):
            yield witness.runtime("boto3.resource")(service, region_name="eu-west-1")
        yield witness.runtime("boto3.resource")("s3", region_name="eu-west-1").Bucket("one")


def test_attributes_and_overridden_methods_are_known_to_the_class(file: str) -> None:
    missing = [
        f"{entry.knowledge.name}.{name}"
        for entry in library(file).classes
        for known in (
            entry.knowledge.returns,
            entry.knowledge.attributes,
            entry.knowledge.overrides,
        )
        for name in known
        if not witness.exists(f"{entry.knowledge.name}.{name}")
        and not _has(entry.knowledge.name, name)
        and not witness.mentions(entry.knowledge.name, name)
    ]
    assert not missing, report(missing)


def test_twins_exist_and_are_not_what_they_replace(file: str) -> None:
    twins = {blocking.name: blocking.twin for blocking in _all_blocking(file) if blocking.twin}
    twins |= {e.knowledge.name: e.knowledge.twin for e in library(file).classes if e.knowledge.twin}
    wrong = [
        f"{name} -> {twin}"
        for name, twin in twins.items()
        if name == twin or not witness.exists(twin)
    ]
    assert not wrong, report(wrong)


def _all_blocking(file: str) -> Iterator[Blocking]:
    for _, blocking in (*library(file).functions, *library(file).decorators):
        yield blocking
    for entry in library(file).classes:
        yield from entry.knowledge.methods.values()


def test_conditions_fit_the_signatures(file: str) -> None:
    wrong = []
    for blocking in _all_blocking(file):
        for condition in (*blocking.harmless_if, *blocking.only_if):
            wrong += _misfits(blocking.name, condition)
    for entry in library(file).classes:
        for blocking in entry.knowledge.methods.values():
            for condition in (*blocking.harmless_if_made, *blocking.only_if_made):
                wrong += _misfits(entry.knowledge.name, condition)
    assert not wrong, report(wrong)


def _misfits(name: str, condition: Condition) -> list[str]:
    if condition.type and not witness.exists(condition.type):
        return [f"{name}: no type {condition.type}"]
    return _place_misfits(name, condition.argument, condition.position)


def _place_misfits(name: str, argument: str, position: int) -> list[str]:
    signatures = witness.parameters(name)
    if any(signature.fits(argument, position) for signature in signatures):
        return []
    return [f"{name}: `{argument}` at {position} in {signatures}"]


def test_runners_fit_the_signatures(file: str) -> None:
    wrong = []
    for runner in _all_runners(file):
        gone = witness.gone(header(file).distribution, runner.until)
        if not gone and (runner.argument or runner.position >= 0):
            wrong += _place_misfits(runner.name, runner.argument, runner.position)
    assert not wrong, report(wrong)


def _all_runners(file: str) -> Iterator[Runner]:
    for _, runner in library(file).runners:
        yield runner
    for entry in library(file).classes:
        yield from entry.knowledge.runners.values()


def test_every_library_says_where_its_facts_are_from(file: str) -> None:
    assert all(blocking.source.startswith("https://") for blocking in _all_blocking(file))
