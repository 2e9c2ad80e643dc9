"""Names calls so that they are found again after an edit elsewhere in the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from loopsafe.facts.ir import Call, Site
from loopsafe.modules.table import Module
from loopsafe.text import SourceText


class Mark(NamedTuple):
    """A call by its file, its function, its callee's text, and which of such calls it is."""

    path: str
    function: str
    callee: str
    number: int


class Marked(NamedTuple):
    """A call of a module, with its mark."""

    mark: Mark
    site: Site
    call: Call


def marked_calls(module: Module, source: SourceText) -> Iterator[Marked]:
    """Every call of a module."""
    seen: Counter[tuple[str, str]] = Counter()
    for function in module.facts.functions:
        for site in function.sites:
            if site.kind == "call" and isinstance(site.expr, Call):
                key = (function.qualname, source.slice(site.span))
                yield Marked(Mark(module.path, *key, seen[key]), site, site.expr)
                seen[key] += 1
