"""Dotted module names to files and back.

Looks where `import` would, in its order, and at type stubs where they say more than the source;
in the end at the packages that come with Loopsafe.
Answers are remembered until names come or go on the disk or in the editor.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loopsafe.modules.disk import Disk
from loopsafe.modules.environment import Environment
from loopsafe.modules.origins import Origin, Origins, is_packaged
from loopsafe.modules.owners import LIBRARY, Owner, Owners
from loopsafe.modules.places import Hit, children, has_python, in_any, is_inside, locate, start_of
from loopsafe.modules.projects import Projects
from loopsafe.modules.typeshed import Typeshed

__all__ = ["Finder", "ModuleFile", "Origin"]

_STUB = (".pyi",)
_SOURCE = (".py",)
_SOURCE_FIRST = (".py", ".pyi")
_STUB_FIRST = (".pyi", ".py")


@dataclass(frozen=True, slots=True)
class ModuleFile:
    """A module and the file that says what it holds."""

    name: str
    """A project file has one name, however it was asked for; two files may share one."""
    path: str
    """Absolute; the folder of a namespace package, which has no text."""
    origin: Origin
    is_package: bool
    is_namespace: bool = False


class Finder:
    """Finds the modules of one project; `near` is the file that imports, as its place matters."""

    def __init__(
        self,
        roots: Sequence[Path],
        environment: Environment,
        typeshed: Path | None,
        disk: Disk | None = None,
        libraries: frozenset[str] = frozenset(),
        top: Path | None = None,
    ) -> None:
        """`libraries` are the top-level names that are known to be those of libraries; `top` is a
        folder around the project, whose other projects are its user's code, too."""
        self.disk = disk or Disk()
        self._libraries = libraries
        self.typeshed = Typeshed(typeshed, environment.version, self.disk)
        places = [os.path.abspath(root) for root in roots]
        sites = [os.path.abspath(path) for path in environment.paths]
        # A `.pth` entry inside the project is the project's own editable install.
        self._top = os.path.abspath(top) if top else ""
        around = [*places, self._top] if top else places
        own = [s for s in sites[1:] if in_any(s, around) and not is_packaged(s)]
        sites = [site for site in sites if site not in own]
        self.sites = tuple(sites)
        """Folders that packages are installed into."""
        prefix = str(environment.prefix) if environment.prefix else ""
        self._editable = {n: os.path.abspath(p) for n, p in environment.editable.items()}
        mapped = [start_of(n, p) for n, p in self._editable.items()]
        own += [m for m in mapped if not in_any(m, places) and in_any(m, around)]
        self._projects = Projects([*places, *own], places[-1] if places else "", self.disk)
        self._owners = Owners(self._projects, sites, self._editable, self.typeshed, self.disk)
        self._origins = Origins(
            self._projects, sites, self._editable, prefix, self.typeshed, self.disk.bundle
        )
        self._homes: dict[str, str] = {}
        self._found: dict[tuple[str, str], ModuleFile | None] = {}
        self._sources: dict[tuple[str, str], ModuleFile | None] = {}
        self._nearby: dict[tuple[str, str], ModuleFile | None] = {}
        self._seen: tuple[int, int] = (0, 0)

    def find(self, name: str, near: str | None = None) -> ModuleFile | None:
        """The file to read a module's names from: project, stub, or library source."""
        key = (self._home(near), name)
        if key not in self._found:
            self._found[key] = self._find(*key)
        found = self._found[key]
        if found is None and near and key[0] != LIBRARY:
            found = self._find_nearby(name, os.path.dirname(near))
            if found is not None and self._is_namesake(found, name, near):
                found = None
            elif found is not None and self._is_packaged(found):
                return self._find_bundled(*key) or found
        return found or self._find_bundled(*key)

    def source(self, name: str, near: str | None = None) -> ModuleFile | None:
        """The `.py` file behind a module; None where only a stub is at hand."""
        key = (self._home(near), name)
        if key not in self._sources:
            self._sources[key] = self._source(*key)
        if (found := self._sources[key]) is not None:
            return found
        file = self.find(name, near)
        return file if file and file.path.endswith(".py") else self._find_bundled(*key)

    def submodules(self, name: str, near: str | None = None) -> frozenset[str]:
        """Names of a package's direct children, of all its portions and stubs."""
        home = self._home(near)
        start = name + "."
        names = {key[len(start) :].split(".")[0] for key in self._editable if key.startswith(start)}
        for folder in self._folders(name, home):
            names |= children(self.disk, folder)
        if not names and (file := self.find(name, near)) and file.is_package:
            folder = file.path if file.is_namespace else os.path.dirname(file.path)
            names |= children(self.disk, folder)
        return frozenset(names)

    def installed(self, import_name: str) -> bool:
        """Whether the project could import it: its own, the standard library's, or installed."""
        parts = import_name.split(".")
        owner = self._owners.of(parts[0], self._home(None))
        if owner.stdlib:
            return self._in_stdlib(import_name) is not None
        if self._in_editable(import_name, _SOURCE_FIRST) is not None:
            return True
        folders = (*owner.project, *owner.library)
        hits = (locate(self.disk, f, parts, _SOURCE_FIRST, compiled=True) for f in folders)
        return any(h and (not h.is_namespace or has_python(self.disk, h.path)) for h in hits)

    def in_environment(self, import_name: str) -> bool:
        """Whether it is installed there: neither the project's own nor the standard library's."""
        parts = import_name.split(".")
        owner = self._owners.of(parts[0], self._home(None))
        if owner.stdlib or owner.project:
            return False
        if self._in_editable(import_name, _SOURCE_FIRST) is not None:
            return True
        hits = (locate(self.disk, f, parts, _SOURCE_FIRST, compiled=True) for f in owner.library)
        return any(h and (not h.is_namespace or has_python(self.disk, h.path)) for h in hits)

    def name_of(self, path: str) -> str:
        """Dotted name of a file: by search path, by its chain of packages, else its stem."""
        return self._origins.name_of(path)

    def origin_of_path(self, path: str) -> Origin:
        """Whose code a file is."""
        return self._origins.of(path)

    def beside(self, root: Path) -> Iterator[str]:
        """The source roots that are not in the project's folder, but in the top folder as well."""
        top, own = self._top, str(root)
        outside = (source for source in self._projects.roots if not is_inside(source, own))
        return (source for source in outside if top and is_inside(source, top))

    def root_for(self, path: str) -> str:
        """The folder that a project file's absolute imports start from."""
        return self._projects.root_for(path)

    def invalidate(self, paths: Iterable[str]) -> None:
        """Files were made, changed or removed. A change of content alone forgets nothing."""
        self.disk.invalidate(paths)

    def forget(self) -> None:
        """Drops every remembered answer."""
        self._projects.forget()
        self._homes.clear()
        self._forget_answers()

    def _forget_answers(self) -> None:
        self._owners.forget()
        for memo in (self._found, self._sources, self._nearby):
            memo.clear()

    def _home(self, near: str | None) -> str:
        """The source root of the importing file. Forgets answers that were overtaken by events."""
        if self.disk.generation != self._seen[0]:
            self.forget()
        home = ""
        if near:
            folder = os.path.dirname(near)
            known = self._homes.get(folder)
            if known is None:
                is_own = self._origins.of(near) is Origin.PROJECT
                known = self._homes[folder] = self._projects.root_for(near) if is_own else LIBRARY
            home = known
        now = (self.disk.generation, len(self._projects.known))
        if now != self._seen:
            self._seen = now
            self._forget_answers()
        return home

    def _find(self, home: str, name: str) -> ModuleFile | None:
        parts = name.split(".")
        if not all(parts):
            return None
        owner = self._owners.of(parts[0], home)
        spaces: list[Hit] = []
        for folder in owner.project:
            hit = locate(self.disk, folder, parts, _SOURCE_FIRST)
            if hit and not hit.is_namespace:
                return self._file(name, hit)
            spaces += [hit] if hit and has_python(self.disk, hit.path) else []
        if owner.stdlib:
            return self._in_stdlib(name)
        if not owner.is_closed and (found := self._in_library(name, parts, owner, spaces)):
            return found
        return self._file(name, spaces[0]) if spaces else None

    def _in_library(
        self, name: str, parts: list[str], owner: Owner, spaces: list[Hit]
    ) -> ModuleFile | None:
        """Of an installed module: a stub package, a stub beside it, itself, a bundled stub.

        A bundled stub comes before source that does not claim to be typed.
        """
        for folder in owner.library:
            hit = locate(self.disk, folder, [f"{parts[0]}-stubs", *parts[1:]], _STUB)
            if hit and not hit.is_namespace:
                return ModuleFile(name, hit.path, Origin.STUB, hit.is_package)
        hit = self._installed_hit(name, parts, owner, spaces)
        if hit and (hit.path.endswith(".pyi") or self._is_typed(hit, parts)):
            return self._file(name, hit)
        for folder in self.typeshed.stubs(parts[0]):
            for top in (parts[0], f"{parts[0]}-stubs"):
                stub = locate(self.disk, folder, [top, *parts[1:]], _STUB)
                if stub and not stub.is_namespace:
                    return ModuleFile(name, stub.path, Origin.TYPESHED, stub.is_package)
                spaces += [stub] if stub else []
        return self._file(name, hit) if hit else None

    def _installed_hit(
        self, name: str, parts: list[str], owner: Owner, spaces: list[Hit]
    ) -> Hit | None:
        hits = [self._in_editable(name, _STUB_FIRST)]
        hits += [locate(self.disk, folder, parts, _STUB_FIRST) for folder in owner.library]
        for hit in hits:
            if hit and not hit.is_namespace:
                return hit
            spaces += [hit] if hit else []
        return None

    def _in_editable(self, name: str, suffixes: Sequence[str]) -> Hit | None:
        """By the longest mapped prefix; above a mapped name lie namespace packages."""
        prefix = name
        rest: list[str] = []
        while prefix:
            if (place := self._editable.get(prefix)) is not None:
                folder, base = os.path.split(place)
                if not place.endswith(".py"):
                    return locate(self.disk, folder, [base, *rest], suffixes)
                return None if rest else Hit(place, is_package=False)
            prefix, _, last = prefix.rpartition(".")
            rest.insert(0, last)
        above = (p for key, p in self._editable.items() if key.startswith(name + "."))
        place = next(above, None)
        return Hit(os.path.dirname(place), is_package=True, is_namespace=True) if place else None

    def _in_stdlib(self, name: str) -> ModuleFile | None:
        if not self.typeshed.in_version(name):
            return None
        hit = locate(self.disk, self.typeshed.stdlib, name.split("."), _STUB)
        if hit is None or hit.is_namespace:
            return None
        return ModuleFile(name, hit.path, Origin.TYPESHED, hit.is_package)

    def _source(self, home: str, name: str) -> ModuleFile | None:
        parts = name.split(".")
        owner = self._owners.of(parts[0], home)
        hits = [None if owner.stdlib else self._in_editable(name, _SOURCE)]
        hits += [locate(self.disk, f, parts, _SOURCE) for f in (*owner.project, *owner.library)]
        hit = next((h for h in hits if h and not h.is_namespace), None)
        return self._file(name, hit) if hit else None

    def _find_nearby(self, name: str, folder: str) -> ModuleFile | None:
        """As scripts import their neighbours: from the importing file's folder, then above it."""
        key = (folder, name)
        if key not in self._nearby:
            hits = (
                locate(self.disk, place, name.split("."), _SOURCE_FIRST)
                for place in self._projects.upwards(folder)
            )
            hit = next((h for h in hits if h and not h.is_namespace), None)
            self._nearby[key] = self._file(name, hit) if hit else None
        return self._nearby[key]

    def _is_namesake(self, found: ModuleFile, name: str, near: str) -> bool:
        """Whether a file is only called like the library that the name means.

        No file imports itself. Of a package, `store/redis.py` could go by that short name only in
        scripts beside it, and nobody calls it so who does not have the library.
        """
        if found.path == near:
            return True
        top, _, rest = name.partition(".")
        first = self._find_nearby(top, os.path.dirname(near)) if rest else found
        if first is None or top not in self._libraries or not self._is_packaged(first):
            return False
        return not first.is_package or is_inside(near, os.path.dirname(first.path))

    def _is_packaged(self, file: ModuleFile) -> bool:
        """Whether a module lies in the folder of a package, where it has a longer name."""
        folder = os.path.dirname(file.path)
        folder = os.path.dirname(folder) if file.is_package else folder
        return "__init__.py" in self.disk.entries(folder)

    def _find_bundled(self, home: str, name: str) -> ModuleFile | None:
        """In what Loopsafe has of a package that is not at hand."""
        parts = name.split(".")
        folder = self._owners.of(parts[0], home).bundled
        hit = locate(self.disk, folder, parts, _SOURCE_FIRST) if folder else None
        return self._file(name, hit) if hit and not hit.is_namespace else None

    def _folders(self, name: str, home: str) -> list[str]:
        """Every folder that may hold children of a package."""
        parts = name.split(".")
        owner = self._owners.of(parts[0], home)
        if owner.stdlib:
            return [os.path.join(self.typeshed.stdlib, *parts)]
        bases = (*owner.library, *(() if owner.is_closed else self.typeshed.stubs(parts[0])))
        found = [os.path.join(base, *parts) for base in (*owner.project, *bases)]
        found += [os.path.join(base, f"{parts[0]}-stubs", *parts[1:]) for base in bases]
        hit = self._in_editable(name, _SOURCE_FIRST)
        if hit and hit.is_package and not hit.is_namespace:
            found.append(os.path.dirname(hit.path))
        return found

    def _file(self, name: str, hit: Hit) -> ModuleFile:
        origin = self._origins.of(hit.path)
        if origin is Origin.PROJECT and not hit.is_namespace:
            name = self._origins.name_of(hit.path)
        return ModuleFile(name, hit.path, origin, hit.is_package, hit.is_namespace)

    def _is_typed(self, hit: Hit, parts: list[str]) -> bool:
        """Whether a package of the chain says with `py.typed` that its source has the types."""
        folder = os.path.dirname(hit.path)
        for _ in range(len(parts) if hit.is_package else len(parts) - 1):
            if "py.typed" in self.disk.entries(folder):
                return True
            folder = os.path.dirname(folder)
        return False
