"""Keeps Python's collector of cycles away from facts and answers, which are many and have none.

Walking over all of them again and again took a fifth of a whole run, and seconds of a keystroke.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG = 100_000
"""New objects before any of them is looked at."""


def never_collect() -> None:
    """For a process that ends with its work."""
    gc.disable()


@contextmanager
def without_collections() -> Iterator[None]:
    """The same, for one piece of work."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()  # Nobody looks through it any more, not even when the process ends.
            gc.enable()


def collect_rarely() -> None:
    """For a process that lives on: looks at new objects only once there are many of them."""
    gc.set_threshold(_YOUNG, 50, 1000)


def postpone() -> None:
    """Somebody waits for the next piece of work: nothing is looked at before `settle` is called."""
    gc.disable()


def settle() -> None:
    """Between two pieces of work: where many objects are new, those that stay are left alone from
    now on. Cycles among them are freed before; what becomes one later waits for `reclaim`.
    """
    young, *older = gc.get_count()
    if young > _YOUNG or any(older):
        gc.collect(1)
        gc.freeze()
    gc.enable()


def reclaim() -> None:
    """Something large was dropped: frees its cycles, too, which takes as long as all is large."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
