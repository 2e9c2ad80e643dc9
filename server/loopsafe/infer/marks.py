"""Names calls so that they are found again after an edit elsewhere in the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from loopsafe.facts.ir import Call, Site
from loopsafe.model import Span
from loopsafe.modules.module import Module
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
    span: Span
    """Of the callee."""


def marked_calls(module: Module, source: SourceText, name: str) -> Iterator[Marked]:
    """Every call of a module's functions with a qualified name."""
    seen: Counter[str] = Counter()
    for function in module.facts.functions:
        for site in function.sites if function.qualname == name else ():
            if site.kind == "call" and isinstance(site.expr, Call):
                span = function.in_file(site.spot)
                callee = source.slice(span)
                mark = Mark(module.path, name, callee, seen[callee])
                yield Marked(mark, site, site.expr, span)
                seen[callee] += 1
