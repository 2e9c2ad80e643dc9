"""One connection: open buffers, folders, and questions to the analysis thread.

Lives on the event loop. Only `Workbench` holds engines, and only the worker's thread enters it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from loopsafe.engine import Cancelled, Engine, FileReport
from loopsafe.lsp.client import Client
from loopsafe.lsp.continuity import Continuity
from loopsafe.lsp.convert import Converter, path_of, uri_of
from loopsafe.lsp.documents import Documents
from loopsafe.lsp.indexing import Indexer
from loopsafe.lsp.notebooks import Notebooks, OpenNotebook
from loopsafe.lsp.scopes import EditorSettings, Scope, Scopes
from loopsafe.lsp.status import METHOD, Status
from loopsafe.lsp.workbench import Work, Workbench
from loopsafe.lsp.worker import Rank, Stop, Worker
from loopsafe.modules import shipped
from loopsafe.modules.homes import SETTINGS_FILE
from loopsafe.modules.releases import is_told_in

T = TypeVar("T")
_log = logging.getLogger(__name__)
_SECTION = "loopsafe"
_SUFFIXES = (".py", ".pyi", ".pyw")
_LENS_PAUSE_SECONDS = 0.5
_SLICE_SECONDS = 0.03
_WATCHING_BEGINS_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Pauses between looks: editors answer at once that they watch, and begin some time later."""


class Session:
    """What the server knows between requests."""

    def __init__(self, server: LanguageServer, client: Client) -> None:
        self.server = server
        self.client = client
        self.convert = Converter(client)
        self.documents = Documents()
        self.notebooks = Notebooks(self.convert.place)
        self.scopes = Scopes(self._fetch_settings, self.news)
        self.status = Status(self._send_status)
        self.workbench = Workbench(client)
        self.worker = Worker()
        self.worker.start()
        self.continuity = Continuity(self.worker, self.workbench, self.news)
        self.indexer = Indexer(self.worker, self.status, self.workbench.uses, self._project_read)
        self._plain_settings: object = client.settings
        self._unsaved: set[str] = set()
        self.lenses_asked = False
        """Whether the client shows lenses at all."""
        self._refreshing: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[], None]] = []

    def on_move(self, listener: Callable[[], None]) -> None:
        """Call a function after every event that may move findings of any file."""
        self._listeners.append(listener)

    # Events

    def opened(self, item: types.TextDocumentItem) -> None:
        """A buffer was opened."""
        path = self._buffer_path(item.uri)
        if path and (item.language_id.startswith("python") or path.endswith(_SUFFIXES)):
            self.documents.open(item.uri, path, item.version, item.text)
            self._moved()

    def changed(self, uri: str, version: int, text: str) -> None:
        """A buffer's text was replaced."""
        self.documents.change(uri, version, text)
        self._unsaved.add(uri)
        self._moved()

    def notebook_changed(self, uri: str, opened: OpenNotebook) -> None:
        """A notebook was opened, or its cells changed."""
        path = self._buffer_path(uri)
        if path:
            self.documents.set_notebook(uri, path, opened.version, *opened.joined())
            self._moved()

    def notebook_closed(self, uri: str) -> None:
        """A notebook was closed."""
        self.notebooks.closed(uri)
        self.closed(uri)

    def saved(self, uri: str) -> None:
        """A file was saved: news to a client that watches none, unless its buffer is known."""
        self._unsaved.discard(uri)
        path = path_of(uri)
        if path and not self.client.watches_files:
            self.files_changed((path,))
        self._moved()

    def closed(self, uri: str) -> None:
        """A buffer was closed."""
        self._unsaved.discard(uri)
        document = self.documents.get(uri)
        if document is None:
            return
        self.documents.close(uri)
        self.status.forget(document.uri)
        self.files_changed((document.path,))
        folders = {scope.root for scope in self.scopes.folders}
        folders.update(self.scopes.of(document.path).root for document in self.documents)
        self.worker.post(lambda: self.workbench.keep_only(folders))

    def files_changed(self, paths: Iterable[str], appeared: bool = False) -> None:
        """Files were written, made or removed; of one that is open, its buffer counts."""
        paths = tuple(path for path in paths if path not in self.documents.view.documents)
        if not paths:
            return
        names = {os.path.basename(path) for path in paths}
        if appeared or SETTINGS_FILE in names:
            self.worker.post(self.workbench.reload)
        if shipped.NAME in names:
            self.worker.post(self.workbench.start_over)
        elif SETTINGS_FILE in names or any(is_told_in(path) for path in paths):
            self.worker.post(self.workbench.releases_changed)
        self.worker.post(lambda: self.workbench.forget(paths))
        if appeared or SETTINGS_FILE in names:
            self.indexer.again()
        self.news()

    async def catch_up(self) -> None:
        """Notice settings files that changed before the client was watching; it tells of none."""
        for pause in _WATCHING_BEGINS_SECONDS:
            await asyncio.sleep(pause)
            changed = await self.worker.run(
                lambda _: self.workbench.in_force.changed_since(), Rank.BACKGROUND
            )
            self.files_changed(changed)

    def settings_changed(self, settings: object) -> None:
        """The editor's settings changed; clients that cannot be asked send them along."""
        if isinstance(settings, dict) and not self.client.configuration:
            self._plain_settings = settings.get(_SECTION, settings)
        self.scopes.forget()
        self.news()

    def folders_changed(self, added: Iterable[str], removed: Iterable[str]) -> None:
        """Folders came into the workspace or left it."""
        self.scopes.remove(removed)
        self.scopes.add(added)
        folders = [scope.root for scope in self.scopes.folders]
        self.worker.post(lambda: self.workbench.keep_only(folders))
        self.news()

    def refresh_lenses(self) -> None:
        """Make the client ask for its lenses again, a moment from now."""
        if self.client.refreshes_lenses and self.lenses_asked and self._refreshing is None:
            self._refreshing = asyncio.ensure_future(self._refresh_lenses())

    # Questions

    async def ask(self, uri: str, label: str, call: Callable[[Work], T], rank: Rank) -> T | None:
        """What `call` makes of a file, on the analysis thread, for the file's latest version.

        None for what is no Python file, where the server is switched off, and after a crash,
        which is logged: one bad answer must not end the conversation.
        """
        located = self._locate(uri)
        if located is None:
            return None
        path, scope = located
        while True:
            version = self.documents.version(uri)
            editor = await self.scopes.settings(scope)
            if not editor.enable:
                return None
            job = partial(self._answer, uri, path, scope, editor, call)
            try:
                async with self.status.working():
                    answer, engine, report, is_confirmed = await self.worker.run(job, rank)
                    self._ready(engine, report)
            except Cancelled:
                return None
            except Exception as error:
                self._crashed(label, scope, error)
                return None
            if scope in self.scopes.folders:
                self.indexer.want(engine)
            self.continuity.asked(engine, path, is_confirmed)
            if version == self.documents.version(uri):
                return answer

    def address(self, path: str) -> str:
        """A file's address, in the client's own spelling where it is open."""
        document = self.documents.view.documents.get(path)
        return document.uri if document else uri_of(path)

    async def files(self, scope: Scope) -> list[str]:
        """The Python files of a folder that its settings do not exclude."""
        editor = await self.scopes.settings(scope)

        def listed(stop: Stop) -> list[str]:
            files = self.workbench.homes(scope.root, editor).below(scope.root)
            return list(takewhile(lambda _: not stop(), files))

        return await self.worker.run(listed, Rank.BACKGROUND)

    async def sweep(
        self, scope: Scope, paths: Iterable[str], call: Callable[[Work], T]
    ) -> AsyncIterator[list[tuple[str, T]]]:
        """What `call` makes of many files of a folder, in slices; a file that crashes is left out.

        Ends early where the analysis asks to stop.
        """
        editor = await self.scopes.settings(scope)
        todo = deque(paths)
        async with self.status.working("Checking the workspace"):
            while todo:
                job = partial(self._slice, todo, scope, editor, call)
                yield await self.worker.run(job, Rank.BACKGROUND)

    async def waits_for_save(self, uri: str) -> bool:
        """Whether the user wants to hear of a buffer only once it is saved."""
        located = self._locate(uri)
        if located is None or uri not in self._unsaved:
            return False
        return (await self.scopes.settings(located[1])).on_save

    async def settle(self, uri: str) -> None:
        """Wait until the user has paused typing in a buffer."""
        located = self._locate(uri)
        if located is None:
            return
        delay = (await self.scopes.settings(located[1])).delay
        while document := self.documents.get(uri):
            remaining = document.typed + delay - time.monotonic()
            if remaining <= 0:
                return
            await asyncio.sleep(remaining)

    # Within

    def _answer(
        self,
        uri: str,
        path: str,
        scope: Scope,
        editor: EditorSettings,
        call: Callable[[Work], T],
        stop: Stop,
    ) -> tuple[T, Engine, FileReport, bool]:
        """On the analysis thread."""
        view = self.documents.view
        work = self.workbench.work(path, scope.root, editor, view, stop, at_a_glance=True)
        answer = call(work.about(uri))
        return answer, work.engine, work.report, work.engine.is_confirmed(path)

    def _slice(
        self,
        todo: deque[str],
        scope: Scope,
        editor: EditorSettings,
        call: Callable[[Work], T],
        stop: Stop,
    ) -> list[tuple[str, T]]:
        """On the analysis thread: as many files as fit into a moment."""
        deadline = time.perf_counter() + _SLICE_SECONDS
        done: list[tuple[str, T]] = []
        while todo and not stop() and time.perf_counter() < deadline:
            path = todo.popleft()
            try:
                view = self.documents.view
                done.append((path, call(self.workbench.work(path, scope.root, editor, view, stop))))
            except Cancelled:
                break
            except Exception as error:
                _log.error("Checking %s failed: %s", path, error, exc_info=error)
        return done

    def _ready(self, engine: Engine, report: FileReport) -> None:
        """Show the environment; where a chosen one or an open file cannot be used, why."""
        problems = [engine.environment.problem] if self.client.trusted else []
        if report.is_too_large:
            problems.append(f"{os.path.basename(report.path)}: {report.problems[0].message}")
        document = self.documents.view.documents.get(report.path)
        uri = document.uri if document else ""
        self.status.ready(engine.environment_label(), uri, tuple(filter(None, problems)))

    def _crashed(self, label: str, scope: Scope, error: Exception) -> None:
        name = type(error).__name__
        _log.error("%s failed: %s: %s", label, name, error, exc_info=error)
        self.status.failed(f"{label} failed: {name}")
        self.worker.post(lambda: self.workbench.repair(scope.root))

    def _locate(self, uri: str) -> tuple[str, Scope] | None:
        document = self.documents.get(uri)
        path = document.path if document else path_of(uri)
        if path is None or (document is None and not path.endswith(_SUFFIXES)):
            return None
        unnamed = document is not None and not path_of(uri) and "/" not in uri
        return path, self.scopes.for_unnamed() if unnamed else self.scopes.of(path)

    def _buffer_path(self, uri: str) -> str | None:
        """The file behind a buffer, or where a buffer without one would be."""
        scheme, _, name = uri.partition(":")
        if scheme != "untitled":
            return path_of(uri)
        path = path_of(f"file://{name}") if name.startswith("/") else None
        return path or str(self.scopes.for_unnamed().root / Path(name).name)

    def _project_read(self, engine: Engine) -> None:
        self.continuity.read(engine)
        self.news()

    def news(self) -> None:
        """Something other than a buffer changed."""
        self.documents.touch()
        self._moved()
        self.refresh_lenses()

    def _moved(self) -> None:
        self.continuity.moved()
        for listener in self._listeners:
            listener()

    async def _refresh_lenses(self) -> None:
        await asyncio.sleep(_LENS_PAUSE_SECONDS)
        self._refreshing = None
        try:
            await asyncio.shield(self.server.workspace_code_lens_refresh_async(None))
        except Exception as error:
            _log.warning("The client did not refresh its lenses: %s", error)

    async def _fetch_settings(self, uri: str) -> object:
        if not self.client.configuration:
            return self._plain_settings
        params = types.ConfigurationParams([types.ConfigurationItem(uri, _SECTION)])
        try:
            answer: Any = await self.server.workspace_configuration_async(params)
        except Exception as error:
            _log.warning("The client did not say its settings: %s", error)
            return self._plain_settings
        return answer[0] if answer else None

    def _send_status(self, status: dict[str, Any]) -> None:
        self.server.protocol.notify(METHOD, status)
