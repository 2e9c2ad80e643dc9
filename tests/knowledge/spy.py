"""Plain functions that note whether a loop runs where they are called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from loopsafe.model import Place

Seen = dict[str, Place]


def spy(seen: Seen, name: str) -> Callable[[], None]:
    """A function that notes where it is called."""

    def note() -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            seen[name] = Place.THREAD
        else:
            seen[name] = Place.LOOP

    return note
