"""What a run came to, kept for the next one: it holds as long as all that it rested on is the same.

It rested on every file that was read and every folder that was looked into, those that lacked what
was looked for included.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import types
import typing
from collections.abc import Hashable, Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Any

from loopsafe.engine.reports import Problem
from loopsafe.model import Finding, Fix
from loopsafe.modules.cache import Cache, engine_version
from loopsafe.modules.disk import Disk, Seen, Signature, seen_of

_SETTINGS_FILES = ("pyproject.toml", "setup.cfg", "setup.py", "pyvenv.cfg", ".python-version")
"""Read by others than `Disk`, and noted where a folder has them."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What is to be told of one file."""

    problems: tuple[Problem, ...]
    findings: tuple[tuple[Finding, tuple[Fix, ...]], ...]


class Rest(typing.NamedTuple):
    """What answers rest on: files that were read, and folders with their names."""

    seen: Mapping[str, Seen]
    listed: Mapping[str, Mapping[str, bool]]


def key_of(*parts: Hashable) -> bytes:
    """Names a run by all that it is told; parts have a `repr` that says everything."""
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def keep(store: Cache, key: bytes, rest: Rest, answers: Mapping[str, Answer]) -> None:
    """Remembers what a run came to, and what it rested on, as it was when it was read."""
    folders = {folder: _listing(entries) for folder, entries in rest.listed.items()}
    files = {path: (*seen.signature, seen.digest.hex()) for path, seen in rest.seen.items()}
    for folder, entries in rest.listed.items():
        for name in _SETTINGS_FILES:
            seen = seen_of(f"{folder}/{name}") if entries.get(name) is False else None
            if seen is not None:
                files[f"{folder}/{name}"] = (*seen.signature, seen.digest.hex())
    told = {path: _plain(answer) for path, answer in answers.items()}
    data = json.dumps([folders, files, told], separators=(",", ":"))
    store.put(data.encode("ascii"), b"run", engine_version(), key)


def recall(store: Cache, key: bytes) -> dict[str, Answer] | None:
    """What a run would come to, if it is known."""
    data = store.get(b"run", engine_version(), key)
    if data is None:
        return None
    try:
        folders, files, told = json.loads(data)
        if not _is_same(folders, files):
            return None
        return {path: _made(Answer, answer) for path, answer in told.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _is_same(folders: dict[str, str], files: dict[str, tuple[int, int, str]]) -> bool:
    disk = Disk()
    for path, (mtime_ns, size, digest) in files.items():
        if disk.signature(path) != Signature(mtime_ns, size):
            seen = seen_of(path)
            if digest != (seen.digest.hex() if seen is not None else ""):
                return False
    return all(_listing(disk.entries(folder)) == names for folder, names in folders.items())


def _listing(entries: Mapping[str, bool]) -> str:
    names = "\0".join(sorted(f"{name}/" if folder else name for name, folder in entries.items()))
    return hashlib.blake2b(names.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _plain(value: Any) -> Any:
    """Records and enumerations as lists and words."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value):
        return [_plain(getattr(value, field.name)) for field in dataclasses.fields(value)]
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _made(kind: Any, value: Any) -> Any:
    """The value of a type that `_plain` took apart."""
    base = typing.get_origin(kind)
    if base in (typing.Union, types.UnionType):
        (kind,) = (k for k in typing.get_args(kind) if k is not type(None))
        return None if value is None else _made(kind, value)
    if base is tuple:
        kinds = typing.get_args(kind)
        if len(kinds) == 2 and kinds[1] is ...:
            return tuple([_made(kinds[0], item) for item in value])
        return tuple([_made(k, item) for k, item in zip(kinds, value, strict=True)])
    if kind in (str, int, bool):
        if type(value) is not kind:
            raise TypeError(kind)
        return value
    if issubclass(kind, Enum):
        return kind(value)
    parts: Iterable[Any] = zip(_fields(kind), value, strict=True)
    return kind(*[_made(part, item) for part, item in parts])


@cache
def _fields(kind: type[Any]) -> tuple[Any, ...]:
    return tuple(typing.get_type_hints(kind).values())
