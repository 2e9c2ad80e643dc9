"""Wiring: the handlers on a pygls server, and the first words with the client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from lsprotocol import types

from loopsafe.lsp import actions, answers, changes, guards
from loopsafe.lsp.client import Client
from loopsafe.lsp.diagnostics import Diagnostics
from loopsafe.lsp.opinions import Opinions
from loopsafe.lsp.session import Session
from loopsafe.lsp.survey import Survey
from loopsafe.lsp.wire import Server
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
    )(answers.pull)
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
    ls.opinions = Opinions(ls.session)
    if params.workspace_folders:
        ls.session.scopes.add(folder.uri for folder in params.workspace_folders)
    elif ls.workspace.root_uri:
        ls.session.scopes.add([ls.workspace.root_uri])
    if client.action_literals:
        options = types.CodeActionOptions(
            code_action_kinds=actions.KINDS, resolve_provider=client.resolves_edits
        )
        ls.feature(types.TEXT_DOCUMENT_CODE_ACTION, options)(answers.code_action)
    elif client.applies_edits:
        ls.feature(types.TEXT_DOCUMENT_CODE_ACTION)(answers.code_action_commands)
        ls.command(answers.APPLY_COMMAND)(answers.apply_fix)
    if client.lenses:
        ls.feature(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions(resolve_provider=True))(
            answers.code_lens
        )
    if client.call_hierarchy:
        ls.feature(types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY)(answers.prepare_call_hierarchy)


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
    types.TEXT_DOCUMENT_DID_OPEN: changes.did_open,
    types.TEXT_DOCUMENT_DID_CHANGE: changes.did_change,
    types.TEXT_DOCUMENT_DID_SAVE: changes.did_save,
    types.TEXT_DOCUMENT_DID_CLOSE: changes.did_close,
    types.NOTEBOOK_DOCUMENT_DID_OPEN: changes.did_open_notebook,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE: changes.did_change_notebook,
    types.NOTEBOOK_DOCUMENT_DID_SAVE: changes.did_save_notebook,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE: changes.did_close_notebook,
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: changes.did_change_watched_files,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: changes.did_change_configuration,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: changes.did_change_workspace_folders,
    types.WORKSPACE_DIAGNOSTIC: answers.pull_workspace,
    types.TEXT_DOCUMENT_HOVER: answers.show_hover,
    types.CODE_ACTION_RESOLVE: answers.resolve_code_action,
    types.CALL_HIERARCHY_OUTGOING_CALLS: answers.outgoing_calls,
    types.CALL_HIERARCHY_INCOMING_CALLS: answers.incoming_calls,
    types.CODE_LENS_RESOLVE: answers.resolve_code_lens,
    "loopsafe/chain": answers.show_chain,
    "loopsafe/explain": answers.explain_rule,
    "loopsafe/debugInformation": answers.inform,
}
