"""Derives in the background what a folder's files call in packages, and keeps it on disk.

An engine of its own does it, which is dropped afterwards: the one that answers the user stays as
small as what the user looks at, and finds the answers in the cache. In small slices, with a pause
after each; files that were through before cost a look into the cache.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from functools import partial

from loopsafe.engine import Engine
from loopsafe.lsp.status import Status
from loopsafe.lsp.worker import Rank, Stop, Worker
from loopsafe.memory import reclaim

_SLICE_SECONDS = 0.02
_PAUSE_SECONDS = 0.02
_FIRST_KEPT_SECONDS = 10.0
"""Until what was derived is written the first time, and twice as long for each that follows: the
session may end before all files are through."""
_MOST_MODULES = 1500
"""That one engine has in memory, before another goes on from what it kept: well below 1 GB."""
_RANK = Rank.BACKGROUND
_log = logging.getLogger(__name__)


async def warm(worker: Worker, status: Status, engine: Engine, files: Sequence[str]) -> None:
    """Derives what the files call; cancelling it stops the work, and loses none that is done."""
    cache = engine.table.cache
    if cache is None:
        return
    twin = await worker.run(lambda _: engine.twin(), _RANK)
    try:
        async with status.working("Reading the packages in use"):
            kept = time.monotonic()
            pause = _FIRST_KEPT_SECONDS
            for number, path in enumerate(files, 1):
                for step in (partial(twin.warm, path), cache.settle):
                    await worker.run_in_parts(step, _SLICE_SECONDS, _PAUSE_SECONDS)
                status.goes_on(f"Reading the packages in use: {number} of {len(files)} files")
                is_full = len(twin.table.loaded()) > _MOST_MODULES
                if is_full or time.monotonic() - kept > pause:
                    await worker.run(partial(_keep, twin), _RANK)
                    kept, pause = time.monotonic(), pause * 2
                if is_full:
                    twin = await worker.run(lambda _: engine.twin(), _RANK)
                    await worker.run(lambda _: reclaim(), _RANK)
    except Exception as error:
        _log.error("Deriving for %s failed: %s", engine.root, error, exc_info=error)
    finally:
        worker.post(partial(_keep, twin, lambda: False))
        del twin
        worker.post(reclaim)


def _keep(engine: Engine, _stop: Stop) -> None:
    engine.keep()
    if engine.table.cache is not None:
        engine.table.cache.flush()
