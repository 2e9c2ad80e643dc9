"""From one session to the next: what the last one told is looked at in earnest, and what this one
tells is kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from weakref import WeakSet

from loopsafe.engine import Cancelled, Engine
from loopsafe.lsp.workbench import Workbench
from loopsafe.lsp.worker import Rank, Stop, Worker, moment

_SLICE_SECONDS = 0.02
_PAUSE_SECONDS = 0.005
_GROWTH = 1.1
"""Of the slices of one file: each goes over what the ones before it did, and has to get further."""
_QUIET_SECONDS = 1.0
"""Before a file is confirmed, and after the last change before anything is kept."""
_RANK = Rank.BACKGROUND
_log = logging.getLogger(__name__)


class Continuity:
    """Works behind everything that somebody waits for."""

    def __init__(self, worker: Worker, workbench: Workbench, news: Callable[[], None]) -> None:
        self._worker = worker
        self._workbench = workbench
        self._news = news
        self._read: WeakSet[Engine] = WeakSet()
        self._confirming: dict[str, asyncio.Task[None]] = {}
        self._keeping: asyncio.Task[None] | None = None

    def asked(self, engine: Engine, path: str, is_confirmed: bool) -> None:
        """A file's findings were told: see to it that it is looked at in this session, too."""
        if not is_confirmed and path not in self._confirming:
            self._confirming[path] = asyncio.ensure_future(self._confirm(engine, path))
        self.moved()

    def read(self, engine: Engine) -> None:
        """An engine knows all files of its folder now: its answers are worth keeping."""
        self._read.add(engine)
        self.moved()

    def moved(self) -> None:
        """Something changed, or was found out: when it is quiet, that is kept."""
        if self._keeping:
            self._keeping.cancel()
        self._keeping = asyncio.ensure_future(self._keep())

    async def _confirm(self, engine: Engine, path: str) -> None:
        seconds = _SLICE_SECONDS
        try:
            while (
                found := await self._worker.run(partial(_slice, engine, path, seconds), _RANK)
            ) is None:
                await asyncio.sleep(_PAUSE_SECONDS)
                seconds *= _GROWTH
            if found:
                self._news()
        except Exception as error:
            _log.error("Analysis failed: %s: %s", type(error).__name__, error, exc_info=error)
        finally:
            del self._confirming[path]
        self.moved()

    async def _keep(self) -> None:
        await asyncio.sleep(_QUIET_SECONDS)
        read = frozenset(self._read)
        try:
            await self._worker.run(lambda _: self._workbench.keep(read), _RANK)
        except Exception as error:
            _log.error("Keeping what was found failed: %s", error, exc_info=error)


def _slice(engine: Engine, path: str, seconds: float, stop: Stop) -> bool | None:
    """Looks at a file for a moment: whether it has other findings; None while it takes longer."""
    told = engine.report(path)
    try:
        return engine.confirm(path, moment(seconds, stop)).findings != told.findings
    except Cancelled:
        return None
