"""Which folders of a project its imports start from, and the Python it is written for."""

from __future__ import annotations

import configparser
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from loopsafe.modules.environment import Environment

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_CARET = re.compile(r"^(\^|~(?!=))\s*(\d+(?:\.\d+)*)$")
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


def workspace_root(folder: Path, top: Path) -> Path | None:
    """The uv workspace that a project is a member of, no further up than `top`."""
    for above in folder.parents:
        if not above.is_relative_to(top):
            return None
        if folder in _members(above, _pyproject(above)):
            return above
    return None


def python_version(root: Path, environment: Environment | None = None) -> tuple[int, int] | None:
    """The oldest Python that the project supports; else that of its environment; else unknown."""
    data = _pyproject(Path(root))
    wanted = _get(data, "project", "requires-python")
    if not isinstance(wanted, str):
        wanted = _get(data, "tool", "poetry", "dependencies", "python")
    if isinstance(wanted, str) and (version := _oldest(wanted)):
        return version
    return environment.version if environment else None


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
    for member in _members(root, _pyproject(root)):
        yield from _sources(member)


def _own_hints(root: Path) -> Iterator[Path]:
    yield from (root / hint for hint in _pyproject_hints(_pyproject(root)))
    yield from (root / hint for hint in _setup_cfg_hints(root))
    yield root / "src"


def _neighbours(root: Path) -> Iterator[Path]:
    """The sources of projects that this one is installed with, though they lie beside it."""
    for above in root.parents:
        members = _members(above, _pyproject(above))
        if root in members:
            yield from (source for m in members if m != root for source in _sources(m))
            break
    yield from path_dependencies(root)


def path_dependencies(root: Path) -> Iterator[Path]:
    """The source roots of what a project is installed with by the path to it."""
    data = _pyproject(root)
    for table in (("tool", "uv", "sources"), ("tool", "poetry", "dependencies")):
        wanted = _get(data, *table)
        for name in wanted if isinstance(wanted, dict) else ():
            path = _get(wanted, name, "path")
            if isinstance(path, str):
                yield from _sources(root / path)


def _members(root: Path, data: dict[str, Any]) -> list[Path]:
    """The folders of the members of a uv workspace."""
    workspace = _get(data, "tool", "uv", "workspace")
    found = {f for member in _texts(_get(workspace, "members")) for f in _glob(root, member)}
    for left_out in _texts(_get(workspace, "exclude")):
        found.difference_update(_glob(root, left_out))
    return sorted(found)


def _sources(folder: Path) -> list[Path]:
    """Where the imports of a project start that this one is installed with."""
    return [hint for hint in _own_hints(folder) if hint.is_dir()] or [folder]


def _pyproject_hints(data: dict[str, Any]) -> Iterator[str]:
    tool = _get(data, "tool")
    wheel = _get(tool, "hatch", "build", "targets", "wheel")
    for package in _texts(_get(wheel, "packages")):
        yield os.path.dirname(package) or "."
    yield from _texts(_get(wheel, "sources"))
    yield from _texts([_get(tool, "setuptools", "package-dir", "")])
    yield from _texts(_get(tool, "setuptools", "packages", "find", "where"))
    packages = _get(tool, "poetry", "packages")
    for package in packages if isinstance(packages, list) else ():
        yield from _texts([_get(package, "from")])
    yield from _texts([_get(tool, "pdm", "build", "package-dir")])
    yield from _texts([_get(tool, "uv", "build-backend", "module-root")])
    yield from _texts([_get(tool, "maturin", "python-source")])
    yield from _texts(_get(tool, "pytest", "ini_options", "pythonpath"))


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


def _pyproject(root: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


def _get(data: object, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _texts(value: object) -> list[str]:
    values = [value] if isinstance(value, str) else value
    return [v for v in values if isinstance(v, str)] if isinstance(values, list) else []


def _glob(root: Path, pattern: str) -> list[Path]:
    try:
        return [p for p in root.glob(pattern) if p.is_dir()]
    except (ValueError, NotImplementedError, OSError):
        return []
