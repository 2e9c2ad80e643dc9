"""Trouble that the user is told of: one line on stderr."""

from __future__ import annotations

import sys


class UsageError(Exception):
    """A request that makes no sense; the message is for the user."""


def complain(level: str, place: str, message: str) -> None:
    """Says what is wrong with a file, and goes on."""
    print(f"loopsafe: {level}: {place}: {message}", file=sys.stderr)
