"""Room for deep recursion: expressions nest, and one answer asks for the next."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_STACK = 256 * 1024 * 1024
"""Address space only; what is not used costs nothing."""

_FRAMES = 20_000


def allow_deep_recursion() -> None:
    """For the whole process; threads that analyse are to be started by `deep_thread`."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _FRAMES))


def deep_thread(target: Callable[[], None], name: str) -> threading.Thread:
    """A started daemon thread whose stack holds an analysis."""
    allow_deep_recursion()
    before = threading.stack_size(_STACK)
    try:
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
    finally:
        threading.stack_size(before)
    return thread


def run_deep(function: Callable[[], T]) -> T:
    """The function's result, found in a thread with room; its exceptions come out here."""
    results: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(function())
        except BaseException as error:
            errors.append(error)

    thread = deep_thread(work, "analysis")
    while thread.is_alive():
        # A wait without an end would not let Ctrl+C through on Windows.
        thread.join(0.2)
    if errors:
        raise errors[0]
    return results[0]
