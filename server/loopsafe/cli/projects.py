"""Which files a run is about: each with what else shares an engine with it."""

from __future__ import annotations

import os
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from pathlib import Path

from loopsafe.cli.errors import UsageError
from loopsafe.cli.options import Options
from loopsafe.config import ConfigError, Settings, anchored, inner_settings, read_settings
from loopsafe.config.document import find_line, read_toml
from loopsafe.modules.environment import find_environment
from loopsafe.modules.homes import SETTINGS_FILE, Home, Homes
from loopsafe.modules.marks import REQUIREMENTS_MARK, project_root
from loopsafe.project_files import WITH_NOTEBOOKS


@dataclass(frozen=True, slots=True)
class Project:
    """Files that one engine is asked about: those of one environment, whatever is told of them."""

    top: Path
    """The folder whose `Homes` these are."""
    home: Home
    """Of the first file; of the others, only what is told may differ."""
    told: tuple[Settings, ...]
    """The settings of all files."""
    files: tuple[str, ...]
    homes: Homes = field(repr=False, compare=False)

    @property
    def root(self) -> Path:
        return self.home.root

    @property
    def settings(self) -> Settings:
        return self.home.settings

    @property
    def python(self) -> Path | None:
        return self.home.python


def projects(options: Options) -> list[Project]:
    """Each file once, with its project."""
    groups: dict[Path, list[str]] = {}
    for path in options.paths:
        if not os.path.lexists(path) and options.stdin is None:
            raise UsageError(f"{path}: no such file or folder")
        groups.setdefault(_top(Path(os.path.abspath(path))), []).append(path)
    prepared = [(homes_of(top, options), paths) for top, paths in groups.items()]
    seen: set[str] = set()
    return [project for homes, paths in prepared for project in _parted(homes, paths, seen)]


def homes_of(top: Path, options: Options) -> Homes:
    """The settings and environments of a folder's files, with what the command line says."""
    home = Home(top, *_settled(_configured(top, options), top, options))
    named = any("=" not in text for text in options.aside.config)

    def read(folder: Path) -> Settings | None:
        settings = inner_settings(folder / SETTINGS_FILE)
        if settings is None:
            return None
        return _settled(_with_options(settings, options), folder, options)[0]

    return Homes(home, None if named or options.aside.isolated else read, os.environ)


def _parted(homes: Homes, paths: list[str], seen: set[str]) -> list[Project]:
    """The files at and below some paths, by the engine that is asked about them."""
    parts: dict[Hashable, list[str]] = {}
    for path in paths:
        for file in homes.below(path, WITH_NOTEBOOKS):
            if file not in seen:
                seen.add(file)
                parts.setdefault(homes.of(file).engine, []).append(file)
    top = homes.top
    if not parts:
        return [Project(top.root, top, (top.settings,), (), homes)]
    return [_project(homes, files) for files in parts.values()]


def _project(homes: Homes, files: list[str]) -> Project:
    told = {id(s): s for s in (homes.of(file).settings for file in files)}
    return Project(homes.top.root, homes.of(files[0]), tuple(told.values()), tuple(files), homes)


def _settled(settings: Settings, root: Path, options: Options) -> tuple[Settings, Path | None]:
    """Settings with those of the command line, and the environment that was chosen."""
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
        exclude=settings.exclude + anchored(options.exclude, Path.cwd(), settings.base or root),
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
    return _with_options(settings or Settings.load(root), options)


def _with_options(settings: Settings, options: Options) -> Settings:
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


def _top(path: Path) -> Path:
    """The nearest folder, upwards, that looks like a project.

    Without one: the outermost below the current folder that has requirements; the current folder,
    if the path is in it and nobody's home is; else what holds the path's package.
    """
    folder = path if path.is_dir() else path.parent
    found = project_root(folder)
    if found is not None:
        return found
    here = Path.cwd()
    below = [f for f in (folder, *folder.parents) if f != here and f.is_relative_to(here)]
    for outer in reversed(below):
        if (outer / REQUIREMENTS_MARK).is_file():
            return outer
    if folder.is_relative_to(here) and not Path(os.path.expanduser("~")).is_relative_to(here):
        return here
    while (folder / "__init__.py").exists() and folder != folder.parent:
        folder = folder.parent
    return folder
