"""How long searches in packages may take together, where somebody only glances at a file."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator


class PutOff(Exception):
    """There is no time for a search."""


class Allowance:
    """Seconds of this thread's processor time; without limit unless some are given."""

    def __init__(self) -> None:
        self._left: float | None = None
        self._deadline: float | None = None

    @contextlib.contextmanager
    def of(self, seconds: float) -> Iterator[None]:
        """All searches meanwhile have so many seconds."""
        self._left = seconds
        try:
            yield
        finally:
            self._left = None

    @property
    def is_spending(self) -> bool:
        """Whether a search with a limit goes on."""
        return self._deadline is not None

    @contextlib.contextmanager
    def spending(self) -> Iterator[None]:
        """A search; those within it are part of it. Raises PutOff where nothing is left."""
        if self._left is None or self.is_spending:
            yield
            return
        start = time.thread_time()
        self._deadline = start + self._left
        try:
            self.check()
            yield
        finally:
            self._deadline = None
            self._left -= time.thread_time() - start

    def check(self) -> None:
        """Raises PutOff where the search has taken all that was left."""
        if self._deadline is not None and time.thread_time() > self._deadline:
            raise PutOff
