"""Has what a folder's files call in packages derived in the background, and kept on disk.

A process of its own does it: the one that answers the user stays as small as what the user looks
at, is as fast as without, and finds the answers in the cache. Files that were through before cost
a look into the cache.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from loopsafe import isolated
from loopsafe.engine import Engine, warmer
from loopsafe.lsp.status import Status
from loopsafe.lsp.worker import Rank, Stop, Worker

_AT_ONCE = 50
"""Files that are looked up in the cache before something else has its turn."""
_log = logging.getLogger(__name__)


async def warm(worker: Worker, status: Status, engine: Engine, files: Sequence[str]) -> None:
    """Derives what the files call; cancelling it ends the process, and loses little of its work."""
    cache = engine.table.cache
    cold = await _cold(worker, engine, files) if cache is not None else []
    if cache is None or not cold:
        return
    try:
        process = _started(engine, cold, cache.folder)
    except OSError as error:
        _log.error("Nothing is derived for %s: %s", engine.root, error)
        return
    try:
        async with status.working("Reading the packages in use"):
            await _follow(process, status, engine, len(cold))
    finally:
        isolated.end(process)


async def _cold(worker: Worker, engine: Engine, files: Sequence[str]) -> list[str]:
    """The files that were not through."""
    found: list[str] = []
    for first in range(0, len(files), _AT_ONCE):
        look = partial(_not_warm, engine, files[first : first + _AT_ONCE])
        found += await worker.run(look, Rank.BACKGROUND)
    return found


def _not_warm(engine: Engine, files: Sequence[str], _stop: Stop) -> list[str]:
    return [path for path in files if not engine.is_warm(path)]


def _started(engine: Engine, files: Sequence[str], cache: Path) -> subprocess.Popen[bytes]:
    top = engine.homes.top.root
    order = warmer.Order(engine.root, top, engine.settings, engine.python, tuple(files))
    cache.mkdir(parents=True, exist_ok=True)
    libraries = isolated.library_folders(warmer.NEEDED, (str(engine.root), str(top)))
    process = isolated.start(warmer.__name__, cache, libraries, is_patient=True)
    assert process.stdin is not None
    with contextlib.suppress(OSError):  # One that ended at once is noticed by what it does not say.
        process.stdin.write(pickle.dumps(order))
        process.stdin.flush()
    return process


async def _follow(
    process: subprocess.Popen[bytes], status: Status, engine: Engine, count: int
) -> None:
    """Tells how far the process is, until it has ended."""
    assert process.stdout is not None
    done = 0
    while line := (await asyncio.to_thread(process.stdout.readline)).strip():
        if line.startswith(warmer.FAILED):
            reason = line[len(warmer.FAILED) :].decode(errors="replace")
            _log.error("Deriving for %s failed: %s", engine.root, reason)
            return
        done = int(line)
        status.goes_on(f"Reading the packages in use: {done} of {count} files")
    if done < count:
        _log.error("Deriving for %s ended after %d of %d files", engine.root, done, count)
