"""Which settings and which environment the files of a folder have, each by its place.

Both are those nearest to a file: a repository may hold many projects, and each may say its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from loopsafe.config import Settings
from loopsafe.modules.environment import find_environment, own_environment
from loopsafe.modules.places import is_inside
from loopsafe.modules.workspaces import workspace_of
from loopsafe.project_files import SUFFIXES, python_files

SETTINGS_FILE = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Home:
    """What a file gets from where it is."""

    root: Path
    """The folder that its environment serves: the project's, or that of many projects."""
    settings: Settings
    """Those of the nearest settings file."""
    python: Path | None = None
    """The environment, where it was chosen, or is an inner project's own."""

    @property
    def place(self) -> Path:
        """A folder that has this home: that of the settings file, where it is within the root."""
        base = self.settings.base
        return base if base is not None and base.is_relative_to(self.root) else self.root

    @property
    def engine(self) -> Hashable:
        """Files that are equal in this share an engine, whatever they want to be told of."""
        return self.root, self.python, self.settings.analysis()


class Homes:
    """The homes of the files below one folder, the top; elsewhere, files have the top's."""

    def __init__(
        self,
        top: Home,
        read: Callable[[Path], Settings | None] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """`read` gives the settings in a folder's settings file, None where it has none for us;
        `env` is the process environment. Without the one, there are no inner settings, without
        the other no inner environments."""
        self.top = top
        self._read = read
        self._env = env
        self._by_folder: dict[str, Home] = {}
        self._own: dict[str, Settings | None] = {}
        self._prefix: Path | None = None
        """Of the top's environment, once it was looked for."""

    def of(self, path: str) -> Home:
        """The home of a file, by its absolute name."""
        return self.of_folder(os.path.dirname(path))

    def of_folder(self, folder: str) -> Home:
        """The home of the files in a folder."""
        known = self._by_folder.get(folder)
        if known is None:
            known = self._by_folder[folder] = self._look(folder)
        return known

    def below(self, path: str | Path, suffixes: tuple[str, ...] = SUFFIXES) -> Iterator[str]:
        """The Python files at and below a path, without those that settings exclude."""
        start = os.path.abspath(path)
        home = self.of_folder(start) if os.path.isdir(start) else self.of(start)
        return python_files([path], home.settings, suffixes, self.settings_in)

    def files(self, root: Path) -> Iterator[str]:
        """Those of them that an engine of this root is about: the files of one environment."""
        return (path for path in self.below(root) if self.of(path).root == root)

    def settings_in(self, folder: str) -> Settings | None:
        """The settings that a folder below the top has of its own."""
        self.of_folder(folder)
        return self._own.get(folder)

    def excludes(self, path: str) -> bool:
        """Whether settings leave a file out, or a folder around it."""
        folder = os.path.dirname(path)
        while is_inside(folder, str(self.top.root)):
            settings = self.of_folder(folder).settings
            if settings.excludes(path):
                return True
            base = settings.base
            if base is None or not is_inside(str(base), str(self.top.root)):
                return False
            # Settings say what is left out in their folder, and those around it say of itself.
            path, folder = str(base), str(base.parent)
        return False

    def _look(self, folder: str) -> Home:
        top = str(self.top.root)
        if folder == top or not is_inside(folder, top):
            return self.top
        outer = self.of_folder(os.path.dirname(folder))
        if self._read is None and self._env is None:
            return outer
        try:
            names = os.listdir(folder)
        except OSError:
            return outer
        own = self._read(Path(folder)) if self._read and SETTINGS_FILE in names else None
        self._own[folder] = own
        settings = outer.settings if own is None else own
        place = self._environment(Path(folder), names, settings, outer)
        if own is None and place is None:
            return outer
        root, python = place or (outer.root, outer.python)
        return Home(root, settings, python)

    def _environment(
        self, folder: Path, names: Collection[str], settings: Settings, outer: Home
    ) -> tuple[Path, Path] | None:
        """What a folder says of the environment: a choice goes before what is found in it."""
        if settings.python is not None:
            is_new = settings.python != outer.settings.python
            return (folder, settings.python) if is_new else None
        if self._env is None:
            return None
        try:
            found = own_environment(folder, names, self._env)
        except OSError:
            return None
        if found is None or self._is_same(found, outer):
            return None
        # The members of a uv workspace have one for all, whatever was left in them from before.
        return (folder, found) if workspace_of(folder) is None else None

    def _is_same(self, found: Path, outer: Home) -> bool:
        """Whether it serves the files around the folder as well."""
        if outer.root != self.top.root:
            return found == outer.python
        if self._prefix is None:
            top = find_environment(self.top.root, self.top.python, self._env)
            self._prefix = top.prefix or self.top.root
        return os.path.realpath(found) == os.path.realpath(self._prefix)
