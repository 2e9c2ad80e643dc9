"""What the engine answers with."""

from __future__ import annotations

from dataclasses import dataclass

from loopsafe.model import Finding, Place, Span
from loopsafe.text import SourceText


class Cancelled(Exception):
    """The caller no longer wants the answer."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A file, or a stretch of one, that could not be read."""

    path: str
    message: str
    line: int | None = None
    column: int | None = None
    """In UTF-8 bytes."""


@dataclass(frozen=True, slots=True)
class FileReport:
    """What is to be shown for one file."""

    path: str
    source: SourceText
    findings: tuple[Finding, ...] = ()
    """In order of their spans; suppressed ones and those switched off are left out."""
    problems: tuple[Problem, ...] = ()
    is_too_large: bool = False
    """Nothing was read of it, because it is."""


@dataclass(frozen=True, slots=True)
class FunctionPlace:
    """Where a function runs, for who reads its name."""

    name: str
    qualified: str
    """The absolute dotted name, as findings give it."""
    path: str
    span: Span
    is_async: bool
    place: Place | None
    role: str
    reason: str
    findings: int


def too_large(path: str, text: str) -> Problem:
    """What to say of a file that only a program can have written."""
    size = len(text) / 1_000_000
    return Problem(path, f"the file is too large ({size:.1f} MB): it is not analysed")


def unreadable(path: str, error: Exception) -> Problem:
    """What to say of a file that cannot be read."""
    if isinstance(error, UnicodeDecodeError):
        return Problem(path, f"cannot decode the file: {error.reason} (byte {error.start})")
    if isinstance(error, OSError):
        return Problem(path, f"cannot read the file: {error.strerror or error}")
    return Problem(path, f"cannot decode the file: {error}")
