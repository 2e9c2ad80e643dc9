"""The server's life: start in hostile places, cancellation, crashes, and a clean end."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from lsp_editor import (
    BARE,
    EMACS,
    NEOVIM,
    SERVER_FOLDER,
    VSCODE,
    Editor,
    editor,
    server_command,
    server_environment,
)
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcRequestCancelled

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

BLOCKING = "import time\n\n\nasync def main():\n    time.sleep(1)\n"
LIBRARIES = (
    *("astroid", "attr", "attrs", "cattr", "cattrs", "exceptiongroup", "jedi", "lsprotocol"),
    *("packaging", "parso", "pathspec", "platformdirs", "pygls", "tomli", "typing_extensions"),
)


@pytest.mark.parametrize(
    "client", [VSCODE, NEOVIM, EMACS, BARE], ids=["vscode", "nvim", "emacs", "bare"]
)
async def test_every_client_gets_findings_and_logs_stay_empty(
    tmp_path: Path, client: types.ClientCapabilities
) -> None:
    async with editor(tmp_path, capabilities=client) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        if client in (VSCODE, NEOVIM):
            assert len(await ed.pull(uri)) == 1
        else:
            assert len(await ed.published_for(uri, 1)) == 1
        assert await ed.hover(uri, "time.sleep")
        ed.close(uri)
    assert ed.client.log_messages == []


async def test_nothing_in_the_workspace_or_on_the_python_path_is_imported(tmp_path: Path) -> None:
    """A folder full of modules with the names of the server's own ones, as cwd and on the path."""
    hostile = "raise SystemExit('imported from the workspace')\n"
    for name in ("ast", "typing", "json", "asyncio", "attr", "tomli", "jedi", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(hostile)
    for package in ("pygls", "lsprotocol", "loopsafe", "cattrs"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(hostile)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONSTARTUP": "ast.py"}
    bundle = os.environ.get("LOOPSAFE_SERVER") or _bundle(tmp_path.parent / "bundle")
    async with editor(
        tmp_path, command=server_command(bundle), cwd=tmp_path, environment=environment
    ) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        [found] = await ed.pull(uri)
        assert ed.text_at(uri, found.range) == "time.sleep"
        assert await ed.hover(uri, "time.sleep")
        assert await ed.actions(uri, "time.sleep")


def _bundle(folder: Path) -> str:
    """The libraries and the server in one folder, as the editor extension carries them."""
    folder.mkdir()
    for finder in LIBRARIES:
        module = sys.modules.get(finder) or _import(finder)
        if module is None:
            continue
        origin = Path(module.__file__ or "")
        source = origin.parent if origin.name == "__init__.py" else origin
        _link(folder / source.name, source)
    _link(folder / "loopsafe", SERVER_FOLDER / "loopsafe")
    main = "import sys\nfrom loopsafe.cli import main\n\nsys.exit(main())\n"
    (folder / "__main__.py").write_text(main)
    return str(folder)


def _import(name: str) -> Any:
    try:
        return __import__(name)
    except ImportError:
        return None


def _link(target: Path, source: Path) -> None:
    try:
        target.symlink_to(source, target_is_directory=source.is_dir())
    except OSError:  # Windows asks for a privilege.
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)


async def test_a_cancelled_request_is_answered_at_once_and_the_next_one_too(tmp_path: Path) -> None:
    async with editor(tmp_path, settings={"delay": 5000}) as ed:
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        await ed.pull(uri)
        ed.change(uri, "\n" + BLOCKING)
        params = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
        start = time.monotonic()
        method = types.TEXT_DOCUMENT_DIAGNOSTIC
        running = asyncio.ensure_future(
            ed.client.protocol.send_request_async(method, params, msg_id="slow")
        )
        await asyncio.sleep(0.2)
        assert not running.done()
        ed.client.cancel_request(types.CancelParams("slow"))
        with pytest.raises(JsonRpcRequestCancelled):
            await ed.within(running)
        assert time.monotonic() - start < 4
        assert await ed.hover(uri, "time.sleep")
    assert ed.client.log_messages == []


async def test_a_request_cancelled_while_settings_are_awaited_leaves_no_trace(
    tmp_path: Path,
) -> None:
    async with editor(tmp_path) as ed:
        late = asyncio.Event()

        async def answer(_params: types.ConfigurationParams) -> list[Any]:
            await late.wait()
            return [{}]

        ed.client.protocol.fm._features.pop(types.WORKSPACE_CONFIGURATION)
        ed.client.feature(types.WORKSPACE_CONFIGURATION)(answer)
        uri = ed.open(tmp_path / "app.py", BLOCKING)
        params = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
        method = types.TEXT_DOCUMENT_DIAGNOSTIC
        running = asyncio.ensure_future(
            ed.client.protocol.send_request_async(method, params, msg_id="waits")
        )
        await asyncio.sleep(0.2)
        ed.client.cancel_request(types.CancelParams("waits"))
        with pytest.raises(JsonRpcRequestCancelled):
            await ed.within(running)
        late.set()
        assert len(await ed.pull(uri)) == 1
    assert ed.client.log_messages == []


async def test_the_end_of_input_ends_the_process(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        await ed.pull(ed.open(tmp_path / "app.py", BLOCKING))
        assert ed.process.stdin
        ed.process.stdin.close()
        assert await asyncio.wait_for(ed.process.wait(), 10) == 1


async def test_exit_without_shutdown_is_told_by_the_exit_code(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        ed.client.exit(None)
        assert await asyncio.wait_for(ed.process.wait(), 10) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="uses POSIX signals")
async def test_the_server_ends_with_an_editor_that_dies_without_a_word(tmp_path: Path) -> None:
    """The pipe stays open here, held by another process: only the watch on the editor is left."""
    dead = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import time; time.sleep(600)"
    )
    script = (
        "import sys; from loopsafe.lsp import guards; guards._POLL_SECONDS = 0.05\n"
        "from loopsafe.lsp.server import main; sys.exit(main())\n"
    )
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=server_environment(),
    )
    assert server.stdin
    assert server.stdout
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"processId": dead.pid, "rootUri": None, "capabilities": {}},
    }
    body = json.dumps(message).encode()
    server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    assert await asyncio.wait_for(server.stdout.readline(), 60)
    assert server.returncode is None
    dead.kill()
    await dead.wait()
    assert await asyncio.wait_for(server.wait(), 10) == 1


async def test_a_message_that_makes_no_sense_is_answered_with_an_error(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        with pytest.raises(JsonRpcException, match="Invalid Params"):
            await ed.within(_send_raw(ed, "textDocument/hover", {"position": "nowhere"}))
        with pytest.raises(JsonRpcException):
            await ed.within(ed.client.protocol.send_request_async("loopsafe/nothing", {}))
        assert not any("nothing" in one.message for one in ed.client.log_messages)
        assert len(await ed.pull(ed.open(tmp_path / "app.py", BLOCKING))) == 1


def _send_raw(ed: Editor, method: str, params: Any) -> asyncio.Future[Any]:
    """Send a request past the client's own checks."""
    body = json.dumps({"jsonrpc": "2.0", "id": "raw", "method": method, "params": params})
    answer: Future[Any] = Future()
    ed.client.protocol._request_futures["raw"] = answer
    assert ed.process.stdin
    ed.process.stdin.write(f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
    return asyncio.wrap_future(answer)


async def test_our_own_requests_are_answered(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        ask = ed.client.protocol.send_request_async
        page = await ed.within(ask("loopsafe/explain", {"code": "blocking-http"}))
        assert page.startswith("# blocking-http")
        assert await ed.within(ask("loopsafe/explain", {"code": "no-such-rule"})) is None
        assert await ed.within(ask("loopsafe/explain", {})) is None
        await ed.pull(ed.open(tmp_path / "app.py", BLOCKING))
        information = await ed.within(ask("loopsafe/debugInformation", None))
        assert information.startswith("# Loopsafe: debug information\n")
        assert str(tmp_path) in information
        assert "pygls" in information
        assert re.search(r"\n- Modules read: [1-9]\d*\n", information)
        for part in ("## Cache\n- Folder: `", " MB now, ", "Slowest files, at their slowest:\n- "):
            assert part in information


async def test_whole_texts_are_synchronised_and_notebooks_too(tmp_path: Path) -> None:
    async with editor(tmp_path) as ed:
        assert ed.answer.capabilities.notebook_document_sync
        sync = ed.answer.capabilities.text_document_sync
        assert isinstance(sync, types.TextDocumentSyncOptions)
        assert sync.change is types.TextDocumentSyncKind.Full
