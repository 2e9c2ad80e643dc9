"""The files of a large project, analysed by several processes; answers come in the order of files.

Each process has an engine of its own and reads what its share of the files leads to, so
the work grows with their number: measured on Open WebUI, two do nearly twice that of one.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import NamedTuple

from loopsafe.engine.kept import Answer
from loopsafe.engine.resume import Grounds
from loopsafe.memory import never_collect
from loopsafe.modules.disk import Seen

_SHARE = 24
"""Files that are given out at a time: neighbours, which lead to the same modules."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one share of the files came to."""

    answers: list[tuple[str, Answer | str]]
    """By path; a text where a mistake of ours kept the file from being analysed."""
    seen: Mapping[str, Seen] = field(default_factory=dict)
    listed: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    carried: Mapping[str, Answer] = field(default_factory=dict)
    """Answers of an earlier run about other files, which still hold."""
    grounds: Callable[[], Grounds | None] | None = None
    """Tells what all answers so far rest on, where one process gives them all."""


Work = Callable[[Sequence[str]], Part]


class Crew(NamedTuple):
    """How the work of one process is set up: `prepare(*told)` gives what does it."""

    prepare: Callable[..., Work]
    told: tuple[object, ...]


def parts(crew: Crew, files: Sequence[str], size: int) -> Iterator[Part]:
    """What the files come to, share by share and in their order."""
    left = list(files)
    if size > 1:
        try:
            for part in _shared(crew, left, size):
                yield part
                del left[: len(part.answers)]
        except (BrokenProcessPool, OSError, ImportError, NotImplementedError):
            # A system without semaphores, or one that ended a process: the rest is done here.
            pass
    if left:
        work = crew.prepare(*crew.told)
        yield from map(work, _shares(left, 1))


def _shares(files: Sequence[str], size: int) -> list[tuple[str, ...]]:
    step = max(1, min(_SHARE, -(-len(files) // size)))
    return [tuple(files[start : start + step]) for start in range(0, len(files), step)]


def _shared(crew: Crew, files: Sequence[str], size: int) -> Iterator[Part]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(size, context, _start, (crew,))
    is_done = False
    try:
        yield from pool.map(_done, _shares(files, size))
        is_done = True
    finally:
        # Nobody waits for what an interrupted run has begun.
        workers = {} if is_done else dict(getattr(pool, "_processes", None) or {})
        for worker in workers.values():
            worker.terminate()
        pool.shutdown(cancel_futures=True)


_own: list[Work] = []
"""Of a process of a crew: what it was started for."""


def _start(crew: Crew) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The first process is told, and ends the others.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    never_collect()
    _own.append(crew.prepare(*crew.told))


def _end_with_parent() -> None:
    """A process whose parent was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _done(files: Sequence[str]) -> Part:
    return _own[0](files)
