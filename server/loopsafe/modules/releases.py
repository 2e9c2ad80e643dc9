"""Which release of a distribution a project has: installed, locked, or asked for."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator
from itertools import chain
from pathlib import Path, PurePath
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from loopsafe.modules.environment import Environment
from loopsafe.modules.marks import REPOSITORY_MARKS
from loopsafe.modules.workspaces import get, read_pyproject, texts

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LOCK_FILES = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock")
REQUIREMENTS = ("requirements*.txt", "requirements/*.txt")
"""Where a project asks for releases, besides its settings file."""
_LARGEST = 5_000_000
"""Bytes of a lock file that is read."""


def releases(
    root: Path,
    environment: Environment,
    distributions: Collection[str],
    allowed: Callable[[str], str],
) -> dict[str, str]:
    """The releases of some distributions, as far as they are known; `allowed` reads a range.

    What is installed goes first, then the lock file, then what the project asks for.
    """
    wanted = {_normal(name): name for name in distributions}
    found: dict[str, str] = {}
    for name, release in chain(_installed(environment), _locked(root, wanted)):
        if name in wanted:
            found.setdefault(wanted[name], release)
            if len(found) == len(wanted):
                return found
    for name, requirement in _asked(root):
        release = allowed(requirement) if name in wanted else ""
        if release:
            found.setdefault(wanted[name], release)
    return found


def is_told_in(path: str) -> bool:
    """Whether a file may say which releases a project has."""
    file = PurePath(path)
    return file.name in LOCK_FILES or any(file.match(pattern) for pattern in REQUIREMENTS)


def _installed(environment: Environment) -> Iterator[tuple[str, str]]:
    for folder in environment.paths:
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        for name in names:
            if name.endswith(".dist-info"):
                distribution, _, release = name.removesuffix(".dist-info").rpartition("-")
                yield _normal(distribution), release


def _locked(root: Path, wanted: Collection[str]) -> Iterator[tuple[str, str]]:
    """What the lock files of a project say, or those of the repository around it.

    Only those are parsed that have a wanted name, as a long one takes a second.
    """
    spelled = "|".join(name.replace("-", "[-_.]+") for name in wanted)
    pattern = re.compile(spelled, re.IGNORECASE)
    for folder in _upwards(root):
        for name in LOCK_FILES[:-1]:
            data = _toml(_text_with(pattern, folder / name))
            packages = get(data, "package") or get(data, "packages")
            for package in packages if isinstance(packages, list) else ():
                distribution, release = get(package, "name"), get(package, "version")
                if isinstance(distribution, str) and isinstance(release, str):
                    yield _normal(distribution), release
        pipfile = _json(_text_with(pattern, folder / LOCK_FILES[-1]))
        for group in ("default", "develop"):
            for distribution, entry in (get(pipfile, group) or {}).items():
                release = get(entry, "version")
                if isinstance(release, str) and release.startswith("=="):
                    yield _normal(distribution), release.removeprefix("==")


def _asked(root: Path) -> Iterator[tuple[str, str]]:
    """What a project's requirements say, as ranges."""
    data = read_pyproject(root)
    groups = [get(data, "project", "dependencies")]
    for tables in (get(data, "project", "optional-dependencies"), get(data, "dependency-groups")):
        groups += tables.values() if isinstance(tables, dict) else ()
    lines = [line for group in groups for line in texts(group)]
    for path in (path for pattern in REQUIREMENTS for path in sorted(root.glob(pattern))):
        lines += (_text(path) or "").splitlines()
    for line in lines:
        try:
            wanted = Requirement(re.split(r"\s#|\s--|\\$", line, maxsplit=1)[0].strip())
        except InvalidRequirement:
            continue
        yield _normal(wanted.name), str(wanted.specifier)


def _upwards(root: Path) -> Iterator[Path]:
    for folder in (root, *root.parents):
        yield folder
        if any((folder / mark).exists() for mark in REPOSITORY_MARKS):
            return


def _text_with(pattern: re.Pattern[str], path: Path) -> str:
    """A file's text, where it has what is looked for; else empty."""
    text = _text(path) or ""
    return text if pattern.search(text) else ""


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}


def _json(text: str) -> Any:
    try:
        return json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8") if path.stat().st_size <= _LARGEST else None
    except (OSError, ValueError):
        return None


def _normal(name: str) -> str:
    """The one spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()
