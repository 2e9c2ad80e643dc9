"""Says whether a dotted name exists: asks the installed library, and type stubs where it is not."""

from __future__ import annotations

import ast
import importlib
import inspect
import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import metadata
from typing import Any

from packaging.version import Version

from knowledge import stubs

MISSING = object()

# Behind all that is installed; what imports without its dependencies can be looked at as well.
sys.path.append(str(stubs.UNPACKED))


@cache
def module(name: str) -> Any:
    """An importable module, or MISSING: without what it needs, a module may raise anything."""
    try:
        return importlib.import_module(name)
    except Exception:
        # Not there, or without what it depends on, which may show as anything.
        return MISSING


@cache
def runtime(dotted: str) -> Any:
    """The object of a dotted name in the running interpreter, or MISSING."""
    owner, _, name = dotted.rpartition(".")
    if not owner:
        return module(name)
    value = _attribute(runtime(owner), name)
    return module(dotted) if value is MISSING else value


def _attribute(owner: Any, name: str) -> Any:
    try:
        return getattr(owner, name, MISSING)
    except Exception:
        # A module whose lazy attribute needs something that is not installed.
        return MISSING


def exists(dotted: str) -> bool:
    """Whether anything knows the name."""
    return runtime(dotted) is not MISSING or bool(stubs.find(dotted))


def has(owner: str, method: str) -> bool:
    """Whether a class has a method, or any that fits a pattern, of its own or in its heirs."""
    if "*" in method:
        holders = (runtime(owner), *_heirs(owner))
        names = set(stubs.members(owner)).union(*(dir(holder) for holder in holders))
        return any(fnmatchcase(name, method) for name in names)
    if method == "__init__" or exists(f"{owner}.{method}"):
        return True
    return any(hasattr(example, method) for example in (*_examples(owner), *_heirs(owner)))


def defines(owner: str, method: str) -> bool:
    """Whether any class of the library has a method, or one that fits a pattern."""
    parts = owner.split(".")
    home = ".".join(parts[: _SHARED.get(parts[0], 1)])
    return any(fnmatchcase(name, method) for name in stubs.defined_below(home))


def _heirs(owner: str) -> Iterator[type]:
    """Classes that a library derives from one of its own, which defines less than they do."""
    value = runtime(owner)
    if inspect.isclass(value):
        yield from (
            heir
            for heir in type.__subclasses__(value)
            if heir.__module__.startswith(owner.partition(".")[0])
        )


_SERVICES = (
    *("s3", "lambda", "bedrock-runtime", "bedrock-agent-runtime", "sagemaker-runtime", "polly"),
    *("kinesis", "kinesis-video-media"),
)


def _examples(owner: str) -> Iterator[object]:
    """Instances of classes whose methods are made at run time."""
    if owner == "botocore.client.BaseClient":
        session = runtime("boto3.Session")(region_name="eu-west-1")
        yield from map(session.client, _SERVICES)
    elif owner == "boto3.resources.base.ServiceResource":
        for service in ("s3", "dynamodb", "sqs", "sns", "ec2"):
            yield runtime("boto3.resource")(service, region_name="eu-west-1")
        yield runtime("boto3.resource")("s3", region_name="eu-west-1").Bucket("one")


def mentions(owner: str, name: str) -> bool:
    """Whether the source of a class or its bases names something that is no attribute of it."""
    word = re.compile(rf"\b{name}\b", re.IGNORECASE)
    return any(word.search(source) for source in _sources(owner))


def _sources(owner: str) -> Iterator[str]:
    for item in stubs.find(owner):
        yield ast.unparse(item.node)
    value = runtime(owner)
    for base in value.__mro__ if inspect.isclass(value) else ():
        yield _source(base)


def _source(value: type) -> str:
    try:
        return inspect.getsource(value)
    except (OSError, TypeError):
        # Written in C, or made at run time.
        return ""


def gives(dotted: str) -> str:
    """What an async function gives, `coroutine` or `iterator`; empty where there is none."""
    if dotted.endswith(".__aiter__"):
        return "iterator"
    function = _function(dotted)
    if inspect.isasyncgenfunction(function):
        return "iterator"
    return "coroutine" if inspect.iscoroutinefunction(function) else ""


def makes_generator(dotted: str) -> bool:
    """Whether a call only makes a generator, and does not enter it as a context manager does."""
    is_entered = hasattr(runtime(dotted), "__wrapped__")
    is_operator = dotted.endswith("__")
    return not is_entered and not is_operator and inspect.isgeneratorfunction(_function(dotted))


def is_called(dotted: str) -> bool:
    """Whether an attribute of a class is a method as far as can be seen: no property."""
    value = runtime(dotted)
    if value is not MISSING:
        return inspect.isroutine(value)
    found = [item.node for item in stubs.find(dotted)]
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not any("property" in ast.unparse(decorator) for decorator in node.decorator_list)
        for node in found
    )


def named(pattern: str) -> Iterator[str]:
    """The public attributes that a name with wildcards in its last part stands for."""
    owner, _, last = pattern.rpartition(".")
    if "*" not in last:
        yield pattern
        return
    for name in dir(runtime(owner)):
        if fnmatchcase(name, last) and not name.startswith("_"):
            yield f"{owner}.{name}"


def _function(dotted: str) -> Any:
    try:
        return inspect.unwrap(runtime(dotted))
    except Exception:
        # Proxies of some libraries raise anything when they are looked at.
        return MISSING


def gone(distribution: str, until: str) -> bool:
    """Whether what an entry describes is no longer in the installed version."""
    if not until:
        return False
    # What belongs to no distribution comes with Python.
    version = metadata.version(distribution) if distribution else platform.python_version()
    return Version(version) >= Version(until)


def known(name: str) -> bool:
    """Whether the library of a dotted name is installed, unpacked or has a stub."""
    parts = name.split(".")
    home = ".".join(parts[: _SHARED.get(parts[0], 1)])
    return stubs.module_file(home) is not None or module(home) is not MISSING


# Namespaces that many distributions share -> how much of a name tells one from the other.
_SHARED = {
    "google": 3,
    "azure": 3,
    "databricks": 2,
    "opentelemetry": 2,
    "snowflake": 2,
    # Modules of one name, of two distributions that do not go together.
    "serpapi": 2,
}


def same(names: tuple[str, ...]) -> bool:
    """Whether all spellings are one object, for the interpreter or for the stubs."""
    objects = [value for value in map(runtime, names) if value is not MISSING]
    if len(objects) == len(names) and all(value is objects[0] for value in objects):
        return True
    meanings = [{_place(item) for item in stubs.find(name)} for name in names]
    return all(meanings) and bool(set.intersection(*meanings))


def _place(item: stubs.Definition) -> tuple[str, int]:
    return item.module, getattr(item.node, "lineno", 0)


@dataclass(frozen=True)
class Parameters:
    """The parameters a caller passes, without `self` and `cls`."""

    positional: tuple[str, ...]
    positional_only: int
    keyword_only: frozenset[str]
    rest: bool
    keywords: bool

    def fits(self, argument: str, position: int) -> bool:
        """Whether an argument of this name stands at this place, both given where both exist."""
        if position < 0:
            # So far back nobody passes it without its name, and versions move it about.
            late = argument in self.positional[3:]
            return late or argument in self.keyword_only or self._takes_any(argument)
        if position >= len(self.positional):
            return self.rest and not argument
        if not argument and (position < self.positional_only or self.rest):
            return True
        return self.positional[position] == argument

    def _takes_any(self, argument: str) -> bool:
        return self.keywords and argument not in self.positional


def parameters(dotted: str) -> set[Parameters]:
    """All signatures that a callable has anywhere, for a class those of its construction."""
    return {*_of_runtime(dotted), *_of_stubs(dotted)}


def _of_runtime(dotted: str) -> Iterator[Parameters]:
    value = runtime(dotted)
    if value is MISSING or not callable(value):
        return
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return
    listed = list(signature.parameters.values())
    owner = runtime(dotted.rpartition(".")[0])
    if inspect.isclass(owner) and inspect.isfunction(value) and _takes_self(owner, value):
        listed = listed[1:]
    positional = [item for item in listed if item.kind in _POSITIONAL]
    yield Parameters(
        tuple(item.name for item in positional),
        sum(item.kind is inspect.Parameter.POSITIONAL_ONLY for item in positional),
        frozenset(item.name for item in listed if item.kind is inspect.Parameter.KEYWORD_ONLY),
        any(item.kind is inspect.Parameter.VAR_POSITIONAL for item in listed),
        any(item.kind is inspect.Parameter.VAR_KEYWORD for item in listed),
    )


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _takes_self(owner: type, function: Any) -> bool:
    return not isinstance(inspect.getattr_static(owner, function.__name__, None), staticmethod)


def _of_stubs(dotted: str) -> Iterator[Parameters]:
    for item in stubs.find(dotted):
        if isinstance(item.node, ast.ClassDef):
            for name in ("__init__", "__new__"):
                yield from _of_stubs(f"{dotted}.{name}")
        elif isinstance(item.node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield _of_node(item.node)


def _of_node(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Parameters:
    only = [argument.arg for argument in node.args.posonlyargs]
    names = only + [argument.arg for argument in node.args.args]
    if names and names[0] in {"self", "cls", "type"}:
        names, only = names[1:], only[1:]
    private = sum(name.startswith("__") for name in names)
    return Parameters(
        tuple(names),
        max(len(only), private),
        frozenset(argument.arg for argument in node.args.kwonlyargs),
        node.args.vararg is not None,
        node.args.kwarg is not None,
    )
