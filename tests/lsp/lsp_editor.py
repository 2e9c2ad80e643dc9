"""An editor for tests: starts the server as editors do, and speaks to it over its pipe.

The server comes from the folder named by LOOPSAFE_SERVER, shut off from everything else as the
editor extension starts it (on the interpreter named by LOOPSAFE_SERVER_PYTHON, if that is set),
else from the source tree.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Union

from lsprotocol import types
from lsprotocol.converters import get_converter
from pytest_lsp import LanguageClient, client_capabilities
from pytest_lsp.client import make_test_lsp_client

SERVER_FOLDER = Path(__file__).parents[2] / "server"
PATIENCE = float(os.environ.get("LOOPSAFE_PATIENCE", "60"))
_LINE_END = re.compile(r"\r\n|\r|\n")


def server_command(bundle: str | None = None) -> list[str]:
    """How the server is started."""
    bundle = bundle or os.environ.get("LOOPSAFE_SERVER")
    if bundle:
        python = os.environ.get("LOOPSAFE_SERVER_PYTHON", sys.executable)
        return [python, "-I", "-S", "-X", "utf8", bundle, "server"]
    return [sys.executable, "-X", "utf8", "-m", "loopsafe", "server"]


def server_environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SERVER_FOLDER)}


def capabilities(data: dict[str, Any]) -> types.ClientCapabilities:
    return get_converter().structure(data, types.ClientCapabilities)


VSCODE = capabilities(
    {
        "general": {"positionEncodings": ["utf-16"]},
        "notebookDocument": {"synchronization": {"dynamicRegistration": True}},
        "workspace": {
            "applyEdit": True,
            "configuration": True,
            "workspaceFolders": True,
            "workspaceEdit": {
                "documentChanges": True,
                "changeAnnotationSupport": {"groupsOnLabel": True},
                "resourceOperations": ["create", "rename", "delete"],
            },
            "didChangeConfiguration": {"dynamicRegistration": True},
            "didChangeWatchedFiles": {"dynamicRegistration": True},
            "diagnostics": {"refreshSupport": True},
            "codeLens": {"refreshSupport": True},
        },
        "textDocument": {
            "diagnostic": {
                "dynamicRegistration": True,
                "relatedDocumentSupport": False,
                "relatedInformation": True,
                "codeDescriptionSupport": True,
                "dataSupport": True,
            },
            "publishDiagnostics": {
                "relatedInformation": True,
                "dataSupport": True,
                "tagSupport": {"valueSet": [1, 2]},
            },
            "callHierarchy": {"dynamicRegistration": True},
            "codeLens": {"dynamicRegistration": True},
            "hover": {"contentFormat": ["markdown", "plaintext"]},
            "codeAction": {
                "isPreferredSupport": True,
                "disabledSupport": True,
                "dataSupport": True,
                "resolveSupport": {"properties": ["edit", "command"]},
                "codeActionLiteralSupport": {
                    "codeActionKind": {"valueSet": ["", "quickfix", "refactor", "source"]}
                },
            },
        },
    }
)
"""What vscode-languageclient 11 declares, as far as it matters here."""
NEOVIM = client_capabilities("neovim@v0.11")
EMACS = client_capabilities("emacs")
BARE = types.ClientCapabilities()


class Editor:
    """A client with buffers, which applies edits as editors do."""

    def __init__(self, client: LanguageClient) -> None:
        self.client = client
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.published: list[types.PublishDiagnosticsParams] = []
        self.statuses: list[Any] = []
        self.registered: list[types.Registration] = []
        self.applied: list[types.WorkspaceEdit] = []
        self.lens_refreshes = 0
        self.answer: types.InitializeResult

    @property
    def encoding(self) -> str:
        encoding = self.answer.capabilities.position_encoding
        return str(getattr(encoding, "value", encoding) or "utf-16")

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self.client._server is not None
        return self.client._server

    # Buffers

    def open(self, path: Path | str, text: str | None = None, version: int = 1) -> str:
        """Open a file, or an address that is none, with its text on disk or another."""
        uri = path.as_uri() if isinstance(path, Path) else path
        if text is None:
            assert isinstance(path, Path)
            text = path.read_bytes().decode()
        self.texts[uri], self.versions[uri] = text, version
        item = types.TextDocumentItem(uri, types.LanguageKind.Python, version, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def change(self, uri: str, text: str) -> None:
        self.texts[uri] = text
        self.versions[uri] += 1
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(version=self.versions[uri], uri=uri),
                [types.TextDocumentContentChangeWholeDocument(text)],
            )
        )

    def save(self, uri: str) -> None:
        identifier = types.TextDocumentIdentifier(uri)
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(identifier))

    def close(self, uri: str) -> None:
        identifier = types.TextDocumentIdentifier(uri)
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(identifier))
        del self.texts[uri], self.versions[uri]

    def wrote(
        self, *paths: Path, kind: types.FileChangeType = types.FileChangeType.Changed
    ) -> None:
        """Tell that files changed on disk."""
        events = [types.FileEvent(path.as_uri(), kind) for path in paths]
        self.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(events))

    def configure(self, settings: dict[str, Any], folder: Path | None = None) -> None:
        """Change the settings of a folder, or of all, and say so."""
        scope = folder.as_uri() if folder else None
        self.client.set_configuration(settings, section="loopsafe", scope_uri=scope)
        self.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(None))

    # Requests

    async def report(self, uri: str, previous: str | None = None) -> Any:
        params = types.DocumentDiagnosticParams(
            types.TextDocumentIdentifier(uri), previous_result_id=previous
        )
        return await self.within(self.client.text_document_diagnostic_async(params))

    async def pull_workspace(
        self, previous: dict[str, str] | None = None, token: str | None = None
    ) -> list[Any]:
        """The reports of the files that are not as the client knows them; waits for some."""
        known = [types.PreviousResultId(uri, value) for uri, value in (previous or {}).items()]
        params = types.WorkspaceDiagnosticParams(known, partial_result_token=token)
        answer = await self.within(self.client.workspace_diagnostic_async(params))
        return list(answer.items)

    async def pull(self, uri: str) -> list[types.Diagnostic]:
        return list((await self.report(uri)).items)

    async def hover(self, uri: str, needle: str, inside: int = 0) -> types.Hover | None:
        """The hover at the first occurrence of a text."""
        offset = self.texts[uri].index(needle) + inside
        params = types.HoverParams(types.TextDocumentIdentifier(uri), self.position(uri, offset))
        return await self.within(self.client.text_document_hover_async(params))

    async def actions(
        self,
        uri: str,
        needle: str,
        only: Sequence[str] | None = None,
        diagnostics: Sequence[types.Diagnostic] = (),
    ) -> list[Any]:
        """The code actions for the first occurrence of a text."""
        start = self.texts[uri].index(needle)
        range_ = types.Range(self.position(uri, start), self.position(uri, start + len(needle)))
        params = types.CodeActionParams(
            types.TextDocumentIdentifier(uri),
            range_,
            types.CodeActionContext(diagnostics, only=only),
        )
        return list(await self.within(self.client.text_document_code_action_async(params)) or [])

    async def ask(self, method: str, params: Any) -> Any:
        """The answer to a request of Loopsafe's own."""
        return await self.within(self.client.protocol.send_request_async(method, params))

    async def lenses(self, uri: str) -> list[types.CodeLens]:
        """The lenses of a file, each resolved as when it is shown."""
        params = types.CodeLensParams(types.TextDocumentIdentifier(uri))
        found = await self.within(self.client.text_document_code_lens_async(params)) or []
        return [
            lens if lens.command else await self.within(self.client.code_lens_resolve_async(lens))
            for lens in found
        ]

    async def resolve(self, action: types.CodeAction) -> types.CodeAction:
        return await self.within(self.client.code_action_resolve_async(action))

    async def within(self, answer: Any) -> Any:
        return await asyncio.wait_for(answer, PATIENCE)

    async def until(self, condition: Any) -> None:
        """Wait for something that the server does by itself."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "the server did not do it"
            await asyncio.sleep(0.01)

    async def published_for(self, uri: str, version: int | None) -> list[types.Diagnostic]:
        """The diagnostics published for a version of a file."""
        found: list[types.PublishDiagnosticsParams] = []

        def arrived() -> bool:
            found[:] = [p for p in self.published if p.uri == uri and p.version == version]
            return bool(found)

        await self.until(arrived)
        return list(found[-1].diagnostics)

    # Positions and edits, counted here anew, to check the server's counting

    def position(self, uri: str, offset: int) -> types.Position:
        text = self.texts[uri]
        starts = [0, *(m.end() for m in _LINE_END.finditer(text))]
        line = max(number for number, start in enumerate(starts) if start <= offset)
        return types.Position(line, self._units(text[starts[line] : offset]))

    def text_at(self, uri: str, range_: types.Range) -> str:
        """The text that a range covers."""
        start, end = self._offset(uri, range_.start), self._offset(uri, range_.end)
        return self.texts[uri][start:end]

    def after(self, edit: types.WorkspaceEdit, uri: str) -> str:
        """The text of a buffer with an edit applied."""
        edits: list[types.TextEdit] = []
        for change in edit.document_changes or ():
            if isinstance(change, types.CreateFile):
                continue
            assert isinstance(change, types.TextDocumentEdit)
            if change.text_document.uri == uri:
                assert change.text_document.version == self.versions[uri]
                edits.extend(change.edits)  # type: ignore[arg-type]
        edits.extend((edit.changes or {}).get(uri, ()))
        assert edits, f"nothing is changed in {uri}"
        text = self.texts[uri]
        placed = [
            (self._offset(uri, e.range.start), self._offset(uri, e.range.end), e.new_text)
            for e in edits
        ]
        for start, end, new in sorted(placed, key=lambda e: e[:2], reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def _offset(self, uri: str, position: types.Position) -> int:
        text = self.texts[uri]
        starts = [0, *(m.end() for m in _LINE_END.finditer(text)), len(text) + 1]
        start, stop = starts[position.line], starts[position.line + 1]
        for offset in range(start, stop):
            if self._units(text[start:offset]) >= position.character:
                return offset
        raise AssertionError(f"{position} is beyond the line")

    def _units(self, text: str) -> int:
        match self.encoding:
            case "utf-8":
                return len(text.encode())
            case "utf-32":
                return len(text)
            case _:
                return len(text.encode("utf-16-le")) // 2


@contextlib.asynccontextmanager
async def editor(
    *folders: Path,
    capabilities: types.ClientCapabilities = VSCODE,
    options: Any = None,
    settings: dict[str, Any] | None = None,
    command: list[str] | None = None,
    cwd: Path | None = None,
    environment: dict[str, str] | None = None,
) -> AsyncIterator[Editor]:
    """An editor with these workspace folders, connected to a server of its own."""
    client = make_test_lsp_client()
    own = Editor(client)
    _listen(client, own)
    _read_actions_rightly(client)
    if settings is not None:
        client.set_configuration(settings, section="loopsafe")
    given = {} if cwd is None else {"cwd": str(cwd)}
    await client.start_io(
        *(command or server_command()), env=environment or server_environment(), **given
    )
    try:
        params = types.InitializeParams(
            capabilities=capabilities,
            workspace_folders=[types.WorkspaceFolder(f.as_uri(), f.name) for f in folders] or None,
            initialization_options=options,
            client_info=types.ClientInfo("test", "1.0"),
        )
        own.answer = await own.within(client.initialize_session(params))
        yield own
        if own.process.returncode is None:
            await own.within(client.shutdown_session())
            assert own.process.returncode == 0
        assert not client.messages, "the server popped something up"
    finally:
        if own.process.returncode is None:
            own.process.kill()
        await client.stop()


def _read_actions_rightly(client: LanguageClient) -> None:
    """The stock client takes every action with a command for a bare command."""

    def structure(value: Any, _: Any) -> types.Command | types.CodeAction:
        is_bare = isinstance(value.get("command"), str)
        return converter.structure(value, types.Command if is_bare else types.CodeAction)

    converter = client.protocol._converter
    converter.register_structure_hook(types.Command | types.CodeAction, structure)
    converter.register_structure_hook(Union[types.Command, types.CodeAction], structure)  # noqa: UP007


def _listen(client: LanguageClient, own: Editor) -> None:
    """Hear what the stock client does not keep."""

    def publish(params: types.PublishDiagnosticsParams) -> None:
        own.published.append(params)

    def register(params: types.RegistrationParams) -> None:
        own.registered.extend(params.registrations)

    def apply(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
        own.applied.append(params.edit)
        return types.ApplyWorkspaceEditResult(applied=True)

    def refresh_lenses(_: Any) -> None:
        own.lens_refreshes += 1

    def status(params: Any) -> None:
        own.statuses.append(params)

    client.feature("loopsafe/status")(status)
    client.protocol.fm._features.pop(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(publish)
    client.feature(types.CLIENT_REGISTER_CAPABILITY)(register)
    client.feature(types.WORKSPACE_APPLY_EDIT)(apply)
    client.feature(types.WORKSPACE_CODE_LENS_REFRESH)(refresh_lenses)
