"""What the client tells: of its buffers, notebooks, files, folders and settings."""

from __future__ import annotations

from lsprotocol import types

from loopsafe.lsp.convert import path_of
from loopsafe.lsp.wire import Server


def did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
    ls.session.opened(params.text_document)
    ls.opinions.opened(params.text_document.uri)


def did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
    if params.content_changes:
        document = params.text_document
        ls.session.changed(document.uri, document.version, params.content_changes[-1].text)
        ls.opinions.leave(document.uri)


def did_save(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
    ls.session.saved(params.text_document.uri)
    ls.opinions.saved(params.text_document.uri)


def did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
    ls.session.closed(params.text_document.uri)
    ls.diagnostics.closed(params.text_document.uri)
    ls.opinions.leave(params.text_document.uri)


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
