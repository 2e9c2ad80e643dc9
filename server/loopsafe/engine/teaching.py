"""The catalogue of one project: ours, its packages' own, and what its settings say."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from loopsafe.config import ConfigError, Settings
from loopsafe.config.document import find_line, read_toml
from loopsafe.knowledge import catalogue
from loopsafe.knowledge.catalogue import Catalogue
from loopsafe.knowledge.loader import read_header
from loopsafe.knowledge.table import KnowledgeError
from loopsafe.knowledge.taught import Taught, Teachings
from loopsafe.knowledge.versions import allowed
from loopsafe.modules.environment import Environment
from loopsafe.modules.releases import releases
from loopsafe.modules.roots import source_roots
from loopsafe.modules.shipped import NAME, shipped_files


class Shipped(NamedTuple):
    """A `loopsafe.toml` that a package carries."""

    package: str
    path: str
    text: str
    mistake: ConfigError | None = None
    """Why it cannot be read."""


def shipped(root: Path, settings: Settings, environment: Environment) -> tuple[Shipped, ...]:
    """What the packages that a project can import say of themselves."""
    roots = source_roots(root, settings.source_roots)
    return tuple(_read(*item) for item in shipped_files(roots, environment).items())


def releases_of(root: Path, environment: Environment) -> dict[str, str]:
    """The releases that a project has of those libraries that differ from one to the next."""
    headers = (header for header in catalogue.load().headers if header.has_versions)
    return releases(root, environment, {header.distribution for header in headers}, allowed)


def catalogue_of(
    settings: Settings, files: Iterable[Shipped], known: Mapping[str, str]
) -> tuple[Catalogue, tuple[ConfigError, ...]]:
    """The project's catalogue, for the releases that it has of libraries.

    And the mistakes in packages' files, which are then left out.
    """
    base = catalogue.load_for(known)
    texts: dict[str, str] = {}
    origins: dict[str, str] = {}
    mistakes: list[ConfigError] = []
    for file in files:
        mistake = file.mistake or _mistake(base, file)
        if mistake is not None:
            mistakes.append(mistake)
        else:
            texts[file.path] = file.text
            origins[file.path] = f"{file.package}/{NAME}"
    teachings = Teachings(
        settings.blocking,
        settings.not_blocking,
        (*settings.offload_functions, *settings.callback_functions),
    )
    if not texts and teachings == Teachings():
        return base, tuple(mistakes)
    return Taught(base, teachings, texts, origins), tuple(mistakes)


def _read(package: str, path: str) -> Shipped:
    try:
        return Shipped(package, path, read_toml(Path(path))[0])
    except ConfigError as error:
        return Shipped(package, path, "", error)


def _mistake(base: Catalogue, file: Shipped) -> ConfigError | None:
    """What is wrong with a file, at its line. A package speaks of its own modules only."""
    try:
        header = read_header(file.path, file.text)
        others = [name for name in header.imports if name.partition(".")[0] != file.package]
        if others:
            what = f"`import` names `{others[0]}`, and the file is that of `{file.package}`"
            raise KnowledgeError(what, what, ("library", "import"), others[0])
        Catalogue({file.path: file.text}, base).check()
    except KnowledgeError as error:
        line = find_line(file.text, error.keys, error.text) if error.keys or error.text else None
        what = error.what.removeprefix(f"{file.path}: ")
        return ConfigError(os.path.abspath(file.path), what, line)
    return None
