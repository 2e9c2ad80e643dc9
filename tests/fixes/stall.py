"""Runs code under a real event loop and measures how long the loop stood still."""

from __future__ import annotations

import asyncio
import contextvars
import json
import socketserver
import threading
import time
import types
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

import trio

BEAT = 0.002

Names = Callable[[float], AbstractContextManager[dict[str, Any]]]
"""What a text may use, by how many seconds it is to take."""


@dataclass(frozen=True)
class Run:
    """What a coroutine function did, and the longest time in which nothing else ran."""

    outcome: tuple[str, Any]
    stall: float


def run(
    main: Callable[[], Awaitable[Any]], describe: Callable[[Any], Any], library: str = "asyncio"
) -> Run:
    """Runs a coroutine function beside a heartbeat."""
    return _run_trio(main, describe) if library == "trio" else _run_asyncio(main, describe)


def module(text: str, **names: Any) -> types.ModuleType:
    """A module made of a text, with these names in it."""
    made = types.ModuleType("proof")
    made.__dict__.update(names)
    exec(compile(text, "proof.py", "exec", dont_inherit=True), made.__dict__)
    return made


@contextmanager
def http_server(delay: float) -> Iterator[str]:
    """A server that answers every request after a while, with what it was asked."""
    with served(_Echo)(delay) as names:
        yield names["address"]


def served(handler: type[socketserver.BaseRequestHandler]) -> Names:
    """A server on this machine, its `port` and `address`; its handlers know the `delay`."""

    @contextmanager
    def serve(delay: float) -> Iterator[dict[str, Any]]:
        slow = type("Handler", (handler,), {"delay": delay})
        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), slow) as server:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            port = server.server_address[1]
            try:
                yield {"port": port, "address": f"http://127.0.0.1:{port}"}
            finally:
                server.shutdown()

    return serve


class _Echo(BaseHTTPRequestHandler):
    delay = 0.1

    def do_GET(self) -> None:
        time.sleep(self.delay)
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("location", "/there?x=1")
            self.end_headers()
            return
        self.send_response(503 if self.path == "/broken" else 200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        answer = {"method": self.command, "path": self.path, "body": body}
        self.wfile.write(json.dumps(answer).encode())

    do_POST = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _run_asyncio(main: Callable[[], Awaitable[Any]], describe: Callable[[Any], Any]) -> Run:
    async def measured() -> Run:
        gaps = [0.0]
        beating = asyncio.create_task(_beat(asyncio.sleep, gaps))
        await asyncio.sleep(0.02)
        gaps[:] = [0.0]
        outcome = await _outcome(main, describe)
        await asyncio.sleep(0.02)
        beating.cancel()
        return Run(outcome, max(gaps))

    return contextvars.copy_context().run(asyncio.run, measured())


def _run_trio(main: Callable[[], Awaitable[Any]], describe: Callable[[Any], Any]) -> Run:
    async def measured() -> Run:
        gaps = [0.0]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_beat, trio.sleep, gaps)
            await trio.sleep(0.02)
            gaps[:] = [0.0]
            outcome = await _outcome(main, describe)
            await trio.sleep(0.02)
            nursery.cancel_scope.cancel()
        return Run(outcome, max(gaps))

    return trio.run(measured)


async def _beat(sleep: Callable[[float], Awaitable[None]], gaps: list[float]) -> None:
    last = time.perf_counter()
    while True:
        await sleep(BEAT)
        now = time.perf_counter()
        gaps.append(now - last)
        last = now


async def _outcome(
    main: Callable[[], Awaitable[Any]], describe: Callable[[Any], Any]
) -> tuple[str, Any]:
    try:
        return "result", describe(await main())
    except Exception as error:
        return "error", (type(error), str(error))
