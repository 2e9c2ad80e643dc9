"""From one session to the next: what the last one told, or a glance or a peek found, is looked at
in earnest, and what this one tells is kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from weakref import WeakSet

from loopsafe.engine import Engine
from loopsafe.lsp.workbench import Workbench
from loopsafe.lsp.worker import Rank, Worker

_SLICE_SECONDS = 0.02
_FIRST_SLICE_SECONDS = 0.2
"""While of a file only is known what it shows alone: what its user waits for goes before what they
might ask meanwhile."""
_PAUSE_SECONDS = 0.005
_QUIET_SECONDS = 1.0
"""After the last change, before anything is kept."""
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
        look = partial(_is_news, engine, path)
        try:
            while not engine.is_confirmed(path):
                seconds = _FIRST_SLICE_SECONDS if engine.has_peeked(path) else _SLICE_SECONDS
                if await self._worker.run_in_parts(look, seconds, _PAUSE_SECONDS):
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
            settle = self._workbench.settle
            await self._worker.run_in_parts(settle, _SLICE_SECONDS, _PAUSE_SECONDS)
            await self._worker.run(lambda _: self._workbench.keep(read), _RANK)
        except Exception as error:
            _log.error("Keeping what was found failed: %s", error, exc_info=error)


def _is_news(engine: Engine, path: str, check_in: Callable[[], None]) -> bool:
    """Looks at a file more closely: whether it has other findings than were told."""
    told = engine.glance(path)
    return engine.look_closer(path, check_in).findings != told.findings
