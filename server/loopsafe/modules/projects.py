"""From which folder the absolute imports of a project file start."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from loopsafe.modules.disk import Disk
from loopsafe.modules.marks import SETUP, imports_start
from loopsafe.modules.places import is_inside
from loopsafe.modules.roots import path_dependencies


class Projects:
    """The given source roots, and those of inner projects, learnt from the files met.

    The project's own folder is weak, and so is a root that holds another: it says where the project
    is, not where its imports start, so for files below it the chain of packages decides.
    """

    def __init__(self, roots: Sequence[str], home: str, disk: Disk) -> None:
        self.roots = tuple(dict.fromkeys(roots))
        self._disk = disk
        self._weak = {
            r for r in self.roots if any(o != r and is_inside(o, r) for o in self.roots)
        } | {home}
        self._by_folder: dict[str, str] = {}
        self._needed: dict[str, tuple[str, ...]] = {}
        self.known = self.roots
        """All roots, given and learnt."""

    def root_for(self, path: str) -> str:
        """The folder that the file's absolute imports start from."""
        folder = os.path.dirname(path)
        if folder not in self._by_folder:
            root = self._by_folder[folder] = self._root_for(folder)
            if root not in self.known:
                self.known = (*self.known, root)
        return self._by_folder[folder]

    def is_weak(self, root: str) -> bool:
        """Whether a root only says where the project is."""
        return root in self._weak

    def upwards(self, folder: str) -> Iterator[str]:
        """A folder and those above it, up to the root that holds it; itself where none does."""
        yield folder
        while any(is_inside(folder, root) and folder != root for root in self.roots):
            folder = os.path.dirname(folder)
            yield folder

    def needed_by(self, home: str) -> tuple[str, ...]:
        """What the project around a learnt root is installed with by path: source roots."""
        if home not in self._needed:
            project = self._project(home)
            found = path_dependencies(Path(project)) if project else ()
            self._needed[home] = tuple(os.path.abspath(folder) for folder in found)
        return self._needed[home]

    def forget(self) -> None:
        """Drops what was learnt."""
        self._by_folder.clear()
        self._needed.clear()
        self.known = self.roots

    def _root_for(self, folder: str) -> str:
        around = sorted((r for r in self.roots if is_inside(folder, r)), key=len)
        if around and around[-1] not in self._weak:
            return around[-1]
        top = folder
        while self._is_package(top) and (top == folder or not self._installs(top)):
            top = os.path.dirname(top)
        project = self._project(folder)
        source = os.path.join(project, "src")
        if project and is_inside(top, source):
            # Folders without an `__init__.py` may stand between, and are packages too.
            return source
        if top != folder or not around:
            return top
        return project or around[-1]

    def _project(self, folder: str) -> str:
        """The nearest folder, upwards, that looks like a project; nothing where none does."""
        around = (f for f in self.upwards(folder) if imports_start(self._disk.entries(f)))
        return next(around, "")

    def _is_package(self, folder: str) -> bool:
        names = self._disk.entries(folder)
        is_package = "__init__.py" in names or "__init__.pyi" in names
        return is_package and os.path.dirname(folder) != folder

    def _installs(self, folder: str) -> bool:
        """Whether the packages in a folder are installed from it, whatever the folder itself is.

        An `__init__.py` may lie beside the `setup.py` by mistake.
        """
        if SETUP not in self._disk.entries(folder):
            return False
        try:
            text = self._disk.read(os.path.join(folder, SETUP))
        except (OSError, ValueError):
            return False
        return "packages" in text and "package_dir" not in text
