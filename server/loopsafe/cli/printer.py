"""What a run tells: findings on stdout, trouble on stderr."""

from __future__ import annotations

import json
import os
from collections import Counter
from functools import lru_cache
from pathlib import Path

from loopsafe.cli.errors import complain
from loopsafe.cli.options import Options
from loopsafe.engine import Problem, kept
from loopsafe.model import Finding
from loopsafe.output import Result, Sources, human, json_format
from loopsafe.output.style import Style
from loopsafe.text import SourceText, decode


class Printer:
    """Prints people's formats file by file, and a program's at the end."""

    def __init__(self, options: Options) -> None:
        self.style = Style(options.colored, os.getcwd())
        self.findings: list[Finding] = []
        self.files = self.failures = self._broken = 0
        self._options = options
        self._results: list[Result] = []
        self._sources: Sources = lru_cache(None)(_read)

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
        source = self._sources(path) if answer.findings else None
        results = [Result(f, source or SourceText(""), fixes) for f, fixes in answer.findings]
        self.findings += [finding for finding, _ in answer.findings]
        if self._options.statistics:
            return
        if self._options.output_format == "json":
            self._results += results
        elif self._options.output_format == "concise":
            for result in results:
                print(human.concise(result, self.style))
        else:
            for result in results:
                print(human.full(result, self._sources, self.style))

    def end(self) -> None:
        """What comes after the last file."""
        if self._options.output_format != "json":
            if self._options.statistics:
                print("".join(f"{line}\n" for line in human.statistics(self.findings, self.style)))
            if self.files:  # To have looked at nothing is not to have found nothing.
                print(human.summary(self.findings, self._broken + self.failures))
        elif self._options.statistics:
            counts = Counter(finding.code for finding in self.findings).most_common()
            print(json.dumps([{"code": code, "count": n} for code, n in counts], indent=2))
        else:
            print(json_format.render(self._results, self._sources))


def _read(path: str) -> SourceText | None:
    """A file that findings lead into; None where it is gone or no text."""
    try:
        return SourceText(decode(Path(path).read_bytes()))
    except (OSError, UnicodeDecodeError, SyntaxError):
        return None


def _place(problem: Problem, style: Style) -> str:
    place = style.path(problem.path)
    if problem.line is None:
        return place
    column = "" if problem.column is None else f":{problem.column + 1}"
    return f"{place}:{problem.line}{column}"
