"""What pygls is to Loopsafe: its server and its protocol, more forgiving in what they read."""

from __future__ import annotations

import logging
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcMethodNotFound
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol

from loopsafe import __version__
from loopsafe.lsp import notebooks
from loopsafe.lsp.diagnostics import Diagnostics
from loopsafe.lsp.opinions import Opinions
from loopsafe.lsp.session import Session
from loopsafe.lsp.survey import Survey

_log = logging.getLogger(__name__)


class Protocol(LanguageServerProtocol):
    """pygls' protocol, more forgiving in what it reads."""

    def structure_message(self, data: dict[str, Any]) -> Any:
        """A message as an object; a request that makes no sense is answered, not dropped."""
        if "jsonrpc" in data and "method" in data:
            data.setdefault("params", {} if data["method"] == types.INITIALIZED else None)
        try:
            return super().structure_message(data)
        except Exception as error:
            if "id" in data and "method" in data:
                code = types.ErrorCodes.InvalidParams
                self._send_response(data["id"], error=types.ResponseError(code, str(error)))
            raise

    def _execute_handler(
        self, msg_id: Any, handler: Any, callback: Any, args: Any = None, kwargs: Any = None
    ) -> None:
        """Handle a message; of a notification, nothing is kept once it is handled."""

        def done(future: Any) -> None:
            # pygls forgets what answers a request, but keeps what handled a notification. In a
            # new dictionary: at the end pygls walks over this one while it cancels what is in it.
            if callback == self._check_handler_result and msg_id in self._request_futures:
                kept = self._request_futures.items()
                self._request_futures = {name: one for name, one in kept if name != msg_id}
            callback(future)

        super()._execute_handler(msg_id, handler, done, args, kwargs)


class Server(LanguageServer):
    """The language server; `session` exists from the `initialize` request on."""

    session: Session
    diagnostics: Diagnostics
    survey: Survey
    opinions: Opinions

    def __init__(self) -> None:
        super().__init__(
            "loopsafe",
            __version__,
            text_document_sync_kind=types.TextDocumentSyncKind.Full,
            protocol_cls=Protocol,
            max_workers=2,
            notebook_document_sync=notebooks.SYNC,
        )

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Trouble goes to the log, never into the user's face.

        Some clients ask for what no server has told them of: that is answered, and no trouble.
        """
        if isinstance(error, JsonRpcMethodNotFound):
            return
        _log.error("%s: %s", getattr(source, "__name__", source), error)
