"""Keeps the process healthy: a clean pipe, quiet libraries, no life after the editor's."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import BinaryIO

from loopsafe import memory

_POLL_SECONDS = 10.0
_SWITCH_SECONDS = 0.001


def take_stdio() -> tuple[BinaryIO, BinaryIO]:
    """Move the protocol to private descriptors, so that nothing else can write into it.

    What a library prints, and what a child process writes to its inherited descriptor 1, goes to
    stderr; a child that reads finds an empty stdin.
    """
    reader = os.fdopen(os.dup(0), "rb")
    writer = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # Started without a stderr.
        os.dup2(null, 1)
    os.close(null)
    sys.stdout = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    return reader, writer


def quiet_libraries() -> None:
    """Silence loggers that format every message, or call an ordinary race a warning."""
    for name in ("pygls", "lsprotocol", "asyncio", "parso", "jedi", "astroid"):
        logging.getLogger(name).setLevel(logging.ERROR)


def tune_runtime() -> None:
    """Keep the loop responsive beside the analysis thread, which holds the interpreter's lock."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    memory.collect_rarely()


class ClientLog(logging.Handler):
    """Sends log records to the client, from any thread, on the loop.

    A record equal to the one before is dropped: a crash at every keystroke is one line.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Callable[[int, str], None]) -> None:
        super().__init__(logging.INFO)
        self._loop = loop
        self._send = send
        self._last = ""
        self._sending = False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = self.format(record)
            if message == self._last:
                return
            self._last = message
            self._loop.call_soon_threadsafe(self._deliver, record.levelno, message)
        except RuntimeError:  # The loop is closed.
            self.handleError(record)

    def _deliver(self, level: int, message: str) -> None:
        if self._sending:  # Sending failed and logged that it did.
            return
        self._sending = True
        try:
            self._send(level, message)
        finally:
            self._sending = False


def watch_parent(pid: int | None, leave: Callable[[], None] | None = None) -> None:
    """End the process when the editor's process ends without closing the pipe.

    A process that cannot be seen from the start, as from inside a container, is not watched.
    """
    if pid is None or pid <= 0 or not is_alive(pid):
        return

    def watch() -> None:
        while is_alive(pid):
            time.sleep(_POLL_SECONDS)
        (leave or _leave)()

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _leave() -> None:
    os._exit(1)


if sys.platform == "win32":

    def is_alive(pid: int) -> bool:
        """Whether a process runs; `os.kill` would end it on this platform."""
        import ctypes
        from ctypes import wintypes

        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = wintypes.HANDLE
        kernel.WaitForSingleObject.argtypes = (wintypes.HANDLE, wintypes.DWORD)
        kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
        synchronize, access_denied, timeout = 0x00100000, 5, 0x102
        handle = kernel.OpenProcess(synchronize, False, pid)
        if not handle:
            return bool(ctypes.get_last_error() == access_denied)
        try:
            return bool(kernel.WaitForSingleObject(handle, 0) == timeout)
        finally:
            kernel.CloseHandle(handle)

else:

    def is_alive(pid: int) -> bool:
        """Whether a process runs."""
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True
        return True
