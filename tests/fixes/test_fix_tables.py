"""The tables behind the cures, held against the libraries that they speak of."""

from __future__ import annotations

import importlib
import inspect
import re
from functools import reduce
from typing import Any

import httpx
import pytest
import requests

from loopsafe.config import OFFLOADS
from loopsafe.fixes import idiom_names
from loopsafe.fixes.clients import Pair, pairs
from loopsafe.fixes.data import table
from loopsafe.fixes.idioms import idioms

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


def stdlib(names: list[str]) -> list[str]:
    return [n for n in names if n.partition(".")[0] not in ABSENT and n != "open"]


@pytest.mark.parametrize("name", stdlib(table("threads")["handles"] + table("threads")["readers"]))
def test_files_and_their_readers_exist(name: str) -> None:
    assert callable(find(name))


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
    assert not idiom.iterates or callable(find(idiom.iterates))


def test_the_settings_name_idioms() -> None:
    assert set(OFFLOADS) - {"auto"} <= set(idiom_names())


@pytest.mark.parametrize("name", table("drop_in")["function"])
def test_drop_ins_exist(name: str) -> None:
    assert callable(find(name))
    entry = table("drop_in")["function"][name]
    for library in set(entry) - {"safe", "caveat"}:
        assert library in idiom_names()
        assert inspect.iscoroutinefunction(find(entry[library]))


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
    "name", ["idioms", "threads", "drop_in", "clients", "eager", "nested_loop", "to_def"]
)
def test_tables_are_read(name: str) -> None:
    assert table(name)
    text = importlib.resources.files("loopsafe.fixes").joinpath(f"{name}.toml").read_text("utf-8")
    assert re.match(r"# ", text), "a table begins with what it is for"
