"""The tables behind the cures, held against the libraries that they speak of."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import re
import subprocess
from functools import reduce
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests

from loopsafe.config import OFFLOADS
from loopsafe.fixes import idiom_names
from loopsafe.fixes.clients import Pair, pairs
from loopsafe.fixes.data import table
from loopsafe.fixes.idioms import idioms
from loopsafe.knowledge.catalogue import load

ABSENT = {"yaml", "tomli", "tomllib"}


def find(name: str) -> Any:
    """The object of a dotted name."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        return reduce(getattr, parts[length:], module)
    raise AssertionError(name)


def needs(name: str) -> None:
    """Skips a test of a library that is not there, or not with all that it imports."""
    parts = name.split(".")
    is_shared = True
    for length in range(1, len(parts) + 1):
        module = ".".join(parts[:length])
        try:
            found = importlib.import_module(module)
        except ImportError as error:
            if not is_shared and error.name == module:
                return  # No module: a class, or a mistake that the test is to find.
            pytest.skip("not installed")
        # A namespace, as `azure` is, has parts of many distributions.
        is_shared = found.__spec__ is not None and found.__spec__.origin is None


def stdlib(names: list[str]) -> list[str]:
    return [n for n in names if n.partition(".")[0] not in ABSENT and n != "open"]


@pytest.mark.parametrize("name", stdlib(table("threads")["handles"] + table("threads")["readers"]))
def test_files_and_their_readers_exist(name: str) -> None:
    needs(name)
    assert callable(find(name))


TEMPORARY = [
    (entry["name"], blocking, twin)
    for entry in table("files")["library"]
    for blocking, twin in entry["temporary"].items()
]


@pytest.mark.parametrize(("library", "blocking", "twin"), TEMPORARY)
def test_temporary_files_take_the_same(library: str, blocking: str, twin: dict[str, Any]) -> None:
    needs(library)
    for name in (blocking, twin["by"]):
        parameters = list(inspect.signature(find(name)).parameters)
        assert parameters[: len(twin["takes"])] == twin["takes"]
        assert set(twin["by_name"]) <= set(parameters)


@pytest.mark.parametrize("idiom", table("process")["library"])
def test_a_library_runs_programs_with_the_same_options(idiom: str) -> None:
    entry = table("process")["library"][idiom]
    needs(entry["by"])
    parameters = inspect.signature(find(entry["by"])).parameters
    assert {"stdout", "stderr", *entry["passed"]} <= set(parameters)
    assert parameters["check"].default is True
    assert parameters["stdout"].default == parameters["stderr"].default == subprocess.PIPE


def test_a_process_of_asyncio_has_what_is_used() -> None:
    popen = table("process")["popen"]
    from_asyncio = asyncio.subprocess.Process
    assert all(inspect.iscoroutinefunction(getattr(from_asyncio, n)) for n in popen["awaited"])
    assert set(table("process")["passed"]) <= set(inspect.signature(subprocess.Popen).parameters)


@pytest.mark.parametrize("pattern", table("threads")["bound"])
def test_what_is_bound_to_a_thread_exists(pattern: str) -> None:
    assert find(pattern.removesuffix(".*")) is not None


def test_consumers_are_builtins() -> None:
    assert all(callable(find(f"builtins.{name}")) for name in table("threads")["consumers"])


@pytest.mark.parametrize("idiom", [i for i in idioms() if i.module], ids=lambda i: i.name)
def test_idioms_call_what_there_is(idiom: Any) -> None:
    for module in idiom.module:
        function = find(f"{module}.{idiom.function}")
        if idiom.curried or idiom.head != "{0}(":
            continue
        parameters = inspect.signature(function).parameters.values()
        kinds = {parameter.kind for parameter in parameters}
        assert inspect.Parameter.VAR_POSITIONAL in kinds
        assert (inspect.Parameter.VAR_KEYWORD in kinds) == idiom.keywords
        named = [p.name for p in parameters if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
        assert idiom.keywords is False or tuple(named) == idiom.reserved
        assert not idiom.iterates or callable(find(f"{module}.{idiom.iterates}"))


def test_the_settings_name_idioms() -> None:
    assert set(OFFLOADS) - {"auto"} <= set(idiom_names())


DROP_INS = table("drop_in")


@pytest.mark.parametrize("name", DROP_INS["function"])
def test_drop_ins_exist(name: str) -> None:
    needs(name)
    try:
        blocking = list(inspect.signature(find(name)).parameters)
    except ValueError:
        blocking = []  # Written in C, without a signature.
    entry = dict(DROP_INS["function"][name])
    assert entry.pop("safe") or entry.get("caveat")
    keywords = entry.pop("keywords", [])
    entry.pop("caveat", None)
    for library, twin in entry.items():
        assert library in (*idiom_names(), *DROP_INS["libraries"])
        if not twin or "(" in twin:
            continue
        awaited = find(twin.replace(":", "."))
        assert inspect.iscoroutinefunction(inspect.unwrap(awaited)) or library == "aiofiles"
        taken = inspect.signature(awaited).parameters.values()
        if all(p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in taken):
            assert set(blocking) <= {p.name for p in taken}
    for position, keyword in enumerate(keywords):
        assert not keyword or blocking[position] == keyword


@pytest.mark.parametrize("name", DROP_INS["wrapped"])
def test_wrapped_objects_have_the_methods(name: str) -> None:
    entry = DROP_INS["wrapped"][name]
    for method in entry["methods"]:
        assert callable(getattr(find(name), method))
        assert inspect.iscoroutinefunction(getattr(find(entry["by"]), method))


@pytest.mark.parametrize("library", table("files")["library"], ids=lambda entry: entry["name"])
async def test_async_files_have_the_methods(library: dict[str, Any], tmp_path: Path) -> None:
    if library["name"] == "trio":
        return  # It opens files in its own loop only; its methods are those of anyio.
    opened = find(library["open"])(tmp_path / "x", "w+b")
    async with await opened if library["awaited"] else opened as file:
        for name in table("files")["awaited"]:
            assert inspect.iscoroutinefunction(getattr(file, name)), name
        for name in ("name", "mode", "closed", "fileno"):
            assert getattr(file, name) is not None


@pytest.mark.parametrize("kind", ["reads", "writes"])
def test_files_have_sisters(kind: str) -> None:
    for name, sister in table("files")[kind].items():
        if name.partition(".")[0] not in ABSENT:
            assert callable(find(f"{name.rpartition('.')[0]}.{sister}"))


OBJECTS = table("objects")
CLASSES = sorted({*OBJECTS["entered"], *OBJECTS["plain"], *OBJECTS["factories"].values()})


@pytest.mark.parametrize("name", CLASSES)
def test_clients_have_async_twins(name: str) -> None:
    known = load().klass(name)
    assert known is not None
    assert known.name == name, "a table uses the first name of a class"
    twin_name = OBJECTS["foreign"].get(name, known.twin)
    assert twin_name
    needs(name)
    needs(twin_name)
    blocking, twin = find(name), find(twin_name)
    assert hasattr(twin, "__aenter__") or name not in OBJECTS["entered"]
    for method in set(OBJECTS["plain"].get(name, [])) - {"*"}:
        assert not inspect.iscoroutinefunction(getattr(twin, method)), method
    refused = OBJECTS["refused"].get(name.partition(".")[0], [])
    for method, _ in inspect.getmembers(blocking, inspect.isroutine):
        entry = known.blocking(method)
        if entry is None or method.startswith("_") or method in refused:
            continue
        if not entry.twin and name not in OBJECTS["foreign"]:
            continue
        found = getattr(twin, entry.twin.rpartition(".")[2] or method, None)
        assert callable(found), method
        assert not inspect.isasyncgenfunction(found), method


@pytest.mark.parametrize("name", OBJECTS["closing"])
def test_clients_are_closed_by_a_coroutine(name: str) -> None:
    owner, _, method = name.rpartition(".")
    needs(name)
    known = load().klass(owner)
    assert known is not None
    assert callable(getattr(find(owner), method))
    twin = OBJECTS["foreign"].get(owner, known.twin)
    needs(twin)
    found = getattr(find(twin), OBJECTS["closing"][name])
    assert inspect.iscoroutinefunction(inspect.unwrap(found))


def test_wrappers_await_the_same_methods() -> None:
    for entry in table("attribute")["wrapper"]:
        for name in entry["classes"]:
            for method in entry["methods"]:
                assert inspect.iscoroutinefunction(getattr(find(name), method))


INSTALLED = [pair for pair in pairs() if pair.package in ("requests", "httpx")]


@pytest.mark.parametrize("pair", INSTALLED, ids=lambda pair: pair.package)
def test_requests_can_be_written_with_the_async_client(pair: Pair) -> None:
    client = httpx.AsyncClient
    constructor = set(inspect.signature(client).parameters)
    assert set(pair.constructor.values()) | set(pair.defaults) <= constructor
    assert pair.session_arguments <= constructor
    for name, method in pair.methods.items():
        taken = set(inspect.signature(getattr(client, name)).parameters) - {"self"}
        given = {pair.keywords[k] for k in pair.keywords if k not in method.no}
        assert {pair.keywords[k] for k in method.positional} <= taken
        lacking = given - taken - {"method"} - (set(pair.keywords.values()) - _named(pair, name))
        assert not lacking, f"{name}: {lacking}"
        blocking = inspect.signature(getattr(find(pair.package), name)).parameters
        positional = [p for p in blocking.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        assert tuple(p.name for p in positional) == method.positional
        assert callable(getattr(find(pair.session), name))


def _named(pair: Pair, method: str) -> set[str]:
    """Keywords that the blocking function names; the others it passes on."""
    parameters = inspect.signature(getattr(find(pair.package), method)).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return set(pair.keywords.values())
    return {pair.keywords[name] for name in parameters if name in pair.keywords}


def test_responses_and_errors_have_counterparts() -> None:
    pair = INSTALLED[0]
    request = httpx.Request("GET", "http://test")
    response = httpx.Response(200, request=request)
    assert pair.attributes
    for old, new in pair.attributes.items():
        assert hasattr(requests.Response, old) or old in requests.Response.__attrs__
        assert hasattr(type(response), new) or new in vars(response)
    for name, new_names in pair.exceptions.items():
        assert issubclass(find(name if "." in name else f"builtins.{name}"), Exception)
        for new in new_names:
            assert issubclass(find(new if "." in new else f"httpx.{new}"), Exception)


@pytest.mark.parametrize(
    "name",
    [
        "idioms", "threads", "drop_in", "clients", "eager", "nested_loop", "to_def", "attribute",
        "everywhere", "files", "future", "objects", "process", "channel", "sockets", "processes",
        "twins", "client_block",
    ],
)  # fmt: skip
def test_tables_are_read(name: str) -> None:
    assert table(name)
    text = importlib.resources.files("loopsafe.fixes").joinpath(f"{name}.toml").read_text("utf-8")
    assert re.match(r"# ", text), "a table begins with what it is for"
