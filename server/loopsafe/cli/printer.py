"""What a run tells: findings on stdout, trouble on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TextIO

from loopsafe import notebook
from loopsafe.cli.baseline import Baseline
from loopsafe.cli.errors import complain
from loopsafe.cli.fix import Fixed
from loopsafe.cli.options import Options
from loopsafe.engine import Problem, kept
from loopsafe.engine.repair import applicable
from loopsafe.model import Finding, Fix, Safety
from loopsafe.output import Result, Sources, changes, ci, human, json_format, sarif
from loopsafe.output.style import Style
from loopsafe.text import SourceText, decode


class Printer:
    """Prints people's formats file by file, and a program's at the end."""

    def __init__(self, options: Options, baseline: Baseline | None = None) -> None:
        self._baseline = baseline
        self.style = Style(options.colored, os.getcwd())
        self.findings: list[Finding] = []
        self.files = self.failures = self._broken = 0
        self._options = options
        self._fixed: dict[str, Mapping[str, int]] = {}
        self._safe = self._unsafe = 0
        """Findings with a fix of each kind, where fixes were asked for."""
        self._results: list[Result] = []
        self._sources: Sources = lru_cache(None)(_read)

    @property
    def count(self) -> int:
        """What the exit code is about."""
        fixing = self._options.fixing
        if self._options.aside.quiet:
            return 0
        return self._fixes if fixing.diff else 0 if fixing.only else len(self.findings)

    @property
    def _fixes(self) -> int:
        return sum(sum(counts.values()) for counts in self._fixed.values())

    def fixed(self, outcome: Fixed) -> None:
        """What was fixed in the files of a project; for a diff, what would be."""
        self._fixed.update(outcome.counts)
        self.failures += outcome.failures
        if self._options.fixing.diff:
            for change in outcome.changes.values():
                print(changes.diff(change.path, change.before, change.after, self.style), end="")

    def fail(self, path: str, why: str) -> None:
        """A file that could not be analysed because of a mistake of ours."""
        self.files += 1
        self.failures += 1
        complain("internal error", self.style.path(path), why)

    def take(self, path: str, answer: kept.Answer) -> None:
        """What one file came to."""
        self.files += 1
        self._broken += bool(answer.problems)
        for problem in answer.problems:
            complain("warning", _place(problem, self.style), problem.message)
        if self._baseline is not None:
            answer = self._baseline.new(path, answer)
        source = self._source(path) if answer.findings else None
        results = [
            Result(finding, source or SourceText(""), _applicable(fixes, source))
            for finding, fixes in answer.findings
        ]
        self.findings += [finding for finding, _ in answer.findings]
        # `--fix` leaves notebooks alone, so it is not to be promised for them.
        for result in results if not path.endswith(notebook.SUFFIX) else ():
            fix = applicable(result.fixes, path, (Safety.SAFE, Safety.UNSAFE))
            self._safe += fix is not None and fix.safety is Safety.SAFE
            self._unsafe += fix is not None and fix.safety is Safety.UNSAFE
        if self._options.statistics or self._options.fixing.only or self._options.aside.quiet:
            return
        if self._options.output_format in _PROGRAMS:
            self._results += results
        elif self._options.output_format == "concise":
            for result in results:
                print(human.concise(result, self.style))
        else:
            for result in results:
                print(human.full(result, self._source, self.style))

    def end(self) -> None:
        """What comes after the last file."""
        chosen = self._options.output_format
        if self._options.fixing.only:
            self._end_of_fixes()
        elif self._options.aside.quiet:
            return
        elif chosen not in _PROGRAMS or (self._options.statistics and chosen != "json"):
            if self._options.statistics:
                print("".join(f"{line}\n" for line in human.statistics(self.findings, self.style)))
            if self._fixed and self._options.fixing.listed:
                print(changes.listed(self._fixed, self.style))
            if self.files:  # To have looked at nothing is not to have found nothing.
                broken = self._broken + self.failures
                print(human.summary(self.findings, broken, self._fixes))
                if not self._options.statistics:
                    self._say(human.shared_cause(self.findings, self.style))
                self._say(changes.fixable(self._safe, self._unsafe, self._options.fixing.unsafe))
        elif self._options.statistics:
            counts = Counter(finding.code for finding in self.findings).most_common()
            print(json.dumps([{"code": code, "count": n} for code, n in counts], indent=2))
        else:
            self._say(_PROGRAMS[chosen](self._results, self._source))

    def _source(self, path: str) -> SourceText | None:
        given = self._options.stdin
        return SourceText(given[1]) if given and given[0] == path else self._sources(path)

    def _end_of_fixes(self) -> None:
        fixing = self._options.fixing
        if self._fixed and fixing.listed:
            print(changes.listed(self._fixed, self.style))
        more = 0 if fixing.unsafe else self._unsafe
        line = changes.summary(self._fixes, more, would=fixing.diff)
        # The diff alone goes where a patch is read from.
        self._say(line, sys.stderr if fixing.diff else sys.stdout)

    def _say(self, line: str, file: TextIO | None = None) -> None:
        if line:
            print(line, file=file)


def _applicable(fixes: tuple[Fix, ...], source: SourceText | None) -> tuple[Fix, ...]:
    """Fixes whose edits are within cells, where the file is a notebook."""
    whole = source.notebook if source else None
    if whole is None:
        return fixes
    return tuple(fix for fix in fixes if all(whole.may_edit(edit.span) for edit in fix.edits))


_PROGRAMS: dict[str, Callable[[Sequence[Result], Sources], str]] = {
    "json": json_format.render,
    "sarif": sarif.render,
    "github": ci.github,
    "gitlab": ci.gitlab,
    "junit": ci.junit,
}
"""Formats that are told as a whole."""


def _read(path: str) -> SourceText | None:
    """A file that findings lead into; None where it is gone or no text."""
    try:
        text = decode(Path(path).read_bytes())
        if not path.endswith(notebook.SUFFIX):
            return SourceText(text)
        whole = notebook.read(text)
        return SourceText(whole.text, whole)
    except (OSError, UnicodeDecodeError, SyntaxError):
        return None


def _place(problem: Problem, style: Style) -> str:
    place = style.path(problem.path)
    if problem.line is None:
        return place
    column = "" if problem.column is None else f":{problem.column + 1}"
    return f"{place}:{problem.line}{column}"
