"""Which files a run is about: each with its project, and how that project is set up."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from loopsafe.cli.errors import UsageError
from loopsafe.cli.options import Options
from loopsafe.config import ConfigError, Settings, read_settings
from loopsafe.config.document import find_line, read_toml
from loopsafe.modules.environment import find_environment
from loopsafe.project_files import WITH_NOTEBOOKS, python_files

_ROOT_MARKS = ("pyproject.toml", "setup.cfg", "setup.py", ".git")


@dataclass(frozen=True, slots=True)
class Project:
    """Files of one project that are to be checked, and how."""

    root: Path
    settings: Settings
    python: Path | None
    files: tuple[str, ...]


def projects(options: Options) -> list[Project]:
    """Each file once, with its project."""
    groups: dict[Path, list[str]] = {}
    for path in options.paths:
        if not os.path.lexists(path) and options.stdin is None:
            raise UsageError(f"{path}: no such file or folder")
        groups.setdefault(_project_root(Path(os.path.abspath(path))), []).append(path)
    prepared = [(root, *settings_for(root, options), paths) for root, paths in groups.items()]
    seen: set[str] = set()
    projects = []
    for root, settings, python, paths in prepared:
        files = [file for file in python_files(paths, settings, WITH_NOTEBOOKS) if file not in seen]
        seen.update(files)
        projects.append(Project(root, settings, python, tuple(files)))
    return projects


def settings_for(root: Path, options: Options) -> tuple[Settings, Path | None]:
    """A project's settings with those of the command line, and the environment that was chosen."""
    settings = _configured(root, options)
    given = Path(os.path.abspath(options.python)) if options.python else settings.python
    if given is not None:
        problem = find_environment(root, given).problem
        if problem and options.python:
            raise UsageError(f"--python: {problem}")
        if problem:
            raise _setting("python", problem, settings)
    for folder in settings.source_roots:
        if not folder.is_dir():
            raise _setting("source-roots", f"{folder}: no such folder", settings)
    settings = replace(
        settings,
        select=options.select or settings.select,
        ignore=settings.ignore + options.ignore,
        exclude=settings.exclude + _anchored(options.exclude, settings.base or root),
        base=settings.base or root,
        python=given,
        second_opinion=options.deep,
    )
    return settings, given


def _configured(root: Path, options: Options) -> Settings:
    """What the settings file says, or the one that was named, and single settings over it."""
    files = [text for text in options.aside.config if "=" not in text]
    if len(files) > 1:
        raise UsageError("--config: only one settings file can be named")
    settings = Settings(base=root) if options.aside.isolated else None
    if files:
        if settings is not None:
            raise UsageError("--isolated and a settings file do not go together")
        settings = read_settings(Path(os.path.abspath(files[0])))
        if settings is None:
            raise UsageError(f"--config: {files[0]} has no [tool.loopsafe]")
    settings = settings or Settings.load(root)
    for text in options.aside.config:
        if "=" in text:
            settings = settings.with_option(text, Path.cwd())
    return settings


def _setting(key: str, problem: str, settings: Settings) -> ConfigError:
    """An error about a setting that only the disk shows to be wrong."""
    path = (settings.base or Path.cwd()) / "pyproject.toml"
    if not path.is_file():
        return ConfigError("--config", f"`{key}`: {problem}")
    line = find_line(read_toml(path)[0], ("tool", "loopsafe", key))
    return ConfigError(str(path), f"`{key}`: {problem}", line)


def _anchored(patterns: tuple[str, ...], base: Path) -> tuple[str, ...]:
    """Patterns of the command line, where a path is one from the current folder."""
    anchored = []
    for pattern in patterns:
        path = Path(os.path.abspath(pattern))
        is_path = "/" in pattern.rstrip("/") or os.sep in pattern.rstrip(os.sep)
        if is_path and "**" not in pattern and path.is_relative_to(base):
            pattern = "/" + path.relative_to(base).as_posix()
        anchored.append(pattern)
    return tuple(anchored)


def _project_root(path: Path) -> Path:
    """The nearest folder, upwards, that looks like a project.

    Without one: the current folder, if the path is in it; else what holds the path's package.
    """
    folder = path if path.is_dir() else path.parent
    for candidate in (folder, *folder.parents):
        if any((candidate / mark).exists() for mark in _ROOT_MARKS):
            return candidate
    if folder.is_relative_to(Path.cwd()):
        return Path.cwd()
    while (folder / "__init__.py").exists() and folder != folder.parent:
        folder = folder.parent
    return folder
