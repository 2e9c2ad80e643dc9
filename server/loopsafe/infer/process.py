"""The server's end of the worker process: starts it isolated, talks to it, ends it."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from loopsafe import isolated
from loopsafe.infer import wire
from loopsafe.infer.wire import Question, Search

_NEEDED = ("jedi", "parso", "astroid", "typing_extensions", "platformdirs")
"""What the worker imports besides the standard library and Loopsafe itself."""

_POLL_SECONDS = 0.05


class Overrun(Exception):
    """No message came in time."""


class Ended(Exception):
    """The process is gone."""


class Process:
    """One worker process. Ends with this object, and with this process, however that ends."""

    def __init__(self, search: Search, cache: Path, seconds: float) -> None:
        libraries = isolated.library_folders(_NEEDED, (search.root, *search.roots))
        self._process = isolated.start("loopsafe.infer.worker", cache, libraries)
        self._inbox: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        reader = threading.Thread(
            target=_read, args=(self._process, self._inbox), name="second opinion", daemon=True
        )
        reader.start()
        self._finalizer = weakref.finalize(self, isolated.end, self._process)
        self._send({"search": search, "seconds": seconds})

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it still runs: it ends by itself when it is idle or has grown too large."""
        return self._process.poll() is None

    def ask(self, batch: int, questions: Sequence[Question], texts: dict[str, str]) -> None:
        """Hands over questions; the answers are received one by one."""
        self._send({"batch": batch, "questions": questions, "texts": texts})

    def stop(self, batch: int) -> None:
        """The batch's remaining answers are no longer wanted."""
        with contextlib.suppress(Ended):
            self._send({"stop": batch})

    def receive(self, seconds: float, cancelled: Callable[[], bool]) -> dict[str, Any] | None:
        """The next message; None where the caller asks to stop. Raises Overrun and Ended."""
        deadline = time.monotonic() + seconds
        while not cancelled():
            left = deadline - time.monotonic()
            try:
                message = self._inbox.get(timeout=max(0.0, min(left, _POLL_SECONDS)))
            except queue.Empty:
                if left <= 0:
                    raise Overrun from None
                continue
            if message is None:
                raise Ended
            return message
        return None

    def end(self) -> None:
        """Ends the process at once; may be called twice."""
        self._finalizer()

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            wire.send(self._process.stdin, message)  # type: ignore[arg-type]
        except (OSError, ValueError) as error:
            raise Ended from error


def _read(
    process: subprocess.Popen[bytes], inbox: queue.SimpleQueue[dict[str, Any] | None]
) -> None:
    assert process.stdout is not None
    try:
        while (message := wire.receive(process.stdout)) is not None:  # type: ignore[arg-type]
            inbox.put(message)
    except (OSError, ValueError):
        pass  # Closed under our hands: the same as its end.
    finally:
        inbox.put(None)
