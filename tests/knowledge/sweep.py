"""Calls what the catalogue lists of a class, with arguments made up from the signatures."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache, partial
from types import ModuleType
from typing import Any

from knowledge import witness
from knowledge.observe import Observation, Service, observe
from knowledge.stand_in import StandIn
from loopsafe.knowledge.catalogue import load
from loopsafe.knowledge.schema import Blocking, ClassKnowledge
from loopsafe.model import Cost

Call = Callable[[Any], Any]

_PROTOCOL: dict[str, Call] = {
    "__enter__": lambda one: one.__enter__(),
    "__exit__": lambda one: one.__exit__(None, None, None),
    "__iter__": lambda one: next(iter(one)),
    "__next__": next,
    "__call__": lambda one: one(),
    "__getitem__": lambda one: one["a"],
    "__setitem__": lambda one: one.__setitem__("a", "b"),
    "__delitem__": lambda one: one.__delitem__("a"),
    "__contains__": lambda one: "a" in one,
    "__len__": len,
    "__bool__": bool,
}
_LAST = ("close", "shutdown", "__exit__")
_MADE_UP: tuple[Any, ...] = ("a", 1, ["a"], {"a": "b"}, b"a", [("a", "b")], None)
_BY_ANNOTATION: dict[str, Any] = {
    "str": "a",
    "int": 1,
    "float": 1.0,
    "bool": True,
    "bytes": b"a",
    "list": ["a"],
    "List": ["a"],
    "Sequence": ["a"],
    "Iterable": ["a"],
    "dict": {"a": "b"},
    "Dict": {"a": "b"},
    "Mapping": {"a": "b"},
}


@dataclass
class Result:
    """What was seen of one catalogued callable."""

    name: str
    blocks: bool
    """What the catalogue says."""
    always: bool = True
    """It is said to wait whenever it is called, and not just now and then."""
    seen: Observation = field(default_factory=Observation)

    @property
    def is_wrong(self) -> bool:
        """Whether the catalogue and the observation differ."""
        differ = self.seen.reached and self.seen.blocked != self.blocks
        return differ and (self.always or self.seen.blocked)


def sweep(clients: ModuleType, most: int = 1000) -> Iterator[Result]:
    """All that a module of `knowledge.clients` can show, one call after the other.

    Of a class's methods that are not listed one by one, at most so many, evenly spread.
    """
    for name, make in getattr(clients, "RECEIVERS", {}).items():
        known = load().klass(name)
        assert known is not None, f"{name} has no entry"
        given: dict[str, Any] = getattr(clients, "ARGUMENTS", {})
        for method in methods(known, clients, most):
            special = given.get(f"{name}.{method}")
            calls = [special] if special is not None else list(_calls(known, method))
            yield _first_that_reaches(
                f"{name}.{method}", known.blocking(method), calls, make, clients
            )
    for name, call in getattr(clients, "CALLS", {}).items():
        yield _first_that_reaches(name, entry(name), [call], lambda at: at, clients)


def entry(name: str) -> Blocking | None:
    """What the catalogue says of a function, a class that is made, or a method."""
    if (known := load().klass(name)) is not None:
        return known.blocking("__init__")
    if (member := load().member(name)) is not None:
        return member[0].blocking(member[1])
    return load().function(name)


def methods(known: ClassKnowledge, clients: ModuleType, most: int) -> list[str]:
    """The methods to call: what is listed as blocking, of an async class its coroutines."""
    left_out = getattr(clients, "LEFT_OUT", {})
    cls = getattr(clients, "CLASSES", {}).get(known.name) or witness.runtime(known.name)
    wanted = [
        name
        for name in (*_listed(known), *_spread(sorted(_family(known, cls)), most))
        if name != "__init__"
        and f"{known.name}.{name}" not in left_out
        and (name in _PROTOCOL or not name.startswith("__"))
        and (known.blocking(name) is None or not _is_conditional(known, name))
    ]
    return sorted(dict.fromkeys(wanted), key=lambda name: name in _LAST)


def _listed(known: ClassKnowledge) -> list[str]:
    return [*known.methods, *sorted(name for name in known.harmless if "*" not in name)]


def _family(known: ClassKnowledge, cls: Any) -> set[str]:
    """Methods that stand in no list, but fit a pattern or are an async class's."""
    public = {name for name in dir(cls) if name[0] != "_"}
    if known.asynchronous:
        coroutines = {name for name in public if _is_coroutine(cls, name)}
        return coroutines | public.intersection(_listed_by_twins(known.name))
    patterns = [pattern for pattern, _ in known.patterns]
    return {
        name
        for name in public.difference(known.methods, known.harmless)
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    }


def _spread(names: list[str], most: int) -> list[str]:
    step = max(1, -(-len(names) // most))
    return names[::step]


@cache
def _twins() -> dict[str, list[ClassKnowledge]]:
    """Async classes -> the classes that name them as their twins."""
    found: dict[str, list[ClassKnowledge]] = {}
    for _, known in load().classes():
        if known.twin:
            found.setdefault(load().canonical(known.twin), []).append(known)
    return found


def _listed_by_twins(name: str) -> Iterator[str]:
    """Methods of an async class that wait in the class it is the twin of."""
    for known in _twins().get(name, ()):
        yield from (method for method in known.methods if method[0] != "_")
        for pattern, _ in known.patterns:
            for method in dir(witness.runtime(known.name)):
                if method[0] != "_" and known.blocking(method) and fnmatchcase(method, pattern):
                    yield method


def _is_conditional(known: ClassKnowledge, method: str) -> bool:
    """Whether it depends on arguments, which nobody makes up, or is not what waits when called."""
    entry = known.blocking(method)
    if entry is None:
        return False
    return entry.lazy or entry.is_property or bool(entry.only_if or entry.only_if_made)


def _is_coroutine(cls: Any, name: str) -> bool:
    value = inspect.getattr_static(cls, name, None)
    return inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value)


def _calls(known: ClassKnowledge, method: str) -> Iterator[Call]:
    """Ways of calling a method, the likeliest first."""
    if method in _PROTOCOL:
        yield _PROTOCOL[method]
        return
    for fallback in _MADE_UP:
        yield partial(_call, method, fallback)


def _call(method: str, fallback: Any, receiver: Any) -> Any:
    function = getattr(receiver, method)
    arguments, keywords = _made_up(function, fallback)
    return function(*arguments, **keywords)


def _made_up(function: Any, fallback: Any) -> tuple[list[Any], dict[str, Any]]:
    arguments: list[Any] = []
    keywords: dict[str, Any] = {}
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return [fallback], {}
    for item in parameters:
        value = _value(item, fallback)
        if item.kind is inspect.Parameter.VAR_POSITIONAL:
            arguments.append(value)
        elif item.default is not inspect.Parameter.empty or item.kind is item.VAR_KEYWORD:
            continue
        elif item.kind is inspect.Parameter.KEYWORD_ONLY:
            keywords[item.name] = value
        else:
            arguments.append(value)
    return arguments, keywords


def _value(parameter: inspect.Parameter, fallback: Any) -> Any:
    """By its annotation at the first attempt, which is the one that falls back on a word."""
    if fallback != "a":
        return fallback
    words = str(getattr(parameter.annotation, "__name__", parameter.annotation)).split("[")[0]
    return _BY_ANNOTATION.get(words.rpartition(".")[2], fallback)


def _first_that_reaches(
    name: str, said: Blocking | None, calls: list[Call], make: Call, clients: ModuleType
) -> Result:
    result = Result(name, said is not None, said is None or said.cost is Cost.STALL)
    for call in calls:
        service: Service = getattr(clients, "service", StandIn)()
        result.seen = observe(service, call, partial(make, service), _patience(clients))
        if result.seen.reached or not result.seen.error:
            break
    return result


def _patience(clients: ModuleType) -> float:
    return float(getattr(clients, "PATIENCE", 2.0))
