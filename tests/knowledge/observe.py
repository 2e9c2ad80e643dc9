"""Runs a call on an event loop, against a service that does not answer, and looks at the loop."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

LONG_ENOUGH = 0.04
"""Seconds without a turn of the loop while the service holds its answer back."""
PATIENCE = 2.0
"""Seconds for a call to reach the service, or for a loop that runs to take a turn."""


class Service(Protocol):
    """Something that a call may have to wait for, and that is told for how long."""

    heard: threading.Event
    """Set when somebody waits for it."""

    def hold(self) -> None:
        """Lets everybody wait from now on."""

    def release(self) -> None:
        """Lets nobody wait any more."""


@dataclass
class Observation:
    """What the loop did while a call was going on."""

    blocked: bool = False
    """The loop took no turn, and its thread was inside the call."""
    reached: bool = False
    """The call had the service waiting for it, so that the loop's turns say something."""
    error: str = ""
    """What the call raised before it reached the service."""
    waits_in: str = ""
    """The innermost Python function at which the loop's thread stood."""


@dataclass
class _Run:
    """A loop in a thread of its own that makes one call."""

    service: Service
    make: Callable[[], Any]
    call: Callable[[Any], Any]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    ready: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None

    def thread(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self.use())
        except BaseException as error:
            self.error = error
        finally:
            self.ready.set()
            self.done.set()

    async def use(self) -> None:
        receiver = self.make()
        if inspect.isawaitable(receiver):
            receiver = await receiver
        self.service.hold()
        self.ready.set()
        await asyncio.sleep(0)
        given = perform(self.call, receiver)
        if inspect.isawaitable(given):
            await given
        elif hasattr(given, "__anext__"):
            await given.__anext__()

    def turns(self, within: float, is_busy: Callable[[], bool]) -> bool:
        """Whether the loop takes a turn within so many seconds, or could but for the machine."""
        turn = threading.Event()
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(turn.set)
        return turn.wait(within) or not is_busy() or turn.is_set()


def perform(call: Callable[[Any], Any], receiver: Any) -> Any:
    """The call under observation."""
    given = call(receiver)
    # A generator's body, and what is fetched page by page, waits when it is iterated.
    if inspect.isgenerator(given) or (hasattr(given, "__next__") and hasattr(given, "__iter__")):
        return next(given, None)
    return given


def observe(
    service: Service,
    call: Callable[[Any], Any],
    make: Callable[[], Any] = lambda: None,
    patience: float = PATIENCE,
) -> Observation:
    """Makes a receiver, then calls on it while the service holds, both on a running loop."""
    run = _Run(service, make, call)
    thread = threading.Thread(target=run.thread, daemon=True)
    thread.start()
    run.ready.wait(10)
    seen = Observation()
    try:
        _wait_for_either(service.heard, run.done, patience)
        if service.heard.is_set() and not run.done.is_set():
            seen.reached = True
            seen.blocked = not run.turns(LONG_ENOUGH, lambda: _is_busy(thread, seen))
        seen.error = "" if run.error is None else f"{type(run.error).__name__}: {run.error}"
    finally:
        service.release()
    return seen


def _is_busy(thread: threading.Thread, seen: Observation) -> bool:
    """Whether the loop's thread is inside something that the loop runs."""
    frame = sys._current_frames().get(thread.ident or 0)
    seen.waits_in = frame.f_code.co_name if frame else ""
    while frame is not None and frame.f_code is not asyncio.Handle._run.__code__:
        frame = frame.f_back
    return frame is not None


def _wait_for_either(one: threading.Event, other: threading.Event, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not one.is_set() and not other.is_set() and time.monotonic() < end:
        one.wait(0.005)
