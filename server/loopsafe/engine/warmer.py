"""The process that derives what a project's files call in packages, and keeps it for all others.

It reads an order from stdin and writes a line for each file that is through. It ends with its work,
or with the process that started it, and gives all its memory back.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from loopsafe.config import Settings
from loopsafe.deep import run_deep
from loopsafe.engine import Engine
from loopsafe.memory import never_collect, reclaim
from loopsafe.modules.cache import Cache
from loopsafe.modules.homes import Home, Homes

NEEDED = ("jedi", "packaging", "pathspec", "platformdirs", "tomli", "typing_extensions")
"""What it imports besides the standard library and Loopsafe itself; of jedi only the stubs."""

FAILED = b"failed: "
"""Before what went wrong, on the last line."""

_NICENESS = 10
_FIRST_KEPT_SECONDS = 10.0
"""Until what was derived is written the first time, and twice as long for each that follows: the
session may end before all files are through."""
_MOST_MODULES = 1500
"""That one engine has in memory, before another goes on from what it kept: well below 1 GB."""


class Order(NamedTuple):
    """What is to be derived: some files of a project, as an engine knows it."""

    root: Path
    top: Path
    """The folder that the project was opened in."""
    settings: Settings
    python: Path | None
    files: tuple[str, ...]
    """Absolute names."""


def main(cache: str, _libraries: list[str]) -> None:
    """Carries out the order on stdin, which comes from our own kind only."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, whose end ends us.
    order = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with, args=(sys.stdin.buffer,), daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    never_collect()
    try:
        run_deep(lambda: warm(order, Path(cache), _say))
    except Exception as error:
        _write(FAILED + f"{type(error).__name__}: {error}".encode())


def warm(order: Order, cache: Path, through: Callable[[int], None]) -> None:
    """Derives what the files call, and keeps it now and then; `through` is called after each file,
    with how many there were."""
    kept = Cache(cache)
    engine = _engine(order, kept)
    last, pause = time.monotonic(), _FIRST_KEPT_SECONDS
    for number, path in enumerate(order.files, 1):
        engine.warm(path)
        through(number)
        is_full = len(engine.table.loaded()) > _MOST_MODULES
        if is_full or time.monotonic() - last > pause:
            _keep(engine, kept)
            last, pause = time.monotonic(), pause * 2
        if is_full:
            engine = _engine(order, kept)
            reclaim()
    _keep(engine, kept)


def _engine(order: Order, cache: Cache) -> Engine:
    homes = Homes(Home(order.top, order.settings, order.python))
    return Engine(order.root, order.settings, order.python, cache, homes)


def _keep(engine: Engine, cache: Cache) -> None:
    engine.keep()
    cache.flush()


def _say(number: int) -> None:
    _write(b"%d" % number)


def _write(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def _end_with(stream: BinaryIO) -> None:
    stream.read()
    os._exit(0)
