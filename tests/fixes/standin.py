"""Blocking things to call: they sleep as long as the test says, then do something that shows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any


class Slow:
    """A library whose every call takes `delay` seconds."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.log: list[Any] = []

    def load(self, *args: Any, **kwargs: Any) -> Answer:
        """Answers with what it was called with."""
        time.sleep(self.delay)
        given = tuple(list(a) if isinstance(a, Iterator) else a for a in args)
        self.log.append((given, kwargs))
        return Answer(given, tuple(sorted(kwargs.items())))

    def fail(self, *args: Any) -> None:
        time.sleep(self.delay)
        raise LookupError(f"no {args}")

    def rows(self, count: int) -> Iterator[int]:
        for number in range(count):
            time.sleep(self.delay / count)
            yield number

    def make(self) -> type[Record]:
        """A class whose construction and one property block."""
        delay = self.delay

        class SlowRecord(Record):
            def __init__(self, key: int) -> None:
                time.sleep(delay)
                super().__init__(key)

            @property
            def name(self) -> str:
                time.sleep(delay)
                return f"name of {self.key}"

        return SlowRecord


class Answer(tuple[Any, ...]):
    """What was asked, with something to chain."""

    def __new__(cls, args: tuple[Any, ...], kwargs: tuple[Any, ...]) -> Answer:
        return super().__new__(cls, (args, kwargs))

    def json(self) -> dict[str, Any]:
        return {"args": list(self[0]), "kwargs": dict(self[1])}


class Record:
    """Something with a key."""

    def __init__(self, key: int) -> None:
        self.key = key
