"""Findings for people and programs: one module for each format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loopsafe.model import Finding, Fix, Safety
from loopsafe.text import SourceText

Sources = Callable[[str], SourceText | None]
"""Gives the text of a file by its absolute name, None if it cannot be read."""


def in_cell(source: SourceText | None, line: int) -> tuple[int | None, int]:
    """The notebook's cell that a line is in, and the line there; elsewhere None and the line."""
    notebook = source.notebook if source else None
    cell = notebook.cell(line) if notebook else None
    return (cell.number, line - cell.first + 1) if cell else (None, line)


@dataclass(frozen=True, slots=True)
class Result:
    """A finding with its file's text and the cures on offer."""

    finding: Finding
    source: SourceText
    fixes: tuple[Fix, ...] = ()

    @property
    def cures(self) -> tuple[Fix, ...]:
        """The fixes that end the stall, the preferred one first; hiding it is none."""
        return tuple(fix for fix in self.fixes if fix.kind == "quickfix")

    @property
    def fix(self) -> Fix | None:
        """The cure that a program may apply to this one file."""
        for fix in self.cures:
            one_file = all(edit.path == self.finding.path for edit in fix.edits)
            if fix.safety is not Safety.DISPLAY and fix.edits and one_file:
                return fix
        return None
