"""The parts of the server by themselves, where a whole server cannot be brought to the point."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from loopsafe.engine import FileReport
from loopsafe.lsp import guards
from loopsafe.lsp.client import Client
from loopsafe.lsp.convert import Converter, path_of, uri_of
from loopsafe.lsp.diagnostics import Batch, Diagnostics
from loopsafe.lsp.documents import DiskTexts, Documents
from loopsafe.lsp.server import build
from loopsafe.lsp.session import Session
from loopsafe.lsp.worker import Rank, Stop, Worker
from loopsafe.model import Span
from loopsafe.modules.environment import Environment
from loopsafe.text import SourceText


class QuietServer:
    """Takes what a session sends by itself."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.protocol = self

    def notify(self, method: str, params: Any) -> None:
        self.sent.append((method, params))


def session_with(work: Any) -> tuple[Session, QuietServer]:
    server = QuietServer()
    session = Session(server, Client())  # type: ignore[arg-type]
    session.workbench.work = work  # type: ignore[method-assign]
    return session, server


async def test_a_crash_is_an_empty_answer_and_one_log_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(*_: Any, **_named: Any) -> Any:
        raise RecursionError("too deep")

    session, server = session_with(crash)
    uri = (tmp_path / "app.py").as_uri()
    with caplog.at_level(logging.INFO):
        assert await session.ask(uri, "Hover", lambda _: "an answer", Rank.URGENT) is None
    assert [r.message for r in caplog.records] == ["Hover failed: RecursionError: too deep"]
    assert server.sent[-1][1]["state"] == "error"


async def test_not_even_an_exit_of_a_library_ends_the_server(tmp_path: Path) -> None:
    def leave(*_: Any, **_named: Any) -> Any:
        raise SystemExit(3)

    session, _ = session_with(leave)
    uri = (tmp_path / "app.py").as_uri()
    assert await session.ask(uri, "Hover", lambda _: "an answer", Rank.URGENT) is None
    assert await session.worker.run(lambda _: "still there", Rank.URGENT) == "still there"


async def test_a_long_analysis_is_shown_as_busy(tmp_path: Path) -> None:
    class Engine:
        environment = Environment()

        def environment_label(self) -> str:
            return "Python 3.12"

        def is_confirmed(self, _path: str) -> bool:
            return True

    class Work:
        engine = Engine()
        report = FileReport("app.py", SourceText(""))

        def about(self, _uri: str) -> Work:
            return self

    def slow(*_: Any, **_named: Any) -> Any:
        time.sleep(0.8)
        return Work()

    session, server = session_with(slow)
    uri = (tmp_path / "app.py").as_uri()
    assert await session.ask(uri, "Hover", lambda _: "an answer", Rank.URGENT) == "an answer"
    states = [(params["state"], params["environment"]) for _, params in server.sent]
    assert states == [("busy", ""), ("ready", "Python 3.12")]


async def test_a_refresh_found_due_is_sent_though_the_user_types_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refreshed: list[None] = []

    class Refreshing(QuietServer):
        async def workspace_diagnostic_refresh_async(self, _params: None) -> None:
            refreshed.append(None)

    session = Session(Refreshing(), Client(pull=True, refresh=True))  # type: ignore[arg-type]
    diagnostics = Diagnostics(session)
    typing, batches = asyncio.Event(), {"first": "old", "second": "old"}

    async def batch(uri: str, _rank: Rank) -> Batch:
        if uri == "second" and not typing.is_set():
            typing.set()
            await asyncio.sleep(60)
        return Batch(batches[uri])

    monkeypatch.setattr(diagnostics, "_batch", batch)
    diagnostics._shown = {"first": (None, "old"), "second": (None, "old")}
    batches["first"] = "new"
    session.settings_changed(None)
    await asyncio.wait_for(typing.wait(), 5)
    assert not refreshed
    session.settings_changed(None)
    deadline = time.monotonic() + 5
    while not refreshed and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert len(refreshed) == 1


async def test_cancelling_stops_the_call_on_the_thread() -> None:
    worker = Worker()
    worker.start()
    begun, stopped = threading.Event(), threading.Event()

    def call(stop: Stop) -> None:
        begun.set()
        while not stop():
            time.sleep(0.001)
        stopped.set()

    task = asyncio.ensure_future(worker.run(call, Rank.NORMAL))
    await asyncio.to_thread(begun.wait, 5)
    task.cancel()
    assert await asyncio.to_thread(stopped.wait, 5)
    assert await worker.run(lambda _: "next", Rank.NORMAL) == "next"


async def test_what_the_user_waits_for_goes_first() -> None:
    worker = Worker()
    worker.start()
    gate, order = threading.Event(), []
    blocked = asyncio.ensure_future(worker.run(lambda _: gate.wait(5), Rank.NORMAL))
    await asyncio.sleep(0.05)
    others = [
        asyncio.ensure_future(worker.run(lambda _, r=rank: order.append(r), rank))
        for rank in (Rank.BACKGROUND, Rank.NORMAL, Rank.URGENT)
    ]
    forgotten = asyncio.ensure_future(worker.run(lambda _: order.append(None), Rank.URGENT))
    await asyncio.sleep(0)
    forgotten.cancel()
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(blocked, *others)
    assert order == [Rank.URGENT, Rank.NORMAL, Rank.BACKGROUND]


@pytest.mark.skipif(os.name == "nt", reason="names of POSIX files")
@pytest.mark.parametrize(
    "path", ["/a/b.py", "/with space/é😀.py", "/a#b/c?d;e.py", "/100%/x.py", "/\udcff/latin.py"]
)
def test_addresses_of_files_come_back(path: str) -> None:
    assert path_of(uri_of(path)) == path


def test_addresses_agree_with_the_standard_library(tmp_path: Path) -> None:
    path = tmp_path / "a b" / "é.py"
    assert path_of(path.as_uri()) == str(path) or os.name == "nt"
    assert path_of(uri_of(str(path))) == path_of(path.as_uri())


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "git:/a.py?x", "file://[broken", "", "a"])
def test_what_is_no_file_has_no_path(uri: str) -> None:
    assert path_of(uri) is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_positions_come_back(encoding: str) -> None:
    source = SourceText('x = "é😀ß𝒳"; y\r\n\x0c\u2028z\n')
    convert = Converter(Client(encoding=encoding))
    for line in range(1, source.line_count + 1):
        for point in range(len(source.line(line)) + 1):
            byte = len(source.line(line)[:point].encode())
            span = Span(line, byte, line, byte)
            assert convert.span(source, convert.range(source, span)) == span


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_positions_beyond_the_text_are_clamped(encoding: str) -> None:
    source = SourceText("é\nlast")
    convert = Converter(Client(encoding=encoding))
    assert convert.place(source, types.Position(0, 99)) == (1, 2)
    assert convert.place(source, types.Position(99, 0)) == (2, 4)
    far = convert.range(source, Span(99, 99, 99, 99))
    assert far.start == types.Position(1, 4)


def test_texts_on_disk_are_read_again_only_when_they_changed(tmp_path: Path) -> None:
    texts, path = DiskTexts(), tmp_path / "a.py"
    assert texts.get(str(path)) is None
    path.write_bytes(b"# -*- coding: latin-1 -*-\nx = '\xe9'\n")
    first = texts.get(str(path))
    assert first
    assert "é" in first.text
    assert texts.get(str(path)) is first
    path.write_bytes(b"# coding: no-such-codec\n")
    assert texts.get(str(path)) is None


def test_a_change_of_a_buffer_that_was_never_opened_is_passed_over() -> None:
    documents = Documents()
    documents.change("file:///a.py", 2, "text")
    documents.close("file:///a.py")
    assert list(documents) == []
    assert documents.view.revision == 0


def test_a_process_is_alive_until_it_is_not() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert guards.is_alive(process.pid)
    process.communicate()
    assert not guards.is_alive(process.pid)


def test_a_parent_that_cannot_be_seen_is_not_watched() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    before = threading.active_count()
    guards.watch_parent(process.pid, leave=lambda: None)
    guards.watch_parent(None, leave=lambda: None)
    guards.watch_parent(0, leave=lambda: None)
    assert threading.active_count() == before


def test_what_libraries_and_children_print_does_not_reach_the_client() -> None:
    script = (
        "import os, subprocess, sys\n"
        "from loopsafe.lsp.guards import take_stdio\n"
        "reader, writer = take_stdio()\n"
        "print('by print')\n"
        "os.write(1, b'by descriptor\\n')\n"
        "subprocess.run([sys.executable, '-c', 'print(repr(input()))'], check=False)\n"
        "writer.write(reader.read() + b' back')\n"
        "writer.flush()\n"
    )
    folder = Path(guards.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=b"message",
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(folder)},
        check=True,
    )
    assert done.stdout == b"message back"
    assert b"by print" in done.stderr
    assert b"by descriptor" in done.stderr
    assert b"EOFError" in done.stderr


async def test_the_same_trouble_twice_is_logged_once() -> None:
    sent: list[str] = []
    handler = guards.ClientLog(asyncio.get_running_loop(), lambda _, text: sent.append(text))
    for text in ("one", "one", "two"):
        handler.emit(logging.LogRecord("loopsafe", logging.ERROR, "", 0, text, None, None))
    await asyncio.sleep(0)
    assert sent == ["one", "two"]


async def test_nothing_is_kept_of_notifications_that_were_handled() -> None:
    server = build()
    protocol, seen = server.protocol, []

    async def later(value: int) -> None:
        seen.append(value)

    for number, handler in enumerate((seen.append, later)):
        handled = protocol._check_handler_result
        protocol._execute_handler(str(number), handler, handled, args=(number,))
    await asyncio.sleep(0.01)
    assert seen == [0, 1]
    assert not protocol._request_futures
