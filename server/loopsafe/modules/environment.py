"""Finds the environment whose packages the analysed project uses, without starting an interpreter.

An explicit choice wins; otherwise the places where tools put environments are looked at. The
interpreter that runs Loopsafe is never taken for the project's.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from loopsafe.modules.marks import REPOSITORY_MARKS
from loopsafe.modules.sites import Sites, site_folders
from loopsafe.modules.workspaces import workspace_of

_FOLDERS = (".venv", "venv", "env", ".env", "virtualenv", ".virtualenv")
_CONDA_FILES = ("environment.yml", "environment.yaml", "conda.yml", "conda.yaml")
_SAYING = frozenset(
    (*_FOLDERS, *_CONDA_FILES, ".pdm-python", ".python-version", "Pipfile", "pyproject.toml")
)
"""A folder without any of these names has no environment of its own."""
_BIN = ("bin", "scripts")
_MOST_PACKAGES = 100
_CONDA_NAME = re.compile(r"^name:\s*([\w.-]+)", re.MULTILINE)
_VERSION = re.compile(r"(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Environment:
    """An installed Python as far as import needs it."""

    prefix: Path | None = None
    version: tuple[int, int] | None = None
    paths: tuple[Path, ...] = ()
    """Search paths: site-packages first, then what `.pth` files and editable installs add."""
    label: str = "no Python environment"
    """For people: "Python 3.12 (.venv)"."""
    editable: Mapping[str, Path] = field(default_factory=dict)
    """Import names that an editable install maps to a package folder or a file."""
    problem: str = ""
    """Why an explicitly chosen environment cannot be used, one sentence."""

    def label_in(self, folder: Path) -> str:
        """The label, with the way to an environment that is deeper in a folder."""
        if self.prefix is None or folder not in self.prefix.parents:
            return self.label
        return _label(self.version, self.prefix.relative_to(folder).as_posix())


def find_environment(
    root: Path, python: Path | None = None, env: Mapping[str, str] | None = None
) -> Environment:
    """The environment of the project in `root`.

    `python` may be a virtual environment, an interpreter, a conda environment or a bare folder of
    packages; `env` is the process environment, for `VIRTUAL_ENV` and its like.
    """
    root = Path(os.path.abspath(root))
    env = env or {}
    if python is not None:
        return _chosen(Path(os.path.abspath(root / python.expanduser())), python)
    for candidate in _candidates(root, env):
        found = _from_prefix(candidate)
        if found is not None:
            return found
    return Environment()


def own_environment(folder: Path, names: Collection[str], env: Mapping[str, str]) -> Path | None:
    """The environment that a folder has for itself, given the names in it."""
    if _SAYING.isdisjoint(names):
        return None
    uv = env.get("UV_PROJECT_ENVIRONMENT", "")
    beside = [folder / uv] if uv and not os.path.isabs(uv) else []
    candidates = (*beside, *_in_folder(folder), *_kept_elsewhere(folder, env))
    return next((place for place in candidates if _from_prefix(place) is not None), None)


def _chosen(path: Path, given: Path) -> Environment:
    if not os.path.lexists(path):
        return Environment(problem=f"{given}: no such file or folder")
    if not path.is_dir():
        found = _from_interpreter(path)
        problem = f"{given}: no Python installation belongs to this file"
        return found or Environment(problem=problem)
    for prefix in (path, path.parent if path.name.lower() in _BIN else path):
        if (found := _from_prefix(prefix)) is not None:
            return found
    for name in _FOLDERS:
        if (path / name / "pyvenv.cfg").is_file() and (found := _from_prefix(path / name)):
            return found
    if not any(_is_package(path, name) for name in os.listdir(path)):
        return Environment(problem=f"{given}: neither an environment nor a folder of packages")
    return _bare(path)


def _is_package(folder: Path, name: str) -> bool:
    if name.endswith((".py", ".pyi", ".dist-info", ".egg-info", ".pth", ".so", ".pyd")):
        return True
    return (folder / name / "__init__.py").is_file()


def _from_interpreter(path: Path) -> Environment | None:
    """By where the interpreter's name is, then by where its links lead, one at a time.

    `bin/python` of a virtual environment is a link to the base interpreter, so that resolving it
    at once would miss the environment.
    """
    for _ in range(16):
        inside = path.parent.name.lower() in _BIN
        prefix = path.parent.parent if inside else path.parent
        wanted = _VERSION.search(path.name) or _VERSION.search(os.path.basename(_target(path)))
        version = (int(wanted[1]), int(wanted[2])) if wanted else None
        if (found := _from_prefix(prefix, version)) is not None:
            return found
        if not path.is_symlink():
            return None
        path = Path(os.path.abspath(path.parent / os.readlink(path)))
    return None


def _target(path: Path) -> str:
    return os.path.realpath(path)


def _from_prefix(prefix: Path, version: tuple[int, int] | None = None) -> Environment | None:
    """None where there is no Python installation."""
    config = _pyvenv(prefix)
    conda = _conda_version(prefix)
    version = _parsed(config.get("version") or config.get("version_info")) or conda or version
    folders, by_folder = site_folders(prefix, version)
    if not folders:
        return None
    version = version if config or conda else _parsed(by_folder) or version
    version = version or _parsed(by_folder)
    sites = Sites()
    for folder in folders:
        sites.add(folder)
    if config.get("include-system-site-packages", "").lower() == "true" and "home" in config:
        home = Path(config["home"])
        base = home.parent if home.name.lower() in _BIN else home
        for folder in site_folders(base, version)[0]:
            sites.add(folder)
    label = _label(version, prefix.name)
    return Environment(prefix, version, tuple(sites.paths), label, sites.editable)


def _bare(folder: Path) -> Environment:
    """A folder of packages: site-packages itself, or the target of `pip install --target`."""
    sites = Sites()
    sites.add(folder)
    version = _parsed(folder.parent.name) if folder.name == "site-packages" else None
    prefix = folder.parents[2] if version and len(folder.parents) > 2 else None
    label = _label(version, prefix.name) if prefix else f"packages in {folder.name}"
    return Environment(prefix, version, tuple(sites.paths), label, sites.editable)


def _label(version: tuple[int, int] | None, name: str) -> str:
    python = f"Python {version[0]}.{version[1]}" if version else "Python"
    return f"{python} ({name})" if name else python


def _pyvenv(prefix: Path) -> dict[str, str]:
    try:
        text = (prefix / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _conda_version(prefix: Path) -> tuple[int, int] | None:
    for file in sorted((prefix / "conda-meta").glob("python-[0-9]*.json")):
        return _parsed(file.name)
    return None


def _parsed(text: str | None) -> tuple[int, int] | None:
    match = _VERSION.search(text or "")
    return (int(match[1]), int(match[2])) if match else None


def _candidates(root: Path, env: Mapping[str, str]) -> Iterator[Path]:
    active = Path(env["VIRTUAL_ENV"]) if env.get("VIRTUAL_ENV") else None
    # Loopsafe's own environment, activated to run it, is the project's only if no other is.
    is_own = active is not None and os.path.realpath(active) == os.path.realpath(sys.prefix)
    if active and not is_own:
        yield active
    workspace = workspace_of(root)
    if uv := env.get("UV_PROJECT_ENVIRONMENT"):
        yield (workspace or root) / uv
    # The members of a workspace have one for all, whatever was left in them from before.
    for folder in dict.fromkeys((*([workspace] if workspace else []), *_upwards(root))):
        yield from _in_folder(folder)
        yield from _kept_elsewhere(folder, env)
    for child in sorted(_children(root)):
        if _is_environment(child):
            yield child
        yield from _in_folder(child)
    for package in _packages(root):
        yield from _in_folder(package)
    for folder in _upwards(root):
        yield from _installed_version(folder, env)
    if active:
        yield active
    if conda := env.get("CONDA_PREFIX"):
        yield Path(conda)


def _in_folder(folder: Path) -> Iterator[Path]:
    for name in _FOLDERS:
        place = folder / name
        if place.is_dir():
            yield from [place] if _is_environment(place) else []
        elif name == ".venv" and (line := _first_line(place)):
            yield folder / line
    if interpreter := _first_line(folder / ".pdm-python"):
        yield Path(interpreter).parent.parent


def _kept_elsewhere(folder: Path, env: Mapping[str, str]) -> Iterator[Path]:
    """Environments that tools keep in a common folder, by the project's hash or a name."""
    if (folder / "pyproject.toml").is_file():
        default = platformdirs.user_cache_path("pypoetry", appauthor=False)
        store = Path(env.get("POETRY_CACHE_DIR") or default) / "virtualenvs"
        mark = f"-{_digest(os.path.normcase(os.path.realpath(folder)))}-py"
        yield from sorted((f for f in _children(store) if mark in f.name), reverse=True)
    if (folder / "Pipfile").is_file():
        home = env.get("WORKON_HOME")
        store = Path(home) if home else Path.home() / ".local" / "share" / "virtualenvs"
        mark = f"-{_digest(str(folder / 'Pipfile'))}"
        yield from sorted(f for f in _children(store) if mark in f.name)

    if (folder / "pyproject.toml").is_file():
        default = platformdirs.user_data_path("hatch", appauthor=False)
        store = Path(env.get("HATCH_DATA_DIR") or default) / "env" / "virtual"
        for project in _children(store):
            yield from sorted(_children(project / _digest(str(folder))))
    yield from _named(folder, env)


def _named(folder: Path, env: Mapping[str, str]) -> Iterator[Path]:
    """Environments that a project only names: of pyenv-virtualenv, and of conda."""
    if name := _first_line(folder / ".python-version"):
        place = _pyenv(env) / name
        if _is_environment(place):
            yield place
    for file in _CONDA_FILES:
        found = _CONDA_NAME.search(_text(folder / file))
        # conda writes down every environment that it makes.
        known = _text(Path.home() / ".conda" / "environments.txt").splitlines() if found else []
        yield from (Path(line) for line in known if found and Path(line).name == found[1])


def _packages(root: Path) -> Iterator[Path]:
    """Folders two levels down, where repositories of many packages have them."""
    for child in sorted(_children(root)):
        if not child.name.startswith((".", "_")) and child.name != "node_modules":
            yield from sorted(_children(child))[:_MOST_PACKAGES]


def _installed_version(folder: Path, env: Mapping[str, str]) -> Iterator[Path]:
    """A Python of pyenv's without an environment around it, which may hold the packages."""
    name = _first_line(folder / ".python-version")
    if name and _VERSION.match(name):
        yield from sorted(f for f in _children(_pyenv(env)) if f.name.startswith(name))[-1:]


def _pyenv(env: Mapping[str, str]) -> Path:
    root = env.get("PYENV_ROOT")
    return (Path(root) if root else Path.home() / ".pyenv") / "versions"


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()[:8]


def _upwards(root: Path) -> Iterator[Path]:
    """The project's folder, and those above it within its repository."""
    folders = [root, *root.parents]
    for index, folder in enumerate(folders):
        if any((folder / mark).exists() for mark in REPOSITORY_MARKS):
            yield from folders[: index + 1]
            return
    yield root


def _children(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [Path(e.path) for e in entries if e.is_dir()]
    except OSError:
        return []


def _is_environment(folder: Path) -> bool:
    return (folder / "pyvenv.cfg").is_file() or (folder / "conda-meta").is_dir()


def _first_line(file: Path) -> str:
    lines = _text(file).splitlines()
    return lines[0].strip() if lines else ""


def _text(file: Path) -> str:
    """A small file's text; nothing where it cannot be read, or is no file."""
    try:
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    except (OSError, ValueError):
        return ""
