"""What the settings of a project say of callables: `blocking`, `not-blocking` and their like.

Each is a dotted name, or a pattern in which `*` stands for any text, dots included. The keys of an
entry are those of the catalogue's own files, and so are the checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from loopsafe.knowledge.entries import Header, read_blocking, read_runner
from loopsafe.knowledge.schema import Blocking, Runner
from loopsafe.knowledge.table import KnowledgeError, Table
from loopsafe.model import Cost, Place

ORIGIN = "pyproject.toml"

_NAME = re.compile(r"[^\W\d]\w*(\.[\w*]+)+")
_NAMED = re.compile(r".*\.[^\W\d]\w*")
_HEADER = Header(ORIGIN, "", (), "", "", frozenset(), (), (), (), True, ORIGIN)
_BLOCKING = Blocking(name="", category="call", cost=Cost.STALL, origin=ORIGIN)


def blocking_entries(value: Any) -> tuple[Blocking, ...]:
    """Names, or name = advice, or name = entry, or an array of entries with `names`.

    The name of an entry may be a pattern. Raises KnowledgeError, as all here.
    """
    found = []
    for keys, name, item in _items(value):
        if isinstance(item, Table):
            entry = read_blocking(item, _BLOCKING)
            item.finish()
        elif isinstance(item, str):
            entry = replace(_BLOCKING, advice=item)
        else:
            raise _wrong(f"{name} must be an advice or a table", keys)
        found.append(replace(entry, name=name))
    return tuple(found)


def harmless_names(value: Any) -> tuple[str, ...]:
    """Names and patterns of what does not block."""
    if not isinstance(value, list):
        raise _wrong("must be a list of names", ())
    return tuple(name for _, name, _ in _items(value))


def offload_runners(value: Any) -> tuple[Runner, ...]:
    """What runs a callable in a worker thread."""
    return tuple(_runners(value, "offloaded call", Place.THREAD))


def callback_runners(value: Any) -> tuple[Runner, ...]:
    """What runs a callable on the event loop, sooner or later."""
    return tuple(_runners(value, "callback", Place.LOOP))


def _runners(value: Any, role: str, place: Place) -> Iterator[Runner]:
    """Names, or name = number of the argument from 0, or name = entry, or an array of entries."""
    for keys, name, item in _items(value):
        if not _NAMED.fullmatch(name):
            raise _wrong(f"{name} must end in the name of a function", keys, name)
        if isinstance(item, Table):
            runner = read_runner(item, name, _HEADER, role)
        elif isinstance(item, int) and not isinstance(item, bool) and item >= 0:
            runner = Runner(name, role, None, None, position=item)
        elif item == "":
            runner = Runner(name, role, None, None, position=0)
        else:
            raise _wrong(f"{name} must be the number of an argument, from 0, or a table", keys)
        # An offload cannot run a coroutine; what the loop runs may be one.
        coroutine = Place.LOOP if place is Place.LOOP else None
        yield replace(
            runner,
            sync=runner.sync or place,
            coroutine=runner.coroutine or coroutine,
            offloads=place is Place.THREAD,
        )


def _items(value: Any) -> Iterator[tuple[tuple[str | int, ...], str, Any]]:
    """Each name with what is said of it, an empty text for nothing; and where it stands."""
    if isinstance(value, dict):
        for name, item in value.items():
            _check(name, (name,), name)
            yield (name,), name, Table(name, item, (name,)) if isinstance(item, dict) else item
        return
    if not isinstance(value, list):
        raise _wrong("must be a list of names, or a table", ())
    for at, item in enumerate(value):
        if isinstance(item, str):
            _check(item, (), item)
            yield (), item, ""
        elif isinstance(item, dict):
            names = Table("entry", item, (at,)).texts("names")
            if not names:
                raise _wrong("`names` must list at least one dotted name", (at,))
            rest = {key: given for key, given in item.items() if key != "names"}
            for name in names:
                _check(name, (at, "names"), name)
                yield (at,), name, Table(name, rest, (at,))
        else:
            raise _wrong("must hold names or tables only", (at,))


def _check(name: str, keys: tuple[str | int, ...], text: str) -> None:
    if not _NAME.fullmatch(name):
        example = "such as `shop.tools.fetch` or `shop.cache.*`"
        raise _wrong(f"`{name}` is no dotted name that begins with a module, {example}", keys, text)


def _wrong(what: str, keys: tuple[str | int, ...], text: str = "") -> KnowledgeError:
    return KnowledgeError(what, what, keys, text)
