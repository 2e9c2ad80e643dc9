"""Plain functions that note whether a loop runs where they are called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

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


class Spies:
    """Notes where each catalogued name was called; one name is always called in one place."""

    def __init__(self) -> None:
        self.seen: Seen = {}
        self.mixed: set[str] = set()

    def __call__(self, name: str) -> None:
        before = self.seen.get(name)
        spy(self.seen, name)()
        if before is not None and before is not self.seen[name]:
            self.mixed.add(name)

    def note(self, name: str) -> Callable[..., None]:
        """A function that takes anything and notes where it is called."""

        def noting(*_given: Any, **_named: Any) -> None:
            self(name)

        return noting
