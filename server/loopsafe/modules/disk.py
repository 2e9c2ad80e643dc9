"""The one door to source files: what is on disk, shadowed by the editor's unsaved buffers, and the
packages that come with Loopsafe.

Directory listings are cached, because looking a module up asks for the same few folders thousands
of times. Whoever learns of a change says so with `invalidate`.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from loopsafe import notebook
from loopsafe.modules.bundle import Bundle
from loopsafe.text import decode

_SETTLED_NS = 3_000_000_000
_UNSETTLED = -1


class Signature(NamedTuple):
    """Changes whenever a file's text may have changed. Buffers have negative times."""

    mtime_ns: int
    size: int


class Seen(NamedTuple):
    """A file as it was read."""

    signature: Signature
    digest: bytes
    """Of its bytes; empty where it could not be read."""


_UNREADABLE = Seen(Signature(_UNSETTLED, 0), b"")


class Disk:
    """Reads files and folders; file names are absolute."""

    def __init__(self) -> None:
        self._buffers: dict[str, tuple[str, Signature]] = {}
        self._folders: dict[str, dict[str, bool]] = {}
        self._edits = 0
        self.seen: dict[str, Seen] = {}
        """Every file that was read from the disk."""
        self.generation = 0
        """Grows whenever names come or go."""
        self.bundle = Bundle()

    def open(self, path: str, text: str) -> None:
        """An unsaved buffer shadows the file from now on."""
        self._edits += 1
        is_new = path not in self._buffers and not os.path.lexists(path)
        self._buffers[path] = (text, Signature(-self._edits, len(text)))
        if is_new:
            self._forget_folders(path)

    def close(self, path: str) -> None:
        """The file on disk counts again."""
        if self._buffers.pop(path, None) is not None and not os.path.lexists(path):
            self._forget_folders(path)

    def is_open(self, path: str) -> bool:
        """Whether an unsaved buffer shadows the file."""
        return path in self._buffers

    def read(self, path: str) -> str:
        """The text, of a notebook its code.

        Raises OSError, UnicodeDecodeError, or SyntaxError: an unknown encoding, or no notebook.
        """
        if (buffer := self._buffers.get(path)) is not None:
            return buffer[0]
        if self.bundle.holds(path):
            return decode(self.bundle.read(path))
        return self._stored(path)

    def is_saved(self) -> bool:
        """Whether every buffer has the text of its file."""
        try:
            return all(self._stored(path) == text for path, (text, _) in self._buffers.items())
        except (OSError, UnicodeDecodeError, SyntaxError):
            return False

    def listed(self) -> Mapping[str, Mapping[str, bool]]:
        """The folders that were looked into."""
        return self._folders

    def signature(self, path: str) -> Signature | None:
        """None where there is no such file."""
        if (buffer := self._buffers.get(path)) is not None:
            return buffer[1]
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            return None
        return Signature(status.st_mtime_ns, status.st_size)

    def entries(self, folder: str) -> Mapping[str, bool]:
        """Names in a folder, spelled as on disk, and whether each is a folder; cached."""
        if self.bundle.holds(folder):
            return self.bundle.entries(folder)
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = self._list(folder)
        return known

    def is_file(self, path: str) -> bool:
        """Whether there is such a file, spelled exactly like this, or a buffer of that name."""
        folder, name = os.path.split(path)
        return self.entries(folder).get(name) is False

    def is_folder(self, path: str) -> bool:
        """Whether there is such a folder, spelled exactly like this."""
        folder, name = os.path.split(path)
        return self.entries(folder).get(name, False) if name else os.path.isdir(path)

    def invalidate(self, paths: Iterable[str]) -> None:
        """Files or folders were made, changed or removed.

        A mere change of content leaves every listing as it is.
        """
        for path in paths:
            if self._is_news(path):
                self._forget_folders(path)

    def _stored(self, path: str) -> str:
        self.seen[path] = _UNREADABLE
        data, self.seen[path] = _read(path)
        text = decode(data)
        return notebook.read(text).text if path.endswith(notebook.SUFFIX) else text

    def _is_news(self, path: str) -> bool:
        """Whether the nearest listing above a path says otherwise than the disk does now."""
        if path in self._folders:
            return True
        while True:
            folder, name = os.path.split(path)
            if (known := self._folders.get(folder)) is not None:
                return known.get(name) is not self._kind(path)
            if folder == path:
                return False
            path = folder

    def _list(self, folder: str) -> dict[str, bool]:
        names: dict[str, bool] = {}
        try:
            with os.scandir(folder) as found:
                for entry in found:
                    names[entry.name] = _is_folder(entry)
        except (OSError, ValueError):
            names = {}
        for path in self._buffers:
            parent, name = os.path.split(path)
            if parent == folder:
                names[name] = False
            elif _within(path, folder):
                names.setdefault(path[len(folder) :].lstrip("/\\").split(os.sep)[0], True)
        return names

    def _kind(self, path: str) -> bool | None:
        if path in self._buffers:
            return False
        if os.path.isdir(path):
            return True
        return False if os.path.lexists(path) else None

    def _forget_folders(self, path: str) -> None:
        """Drops the listings that a new or vanished path changes: its own, above and below."""
        self.generation += 1
        for folder in [f for f in self._folders if _within(f, path)]:
            del self._folders[folder]
        while True:
            self._folders.pop(path, None)
            parent = os.path.dirname(path)
            if parent == path:
                return
            path = parent


def seen_of(path: str) -> Seen | None:
    """A file as it is now; None where it cannot be read."""
    try:
        return _read(path)[1]
    except OSError:
        return None


def _read(path: str) -> tuple[bytes, Seen]:
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        data = file.read()
    mtime_ns = status.st_mtime_ns
    if time.time_ns() - mtime_ns < _SETTLED_NS:
        # It may be written again within one tick of the clock of files: only the text can tell.
        mtime_ns = _UNSETTLED
    digest = hashlib.blake2b(data, digest_size=16).digest()
    return data, Seen(Signature(mtime_ns, status.st_size), digest)


def _within(path: str, folder: str) -> bool:
    return path.startswith(folder if folder.endswith(os.sep) else folder + os.sep)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
