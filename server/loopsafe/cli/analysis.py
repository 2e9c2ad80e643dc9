"""What the files of a project come to: analysed, or taken over from an earlier run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from loopsafe.cli.crew import Part
from loopsafe.cli.errors import described
from loopsafe.cli.options import Options
from loopsafe.cli.projects import homes_of
from loopsafe.deep import run_deep
from loopsafe.engine import Engine, kept
from loopsafe.model import Finding, Fix
from loopsafe.modules.cache import Cache, default_folder
from loopsafe.modules.units import Unit


class Analysis:
    """Analyses files of a project, share by share, here or in a process of its own."""

    def __init__(
        self,
        top: Path,
        sample: str,
        options: Options,
        is_alone: bool,
        known: kept.Known | None,
        asked: frozenset[str],
    ) -> None:
        """All files are of the project of the `sample`, a file below the `top`.

        `known` is an earlier run, of whose answers those are taken over that still hold;
        `is_alone`: no other process has a share of the files that are `asked` about.
        """
        self._options = options
        self._cache = Cache(default_folder(os.environ)) if options.cached else None
        homes = homes_of(top, options)
        home = homes.of(sample)
        self._engine = Engine(home.root, home.settings, home.python, self._cache, homes)
        if options.stdin is not None:
            self._engine.open_text(*options.stdin)
        self._engine.index()
        self._is_traced = is_alone and self._cache is not None and not _spans_files(options)
        self._known = known
        self._asked = asked
        self._holding: dict[str, frozenset[Unit]] | None = None
        """Of the answers of the earlier run that still hold, what they rest on."""
        self._rests: dict[str, frozenset[Unit]] = {}
        self._told: set[str] = set()

    def __call__(self, files: Sequence[str]) -> Part:
        """What a share of the files comes to."""
        return run_deep(lambda: self._part(files))

    def _part(self, files: Sequence[str]) -> Part:
        carried = self._carried() if self._holding is None else {}
        answers = [(path, self._answer(path)) for path in files]
        disk = self._engine.disk
        seen = {path: seen for path, seen in disk.seen.items() if path not in self._told}
        listed = {f: names for f, names in disk.listed().items() if f not in self._told}
        self._told.update(seen, listed)
        self._engine.keep()
        if self._cache is not None:
            self._cache.flush()
        noted = partial(self._engine.grounds, self._rests) if self._is_traced else None
        return Part(answers, seen, listed, carried, noted)

    def _carried(self) -> dict[str, kept.Answer]:
        """Looks what of the earlier run holds; gives its answers that nobody asks for now."""
        self._holding = {}
        known, grounds = self._known, self._known.grounds if self._known else None
        if known is None or grounds is None:
            return {}
        stale = self._engine.resume(grounds, known.changed)
        if stale is None:
            return {}
        self._holding = {path: r for path, r in grounds.answers.items() if path not in stale}
        others = {path: r for path, r in self._holding.items() if path not in self._asked}
        self._rests.update(others)
        return {path: known.answers[path] for path in others}

    def _answer(self, path: str) -> kept.Answer | str:
        rest = self._holding.get(path) if self._holding is not None else None
        if rest is not None and self._known is not None:
            self._rests[path] = rest
            return self._known.answers[path]
        found, self._rests[path] = answer(self._engine, path, self._options)
        return found


def answer(
    engine: Engine, path: str, options: Options
) -> tuple[kept.Answer | str, frozenset[Unit]]:
    """What a file comes to, and what that rests on; a text, where a mistake of ours keeps it from
    being analysed."""
    try:
        report = engine.deepen(path) or engine.report(path)
        findings, rest = engine.resting(
            path,
            lambda: tuple(
                (finding, _fixes(engine, finding, options))
                for finding in report.findings
                if finding.severity in options.levels
            ),
        )
    except Exception as error:
        return described(error), frozenset()
    return kept.Answer(report.problems, findings), rest


def _fixes(engine: Engine, finding: Finding, options: Options) -> tuple[Fix, ...]:
    """Those that a format has room for; a program gets those that span files as well."""
    fixes = engine.fixes(finding) if options.with_fixes else ()
    if fixes and _spans_files(options):
        return (*fixes, *(f for f in engine.wide_fixes(finding) if f.edits))
    return fixes


def _spans_files(options: Options) -> bool:
    """Whether fixes that span files are told, too: they rest on more than can be noted."""
    return options.output_format == "json" and not options.statistics
