"""The worker process: reads questions from stdin, answers on stdout, one at a time.

A thread reads, so that the end of the server ends this process too, whatever it is busy with.
"""

from __future__ import annotations

import gc
import logging
import os
import queue
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

from loopsafe.infer import guard, wire
from loopsafe.infer.alarm import Alarm, TooLong
from loopsafe.infer.wire import Answer, Question, Search

IDLE_SECONDS = 180.0
"""Without questions for so long, the process gives its memory back by ending."""

_MOST_MEMORY = 1 << 30
_STACK_BYTES = 64 * 1024 * 1024
_RECURSION = 3000


class Library(Protocol):
    """jedi or astroid."""

    def begin(self, texts: dict[str, str]) -> None:
        """Questions follow about files as they are now; `texts` are the unsaved buffers."""

    def answer(self, question: Question) -> Answer:
        """May raise anything, which means unknown."""

    def recover(self) -> None:
        """The last question was interrupted anywhere."""


def main(cache: str, libraries: list[str]) -> None:
    """Serves until stdin ends."""
    source, sink = _take_streams()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, whose end ends us.
    inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    stopped: set[int] = set()
    threading.Thread(target=_read, args=(source, inbox, stopped), daemon=True).start()
    # Deep recursion in a library needs room that the main thread does not always have.
    threading.stack_size(_STACK_BYTES)
    thread = threading.Thread(target=_serve, args=(inbox, stopped, sink, libraries, cache))
    thread.start()
    thread.join()
    os._exit(0)


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """Our own copies of stdin and stdout; a library's `print` goes nowhere."""
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    logging.disable()
    warnings.simplefilter("ignore")
    return source, sink


def _read(source: BinaryIO, inbox: queue.SimpleQueue[dict[str, Any]], stopped: set[int]) -> None:
    while (message := wire.receive(source)) is not None:
        if "stop" in message:
            stopped.add(message["stop"])
        else:
            inbox.put(message)
    os._exit(0)


def _serve(
    inbox: queue.SimpleQueue[dict[str, Any]],
    stopped: set[int],
    sink: BinaryIO,
    libraries: list[str],
    cache: str,
) -> None:
    try:
        setup = inbox.get()
        helpers = _prepare(wire.search_from(setup["search"]), libraries, cache)
        alarm = Alarm()
        wire.send(sink, {"ready": True})
        while guard.resident_bytes() < _MOST_MEMORY:
            batch = inbox.get(timeout=IDLE_SECONDS)
            for message in _answers(batch, stopped, helpers, alarm, setup["seconds"]):
                wire.send(sink, message)
            gc.collect(1)
    except (queue.Empty, OSError, ValueError):
        return  # Nobody asks, or nobody listens: the server starts another when it needs one.


def _prepare(search: Search, libraries: list[str], cache: str) -> dict[str, Library]:
    from loopsafe.infer.astroid_side import Astroid
    from loopsafe.infer.jedi_side import Jedi

    sys.setrecursionlimit(_RECURSION)
    guard.fence(libraries)
    helpers: dict[str, Library] = {"jedi": Jedi(search, cache), "astroid": Astroid(search)}
    guard.limit_memory()
    # The trees of thousands of modules are garbage to nobody: looking through them for it
    # would take most of the time. What inference leaves behind is collected after each batch.
    gc.collect()
    gc.freeze()
    gc.disable()
    return helpers


def _answers(
    batch: dict[str, Any],
    stopped: set[int],
    helpers: dict[str, Library],
    alarm: Alarm,
    seconds: float,
) -> Iterator[dict[str, Any]]:
    number = batch["batch"]
    for helper in helpers.values():
        helper.begin(batch["texts"])
    for index, data in enumerate(batch["questions"]):
        if number in stopped:
            break
        answer = _answer(helpers, wire.question_from(data), alarm, seconds)
        yield {"batch": number, "index": index, "answer": answer}
    yield {"batch": number, "done": True}


def _answer(
    helpers: dict[str, Library], question: Question, alarm: Alarm, seconds: float
) -> Answer:
    """Whatever a library trips over means "unknown"."""
    helper = helpers.get(question.library)
    if helper is None:
        return ()
    try:
        with alarm.within(seconds):
            return helper.answer(question)
    except TooLong:
        helper.recover()
        return ()
    except (Exception, SystemExit):
        return ()
