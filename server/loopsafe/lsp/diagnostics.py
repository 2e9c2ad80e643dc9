"""Findings on their way to the editor: asked for (pull) or sent (push), and kept fresh."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import dataclass

from lsprotocol import types

from loopsafe.lsp.convert import uri_of
from loopsafe.lsp.documents import Document
from loopsafe.lsp.in_force import SettingsProblem
from loopsafe.lsp.session import Session
from loopsafe.lsp.workbench import Work
from loopsafe.lsp.worker import Rank

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """The diagnostics of one file."""

    id: str
    """A name of the content: equal batches have equal names."""
    items: tuple[types.Diagnostic, ...] = ()

    @staticmethod
    def of(items: tuple[types.Diagnostic, ...]) -> Batch:
        text = repr(items).encode(errors="backslashreplace")
        return Batch(hashlib.sha256(text).hexdigest()[:16], items)


NOTHING = Batch.of(())


def batch_of(work: Work) -> Batch:
    """What the editor is shown of a file."""
    return Batch.of(tuple(work.diagnostic(finding) for finding in work.report.findings))


def _by_cell(work: Work) -> dict[str, Batch]:
    """What the editor is shown of a notebook, by the addresses of its cells."""
    document = work.texts.view.documents[work.path]
    found = {cell.uri: work.about(cell.uri).findings() for cell in document.cells}
    return {
        uri: Batch.of(tuple(work.diagnostic(finding) for finding in findings))
        for uri, findings in found.items()
    }


class Diagnostics:
    """Answers pulls, publishes where the client does not pull, and keeps dependents fresh."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._client = session.client
        self._shown: dict[str, tuple[int | None, str]] = {}
        """Version and batch that the editor has last been given, by address."""
        self._cells: dict[str, dict[str, tuple[int, str]]] = {}
        """The same for the cells of each notebook."""
        self._owes_refresh = False
        """Survives the follow-up that found it out, which the next keystroke cancels."""
        self._reported: tuple[SettingsProblem, ...] = ()
        self._follow_up: asyncio.Task[None] | None = None
        session.on_move(self._moved)

    async def pull(
        self, params: types.DocumentDiagnosticParams
    ) -> types.RelatedFullDocumentDiagnosticReport | types.RelatedUnchangedDocumentDiagnosticReport:
        """The findings of a file, once its user has paused typing.

        The pause is the debounce: clients cancel a pull when the text changes under it.
        """
        uri = params.text_document.uri
        document = self._session.documents.get(uri)
        if document and document.cells:
            # Cells are published: clients differ in whether they pull for them.
            return types.RelatedFullDocumentDiagnosticReport([], result_id=NOTHING.id)
        await self._session.settle(uri)
        batch = await self._batch(uri, Rank.NORMAL)
        if uri in self._shown or self._session.documents.get(uri):
            self._shown[uri] = (self._session.documents.version(uri), batch.id)
        if batch.id == params.previous_result_id:
            return types.RelatedUnchangedDocumentDiagnosticReport(batch.id)
        return types.RelatedFullDocumentDiagnosticReport(batch.items, result_id=batch.id)

    def closed(self, uri: str) -> None:
        """A buffer was closed; what was published of it would stay for ever."""
        shown = self._shown.pop(uri, None)
        if shown and not self._client.pull:
            self._publish(uri, None, ())
        for cell in self._cells.pop(uri, {}):
            self._publish(cell, None, ())

    async def _batch(self, uri: str, rank: Rank) -> Batch:
        batch = await self._session.ask(uri, "Analysis", batch_of, rank)
        self._report_settings()
        return batch or NOTHING

    def _moved(self) -> None:
        if self._follow_up:
            self._follow_up.cancel()
        self._follow_up = asyncio.ensure_future(self._follow())

    async def _follow(self) -> None:
        """After a change and a pause, bring what the editor shows up to date."""
        for document in self._session.documents:
            await self._session.settle(document.uri)
        for document in self._session.documents:
            if document.notebook:
                await self._publish_cells(document)
        if self._client.pull:
            await self._refresh_if_moved()
        else:
            await self._publish_moved()

    async def _refresh_if_moved(self) -> None:
        """Ask the client to pull again if a file has other findings now than it was given.

        A file that changed itself is pulled by the client anyway.
        """
        for uri, (version, id_) in tuple(self._shown.items()):
            if version != self._session.documents.version(uri):
                continue
            batch = await self._batch(uri, Rank.BACKGROUND)
            if batch.id != id_ and self._shown.get(uri) == (version, id_):
                self._shown[uri] = (version, batch.id)
                self._owes_refresh = self._client.refresh
        if self._owes_refresh:
            self._owes_refresh = False
            self._session.refresh_lenses()
            try:
                await asyncio.shield(self._session.server.workspace_diagnostic_refresh_async(None))
            except Exception as error:
                _log.warning("The client did not refresh: %s", error)

    async def _publish_cells(self, document: Document) -> None:
        """Send the findings of a notebook's cells, where they are others than before."""
        if await self._session.waits_for_save(document.uri):
            return
        batches = await self._session.ask(document.uri, "Analysis", _by_cell, Rank.NORMAL)
        self._report_settings()
        if self._session.documents.get(document.uri) is not document:
            return
        before = self._cells.get(document.uri, {})
        now: dict[str, tuple[int, str]] = {}
        for cell in document.cells:
            batch = (batches or {}).get(cell.uri, NOTHING)
            now[cell.uri] = cell.version, batch.id
            if before.get(cell.uri, (cell.version, NOTHING.id)) != now[cell.uri]:
                self._publish(cell.uri, cell.version, batch.items)
        for gone in before.keys() - now.keys():
            self._publish(gone, None, ())
        self._cells[document.uri] = now

    async def _publish_moved(self) -> None:
        documents = sorted(self._session.documents, key=lambda d: d.typed, reverse=True)
        for document in documents:
            uri = document.uri
            if document.notebook:
                continue
            if await self._session.waits_for_save(uri):
                continue
            batch = await self._batch(uri, Rank.NORMAL)
            now = self._session.documents.get(uri)
            if now and self._shown.get(uri) != (now.version, batch.id):
                self._shown[uri] = (now.version, batch.id)
                self._publish(uri, now.version, batch.items)

    def _report_settings(self) -> None:
        """Show mistakes in settings files at their place, and take them away when mended."""
        problems = self._session.workbench.problems
        if problems == self._reported:
            return
        mended = {p.path for p in self._reported} - {p.path for p in problems}
        self._reported = problems
        for path in mended:
            self._publish(uri_of(path), None, ())
        for problem in problems:
            item = self._session.convert.line_diagnostic(
                problem.source, problem.line, problem.message
            )
            self._publish(uri_of(problem.path), None, (item,))

    def _publish(self, uri: str, version: int | None, items: tuple[types.Diagnostic, ...]) -> None:
        self._session.server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri, items, version)
        )
