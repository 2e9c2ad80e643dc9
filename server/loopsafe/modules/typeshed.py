"""The type stubs that come with jedi: typeshed's standard library and third-party stubs.

jedi is located, not imported.
"""

from __future__ import annotations

import importlib.util
import os
import re
from functools import cached_property
from pathlib import Path

from loopsafe.modules.disk import Disk

_LINE = re.compile(r"^([\w.]+):\s*(\d+)\.(\d+)-(?:(\d+)\.(\d+))?", re.MULTILINE)
_FOREVER = (99, 0)


def find_typeshed() -> Path | None:
    """The typeshed folder in jedi's distribution; None where jedi is missing."""
    spec = importlib.util.find_spec("jedi")
    for place in (spec and spec.submodule_search_locations) or ():
        folder = Path(place) / "third_party" / "typeshed"
        if folder.is_dir():
            return folder
    return None


class Typeshed:
    """Which folders of a typeshed hold the stubs of a top-level name."""

    def __init__(self, folder: Path | None, version: tuple[int, int] | None, disk: Disk) -> None:
        self.folder = "" if folder is None else os.path.abspath(folder)
        self.stdlib = os.path.join(self.folder, "stdlib") if self.folder else ""
        self._version = version
        self._disk = disk

    def has_stdlib(self, name: str) -> bool:
        """Whether a module of the standard library starts with this top-level name."""
        if not self.stdlib or not self._supported(name):
            return False
        names = self._disk.entries(self.stdlib)
        return name in names or f"{name}.pyi" in names

    def in_version(self, name: str) -> bool:
        """Whether the analysed Python has this dotted standard library module."""
        parts = name.split(".")
        return all(self._supported(".".join(parts[:n])) for n in range(1, len(parts) + 1))

    def stubs(self, top: str) -> tuple[str, ...]:
        """Folders to search for a third-party top-level name."""
        return self._third_party.get(top, ())

    def identity(self) -> str:
        """Differs from one edition of the stubs to the next, and from one Python to the next."""
        home = os.path.dirname(os.path.dirname(self.folder))  # jedi, whose version is theirs.
        try:
            edition = self._disk.read(os.path.join(home, "__init__.py"))
        except (OSError, ValueError, SyntaxError):
            edition = home
        return f"{self._version} {edition}"

    def name_of(self, path: str) -> str | None:
        """Dotted name of a stub file in here; None for other files."""
        if not self.folder or not path.startswith(self._bundle + os.sep):
            return None
        for base in (self.stdlib, *self._bases):
            if path.startswith(base + os.sep):
                return _dotted(path[len(base) + 1 :])
        return None

    def _supported(self, name: str) -> bool:
        span = self._versions.get(name)
        return span is None or self._version is None or span[0] <= self._version <= span[1]

    @property
    def _bundle(self) -> str:
        return os.path.dirname(self.folder)

    @cached_property
    def _bases(self) -> tuple[str, ...]:
        return tuple({base for bases in self._third_party.values() for base in bases})

    @cached_property
    def _third_party(self) -> dict[str, tuple[str, ...]]:
        """Top-level names to the distributions' folders; a few hundred listings, made once."""
        found: dict[str, tuple[str, ...]] = {}
        if not self.folder:
            return found
        stubs = os.path.join(self.folder, "stubs")
        folders = [os.path.join(stubs, name) for name in sorted(self._disk.entries(stubs))]
        # Beside typeshed jedi ships stub packages of other projects, `x-stubs/x-stubs`.
        neighbours = self._disk.entries(self._bundle)
        folders += [os.path.join(self._bundle, n) for n in neighbours if n.endswith("-stubs")]
        for folder in folders:
            for name, is_folder in self._disk.entries(folder).items():
                top = name.removesuffix("-stubs") if is_folder else name.removesuffix(".pyi")
                if top.isidentifier() and (is_folder or name != top):
                    found[top] = (*found.get(top, ()), folder)
        return found

    @cached_property
    def _versions(self) -> dict[str, tuple[tuple[int, int], tuple[int, int]]]:
        """Of typeshed's VERSIONS file, where there is one: first and last Python of a module."""
        try:
            text = self._disk.read(os.path.join(self.stdlib, "VERSIONS"))
        except (OSError, ValueError, SyntaxError):
            return {}
        return {
            name: (
                (int(major), int(minor)),
                (int(last_major), int(last_minor)) if last_major else _FOREVER,
            )
            for name, major, minor, last_major, last_minor in _LINE.findall(text)
        }


def _dotted(relative: str) -> str:
    parts = os.path.splitext(relative)[0].split(os.sep)
    parts[0] = parts[0].removesuffix("-stubs")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
