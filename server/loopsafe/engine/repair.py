"""Applies fixes to a file until none is left: in rounds, as one may be in the way of another."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loopsafe.engine.reports import FileReport
from loopsafe.model import Edit, Finding, Fix, Safety, Severity
from loopsafe.text import difference

if TYPE_CHECKING:
    from loopsafe.engine import Engine

_MOST_ROUNDS = 20


def repair(
    engine: Engine,
    path: str,
    look: Callable[[str], FileReport],
    applied: Collection[Safety],
    levels: Collection[Severity] = tuple(Severity),
) -> tuple[Edit, ...]:
    """Applies all fixes of these kinds to a file, as if they were typed: the engine has its new
    text as an open buffer then. Gives the edits that lead there.

    `look` gives a file's report, and `levels` says which of its findings are to be cured.
    """
    patient = _Patient(engine, path, look, applied, levels)
    first = look(path).source
    edits: tuple[Edit, ...] = ()
    for number in range(_MOST_ROUNDS):
        made = _round(patient)
        if not made:
            break
        edits = made if number == 0 else difference(path, first, look(path).source.text)
    return edits


def applicable(offered: Iterable[Fix], path: str, applied: Collection[Safety]) -> Fix | None:
    """The fix of a finding that a program may apply to this file: a safe one before others."""
    cures = [
        fix
        for fix in offered
        if fix.kind == "quickfix"
        and fix.safety in applied
        and all(edit.path == path for edit in fix.edits)
    ]
    return next((f for f in cures if f.safety is Safety.SAFE), cures[0] if cures else None)


@dataclass(frozen=True, slots=True)
class _Patient:
    """A file under repair, and what is to be done to it."""

    engine: Engine
    path: str
    look: Callable[[str], FileReport]
    applied: Collection[Safety]
    levels: Collection[Severity]

    def findings(self) -> list[Finding]:
        return [f for f in self.look(self.path).findings if f.severity in self.levels]

    def chosen(self) -> Iterator[Fix]:
        """Of each finding the fix that is to be applied, if it has one."""
        for finding in self.findings():
            fix = applicable(self.engine.fixes(finding), self.path, self.applied)
            if fix is not None:
                yield fix


def _round(patient: _Patient) -> tuple[Edit, ...]:
    """Applies what goes together; where that is no progress, the first fix that alone is one."""
    chosen = list(patient.chosen())
    if not chosen:
        return ()
    together = _applied(patient, chosen, len(chosen))
    if together or len(chosen) == 1:
        return together
    alone = (_applied(patient, [fix], len(chosen)) for fix in chosen)
    return next((edits for edits in alone if edits), ())


def _applied(patient: _Patient, fixes: Sequence[Fix], left: int) -> tuple[Edit, ...]:
    """The edits of some fixes, which are in force then; none, and nothing done, where they fail.

    They must leave a text that parses and less to cure, so that the rounds come to an end.
    """
    engine, path = patient.engine, patient.path
    source, count = patient.look(path).source, len(patient.findings())
    edits = engine.merged(path, fixes)
    text = source.apply(edits)
    if text == source.text or not _parses(text):
        return ()
    engine.open_text(path, text)
    if len(patient.findings()) < count or len(list(patient.chosen())) < left:
        return edits
    engine.open_text(path, source.text)
    return ()


def _parses(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
