"""Which files a run looks at: the Python files below some paths, without what others installed.

Folders that the project's .gitignore files or settings exclude are not entered; a path that is
named explicitly always is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from loopsafe.config import Settings

SUFFIXES = (".py", ".pyw")
WITH_NOTEBOOKS = (*SUFFIXES, ".ipynb")

_NEVER_ENTERED = frozenset(
    {
        ".bzr", ".direnv", ".eggs", ".git", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox",
        ".pants.d", ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv",
        ".vscode", "__pycache__", "__pypackages__", "_build", "buck-out", "dist-packages",
        "node_modules", "site-packages", "venv",
    }
)  # fmt: skip
_ENTERED_AS_PACKAGES = frozenset({"build", "dist"})
"""Output folders by custom, unless they hold an `__init__.py`."""


Inner = Callable[[str], Settings | None]
"""The settings that a folder has of its own."""


def python_files(
    paths: Iterable[str | Path],
    settings: Settings,
    suffixes: tuple[str, ...] = SUFFIXES,
    inner: Inner = lambda _: None,
) -> Iterator[str]:
    """Absolute names of the Python files at and below the paths, each once, sorted per path.

    Settings of an inner project decide what is left out in its folder; whether the folder itself
    is, those around it.
    Links to folders are not followed below a path, so loops of links end nothing but themselves.
    """
    seen: set[str] = set()
    for path in paths:
        start = os.path.abspath(path)
        found = _below(start, settings, suffixes, inner) if os.path.isdir(start) else iter((start,))
        for name in found:
            key = os.path.normcase(name)
            if key not in seen:
                seen.add(key)
                yield name


@dataclass(frozen=True, slots=True)
class _Ignored:
    """The patterns of one folder, in the form that `pathspec` knows."""

    folder: str
    """With a trailing slash; slashes only."""
    spec: GitIgnoreSpec

    def verdict(self, path: str) -> bool | None:
        """True to ignore, False to keep against outer patterns, None where no pattern speaks."""
        if not path.startswith(self.folder):
            return None
        return self.spec.check_file(path[len(self.folder) :]).include


def _below(
    start: str, settings: Settings, suffixes: tuple[str, ...], inner: Inner
) -> Iterator[str]:
    yield from _walk(start, _excludes(settings, start), _outer_rules(start), suffixes, inner)


def _excludes(settings: Settings, folder: str) -> tuple[_Ignored, ...]:
    if not settings.exclude:
        return ()
    base = _slashed(str(settings.base or folder))
    return (_Ignored(base, GitIgnoreSpec.from_lines(settings.exclude)),)


def _walk(
    folder: str,
    excludes: tuple[_Ignored, ...],
    ignores: tuple[_Ignored, ...],
    suffixes: tuple[str, ...],
    inner: Inner,
) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return  # Gone or not ours to read, as `git status` sees it too.
    if any(entry.name == ".gitignore" for entry in listed):
        own = _read_ignore(os.path.join(folder, ".gitignore"), folder)
        ignores = (*ignores, own) if own else ignores
    for entry in listed:
        is_folder = _is_folder(entry)
        if not is_folder and not entry.name.endswith(suffixes):
            continue
        path = _slashed(entry.path) if is_folder else entry.path.replace(os.sep, "/")
        if _ignored(path, excludes) or _ignored(path, ignores):
            continue
        if not is_folder:
            if _is_file(entry):
                yield entry.path
        elif not _foreign(entry):
            settings = inner(entry.path)
            inside = excludes if settings is None else _excludes(settings, entry.path)
            yield from _walk(entry.path, inside, ignores, suffixes, inner)


def _foreign(entry: os.DirEntry[str]) -> bool:
    """A folder with nothing of the project's own source."""
    if entry.name in _NEVER_ENTERED or entry.name.endswith(".egg-info"):
        return True
    if os.path.exists(os.path.join(entry.path, "pyvenv.cfg")):
        return True
    if entry.name in _ENTERED_AS_PACKAGES:
        return not os.path.exists(os.path.join(entry.path, "__init__.py"))
    return os.path.isdir(os.path.join(entry.path, "conda-meta"))


def _ignored(path: str, rules: tuple[_Ignored, ...]) -> bool:
    """The innermost folder whose patterns speak decides, as git does."""
    for rule in reversed(rules):
        verdict = rule.verdict(path)
        if verdict is not None:
            return verdict
    return False


def _outer_rules(start: str) -> tuple[_Ignored, ...]:
    """The .gitignore files above a folder, up to its repository, outermost first.

    Empty if they ignore the folder itself: who names it wants to see what is in it.
    """
    found: list[_Ignored] = []
    folder = start
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return ()
        folder = parent
        rule = _read_ignore(os.path.join(folder, ".gitignore"), folder)
        if rule:
            found.append(rule)
    rules = tuple(reversed(found))
    inner, repository = start, folder
    while inner != repository:
        if _ignored(_slashed(inner), rules):
            return ()
        inner = os.path.dirname(inner)
    return rules


def _read_ignore(path: str, folder: str) -> _Ignored | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    patterns = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue  # Git passes over a pattern it cannot read, and so do we.
        patterns.append(line)
    return _Ignored(_slashed(folder), GitIgnoreSpec.from_lines(patterns))


def _slashed(folder: str) -> str:
    return folder.replace(os.sep, "/").rstrip("/") + "/"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False
