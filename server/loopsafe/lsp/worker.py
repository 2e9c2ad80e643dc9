"""The one thread that analyses: jobs by rank, each with a token that asks it to stop."""

from __future__ import annotations

import asyncio
import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import Any, TypeVar

from loopsafe.deep import deep_thread
from loopsafe.engine import Cancelled
from loopsafe.memory import postpone, settle

T = TypeVar("T")
Stop = Callable[[], bool]

_PAUSE_SECONDS = 0.03
"""Without a job for so long, there is time for the garbage."""

_GROWTH = 1.05
"""Of the time of each part of a call."""

_log = logging.getLogger(__name__)


class Rank(IntEnum):
    """What goes first: the user waits for it, looks at it, or does not know of it."""

    URGENT = 0
    NORMAL = 1
    BACKGROUND = 2


@dataclass(order=True)
class _Job:
    rank: Rank
    number: int
    call: Callable[[Stop], Any] = field(compare=False)
    future: Future[Any] = field(compare=False, default_factory=Future)
    stop: threading.Event = field(compare=False, default_factory=threading.Event)


class Worker:
    """Runs calls one after the other; awaiting one can be cancelled, which stops the call too."""

    def __init__(self) -> None:
        self._jobs: queue.PriorityQueue[_Job] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = deep_thread(self._work, "analysis")

    async def run(self, call: Callable[[Stop], T], rank: Rank) -> T:
        """The call's result; it gets a function that tells when to stop."""
        job = self._put(call, rank)
        try:
            result: T = await asyncio.wrap_future(job.future)
        except asyncio.CancelledError:
            job.stop.set()
            raise
        return result

    async def run_in_parts(
        self, call: Callable[[Callable[[], None]], T], seconds: float, pause: float
    ) -> T:
        """The result of a call behind all that somebody waits for, with a pause after each part.

        It gets what ends a part by raising Cancelled. Each part goes over what the ones before it
        did and has to get further, so each has a little more time.
        """
        while True:
            part = partial(_part, call, seconds)
            try:
                return await self.run(part, Rank.BACKGROUND)
            except Cancelled:
                await asyncio.sleep(pause)
                seconds *= _GROWTH

    def post(self, call: Callable[[], None]) -> None:
        """Run something before all that is asked for later; nobody waits for it."""
        job = self._put(lambda _: call(), Rank.URGENT)
        job.future.add_done_callback(_log_failure)

    @property
    def waiting(self) -> int:
        """Jobs that have not begun."""
        return self._jobs.qsize()

    def _put(self, call: Callable[[Stop], Any], rank: Rank) -> _Job:
        job = _Job(rank, next(self._numbers), call)
        self._jobs.put(job)
        return job

    def _work(self) -> None:
        while True:
            job = self._next()
            if not job.future.set_running_or_notify_cancel():
                continue
            postpone()
            try:
                result = job.call(job.stop.is_set)
            except BaseException as error:
                job.future.set_exception(_ordinary(error))
            else:
                job.future.set_result(result)
            is_waited_for = job.rank is not Rank.BACKGROUND
            del job
            if not is_waited_for:
                settle()

    def _next(self) -> _Job:
        """The next job. In a pause before it garbage is looked for: that holds up all threads,
        and the answer to the last one is to be sent first."""
        try:
            return self._jobs.get(timeout=_PAUSE_SECONDS)
        except queue.Empty:
            settle()
            return self._jobs.get()


def _part(call: Callable[[Callable[[], None]], T], seconds: float, stop: Stop) -> T:
    return call(_moment(seconds, stop))


def _moment(seconds: float, stop: Stop) -> Callable[[], None]:
    """A function that raises Cancelled when the time is over, or for another reason to stop."""
    deadline = time.perf_counter() + seconds

    def check_in() -> None:
        if stop() or time.perf_counter() > deadline:
            raise Cancelled

    return check_in


def _log_failure(future: Future[Any]) -> None:
    error = future.exception()
    if error:
        _log.error("Housekeeping failed: %s", error, exc_info=error)


def _ordinary(error: BaseException) -> Exception:
    """The error in a form that ends one job only, whatever a library raised."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    wrapped = RuntimeError(f"{type(error).__name__}: {error}")
    wrapped.__cause__ = error
    return wrapped
