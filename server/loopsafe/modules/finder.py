"""Dotted module names to files and back.

Looks where `import` would, in its order, and at type stubs where they say more than the source.
Folder listings and answers are remembered until `invalidate`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from loopsafe.modules.disk import Disk
from loopsafe.modules.environment import Environment
from loopsafe.modules.places import Hit, children, has_python, is_inside, locate, top_kind
from loopsafe.modules.projects import Projects
from loopsafe.modules.typeshed import Typeshed

_SOURCE = (".py",)
_STUB = (".pyi",)
_EITHER = (".py", ".pyi")
_LIBRARY = "<library>"


class Origin(Enum):
    """Whose code a module is."""

    PROJECT = "project"
    STUB = "stub"
    TYPESHED = "typeshed"
    LIBRARY = "library"


@dataclass(frozen=True, slots=True)
class ModuleFile:
    """A module and the file that says what it holds; two files never share a path."""

    name: str
    path: str
    """Absolute; the folder of a namespace package, which has no text."""
    origin: Origin
    is_package: bool
    is_namespace: bool = False


@dataclass(frozen=True, slots=True)
class _Owner:
    """Where a top-level name comes from: folders that hold it, in order."""

    project: tuple[str, ...] = ()
    stdlib: bool = False
    library: tuple[str, ...] = ()


class Finder:
    """Finds the modules of one project; `near` is the file that imports, as its place matters."""

    def __init__(
        self,
        roots: Sequence[Path],
        environment: Environment,
        typeshed: Path | None,
        disk: Disk | None = None,
    ) -> None:
        self.disk = disk or Disk()
        self.typeshed = Typeshed(typeshed, environment.version, self.disk)
        sites = [os.path.abspath(p) for p in environment.paths]
        places = [os.path.abspath(r) for r in roots]
        # A `.pth` entry inside the project is the project's own editable install.
        own = [s for s in sites[1:] if any(is_inside(s, r) for r in places) and not _packaged(s)]
        self._sites = [s for s in sites if s not in own]
        self._editable = {n: os.path.abspath(p) for n, p in environment.editable.items()}
        self._prefix = str(environment.prefix) if environment.prefix else ""
        self._projects = Projects([*places, *(s for s in own if s not in places)], self.disk)
        self._owners: dict[tuple[str, str], _Owner] = {}
        self._found: dict[tuple[str, str], ModuleFile | None] = {}
        self._sources: dict[tuple[str, str], ModuleFile | None] = {}
        self._nearby: dict[tuple[str, str], ModuleFile | None] = {}

    def find(self, name: str, near: str | None = None) -> ModuleFile | None:
        """The file to read a module's names from: project, stub, or library source."""
        key = (self._home(near), name)
        if key not in self._found:
            self._found[key] = self._find(*key)
        found = self._found[key]
        if found is None and near and key[0] != _LIBRARY:
            return self._find_nearby(name, os.path.dirname(near))
        return found

    def source(self, name: str, near: str | None = None) -> ModuleFile | None:
        """The `.py` file behind a module; None where only a stub is at hand."""
        key = (self._home(near), name)
        if key not in self._sources:
            self._sources[key] = self._source(*key)
        found = self._sources[key]
        if found is None and (file := self.find(name, near)) and file.path.endswith(".py"):
            return file
        return found

    def submodules(self, name: str, near: str | None = None) -> frozenset[str]:
        """Names of a package's direct children, of all its portions and stubs."""
        names: set[str] = set()
        for folder in self._folders(name, self._home(near)):
            names |= children(self.disk, folder)
        if not names and near and (file := self.find(name, near)) and file.is_package:
            folder = file.path if file.is_namespace else os.path.dirname(file.path)
            names |= children(self.disk, folder)
        return frozenset(names)

    def installed(self, import_name: str) -> bool:
        """Whether the project could import it: its own, the standard library's, or installed."""
        top = import_name.partition(".")[0]
        owner = self._owner("", top)
        if owner.stdlib:
            return self._in_stdlib(import_name) is not None
        parts = import_name.split(".")
        if import_name in self._editable or self._in_editable(import_name, _EITHER):
            return True
        folders = (*owner.project, *owner.library)
        hits = (locate(self.disk, f, parts, _EITHER, compiled=True) for f in folders)
        return any(hit is not None and self._holds_code(hit) for hit in hits)

    def name_of(self, path: str) -> str:
        """Dotted name of a file: by search path, by its chain of packages, else its stem."""
        if (name := self.typeshed.name_of(path)) is not None:
            return name
        if self.origin_of_path(path) is not Origin.PROJECT:
            for name, place in self._editable.items():
                if path == place or is_inside(path, place):
                    return ".".join([name, *_parts(path, place)] if path != place else [name])
            inside = [s for s in self._sites if is_inside(path, s)]
            if inside:
                return ".".join(_parts(path, max(inside, key=len)))
        return ".".join(_parts(path, self._projects.root_for(path)))

    def origin_of_path(self, path: str) -> Origin:
        """Whose code a file is."""
        if self.typeshed.name_of(path) is not None:
            return Origin.TYPESHED
        library = _packaged(path) or any(is_inside(path, s) for s in self._sites)
        library = library or bool(self._prefix and self._is_inner_prefix(path))
        if library and not self._is_own_editable(path):
            return Origin.STUB if path.endswith(".pyi") else Origin.LIBRARY
        return Origin.PROJECT

    def root_for(self, path: str) -> str:
        """The folder that a project file's absolute imports start from."""
        return self._projects.root_for(path)

    def invalidate(self, paths: Iterable[str]) -> None:
        """Files were made, changed or removed. A change of content alone forgets nothing."""
        if self.disk.invalidate(paths):
            self.forget()

    def forget(self) -> None:
        """Drops every remembered answer, as when a buffer of a new file was opened."""
        self._projects.forget()
        for memo in (self._owners, self._found, self._sources, self._nearby):
            memo.clear()

    def _home(self, near: str | None) -> str:
        if not near:
            return ""
        if self.origin_of_path(near) is not Origin.PROJECT:
            return _LIBRARY
        return self._projects.root_for(near)

    def _find(self, home: str, name: str) -> ModuleFile | None:
        parts = name.split(".")
        if not all(parts):
            return None
        owner = self._owner(home, parts[0])
        spaces: list[Hit] = []
        for folder in owner.project:
            hit = locate(self.disk, folder, parts, _EITHER)
            if hit and not hit.is_namespace:
                return self._file(name, hit)
            spaces += [hit] if hit and has_python(self.disk, hit.path) else []
        if owner.stdlib:
            return self._in_stdlib(name)
        if (found := self._in_library(name, parts, owner, spaces)) is not None:
            return found
        return self._file(name, spaces[0]) if spaces else None

    def _in_library(
        self, name: str, parts: list[str], owner: _Owner, spaces: list[Hit]
    ) -> ModuleFile | None:
        stubbed = [f"{parts[0]}-stubs", *parts[1:]]
        for folder in owner.library:
            hit = locate(self.disk, folder, stubbed, _STUB)
            if hit and not hit.is_namespace:
                return ModuleFile(name, hit.path, Origin.STUB, hit.is_package)
        hit = self._in_editable(name, _EITHER)
        for folder in owner.library if hit is None else ():
            hit = locate(self.disk, folder, parts, (".pyi", ".py"))
            if hit and not hit.is_namespace:
                break
            spaces += [hit] if hit else []
            hit = None
        if hit and (hit.path.endswith(".pyi") or self._is_typed(hit, parts)):
            return self._file(name, hit)
        for folder in self.typeshed.stubs(parts[0]):
            for top in (parts[0], f"{parts[0]}-stubs"):
                stub = locate(self.disk, folder, [top, *parts[1:]], _STUB)
                if stub and not stub.is_namespace:
                    return ModuleFile(name, stub.path, Origin.TYPESHED, stub.is_package)
                spaces += [stub] if stub else []
        return self._file(name, hit) if hit else None

    def _in_editable(self, name: str, suffixes: tuple[str, ...]) -> Hit | None:
        prefix = name
        rest: list[str] = []
        while prefix:
            if (place := self._editable.get(prefix)) is not None:
                folder, base = os.path.split(place)
                if place.endswith(".py"):
                    return None if rest else Hit(place, is_package=False)
                return locate(self.disk, folder, [base, *rest], suffixes)
            prefix, _, last = prefix.rpartition(".")
            rest.insert(0, last)
        return None

    def _in_stdlib(self, name: str) -> ModuleFile | None:
        if not self.typeshed.in_version(name):
            return None
        hit = locate(self.disk, self.typeshed.stdlib, name.split("."), _STUB)
        if hit is None or hit.is_namespace:
            return None
        return ModuleFile(name, hit.path, Origin.TYPESHED, hit.is_package)

    def _source(self, home: str, name: str) -> ModuleFile | None:
        parts = name.split(".")
        owner = self._owner(home, parts[0])
        hit = None if owner.stdlib else self._in_editable(name, _SOURCE)
        for folder in (*owner.project, *owner.library) if hit is None else ():
            hit = locate(self.disk, folder, parts, _SOURCE)
            if hit and not hit.is_namespace:
                break
            hit = None
        return self._file(name, hit) if hit and not hit.is_namespace else None

    def _find_nearby(self, name: str, folder: str) -> ModuleFile | None:
        """As scripts import their neighbours: from the importing file's folder, then above it."""
        key = (folder, name)
        if key not in self._nearby:
            hits = (
                locate(self.disk, place, name.split("."), _EITHER)
                for place in self._projects.upwards(folder)
            )
            hit = next((h for h in hits if h and not h.is_namespace), None)
            self._nearby[key] = self._file(name, hit) if hit else None
        return self._nearby[key]

    def _owner(self, home: str, top: str) -> _Owner:
        key = (home, top)
        if key not in self._owners:
            self._owners[key] = self._find_owner(home, top)
        return self._owners[key]

    def _find_owner(self, home: str, top: str) -> _Owner:
        """A module or regular package anywhere beats folders without `__init__.py`, as in import.

        Roots that were only guessed from where a file lies never hide the standard library.
        """
        sure = [r for r in (home, *self._projects.roots) if r in self._projects.roots]
        sure = [] if home == _LIBRARY else list(dict.fromkeys(sure))
        guessed = [home] if home and home != _LIBRARY and home not in sure else []
        stdlib = self.typeshed.has_stdlib(top)
        first = sure if stdlib else guessed + sure
        for root in first:
            if top_kind(self.disk, root, top) == "regular":
                return _Owner(project=(root,))
        if stdlib:
            return _Owner(stdlib=True)
        stubs = [s for s in self._sites if f"{top}-stubs" in self.disk.entries(s)]
        for site in self._sites:
            if top_kind(self.disk, site, top) == "regular":
                return _Owner(library=tuple(dict.fromkeys([site, *stubs])))
        if any(n.partition(".")[0] == top for n in self._editable):
            return _Owner(library=tuple(stubs))
        others = [r for r in self._projects.known() if r not in first]
        for root in others:
            if top_kind(self.disk, root, top) == "regular":
                return _Owner(project=(root,), library=tuple(stubs))
        return _Owner(
            project=tuple(r for r in first + others if top_kind(self.disk, r, top)),
            library=tuple(s for s in self._sites if s in stubs or top_kind(self.disk, s, top)),
        )

    def _folders(self, name: str, home: str) -> list[str]:
        """Every folder that holds children of a package."""
        parts = name.split(".")
        owner = self._owner(home, parts[0])
        bases = [self.typeshed.stdlib] if owner.stdlib else [*owner.project, *owner.library]
        found = [os.path.join(base, *parts) for base in bases]
        if not owner.stdlib:
            for base in (*owner.library, *self.typeshed.stubs(parts[0])):
                found.append(os.path.join(base, f"{parts[0]}-stubs", *parts[1:]))
                found.append(os.path.join(base, *parts))
            if (hit := self._in_editable(name, _EITHER)) and hit.is_package:
                found.append(os.path.dirname(hit.path))
        return found

    def _file(self, name: str, hit: Hit) -> ModuleFile:
        origin = self.origin_of_path(hit.path)
        if origin is Origin.PROJECT and not hit.is_namespace:
            # One file, one name, however it was asked for.
            name = self.name_of(hit.path)
        return ModuleFile(name, hit.path, origin, hit.is_package, hit.is_namespace)

    def _is_typed(self, hit: Hit, parts: list[str]) -> bool:
        """Whether a package of the chain says with `py.typed` that its source has the types."""
        folder = os.path.dirname(hit.path)
        for _ in range(len(parts) if hit.is_package else len(parts) - 1):
            if "py.typed" in self.disk.entries(folder):
                return True
            folder = os.path.dirname(folder)
        return False

    def _holds_code(self, hit: Hit) -> bool:
        return not hit.is_namespace or has_python(self.disk, hit.path)

    def _is_inner_prefix(self, path: str) -> bool:
        """Whether a file lies in an environment that itself lies in the project, or outside it."""
        inside_project = any(is_inside(self._prefix, r) for r in self._projects.roots)
        outside = not any(is_inside(path, r) for r in self._projects.roots)
        return is_inside(path, self._prefix) and (inside_project or outside)

    def _is_own_editable(self, path: str) -> bool:
        return not _packaged(path) and any(
            (path == place or is_inside(path, place))
            and any(is_inside(place, r) for r in self._projects.roots)
            for place in self._editable.values()
        )


def _packaged(path: str) -> bool:
    return f"{os.sep}site-packages" in path or f"{os.sep}dist-packages" in path


def _parts(path: str, base: str) -> list[str]:
    parts = os.path.splitext(os.path.relpath(path, base))[0].split(os.sep)
    parts[0] = parts[0].removesuffix("-stubs")
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    elif parts[-1] == "__init__":
        parts = [os.path.basename(base)]
    return parts
