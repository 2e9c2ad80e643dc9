"""`workspace/diagnostic`: the findings of every file of the folders that ask for it.

The request stays open until there is news: clients ask again at once. What is looked at goes in
slices behind everything else; what has not changed since the last answer is not sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from lsprotocol import types

from loopsafe.lsp.diagnostics import NOTHING, Batch, batch_of
from loopsafe.lsp.scopes import Scope
from loopsafe.lsp.session import Session

_CHUNK = 50
"""Files in one partial result."""
_SETTLE_SECONDS = 0.5
"""After a change; open files go first."""

Report = types.WorkspaceFullDocumentDiagnosticReport


class Survey:
    """Answers workspace pulls, one at a time as clients send them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._news = asyncio.Event()
        session.on_move(self._news.set)

    async def pull(
        self, params: types.WorkspaceDiagnosticParams
    ) -> types.WorkspaceDiagnosticReport:
        """Waits until the client's last answer is out of date, then gives what is new."""
        known = {one.uri: one.value for one in params.previous_result_ids}
        while True:
            self._news.clear()
            sent = False
            chunk: list[Report] = []
            async for report in self._changed(known):
                sent = True
                chunk.append(report)
                if len(chunk) == _CHUNK and params.partial_result_token is not None:
                    self._send(params.partial_result_token, chunk)
                    chunk = []
            if sent:
                return types.WorkspaceDiagnosticReport(chunk)
            await self._news.wait()
            await asyncio.sleep(_SETTLE_SECONDS)
            for document in self._session.documents:
                await self._session.settle(document.uri)

    async def _changed(self, known: dict[str, str]) -> AsyncIterator[Report]:
        """The files whose findings are others than the client knows."""
        seen: set[str] = set()
        for scope in self._session.scopes.folders:
            async for path, batch in self._files(scope):
                uri = self._session.address(path)
                if uri in seen:
                    continue
                seen.add(uri)
                if self._session.documents.get(uri):
                    continue  # Clients pull for what is open, and know better when.
                if known.get(uri, NOTHING.id) != batch.id:
                    yield _report(uri, batch)
        for uri, value in known.items():
            if uri not in seen and value != NOTHING.id:
                yield _report(uri, NOTHING)

    async def _files(self, scope: Scope) -> AsyncIterator[tuple[str, Batch]]:
        settings = await self._session.scopes.settings(scope)
        if not (settings.enable and settings.whole_workspace):
            return
        paths = await self._session.files(scope)
        async for part in self._session.sweep(scope, paths, batch_of):
            for answer in part:
                yield answer

    def _send(self, token: types.ProgressToken, chunk: Sequence[Report]) -> None:
        value = types.WorkspaceDiagnosticReportPartialResult(chunk)
        self._session.server.progress(types.ProgressParams(token, value))


def _report(uri: str, batch: Batch) -> Report:
    return Report(uri, items=batch.items, result_id=batch.id)
