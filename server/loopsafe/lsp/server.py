"""Wiring: one short handler per request, registered on a pygls server.

Handlers that analyse are coroutines: only those can be cancelled while they run.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcMethodNotFound
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol

from loopsafe import __version__, explain
from loopsafe.lsp import actions, chain, guards, hierarchy, hover, lenses, notebooks
from loopsafe.lsp.client import Client
from loopsafe.lsp.convert import path_of
from loopsafe.lsp.diagnostics import Diagnostics
from loopsafe.lsp.information import debug_information
from loopsafe.lsp.session import Session
from loopsafe.lsp.survey import Survey
from loopsafe.lsp.worker import Rank
from loopsafe.memory import reclaim
from loopsafe.modules import shipped
from loopsafe.modules.homes import SETTINGS_FILE
from loopsafe.modules.releases import LOCK_FILES, REQUIREMENTS

_log = logging.getLogger(__name__)
_TOLD = (*LOCK_FILES, *REQUIREMENTS)
_WATCHED = tuple(f"**/{name}" for name in ("*.py", "*.pyi", SETTINGS_FILE, shipped.NAME, *_TOLD))
_LEVELS = {
    logging.ERROR: types.MessageType.Error,
    logging.WARNING: types.MessageType.Warning,
    logging.INFO: types.MessageType.Info,
}
_APPLY_COMMAND = "loopsafe.applyFix"


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


def main(argv: Sequence[str] = ()) -> int:
    """Serve the client on stdin and stdout until it leaves; 0 if it said good-bye."""
    reader, writer = guards.take_stdio()
    guards.quiet_libraries()
    guards.tune_runtime()
    server = build()
    server.start_io(reader, writer)
    return 0 if server.protocol._shutdown else 1


def build() -> Server:
    """A server with all its handlers."""
    server = Server()
    for method, handler in _HANDLERS.items():
        server.feature(method)(handler)
    server.feature(
        types.TEXT_DOCUMENT_DIAGNOSTIC,
        types.DiagnosticOptions(
            inter_file_dependencies=True, workspace_diagnostics=True, identifier="loopsafe"
        ),
    )(pull)
    return server


def initialize(ls: Server, params: types.InitializeParams) -> None:
    """Meet the client. Options that a client may not know are not given to it."""
    encoding = ls.workspace.position_encoding or types.PositionEncodingKind.Utf16
    client = Client.of(params, getattr(encoding, "value", encoding))
    _log_to_client(ls)
    guards.watch_parent(params.process_id)
    ls.session = Session(ls, client)
    ls.diagnostics = Diagnostics(ls.session)
    ls.survey = Survey(ls.session)
    if params.workspace_folders:
        ls.session.scopes.add(folder.uri for folder in params.workspace_folders)
    elif ls.workspace.root_uri:
        ls.session.scopes.add([ls.workspace.root_uri])
    if client.action_literals:
        options = types.CodeActionOptions(
            code_action_kinds=actions.KINDS, resolve_provider=client.resolves_edits
        )
        ls.feature(types.TEXT_DOCUMENT_CODE_ACTION, options)(code_action)
    elif client.applies_edits:
        ls.feature(types.TEXT_DOCUMENT_CODE_ACTION)(code_action_commands)
        ls.command(_APPLY_COMMAND)(apply_fix)
    if client.lenses:
        ls.feature(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions(resolve_provider=True))(
            code_lens
        )
    if client.call_hierarchy:
        ls.feature(types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY)(prepare_call_hierarchy)


async def initialized(ls: Server, _params: types.InitializedParams) -> None:
    """Ask to be told of changes outside of open buffers."""
    client = ls.session.client
    wanted: list[types.Registration] = []
    if client.watches_files:
        watchers = [types.FileSystemWatcher(pattern) for pattern in _WATCHED]
        options: Any = types.DidChangeWatchedFilesRegistrationOptions(watchers)
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        wanted.append(types.Registration("loopsafe-files", method, options))
    if client.watches_configuration:
        options = types.DidChangeConfigurationRegistrationOptions("loopsafe")
        method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
        wanted.append(types.Registration("loopsafe-settings", method, options))
    if wanted:
        try:
            await ls.client_register_capability_async(types.RegistrationParams(wanted))
        except Exception as error:
            _log.warning("The client does not watch files: %s", error)
    reclaim()
    if client.watches_files:
        await ls.session.catch_up()


def did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
    ls.session.opened(params.text_document)


def did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
    if params.content_changes:
        document = params.text_document
        ls.session.changed(document.uri, document.version, params.content_changes[-1].text)


def did_save(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
    ls.session.saved(params.text_document.uri)


def did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
    ls.session.closed(params.text_document.uri)
    ls.diagnostics.closed(params.text_document.uri)


def did_open_notebook(ls: Server, params: types.DidOpenNotebookDocumentParams) -> None:
    opened = ls.session.notebooks.opened(params)
    ls.session.notebook_changed(params.notebook_document.uri, opened)


def did_change_notebook(ls: Server, params: types.DidChangeNotebookDocumentParams) -> None:
    changed = ls.session.notebooks.changed(params)
    if changed:
        ls.session.notebook_changed(params.notebook_document.uri, changed)


def did_save_notebook(ls: Server, params: types.DidSaveNotebookDocumentParams) -> None:
    ls.session.saved(params.notebook_document.uri)


def did_close_notebook(ls: Server, params: types.DidCloseNotebookDocumentParams) -> None:
    ls.session.notebook_closed(params.notebook_document.uri)
    ls.diagnostics.closed(params.notebook_document.uri)


def did_change_watched_files(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
    paths = [path for change in params.changes if (path := path_of(change.uri))]
    appeared = any(change.type is types.FileChangeType.Created for change in params.changes)
    if paths:
        ls.session.files_changed(paths, appeared)


def did_change_configuration(ls: Server, params: types.DidChangeConfigurationParams) -> None:
    ls.session.settings_changed(params.settings)


def did_change_workspace_folders(ls: Server, params: types.DidChangeWorkspaceFoldersParams) -> None:
    event = params.event
    ls.session.folders_changed([f.uri for f in event.added], [f.uri for f in event.removed])


async def pull(ls: Server, params: types.DocumentDiagnosticParams) -> Any:
    return await ls.diagnostics.pull(params)


async def pull_workspace(
    ls: Server, params: types.WorkspaceDiagnosticParams
) -> types.WorkspaceDiagnosticReport:
    return await ls.survey.pull(params)


async def show_hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
    return await ls.session.ask(
        params.text_document.uri,
        "Hover",
        lambda work: hover.hover_at(work, params.position),
        Rank.URGENT,
    )


async def code_action(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    found = await ls.session.ask(
        params.text_document.uri,
        "Code actions",
        lambda work: actions.code_actions(work, params),
        Rank.URGENT,
    )
    return found or []


async def resolve_code_action(ls: Server, action: types.CodeAction) -> types.CodeAction:
    uri = actions.uri_to_resolve(action)
    if uri is None:
        return action
    resolved = await ls.session.ask(
        uri, "Fix all", lambda work: actions.resolve(work, action), Rank.URGENT
    )
    return resolved or action


async def code_action_commands(ls: Server, params: types.CodeActionParams) -> list[types.Command]:
    """Code actions for clients that know commands only."""
    found = await code_action(ls, params)
    return [
        types.Command(action.title, _APPLY_COMMAND, arguments=[_to_plain(ls, params), action.title])
        for action in found
    ]


async def apply_fix(ls: Server, params: Any, title: str) -> None:
    """Apply the code action of that title, made anew from the present text."""
    request = ls.protocol._converter.structure(params, types.CodeActionParams)
    for action in await code_action(ls, request):
        if action.title == title and action.edit:
            edit = types.ApplyWorkspaceEditParams(action.edit, title)
            await asyncio.shield(ls.workspace_apply_edit_async(edit))
            return


async def prepare_call_hierarchy(
    ls: Server, params: types.CallHierarchyPrepareParams
) -> list[types.CallHierarchyItem] | None:
    return await ls.session.ask(
        params.text_document.uri,
        "Call hierarchy",
        lambda work: hierarchy.prepare(work, params.position),
        Rank.URGENT,
    )


async def outgoing_calls(
    ls: Server, params: types.CallHierarchyOutgoingCallsParams
) -> list[types.CallHierarchyOutgoingCall] | None:
    uri = hierarchy.origin(params.item)
    if uri is None:
        return None
    return await ls.session.ask(
        uri, "Call hierarchy", lambda work: hierarchy.outgoing(work, params.item), Rank.URGENT
    )


async def incoming_calls(
    ls: Server, params: types.CallHierarchyIncomingCallsParams
) -> list[types.CallHierarchyIncomingCall] | None:
    uri = hierarchy.origin(params.item)
    if uri is None:
        return None
    return await ls.session.ask(
        uri, "Call hierarchy", lambda work: hierarchy.incoming(work, params.item), Rank.NORMAL
    )


async def code_lens(ls: Server, params: types.CodeLensParams) -> list[types.CodeLens]:
    """After the pause and the diagnostics: lenses may not make typing wait."""
    uri = params.text_document.uri
    ls.session.lenses_asked = True
    await ls.session.settle(uri)
    return await ls.session.ask(uri, "CodeLens", lenses.code_lenses, Rank.BACKGROUND) or []


async def resolve_code_lens(ls: Server, lens: types.CodeLens) -> types.CodeLens:
    uri = lenses.origin(lens)
    if uri is None:
        return lens
    resolved = await ls.session.ask(
        uri, "CodeLens", lambda work: lenses.resolve(work, lens), Rank.BACKGROUND
    )
    return resolved or lens


async def show_chain(ls: Server, params: Any) -> dict[str, Any] | None:
    """`loopsafe/chain`: the blocking chain at a position."""
    position = types.Position(params.position.line, params.position.character)
    return await ls.session.ask(
        params.textDocument.uri,
        "Blocking chain",
        lambda work: chain.chain_at(work, position),
        Rank.URGENT,
    )


async def explain_rule(ls: Server, params: Any) -> str | None:
    """`loopsafe/explain`: the page of a rule."""
    code = getattr(params, "code", None)
    return explain.rule_page(code) if isinstance(code, str) else None


async def inform(ls: Server, _params: Any) -> str:
    """`loopsafe/debugInformation`: what a bug report needs."""
    session = ls.session
    folders = tuple(scope.uri for scope in session.scopes.folders)
    waiting = session.worker.waiting
    return await session.worker.run(
        lambda _: debug_information(session.workbench, folders, waiting), Rank.URGENT
    )


def _to_plain(ls: Server, params: types.CodeActionParams) -> Any:
    return ls.protocol._converter.unstructure(params)


def _log_to_client(ls: Server) -> None:
    """Let the log go to the client's output panel, where stderr would be shown as errors."""

    def send(level: int, message: str) -> None:
        kind = _LEVELS.get(level, types.MessageType.Log)
        ls.window_log_message(types.LogMessageParams(kind, message))

    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(guards.ClientLog(asyncio.get_running_loop(), send))


_HANDLERS: dict[str, Any] = {
    types.INITIALIZE: initialize,
    types.INITIALIZED: initialized,
    types.TEXT_DOCUMENT_DID_OPEN: did_open,
    types.TEXT_DOCUMENT_DID_CHANGE: did_change,
    types.TEXT_DOCUMENT_DID_SAVE: did_save,
    types.TEXT_DOCUMENT_DID_CLOSE: did_close,
    types.NOTEBOOK_DOCUMENT_DID_OPEN: did_open_notebook,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE: did_change_notebook,
    types.NOTEBOOK_DOCUMENT_DID_SAVE: did_save_notebook,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE: did_close_notebook,
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: did_change_watched_files,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: did_change_configuration,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: did_change_workspace_folders,
    types.WORKSPACE_DIAGNOSTIC: pull_workspace,
    types.TEXT_DOCUMENT_HOVER: show_hover,
    types.CODE_ACTION_RESOLVE: resolve_code_action,
    types.CALL_HIERARCHY_OUTGOING_CALLS: outgoing_calls,
    types.CALL_HIERARCHY_INCOMING_CALLS: incoming_calls,
    types.CODE_LENS_RESOLVE: resolve_code_lens,
    "loopsafe/chain": show_chain,
    "loopsafe/explain": explain_rule,
    "loopsafe/debugInformation": inform,
}
