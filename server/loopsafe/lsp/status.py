"""Tells the client how the server is: ready, busy for longer than a moment, or in trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
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
        self._problems: dict[str, str] = {}

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

    def ready(self, environment: str, problems: Mapping[str, str]) -> None:
        """An analysis succeeded, with this environment; others may still be running.

        `problems` says of what the analysis looked at what is wrong with it, "" where nothing is:
        what an answer says of one file leaves alone what is known of the others.
        """
        self._environment = environment
        self._problems.update(problems)
        if self._running <= 1 or self._sent.get("state") != "busy":
            self._say_ready()

    def forget(self, about: str) -> None:
        """What `ready` was told of something does not matter any more."""
        if self._problems.pop(about, "") and self._sent.get("state") == "ready":
            self._say_ready()

    def failed(self, message: str) -> None:
        """An analysis failed."""
        self._say("error", message)

    def _say_ready(self) -> None:
        self._say("ready", "; ".join(filter(None, self._problems.values())))

    def _say(self, state: str, message: str) -> None:
        status = {"state": state, "message": message, "environment": self._environment}
        if status != self._sent:
            self._sent = status
            self._send(status)
