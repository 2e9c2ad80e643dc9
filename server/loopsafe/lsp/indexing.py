"""Reads a folder's other files in the background: they register functions and override methods.

In small slices, so that what the user waits for goes in between. The first answers do not wait
for it; when it is done, findings are looked at again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from functools import partial
from weakref import WeakKeyDictionary

from loopsafe.engine import Engine
from loopsafe.lsp.status import Status
from loopsafe.lsp.warming import warm
from loopsafe.lsp.worker import Rank, Stop, Worker

_SLICE_SECONDS = 0.02
_MOST_FILES = 2000
_RANK = Rank.BACKGROUND
_log = logging.getLogger(__name__)


class Indexer:
    """One run for each engine, begun anew when files appear."""

    def __init__(
        self,
        worker: Worker,
        status: Status,
        uses: Callable[[Engine], bool],
        done: Callable[[Engine], None],
    ) -> None:
        """`uses` says on the worker's thread whether an engine is still asked anything."""
        self._worker = worker
        self._status = status
        self._uses = uses
        self._done = done
        self._warming = asyncio.Lock()
        """One process at a time, however many environments a folder has."""
        self._runs: WeakKeyDictionary[Engine, asyncio.Task[None]] = WeakKeyDictionary()

    def want(self, engine: Engine) -> None:
        """See to it that an engine knows its folder."""
        if engine not in self._runs:
            self._runs[engine] = asyncio.ensure_future(self._run(engine))

    def again(self) -> None:
        """Files appeared: look for them with the next question."""
        for task in self._runs.values():
            task.cancel()
        self._runs.clear()

    async def _run(self, engine: Engine) -> None:
        read: list[str] = []
        try:
            async with self._status.working("Reading the project"):
                files = await self._worker.run(lambda _: engine.files(), _RANK)
                while not await self._worker.run(partial(_slice, engine, files, read), _RANK):
                    if not await self._worker.run(lambda _: self._uses(engine), _RANK):
                        return
                await self._worker.run(partial(_done, engine, read), _RANK)
        except Exception as error:
            _log.error("Reading %s failed: %s", engine.root, error, exc_info=error)
            return
        if len(read) == _MOST_FILES:
            _log.info("%s has many files: only %d were read", engine.root, _MOST_FILES)
        self._done(engine)
        async with self._warming:
            await warm(self._worker, self._status, engine, read)


def _done(engine: Engine, read: list[str], _stop: Stop) -> None:
    engine.index(read, whole=len(read) < _MOST_FILES)


def _slice(engine: Engine, files: Iterator[str], read: list[str], stop: Stop) -> bool:
    """Read files for a moment; whether all are read."""
    deadline = time.perf_counter() + _SLICE_SECONDS
    while len(read) < _MOST_FILES:
        path = next(files, None)
        if path is None:
            return True
        engine.table.at(path)
        read.append(path)
        if stop() or time.perf_counter() > deadline:
            return False
    return True
