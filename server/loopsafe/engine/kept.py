"""What a run came to, kept for the next one: it holds as long as all that it rested on is the same.

It rested on every file that was read and every folder that was looked into, those that lacked what
was looked for included.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import typing
from collections.abc import Collection, Hashable, Iterator, Mapping

from loopsafe.engine.records import made, plain
from loopsafe.engine.reports import Problem
from loopsafe.engine.resume import Grounds, dumped, loaded
from loopsafe.model import Finding, Fix
from loopsafe.modules.cache import Cache, engine_version
from loopsafe.modules.disk import Disk, Seen, Signature, seen_of
from loopsafe.modules.marks import leads_anywhere

_SETTINGS_FILES = (
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "Pipfile",
    "pyvenv.cfg",
    ".python-version",
)
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


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """What an earlier run came to."""

    answers: Mapping[str, Answer]
    """By path."""
    changed: frozenset[str]
    """Files whose text is another now."""
    grounds: Grounds | None
    """What each answer rested on; None where all that is asked is answered."""
    files: Mapping[str, tuple[int, int, str]]
    folders: Mapping[str, str]


def keep(
    store: Cache,
    key: bytes,
    rest: Rest,
    answers: Mapping[str, Answer],
    grounds: Grounds | None = None,
    before: Known | None = None,
) -> None:
    """Remembers what a run came to, and what it rested on, as it was when it was read.

    `before` is the earlier run that some of the answers are from.
    """
    folders = dict(before.folders) if before is not None else {}
    files = dict(before.files) if before is not None else {}
    folders.update((folder, _listing(entries)) for folder, entries in rest.listed.items())
    files.update((path, (*seen.signature, seen.digest.hex())) for path, seen in rest.seen.items())
    for folder, entries in rest.listed.items():
        for name in _SETTINGS_FILES:
            seen = seen_of(f"{folder}/{name}") if entries.get(name) is False else None
            if seen is not None:
                files[f"{folder}/{name}"] = (*seen.signature, seen.digest.hex())
    told = {path: plain(answer) for path, answer in answers.items()}
    data = json.dumps([folders, files, told], separators=(",", ":"))
    store.put(data.encode("ascii"), b"run", engine_version(), key)
    # By itself, as only a run after a change reads it.
    data = json.dumps(dumped(grounds) if grounds is not None else None, separators=(",", ":"))
    store.put(data.encode("ascii"), b"grounds", engine_version(), key)


def recall(store: Cache, key: bytes, asked: Collection[str]) -> Known | None:
    """What a run that is asked about some files would come to, as far as it is known."""
    data = store.get(b"run", engine_version(), key)
    if data is None:
        return None
    try:
        folders, files, told = json.loads(data)
        if not _are_same(folders):
            return None
        changed = frozenset(_changed(files))
        is_whole = not changed and told.keys() >= set(asked)
        grounds = None if is_whole else _grounds(store, key)
        if not is_whole and (grounds is None or not changed <= grounds.modules.keys()):
            return None
        answers = {path: made(Answer, answer) for path, answer in told.items()}
        return Known(answers, changed, grounds, files, folders)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return None


def _grounds(store: Cache, key: bytes) -> Grounds | None:
    data = json.loads(store.get(b"grounds", engine_version(), key) or b"null")
    return loaded(data) if data is not None else None


def _changed(files: dict[str, tuple[int, int, str]]) -> Iterator[str]:
    disk = Disk()
    for path, (mtime_ns, size, digest) in files.items():
        if disk.signature(path) != Signature(mtime_ns, size):
            seen = seen_of(path)
            if digest != (seen.digest.hex() if seen is not None else ""):
                yield path


def _are_same(folders: dict[str, str]) -> bool:
    disk = Disk()
    return all(_listing(disk.entries(folder)) == names for folder, names in folders.items())


def _listing(entries: Mapping[str, bool]) -> str:
    found = {name: folder for name, folder in entries.items() if leads_anywhere(name, folder)}
    names = "\0".join(sorted(f"{name}/" if folder else name for name, folder in found.items()))
    return hashlib.blake2b(names.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
