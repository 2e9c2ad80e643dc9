"""Tells the client how the server is: ready, busy for longer than a moment, or in trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

METHOD = "loopsafe/status"
_MOMENT_SECONDS = 0.5


class Status:
    """Sends `loopsafe/status` when something changed; clients may ignore it."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._sent: dict[str, Any] = {}
        self._running = 0
        self._environment = ""
        self._files: dict[str, tuple[str, tuple[str, ...]]] = {}
        """The environment of each open file, and what is wrong."""

    @asynccontextmanager
    async def working(self, message: str = "Analysing") -> AsyncIterator[None]:
        """Around an analysis, or what else takes its time."""
        self._running += 1
        loop = asyncio.get_running_loop()
        timer = loop.call_later(_MOMENT_SECONDS, self._say, "busy", message)
        try:
            yield
        finally:
            timer.cancel()
            self._running -= 1
            if not self._running and self._sent.get("state") == "busy":
                self._say_ready()

    def goes_on(self, message: str) -> None:
        """How far the work is, where the client was told that there is some."""
        if self._running and self._sent.get("state") == "busy":
            self._say("busy", message)

    def ready(self, environment: str, uri: str = "", problems: tuple[str, ...] = ()) -> None:
        """An analysis succeeded, with this environment; others may still be running.

        `problems` says what is wrong with an open file or its environment: what an answer says of
        one file leaves alone what is known of the others.
        """
        self._environment = environment
        if uri:
            self._files[uri] = environment, problems
        if self._running <= 1 or self._sent.get("state") != "busy":
            self._say_ready()

    def forget(self, uri: str) -> None:
        """A file was closed: what `ready` was told of it does not matter any more."""
        if self._files.pop(uri, None) and self._sent.get("state") == "ready":
            self._say_ready()

    def failed(self, message: str) -> None:
        """An analysis failed."""
        self._say("error", message)

    def _say_ready(self) -> None:
        problems = dict.fromkeys(text for _, texts in self._files.values() for text in texts)
        self._say("ready", "; ".join(problems))

    def _say(self, state: str, message: str) -> None:
        status: dict[str, Any] = {"state": state, "message": message}
        status["environment"] = self._environment
        if len({environment for environment, _ in self._files.values()}) > 1:
            status["environments"] = [
                {"uri": uri, "environment": environment}
                for uri, (environment, _) in self._files.items()
            ]
        if status != self._sent:
            self._sent = status
            self._send(status)
