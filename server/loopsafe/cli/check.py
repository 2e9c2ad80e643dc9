"""`loopsafe check`: runs the engine over files and tells what it finds."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loopsafe.cli.crew import Crew, Part, Work, parts
from loopsafe.cli.errors import complain, described
from loopsafe.cli.fix import Fixed, fixed
from loopsafe.cli.options import Options
from loopsafe.cli.printer import Printer
from loopsafe.cli.projects import Project, projects, settings_for
from loopsafe.deep import run_deep
from loopsafe.engine import Engine, kept
from loopsafe.engine.teaching import catalogue_of, shipped
from loopsafe.modules.cache import Cache, default_folder
from loopsafe.modules.disk import Seen
from loopsafe.modules.environment import find_environment
from loopsafe.modules.typeshed import find_typeshed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    findings: int
    """Also fixes that a diff shows; not what is left where only fixes were asked for."""
    failures: int
    """Files that could not be analysed because of a mistake in Loopsafe, or not be written."""


def run(options: Options) -> Outcome:
    """Checks the paths; findings go to stdout as they come, trouble to stderr."""
    printer = Printer(options)
    cache = Cache(default_folder(os.environ)) if options.cached else None
    for project in projects(options):
        if options.fixing.wanted:
            _fix(project, options, cache, printer)
        else:
            _check(project, options, cache, printer)
    if not printer.files:
        print("loopsafe: warning: no Python files found", file=sys.stderr)
    printer.end()
    if cache:
        cache.close()
    return Outcome(printer.count, printer.failures)


def _check(project: Project, options: Options, cache: Cache | None, printer: Printer) -> None:
    """Tells what the files of one project come to, from what is kept or anew."""
    key = b""
    environment = find_environment(project.root, project.python, os.environ)
    files = shipped(project.root, project.settings, environment)
    for mistake in catalogue_of(project.settings, files)[1] if files else ():
        place = f"{printer.style.path(mistake.path)}:{mistake.line or 1}"
        complain("warning", place, f"{mistake.message}; the file is left out")
    if cache is not None and not options.deep:
        told = (project, environment, files, options.with_fixes, sorted(options.levels))
        key = kept.key_of(sys.version, str(find_typeshed()), *map(repr, told))
        known = kept.recall(cache, key)
        if known is not None and known.keys() == set(project.files):
            for path in project.files:
                printer.take(path, known[path])
            return
    answers: dict[str, kept.Answer] = {}
    seen: dict[str, Seen] = {}
    listed: dict[str, Mapping[str, bool]] = {}
    crew = Crew(_prepared, (project.root, options))
    # The second opinion has a process of its own for each engine.
    size = 1 if options.deep else min(options.jobs, len(project.files))
    for part in parts(crew, project.files, size):
        seen.update(part.seen)
        listed.update(part.listed)
        for path, answer in part.answers:
            if isinstance(answer, str):
                printer.fail(path, answer)
            else:
                answers[path] = answer
                printer.take(path, answer)
    if cache is not None and key and len(answers) == len(project.files):
        kept.keep(cache, key, kept.Rest(seen, listed), answers)


def _fix(project: Project, options: Options, cache: Cache | None, printer: Printer) -> None:
    """Applies fixes to the files of one project, and tells what is left in them."""
    engine = Engine(project.root, project.settings, project.python, cache)

    def work() -> tuple[Fixed, list[tuple[str, kept.Answer | str]]]:
        engine.index()
        outcome = fixed(engine, project.files, options)
        return outcome, [(path, _answer(engine, path, options)) for path in project.files]

    with _rare_collections():
        outcome, answers = run_deep(work)
    printer.fixed(outcome)
    for path, answer in answers:
        if isinstance(answer, str):
            printer.fail(path, answer)
        else:
            printer.take(path, answer)


def _prepared(root: Path, options: Options) -> Work:
    """What analyses files of a project, here or in a process of its own."""
    cache = Cache(default_folder(os.environ)) if options.cached else None
    engine = Engine(root, *settings_for(root, options), cache)
    engine.index()
    told: set[str] = set()

    def work(files: Sequence[str]) -> Part:
        answers = [(path, _answer(engine, path, options)) for path in files]
        disk = engine.disk
        seen = {path: seen for path, seen in disk.seen.items() if path not in told}
        listed = {f: names for f, names in disk.listed().items() if f not in told}
        told.update(seen, listed)
        engine.keep()
        if cache is not None:
            cache.flush()
        return Part(answers, seen, listed)

    def deep(files: Sequence[str]) -> Part:
        with _rare_collections():
            return run_deep(lambda: work(files))

    return deep


def _answer(engine: Engine, path: str, options: Options) -> kept.Answer | str:
    """What a file comes to; a text, where a mistake of ours keeps it from being analysed."""
    try:
        report = engine.deepen(path) or engine.report(path)
        findings = tuple(
            (finding, engine.fixes(finding) if options.with_fixes else ())
            for finding in report.findings
            if finding.severity in options.levels
        )
    except Exception as error:
        return described(error)
    return kept.Answer(report.problems, findings)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Facts and trees have no cycles: looking for some would double the time of a run."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 1000)
    try:
        yield
    finally:
        gc.set_threshold(*before)
