"""Trouble that the user is told of: one line on stderr."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path


class UsageError(Exception):
    """A request that makes no sense; the message is for the user."""


def complain(level: str, place: str, message: str) -> None:
    """Says what is wrong with a file, and goes on."""
    print(f"loopsafe: {level}: {place}: {message}", file=sys.stderr)


def described(error: Exception) -> str:
    """An unexpected error in one line, with the place that a bug report needs."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {error}{place}; please report it".replace("\n", " ")
