"""One call on a running loop, watched: what `observe.py` runs in a process for each call.

Prints what was seen as JSON behind `OBSERVED`. Two kinds of evidence count. An *event* is an
operation that waits, entered on the loop's thread: connecting a blocking socket, looking a host up,
sleeping, starting a program, a statement of SQLite, loading certificates. A *stall* is the loop's
thread asleep in the kernel for half a second while the loop should have run.
"""

from __future__ import annotations

import ast
import asyncio
import importlib.metadata
import json
import os
import socket
import sqlite3
import ssl
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_TICK_SECONDS = 0.05
_STALL_TICKS = 10
_AWAIT_SECONDS = 2.0
_MOST_SECONDS = 20.0
_STARTING = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn"}

events: list[str] = []
_kept: list[socket.socket] = []
_loop_thread = 0
_real_sleep = time.sleep


def note(event: str) -> None:
    """An operation that waits, if it is on the loop's thread during the call."""
    if threading.get_ident() == _loop_thread:
        events.append(event)


def end(**found: Any) -> None:
    """Tells what was seen and leaves at once, whatever else goes on."""
    os.write(1, f"\nOBSERVED {json.dumps({'events': events, **found})}\n".encode())
    os._exit(0)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _STARTING or event == "pty.spawn":
        note("subprocess")


def _lead_all_here() -> None:
    """No name is looked up, and every connection ends at a socket that accepts and is silent."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    here = listener.getsockname()
    real_connect = socket.socket.connect
    real_getaddrinfo = socket.getaddrinfo

    _kept.append(listener)

    def connect(self: socket.socket, address: Any) -> None:
        if self.gettimeout() != 0.0:
            note("connect")
        is_stream = self.type & socket.SOCK_STREAM
        if self.family == socket.AF_INET and is_stream:
            return real_connect(self, here)
        return real_connect(self, ("127.0.0.1", 9)) if self.family == socket.AF_INET else None

    def connect_ex(self: socket.socket, address: Any) -> int:
        try:
            connect(self, address)
        except BlockingIOError as error:
            return error.errno
        return 0

    def getaddrinfo(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        if isinstance(host, str) and not host.replace(".", "").isdigit() and host != "localhost":
            note("lookup")
        number = port if isinstance(port, int) else 80
        kind = named.get("type") or (rest[1] if len(rest) > 1 else 0) or socket.SOCK_STREAM
        return real_getaddrinfo("127.0.0.1", number, socket.AF_INET, kind)

    def by_name(host: str) -> str:
        note("lookup")
        return "127.0.0.1"

    socket.socket.connect = connect  # type: ignore[method-assign, assignment]
    socket.socket.connect_ex = connect_ex  # type: ignore[method-assign, assignment]
    socket.getaddrinfo = getaddrinfo
    socket.gethostbyname = by_name
    socket.gethostbyaddr = lambda host: (note("lookup"), ("a", [], ["127.0.0.1"]))[1]
    socket.gethostbyname_ex = lambda host: (note("lookup"), ("a", [], ["127.0.0.1"]))[1]


def _watch_calls() -> None:
    sys.addaudithook(_audit)

    def sleep(seconds: float) -> None:
        if seconds > 0:
            note("sleep")
        _real_sleep(min(seconds, 0.05))

    time.sleep = sleep
    real_sqlite = sqlite3.connect

    def opened(*arguments: Any, **named: Any) -> sqlite3.Connection:
        note("sqlite")
        connection = real_sqlite(*arguments, **named)
        connection.set_trace_callback(lambda _: note("sqlite"))
        return connection

    sqlite3.connect = sqlite3.dbapi2.connect = opened  # type: ignore[attr-defined]
    for name in ("load_verify_locations", "load_default_certs", "set_default_verify_paths"):
        setattr(ssl.SSLContext, name, _noting(getattr(ssl.SSLContext, name), "certificates"))
    for name in ("entry_points", "distributions", "packages_distributions"):
        found = getattr(importlib.metadata, name, None)
        if found is not None:
            setattr(importlib.metadata, name, _noting(found, "metadata"))


def _noting(function: Callable[..., Any], event: str) -> Callable[..., Any]:
    def noted(*arguments: Any, **named: Any) -> Any:
        note(event)
        return function(*arguments, **named)

    return noted


class _Watch(threading.Thread):
    """Sees whether the loop answers, and whether its thread sleeps in the kernel meanwhile."""

    def __init__(self, loop: asyncio.AbstractEventLoop, native: int) -> None:
        super().__init__(daemon=True)
        self._loop = loop
        self._stat = Path(f"/proc/self/task/{native}/stat")
        self._answered = True

    def run(self) -> None:
        asleep = 0
        for _ in range(int(_MOST_SECONDS / _TICK_SECONDS)):
            answered, self._answered = self._answered, False
            self._loop.call_soon_threadsafe(self._answer)
            _real_sleep(_TICK_SECONDS)
            state = self._stat.read_text().rpartition(")")[2].split()[0]
            asleep = asleep + 1 if state in "SD" and not answered and not self._answered else 0
            if asleep >= _STALL_TICKS:
                end(ended="stalled", stalled=True)
        end(ended="too long")

    def _answer(self) -> None:
        self._answered = True


def main(setup: str, call: str) -> None:
    """Runs the setup, then the call on a loop."""
    global _loop_thread
    _watch_calls()
    _lead_all_here()
    names: dict[str, Any] = {"__name__": "subject"}
    exec(compile(setup, "<setup>", "exec"), names)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(f"__done = {call}", "<call>", "exec", flags)

    async def made() -> None:
        global _loop_thread
        _Watch(asyncio.get_running_loop(), threading.get_native_id()).start()
        await asyncio.sleep(0.1)
        _loop_thread = threading.get_ident()
        waiting = eval(code, names)
        if waiting is not None:
            await asyncio.wait_for(waiting, _AWAIT_SECONDS)

    try:
        asyncio.run(made())
    except TimeoutError:
        end(ended="waited")
    except BaseException as error:
        end(ended=f"{type(error).__name__}: {error}"[:200])
    end(ended="returned")


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    main(told["setup"], told["call"])
