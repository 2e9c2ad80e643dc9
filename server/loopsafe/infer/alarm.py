"""Interrupts a question that takes too long, so that what was read for others is not lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

try:
    import ctypes
except ImportError:  # Some builds leave it out; there the server ends the process instead.
    _RAISES = False
else:
    _RAISES = True

_FLUSH_SECONDS = 1.0


class TooLong(BaseException):
    """Time is up. Not an `Exception`, as libraries catch those."""


class Alarm:
    """Raises TooLong in the thread that sets it; where Python cannot do that, nothing happens.

    Time is that of the process, so that a busy machine does not change the answers.
    """

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._target: tuple[int, float] | None = None
        self._rung = False
        threading.Thread(target=self._watch, name="alarm", daemon=True).start()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Raises TooLong inside the block when its time is up, and never behind it."""
        with self._change:
            self._rung = False
            self._target = (threading.get_ident(), time.process_time() + seconds)
            self._change.notify()
        arrived = False
        try:
            yield
        except TooLong:
            arrived = True
            raise
        finally:
            with self._change:
                self._target = None
                rung = self._rung
            if rung and not arrived:
                self._flush()

    def _flush(self) -> None:
        """What was raised arrives here at the latest, unless a library swallowed it."""
        deadline = time.monotonic() + _FLUSH_SECONDS
        while time.monotonic() < deadline:
            time.sleep(0.001)
        raise TooLong

    def _watch(self) -> None:
        while True:
            with self._change:
                while self._target is None:
                    self._change.wait()
                thread, deadline = self._target
                left = deadline - time.process_time()
                if left > 0:
                    self._change.wait(left)
                    continue
                self._target = None
                self._rung = _raise_in(thread)


def _raise_in(thread: int) -> bool:
    if not _RAISES:
        return False
    raised = ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), ctypes.py_object(TooLong)
    )
    return bool(raised)
