"""Which folders of a project its imports start from, and the Python it is written for."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from loopsafe.modules.environment import Environment
from loopsafe.modules.releases import REQUIREMENTS
from loopsafe.modules.workspaces import (
    get,
    members,
    read_pyproject,
    read_toml,
    texts,
    workspace_of,
)

_CARET = re.compile(r"^(\^|~(?!=))\s*(\d+(?:\.\d+)*)$")
_LOCAL = re.compile(
    r"\s*(?:(?:-e|--editable)[\s=]\s*)?(?:[\w.-]+(?:\[[^\]]*\])?\s*@\s*)?(?:file:)?(\.\.?/[^\s#;\[]*)"
)
"""A requirement that is the way to a folder, as pip reads it."""
_NEWEST_MINOR = 30


def source_roots(root: Path, configured: Sequence[str | Path] = ()) -> tuple[Path, ...]:
    """Folders to search for the project's modules, best first, the project's own folder last."""
    root = Path(os.path.abspath(root))
    hints = [root / hint for hint in configured] or [*_hints(root), *_neighbours(root)]
    found: list[Path] = []
    for folder in [*hints, root]:
        folder = Path(os.path.abspath(folder))
        if folder.is_dir() and folder not in found:
            found.append(folder)
    return tuple(found)


class Versions:
    """The Python that files are written for: the oldest that their project supports.

    The nearest project inside the folder that says one decides; else the environment; else it is
    unknown.
    """

    def __init__(self, root: Path, environment: Environment | None = None) -> None:
        self._root = Path(root)
        self._default = environment.version if environment else None
        self._known: dict[Path, tuple[int, int] | None] = {}

    def of(self, path: str | Path) -> tuple[int, int] | None:
        """That of a file."""
        return self._below(Path(path).parent)

    def _below(self, folder: Path) -> tuple[int, int] | None:
        if folder not in self._known:
            self._known[folder] = _said(folder) or self._around(folder)
        return self._known[folder]

    def _around(self, folder: Path) -> tuple[int, int] | None:
        if folder == self._root:
            return self._default
        is_inside = folder.is_relative_to(self._root)
        return self._below(folder.parent if is_inside else self._root)


def _said(folder: Path) -> tuple[int, int] | None:
    """The oldest Python that the project in a folder supports, if it says one."""
    data = read_pyproject(folder)
    wanted = get(data, "project", "requires-python")
    if not isinstance(wanted, str):
        wanted = get(data, "tool", "poetry", "dependencies", "python")
    return _oldest(wanted) if isinstance(wanted, str) else None


def _oldest(wanted: str) -> tuple[int, int] | None:
    clauses = (_CARET.sub(r">=\2", clause.strip()) for clause in wanted.split(","))
    try:
        specifiers = SpecifierSet(",".join(clauses))
    except InvalidSpecifier:
        return None
    for minor in range(_NEWEST_MINOR):
        if any(specifiers.contains(f"3.{minor}.{micro}") for micro in (0, 50)):
            return (3, minor)
    return None


def _hints(root: Path) -> Iterator[Path]:
    yield from _own_hints(root)
    for member in members(root):
        yield from _sources(member)


def _own_hints(root: Path) -> Iterator[Path]:
    yield from (root / hint for hint in _pyproject_hints(read_pyproject(root)))
    yield from (root / hint for hint in _setup_cfg_hints(root))
    yield root / "src"


def _neighbours(root: Path) -> Iterator[Path]:
    """The sources of projects that this one is installed with, though they lie beside it."""
    workspace = workspace_of(root)
    for member in members(workspace) if workspace is not None else ():
        if member != root:
            yield from _sources(member)
    yield from path_dependencies(root)


def path_dependencies(root: Path) -> Iterator[Path]:
    """The source roots of what a project is installed with by the path to it."""
    data, pipfile = read_pyproject(root), read_toml(root / "Pipfile")
    for wanted in (
        get(data, "tool", "uv", "sources"),
        get(data, "tool", "poetry", "dependencies"),
        get(pipfile, "packages"),
        get(pipfile, "dev-packages"),
    ):
        for name in wanted if isinstance(wanted, dict) else ():
            path = get(wanted, name, "path")
            if isinstance(path, str):
                yield from _sources(root / path)
    for folder in dict.fromkeys(_required_by_path(root)):
        yield from _sources(folder)


def _required_by_path(root: Path) -> Iterator[Path]:
    """The folders that requirements name: `-e ../shared`.

    pip counts from where it is started, which is the project's folder or that of the file.
    """
    for path in (path for pattern in REQUIREMENTS for path in sorted(root.glob(pattern))):
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            continue
        for found in filter(None, map(_LOCAL.match, lines)):
            folders = [Path(os.path.abspath(base / found[1])) for base in (root, path.parent)]
            yield from [f for f in folders if f != root and f.is_dir()][:1]


def _sources(folder: Path) -> list[Path]:
    """Where the imports of a project start that this one is installed with."""
    return [hint for hint in _own_hints(folder) if hint.is_dir()] or [folder]


def _pyproject_hints(data: dict[str, Any]) -> Iterator[str]:
    tool = get(data, "tool")
    wheel = get(tool, "hatch", "build", "targets", "wheel")
    for package in texts(get(wheel, "packages")):
        yield os.path.dirname(package) or "."
    yield from texts(get(wheel, "sources"))
    yield from texts([get(tool, "setuptools", "package-dir", "")])
    yield from texts(get(tool, "setuptools", "packages", "find", "where"))
    packages = get(tool, "poetry", "packages")
    for package in packages if isinstance(packages, list) else ():
        yield from texts([get(package, "from")])
    yield from texts([get(tool, "pdm", "build", "package-dir")])
    yield from texts([get(tool, "uv", "build-backend", "module-root")])
    yield from texts([get(tool, "maturin", "python-source")])
    yield from texts(get(tool, "pytest", "ini_options", "pythonpath"))


def _setup_cfg_hints(root: Path) -> Iterator[str]:
    config = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        config.read(root / "setup.cfg", encoding="utf-8")
    except (OSError, configparser.Error, UnicodeDecodeError):
        return
    for line in config.get("options", "package_dir", fallback="").splitlines():
        package, _, folder = line.partition("=")
        if not package.strip() and folder.strip():
            yield folder.strip()
    yield from config.get("options.packages.find", "where", fallback="").split()
