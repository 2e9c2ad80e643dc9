"""A language client with just enough of the protocol to type and to ask for diagnostics."""

from __future__ import annotations

import itertools
import json
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmark.processes import Cost, Failed, Started, cpu_seconds, resident_bytes

_PATIENCE = 180.0
_QUIET_SHARE = 0.1
_QUIET_SECONDS = 0.5
_QUIET_TIMES = 3
"""In a row, as a server that is kept waiting by other programs looks quiet, too."""
_CAPABILITIES = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {
        "configuration": True,
        "workspaceFolders": True,
        "diagnostics": {"refreshSupport": True},
        "didChangeWatchedFiles": {"dynamicRegistration": True},
    },
    "textDocument": {
        "synchronization": {"didSave": True},
        "diagnostic": {"dynamicRegistration": True, "relatedInformation": True},
        "publishDiagnostics": {"relatedInformation": True},
        "hover": {"contentFormat": ["markdown"]},
        "codeLens": {},
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix", "source"]}},
            "dataSupport": True,
            "resolveSupport": {"properties": ["edit"]},
        },
    },
}


class Client:
    """One running language server, with buffers."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        settings: Mapping[str, Any],
        variables: Mapping[str, str],
    ) -> None:
        self._began = time.perf_counter()
        self._settings = settings
        self._numbers = itertools.count(1)
        self._versions: dict[Path, int] = {}
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._writing = threading.Lock()
        self._started = Started(
            command,
            folder,
            variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._process = self._started.process
        threading.Thread(target=self._read, daemon=True).start()
        self.errors: list[str] = []
        """What the server has logged as an error."""
        self.cost: Cost | None = None
        """Of the whole conversation, once it is over."""
        workspace = [{"uri": folder.as_uri(), "name": folder.name}]
        options = {"settings": settings, "globalSettings": settings}
        self.ask(
            "initialize",
            {
                "processId": None,
                "capabilities": _CAPABILITIES,
                "rootUri": folder.as_uri(),
                "workspaceFolders": workspace,
                "initializationOptions": options,
            },
        )
        self.tell("initialized", {})

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.ask("shutdown", None)
            self.tell("exit", None)
        except (OSError, Failed):
            self._started.kill()
        late = threading.Timer(10, self._started.kill)
        late.start()
        self.cost = self._started.cost()
        late.cancel()

    @property
    def age(self) -> float:
        """Seconds since the process was started."""
        return time.perf_counter() - self._began

    @property
    def cpu(self) -> float | None:
        """Seconds that the server has used so far, where the system says it."""
        pid = self._started.pid
        return None if pid is None else cpu_seconds(pid)

    @property
    def memory(self) -> int:
        """Bytes that the server and the processes that it has started hold; 0 if not known."""
        pid = self._started.pid
        return 0 if pid is None else resident_bytes(pid)

    def open(self, path: Path, text: str) -> None:
        self._versions[path] = 1
        document = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})

    def change(self, path: Path, text: str) -> None:
        self._versions[path] += 1
        document = {"uri": path.as_uri(), "version": self._versions[path]}
        changes = [{"text": text}]
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    def diagnostics(self, path: Path) -> list[Any]:
        """The findings of a buffer as it is now; waits for them."""
        answer = self.ask("textDocument/diagnostic", {"textDocument": {"uri": path.as_uri()}})
        return list(answer.get("items", ()))

    def actions(self, path: Path, finding: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What the light bulb of a finding offers."""
        context = {"diagnostics": [finding], "triggerKind": 2}
        where = {"textDocument": {"uri": path.as_uri()}, "range": finding["range"]}
        return list(self.ask("textDocument/codeAction", {**where, "context": context}) or ())

    def rest(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Waits until the server has nothing left to do in the background, and asks it something
        now and then."""
        deadline = time.monotonic() + _PATIENCE
        before, quiet = self.cpu, 0
        while time.monotonic() < deadline and quiet < _QUIET_TIMES:
            time.sleep(_QUIET_SECONDS)
            meanwhile()
            now = self.cpu
            if now is None or before is None:
                return
            quiet = quiet + 1 if now - before < _QUIET_SECONDS * _QUIET_SHARE else 0
            before = now

    def ask(self, method: str, params: Any) -> Any:
        """The answer to a request; waits for it."""
        number = next(self._numbers)
        self._send({"id": number, "method": method, "params": params})
        while True:
            try:
                answer = self._answers.get(timeout=_PATIENCE)
            except queue.Empty:
                raise Failed(f"no answer to {method} in {_PATIENCE:.0f} seconds") from None
            if answer is None:
                raise Failed(f"the server ended before it answered {method}")
            if answer.get("id") == number:
                if "error" in answer:
                    raise Failed(f"{method}: {answer['error'].get('message')}")
                return answer.get("result")

    def tell(self, method: str, params: Any) -> None:
        """A notification."""
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        stream = self._process.stdin
        assert stream is not None
        with self._writing:
            stream.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            stream.flush()

    def _read(self) -> None:
        """On a thread of its own: keeps answers, and answers what the server asks."""
        stream = self._process.stdout
        assert stream is not None
        while header := stream.readline():
            length = 0
            while header.strip():
                name, _, value = header.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
                header = stream.readline()
            message = json.loads(stream.read(length))
            if message.get("method") == "window/logMessage" and message["params"]["type"] == 1:
                self.errors.append(message["params"]["message"])
            if "method" not in message:
                self._answers.put(message)
            elif "id" in message:
                self._send({"id": message["id"], "result": self._answer(message)})
        self._answers.put(None)

    def _answer(self, message: dict[str, Any]) -> Any:
        if message["method"] == "workspace/configuration":
            return [self._settings for _ in message["params"]["items"]]
        return None
