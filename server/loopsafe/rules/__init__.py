"""What is reported: each rule reads a module's effects and gives findings."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.model import Finding
from loopsafe.rules import async_without_await, blocking, launched
from loopsafe.rules.view import View

__all__ = ["View", "check", "within"]

within = blocking.within


def check(view: View) -> Iterator[Finding]:
    """Every finding in a module, in no particular order, whatever its severity."""
    found = [*blocking.check(view), *launched.check(view)]
    yield from found
    yield from async_without_await.check(view, found)
