"""Packages that come with Loopsafe, for projects whose environment lacks them.

Of each there is one archive, `bundle/<import name>.zip`, with what matters of the source of one
release: `<distribution>-<version>/<import name>/...`. docs/bundle.md says what that is. An archive
is opened when its name is first asked for; a damaged one has no modules.
"""

from __future__ import annotations

import io
import os
import sys
import zipfile
import zlib
from pathlib import Path

from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parents[1] / "bundle"
SUFFIX = ".zip"
CONTENTS = "contents.toml"
"""Says of each archive what it was made from; the cache notices by it when one changes."""

_DAMAGE = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What reading an archive raises where it is none, or not whole."""


class Bundle:
    """The archives, read as if they were folders: `bundle/git.zip/GitPython-3.2.1/git/cmd.py`."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = os.path.abspath(folder or FOLDER)
        self._archives: dict[str, _Archive | None] = {}

    def home(self, top: str) -> str:
        """The folder to search for a top-level name; empty where no archive has it."""
        archive = self._archive(top + SUFFIX)
        return os.path.join(self.folder, top + SUFFIX, archive.release) if archive else ""

    def tops(self, distribution: str) -> list[str]:
        """The import names of a distribution, however it is spelled."""
        try:
            told = tomllib.loads(Path(self.folder, CONTENTS).read_text("utf-8"))
            names = {top: canonicalize_name(told[top]["distribution"]) for top in told}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return []
        return [top for top, name in names.items() if name == canonicalize_name(distribution)]

    def holds(self, path: str) -> bool:
        """Whether a file or folder is in here."""
        return path.startswith(self.folder) and path[len(self.folder) :][:1] == os.sep

    def entries(self, folder: str) -> dict[str, bool]:
        """Names in a folder of an archive, and whether each is a folder."""
        archive, inner = self._split(folder)
        return archive.folders.get(inner, {}) if archive else {}

    def read(self, path: str) -> bytes:
        """The bytes of a file in an archive. Raises OSError."""
        archive, inner = self._split(path)
        if archive is None:
            raise FileNotFoundError(path)
        try:
            return archive.file.read(inner)
        except (KeyError, *_DAMAGE) as error:
            raise OSError(f"{path}: {error}") from error

    def name_of(self, path: str) -> str:
        """Dotted name of a file in an archive."""
        parts = os.path.splitext(self.place(path))[0].split("/")
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def release(self, path: str) -> str:
        """The distribution that a file is from, with its version: `GitPython 3.2.1`."""
        if not self.holds(path):
            return ""
        name, _, version = self._parts(path)[1].rpartition("-")
        return f"{name} {version}"

    def place(self, path: str) -> str:
        """A file as its distribution has it: `git/cmd.py`."""
        return "/".join(self._parts(path)[2:])

    def _parts(self, path: str) -> list[str]:
        """The archive, the release, and the rest; with room for what is not there."""
        parts = path[len(self.folder) + 1 :].split(os.sep)
        return parts if len(parts) > 2 else [*parts, "", ""]

    def _split(self, path: str) -> tuple[_Archive | None, str]:
        name, _, inner = path[len(self.folder) + 1 :].partition(os.sep)
        return self._archive(name), inner.replace(os.sep, "/")

    def _archive(self, name: str) -> _Archive | None:
        if name not in self._archives:
            self._archives[name] = _opened(os.path.join(self.folder, name))
        return self._archives[name]


class _Archive:
    """An open archive with its listings; the file itself is closed, or nobody could replace it."""

    def __init__(self, data: bytes) -> None:
        self.file = zipfile.ZipFile(io.BytesIO(data))
        self.folders: dict[str, dict[str, bool]] = {}
        for name in self.file.namelist():
            folder, _, last = name.rpartition("/")
            self.folders.setdefault(folder, {})[last] = False
            while folder:
                above, _, last = folder.rpartition("/")
                self.folders.setdefault(above, {})[last] = True
                folder = above
        self.release = next(iter(self.folders.get("", ())), "")


def _opened(path: str) -> _Archive | None:
    try:
        with open(path, "rb") as file:
            return _Archive(file.read())
    except _DAMAGE:
        return None
