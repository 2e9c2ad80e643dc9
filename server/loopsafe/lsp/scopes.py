"""Workspace folders and what the editor's settings say in each of them."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loopsafe.lsp.convert import path_of, uri_of
from loopsafe.modules.marks import project_root

_DELAY_SECONDS = 0.15
_LONGEST_DELAY_SECONDS = 10.0
_GRACE_SECONDS = 2.0
_LENSES = ("on", "onlyProblems")


@dataclass(frozen=True, slots=True)
class EditorSettings:
    """The editor's settings of one folder."""

    enable: bool = True
    delay: float = _DELAY_SECONDS
    """Seconds of quiet before typed text is analysed."""
    environment: str | None = None
    """The environment the editor has active; a choice in the settings goes before it."""
    on_save: bool = False
    """Whether findings wait for a save instead of a pause."""
    offers_ignore: bool = True
    """Whether code actions offer to hide a finding by a comment."""
    code_lens: str = "off"
    """Over which functions it says where they run: `off`, `on`, or `onlyProblems`."""
    whole_workspace: bool = False
    """Whether files that are not open are reported too."""
    overrides: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What changes the project's own settings, under the same names."""

    @staticmethod
    def read(raw: object) -> EditorSettings:
        """Settings as a client sends them; what makes no sense is left at its default."""
        if not isinstance(raw, Mapping):
            return EditorSettings()
        environment = raw.get("activeEnvironment")
        overrides = dict(raw)
        if overrides.get("secondOpinion") is True:
            del overrides["secondOpinion"]  # Editors send their default; only "off" is a choice.
        return EditorSettings(
            enable=raw.get("enable") is not False,
            delay=_seconds(raw.get("delay")),
            environment=environment if isinstance(environment, str) and environment else None,
            on_save=raw.get("run") == "onSave",
            offers_ignore=_nested(raw, "codeAction", "disableRuleComment", "enable") is not False,
            code_lens=lens if (lens := raw.get("codeLens")) in _LENSES else "off",
            whole_workspace=raw.get("diagnosticMode") == "workspace",
            overrides=overrides,
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """A folder with one engine and one set of settings."""

    root: Path
    uri: str
    """The address that the client knows its settings by."""


class Scopes:
    """Which folder a file belongs to, and that folder's settings, asked for once."""

    def __init__(self, fetch: Callable[[str], Awaitable[object]], late: Callable[[], None]) -> None:
        self._fetch = fetch
        self._late = late
        self._folders: dict[str, Scope] = {}
        self._lone: dict[Path, Scope] = {}
        self._settings: dict[str, asyncio.Task[EditorSettings]] = {}

    def add(self, uris: Iterable[str]) -> None:
        """Folders came into the workspace."""
        for uri in uris:
            path = path_of(uri)
            if path:
                self._folders[uri] = Scope(Path(path), uri)

    def remove(self, uris: Iterable[str]) -> None:
        """Folders left the workspace."""
        for uri in uris:
            self._folders.pop(uri, None)
            self._settings.pop(uri, None)

    @property
    def folders(self) -> tuple[Scope, ...]:
        return tuple(self._folders.values())

    def of(self, path: str) -> Scope:
        """The innermost workspace folder around a file, else the project that it is in."""
        parents = set(Path(path).parents)
        around = [scope for scope in self._folders.values() if scope.root in parents]
        if around:
            return max(around, key=lambda scope: len(scope.root.parts))
        folder = Path(path).parent
        if folder not in self._lone:
            root = project_root(folder) or folder
            self._lone[folder] = Scope(root, uri_of(str(root)))
        return self._lone[folder]

    def for_unnamed(self) -> Scope:
        """Where a buffer that has no file yet belongs."""
        if self._folders:
            return next(iter(self._folders.values()))
        root = Path(tempfile.gettempdir(), "loopsafe-untitled")
        return Scope(root, uri_of(str(root)))

    async def settings(self, scope: Scope) -> EditorSettings:
        """A folder's settings; the defaults for as long as the client does not answer."""
        task = self._settings.get(scope.uri)
        if task is None:
            task = asyncio.ensure_future(self._read(scope.uri))
            self._settings[scope.uri] = task
        done, _ = await asyncio.wait({task}, timeout=_GRACE_SECONDS)
        if not done:
            task.remove_done_callback(self._arrived)
            task.add_done_callback(self._arrived)
            return EditorSettings()
        return EditorSettings() if task.cancelled() else task.result()

    def forget(self) -> None:
        """The client says that settings changed."""
        self._settings.clear()

    async def _read(self, uri: str) -> EditorSettings:
        return EditorSettings.read(await self._fetch(uri))

    def _arrived(self, task: asyncio.Task[EditorSettings]) -> None:
        if not task.cancelled() and task in self._settings.values():
            self._late()


def _nested(raw: Mapping[str, Any], *keys: str) -> object:
    """A setting with dots in its name, which clients send as tables in tables."""
    value: object = raw
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _seconds(milliseconds: object) -> float:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, (int, float)):
        return _DELAY_SECONDS
    return min(max(milliseconds / 1000, 0.0), _LONGEST_DELAY_SECONDS)
