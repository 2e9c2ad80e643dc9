"""What is told of one project's files."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeVar

from loopsafe.engine.inputs import Inputs
from loopsafe.engine.reports import Cancelled, FileReport, Problem, too_large, unreadable
from loopsafe.engine.resume import Grounds, grounds, resumed
from loopsafe.model import Cost, Finding, Severity
from loopsafe.modules.module import Module
from loopsafe.modules.reading import LARGEST_TEXT
from loopsafe.modules.units import Unit
from loopsafe.rules import View, check, unused_ignore
from loopsafe.suppress import Suppressions
from loopsafe.text import SourceText

T = TypeVar("T")

_GLANCE_SECONDS = 0.1
"""Of the processor, for all that a file calls in packages and nobody derived before."""
_GLANCE_CHARACTERS = 200_000
"""Of other files, of which nobody kept anything: to read more takes longer than one notices."""


class _TakesLong(Exception):
    """A glance leads to more than can be read at once."""


class Core(Inputs):
    """The reports of one project folder."""

    def report(self, path: str, cancelled: Callable[[], bool] = lambda: False) -> FileReport:
        """The findings of a file. Raises Cancelled where the caller asks to stop."""
        return self._told.at_first(path) or self.confirm(path, _unless(cancelled))

    def glance(self, path: str, cancelled: Callable[[], bool] = lambda: False) -> FileReport:
        """The same, at first without what would take long to derive from packages; where even
        that would take long to read, what the file shows alone.

        Of a file that was looked at in earnest before a glance would know less, so it is again;
        or what that came to is told, if only more files are known since. Nor is anybody who was
        told more shown less, as findings that go and come back are worse than late ones.
        """
        report = self._told.meanwhile(path) or self._glimpsed(path, cancelled)
        self._told.note_shown(path)
        return report

    def has_peeked(self, path: str) -> bool:
        """Whether all that is known of a file is what it shows alone."""
        return self._told.is_peek(path)

    def look_closer(self, path: str, check_in: Callable[[], None]) -> FileReport:
        """One step further: from a peek to a glance that derives nothing, then in earnest.

        Raises what `check_in` raises, and has got further by that, too.
        """
        with self._reading(lambda _: check_in()):
            if self.has_peeked(path):
                return self._glanced(path, check_in, 0.0)
            return self.confirm(path, check_in)

    def confirm(self, path: str, check_in: Callable[[], None] = lambda: None) -> FileReport:
        """The same, with all that can be found out. Raises what `check_in` raises."""
        return self._confirmed(path, check_in)[0]

    def is_confirmed(self, path: str) -> bool:
        """Whether what is known of a file is all that can be found out."""
        return self._told.at_first(path) is None and self._told.meanwhile(path) is None

    def reports(self) -> Iterator[FileReport]:
        """What is known of files by now, without looking at any; no glances."""
        self._told.drop(self._places.refreshed())
        yield from self._told.kept()

    def paths(self) -> tuple[str, ...]:
        """The project's files; none before all are known."""
        return tuple(self._modules) if self._is_whole else ()

    def resting(self, path: str, more: Callable[[], T]) -> tuple[T, frozenset[Unit]]:
        """What is asked besides a file's report, and what both rest on."""
        self.table.trace = self._confirmed(path)[1]
        return more(), self.table.units(self.table.trace)

    def grounds(self, answers: Mapping[str, frozenset[Unit]]) -> Grounds | None:
        """What a run rested on, given what each of its answers did; None where that is no help."""
        return grounds(self.table, self._places, answers)

    def resume(self, before: Grounds, changed: Collection[str]) -> frozenset[str] | None:
        """The files whose answers in an earlier run may be others now that some texts changed.

        None where nothing can be told. To be asked first, of an engine that knows all files.
        """
        return resumed(self.table, self._places, before, changed)

    # For what is built on this

    def _weighed(self, finding: Finding) -> Finding:
        """A finding, and how sure it is."""
        return finding

    # Insides

    def _view(self, module: Module, check_in: Callable[[], None]) -> View:
        severity_of = self._severities(module.path)
        return View(module, self.resolver, self._chains, self._places, severity_of, check_in)

    def _shown(self, found: Iterable[Finding], hidden: Suppressions) -> list[Finding]:
        """Those that neither settings nor comments turn off, weighed."""
        return [
            self._weighed(finding)
            for finding in found
            if finding.severity is not Severity.OFF and not hidden.hides(finding)
        ]

    def _severities(self, path: str) -> Callable[[str, Cost], Severity]:
        return self.homes.of(path).settings.for_file(path).severity_of

    def _source(self, path: str) -> SourceText:
        return SourceText(self.disk.read(path))

    def _confirmed(
        self, path: str, check_in: Callable[[], None] = lambda: None
    ) -> tuple[FileReport, int]:
        """What a look in earnest comes to, with what it rests on."""
        self._told.drop(self._places.refreshed())
        known = self._told.known(path)
        if known is None:
            self.table.trace = 0
            with self._checking_in(check_in):
                known = self._report(path, check_in), self.table.trace
            self._told.note(*known)
        return known

    def _glimpsed(self, path: str, cancelled: Callable[[], bool]) -> FileReport:
        """What can be told of a file soon."""
        if self._told.at_first(path) or self._told.was_seen(path):
            return self.report(path, cancelled)
        check_in = _unless(cancelled)
        most = math.inf if self._told.was_shown(path) else _GLANCE_CHARACTERS
        try:
            with self._reading(_at_most(most)):
                return self._glanced(path, check_in, _GLANCE_SECONDS)
        except _TakesLong:
            report = self._peeked(path, check_in)
        self._told.note_glance(report, is_peek=True)
        return report

    def _glanced(self, path: str, check_in: Callable[[], None], seconds: float) -> FileReport:
        """What a glance comes to; nothing that rests on what it put off is kept."""
        self._told.drop(self._places.refreshed())
        derivation = self._chains.derivation
        self.table.trace = 0
        try:
            with self._checking_in(check_in), derivation.glancing(seconds):
                report = self._report(path, check_in)
        finally:
            trace = self.table.trace
            self._drop((), derivation.put_off)
        if trace & derivation.put_off:
            self._told.note_glance(report)
        else:
            self._told.note(report, trace)
        return report

    def _peeked(self, path: str, check_in: Callable[[], None]) -> FileReport:
        """What a file shows alone: the calls in it of what the catalogue and stubs know."""
        peek = Core(self.root, self.settings, self.python, self.table.cache, self.homes)
        peek.table.alone = path
        if self.disk.is_open(path):
            peek.open_text(path, self.disk.read(path))
        return peek._report(path, check_in)

    @contextlib.contextmanager
    def _reading(self, when_read: Callable[[int], None]) -> Iterator[None]:
        """Something is told of each text that is read, and may stop what led there."""
        before, self.table.when_read = self.table.when_read, when_read
        try:
            yield
        finally:
            self.table.when_read = before

    @contextlib.contextmanager
    def _checking_in(self, check_in: Callable[[], None]) -> Iterator[None]:
        """Whoever asks may stop what takes long."""
        derivation = self._chains.derivation
        derivation.check_in = check_in
        try:
            yield
        finally:
            derivation.check_in = lambda: None

    def _report(self, path: str, check_in: Callable[[], None]) -> FileReport:
        check_in()
        try:
            source = SourceText(self.disk.read(path))
        except (OSError, UnicodeDecodeError, SyntaxError) as error:
            return FileReport(path, SourceText(""), problems=(unreadable(path, error),))
        if len(source.text) > LARGEST_TEXT:
            problem = too_large(path, source.text)
            return FileReport(path, source, problems=(problem,), is_too_large=True)
        self.index([path])
        module = self.table.at(path)
        if module is None:
            return FileReport(path, source)
        self.table.trace |= module.text_bit
        view = self._view(module, check_in)
        hidden = Suppressions(source)
        found = list(check(view))
        findings = self._shown(found, hidden)
        if not module.facts.problems:
            findings += unused_ignore.check(path, hidden, found, view.severity_of)
        problems = tuple(
            Problem(path, problem.message, problem.line, problem.column)
            for problem in module.facts.problems
        )
        findings.sort(key=lambda finding: (finding.span, finding.code))
        return FileReport(path, source, tuple(findings), problems)


def _unless(cancelled: Callable[[], bool]) -> Callable[[], None]:
    """A function that raises Cancelled when the caller asks to stop."""

    def check_in() -> None:
        if cancelled():
            raise Cancelled

    return check_in


def _at_most(characters: float) -> Callable[[int], None]:
    """A function that raises _TakesLong when it was told of more than these together."""
    left = characters

    def spend(size: int) -> None:
        nonlocal left
        left -= size
        if left < 0:
            raise _TakesLong

    return spend
