"""What is in force in each workspace folder: what its settings files say, and the editor over it.

Belongs to the analysis thread: nobody else calls it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from loopsafe.config import ConfigError, Settings, inner_settings
from loopsafe.lsp.scopes import EditorSettings
from loopsafe.modules.homes import SETTINGS_FILE, Home, Homes
from loopsafe.modules.shipped import NAME
from loopsafe.text import SourceText

_NO_ENVIRONMENT = Path(os.devnull)
"""Chosen where none may be looked for: a path that no environment belongs to."""
_log = logging.getLogger(__name__)
_State: TypeAlias = tuple[int, int] | None
"""When a file was written and its size; None where there is none."""


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """Why a pyproject.toml is not in force, at its line."""

    path: str
    source: SourceText
    line: int
    message: str


class InForce:
    """The homes of each folder's files, made anew when settings change."""

    def __init__(self, trusted: bool, text: Callable[[str], SourceText | None]) -> None:
        self._trusted = trusted
        self._text = text
        self._homes: dict[Path, tuple[EditorSettings, Homes]] = {}
        self._good: dict[Path, Settings | None] = {}
        """What each folder's settings file said last that made sense."""
        self._read: dict[Path, _State] = {}
        """The settings files that were asked, as they were then."""
        self.problems: tuple[SettingsProblem, ...] = ()
        """Replaced as a whole, so that any thread may take it."""

    def homes(self, top: Path, editor: EditorSettings) -> Homes:
        """The homes of a folder's files; others than before where settings may have changed."""
        known = self._homes.get(top)
        if known is None or known[0] != editor:
            known = self._homes[top] = (editor, self._made(top, editor))
        return known[1]

    def reload(self) -> None:
        """Settings files or environments came, changed or went: look again when next needed."""
        self._homes.clear()
        self._read.clear()
        self.problems = tuple(p for p in self.problems if os.path.lexists(p.path))

    def changed_since(self) -> tuple[str, ...]:
        """The settings files that are no longer as they were when they were asked."""
        return tuple(str(path) for path, state in self._read.items() if state != _state(path))

    def keep_only(self, tops: Collection[Path]) -> None:
        """Forget the folders that left."""
        self._homes = {top: known for top, known in self._homes.items() if top in tops}

    def note(self, mistakes: Iterable[ConfigError], root: Path) -> None:
        """Mistakes in knowledge files: shown in the file where it is in the folder, else logged."""
        kept = [p for p in self.problems if not _is_knowledge_of(p.path, root)]
        for error in mistakes:
            if _is_knowledge_of(error.path, root):
                kept.append(self._problem(error))
            else:
                _log.warning("%s; the file is left out", error)
        self.problems = tuple(kept)

    def _made(self, top: Path, editor: EditorSettings) -> Homes:
        said = self._said(top, lambda: Settings.load(top), (top, *top.parents)) or Settings()
        settings = self._changed(said, top, editor)
        if not self._trusted:
            home, env = Home(top, settings, _NO_ENVIRONMENT), None
        else:
            active = Path(editor.environment) if editor.environment else None
            home, env = Home(top, settings, settings.python or active), os.environ

        def read(folder: Path) -> Settings | None:
            said = self._said(folder, lambda: inner_settings(folder / SETTINGS_FILE), (folder,))
            return None if said is None else self._changed(said, top, editor)

        return Homes(home, read, env)

    def _said(
        self, folder: Path, read: Callable[[], Settings | None], asked: Collection[Path]
    ) -> Settings | None:
        """What settings files say; the last good word while one holds a mistake."""
        files = (place / SETTINGS_FILE for place in asked)
        self._read.update((path, _state(path)) for path in files)
        try:
            said = self._good[folder] = read()
        except ConfigError as error:
            others = [p for p in self.problems if p.path != error.path]
            self.problems = (*others, self._problem(error))
            return self._good.get(folder)
        if any(_is_settings_of(p, asked) for p in self.problems):
            self.problems = tuple(p for p in self.problems if not _is_settings_of(p, asked))
        return said

    def _changed(self, settings: Settings, top: Path, editor: EditorSettings) -> Settings:
        """Settings with the editor's over them."""
        for key, value in editor.overrides.items():
            if key == "python" and not self._trusted:
                continue
            try:
                settings = settings.with_overrides({key: value}, top)
            except ConfigError as error:
                _log.warning("%s", error.message)
        return settings if self._trusted else replace(settings, python=None)

    def _problem(self, error: ConfigError) -> SettingsProblem:
        source = self._text(error.path) or SourceText("")
        return SettingsProblem(error.path, source, error.line or 1, error.message)


def _state(path: Path) -> _State:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _is_settings_of(problem: SettingsProblem, folders: Collection[Path]) -> bool:
    return os.path.basename(problem.path) == SETTINGS_FILE and Path(problem.path).parent in folders


def _is_knowledge_of(path: str, root: Path) -> bool:
    place = Path(path)
    is_installed = {"site-packages", "dist-packages"} & set(place.parts)
    return place.name == NAME and not is_installed and place.is_relative_to(root)
