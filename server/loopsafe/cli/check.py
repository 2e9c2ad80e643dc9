"""`loopsafe check`: runs the engine over files and tells what it finds."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from loopsafe.cli.add_ignore import add_ignores
from loopsafe.cli.baseline import Baseline, write_findings
from loopsafe.cli.crew import Crew, Part, Work, parts
from loopsafe.cli.errors import complain, described
from loopsafe.cli.fix import Fixed, fixed
from loopsafe.cli.options import Options
from loopsafe.cli.printer import Printer
from loopsafe.cli.projects import Project, projects, settings_for
from loopsafe.cli.settings import show
from loopsafe.deep import run_deep
from loopsafe.engine import Engine, kept
from loopsafe.engine.teaching import catalogue_of, shipped
from loopsafe.memory import reclaim, without_collections
from loopsafe.model import Finding, Fix
from loopsafe.modules.cache import Cache, default_folder
from loopsafe.modules.disk import Seen
from loopsafe.modules.environment import find_environment
from loopsafe.modules.table import Unit
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
    baseline = Baseline.read(options.aside.baseline) if options.aside.baseline else None
    found = projects(options)
    with _output(options), without_collections():
        if options.aside.shown:
            _show(found, options)
            return Outcome(0, 0)
        return _run(found, options, Printer(options, baseline), baseline)


def _run(
    found: list[Project], options: Options, printer: Printer, baseline: Baseline | None
) -> Outcome:
    cache = Cache(default_folder(os.environ)) if options.cached else None
    for project in found:
        _tell_mistakes(project, printer)
        if options.fixing.wanted:
            _fix(project, options, cache, printer)
        else:
            _check(project, options, cache, printer)
        if project is not found[-1]:
            reclaim()
    if not printer.files:
        print("loopsafe: warning: no Python files found", file=sys.stderr)
    printer.end()
    _set_aside(printer, options, baseline)
    if cache:
        cache.close()
    return Outcome(printer.count, printer.failures)


def _show(found: list[Project], options: Options) -> None:
    """Settings or files instead of findings."""
    for project in found:
        if options.aside.shown == "files":
            print("\n".join(project.files))
            continue
        environment = find_environment(project.root, project.python, os.environ)
        print("\n".join(show(project.root, project.settings, environment.label)))


@contextmanager
def _output(options: Options) -> Iterator[None]:
    """Sends what is told to a file, if one was named."""
    if options.aside.output_file is None:
        yield
        return
    with (
        open(options.aside.output_file, "w", encoding="utf-8") as file,
        redirect_stdout(file),
    ):
        yield


def _set_aside(printer: Printer, options: Options, baseline: Baseline | None) -> None:
    """Writes findings where they are to be kept, and says so."""
    if options.aside.write_baseline is not None:
        count = write_findings(options.aside.write_baseline, printer.findings)
        print(f"Wrote {_counted(count, 'finding')} to {options.aside.write_baseline}.")
    elif options.aside.ignore is not None:
        count, files = add_ignores(printer.findings, options.aside.ignore)
        print(f"Added {_counted(count, 'ignore comment')} in {_counted(files, 'file')}.")
    elif baseline is not None and not options.aside.narrowed and options.stdin is None:
        mended = baseline.shrink()
        if mended:
            done = "can be taken" if os.environ.get("CI") else "taken"
            text = f"{_counted(mended, 'mended finding')} {done} out of the baseline"
            print(f"loopsafe: {text}", file=sys.stderr)


def _counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def _tell_mistakes(project: Project, printer: Printer) -> None:
    """What is wrong in the knowledge files of packages."""
    environment = find_environment(project.root, project.python, os.environ)
    files = shipped(project.root, project.settings, environment)
    for mistake in catalogue_of(project.settings, files)[1] if files else ():
        place = f"{printer.style.path(mistake.path)}:{mistake.line or 1}"
        complain("warning", place, f"{mistake.message}; the file is left out")


def _check(project: Project, options: Options, cache: Cache | None, printer: Printer) -> None:
    """Tells what the files of one project come to, from what is kept or anew."""
    key, known = b"", None
    if cache is not None and not options.deep and options.stdin is None:
        environment = find_environment(project.root, project.python, os.environ)
        files = shipped(project.root, project.settings, environment)
        told = (
            project,
            environment,
            files,
            options.with_fixes,
            options.output_format == "json",
            sorted(options.levels),
        )
        key = kept.key_of(sys.version, str(find_typeshed()), *map(repr, told))
        known = kept.recall(cache, key)
        if known is not None and known.answers.keys() != set(project.files):
            known = None
        if known is not None and not known.changed:
            for path in project.files:
                printer.take(path, known.answers[path])
            return
    answers: dict[str, kept.Answer] = {}
    seen: dict[str, Seen] = {}
    listed: dict[str, Mapping[str, bool]] = {}
    # The second opinion has a process of its own for each engine.
    size = 1 if options.deep or known else min(options.jobs, len(project.files))
    crew = Crew(_prepared, (project.root, options, size == 1, known))
    grounds = None
    for part in parts(crew, project.files, size):
        seen.update(part.seen)
        listed.update(part.listed)
        grounds = part.grounds
        for path, answer in part.answers:
            if isinstance(answer, str):
                printer.fail(path, answer)
            else:
                answers[path] = answer
                printer.take(path, answer)
    if cache is not None and key and len(answers) == len(project.files):
        rest = kept.Rest(seen, listed)
        kept.keep(cache, key, rest, answers, grounds() if grounds else None, known)


def _fix(project: Project, options: Options, cache: Cache | None, printer: Printer) -> None:
    """Applies fixes to the files of one project, and tells what is left in them."""
    engine = Engine(project.root, project.settings, project.python, cache)

    def work() -> tuple[Fixed, list[tuple[str, kept.Answer | str]]]:
        engine.index()
        outcome = fixed(engine, project.files, options)
        answers = [(path, _answer(engine, path, options)) for path in project.files]
        return outcome, [(path, a if isinstance(a, str) else a[0]) for path, a in answers]

    outcome, answers = run_deep(work)
    printer.fixed(outcome)
    for path, answer in answers:
        if isinstance(answer, str):
            printer.fail(path, answer)
        else:
            printer.take(path, answer)


def _prepared(root: Path, options: Options, is_alone: bool, known: kept.Known | None) -> Work:
    """What analyses files of a project, here or in a process of its own.

    Of an earlier run's answers those are taken over that still hold.
    """
    cache = Cache(default_folder(os.environ)) if options.cached else None
    engine = Engine(root, *settings_for(root, options), cache)
    if options.stdin is not None:
        engine.open_text(*options.stdin)
    engine.index()
    told: set[str] = set()
    rests: dict[str, frozenset[Unit]] = {}
    stale: frozenset[str] | None = None

    def answer(path: str) -> kept.Answer | str:
        if known is not None and known.grounds is not None and stale is not None:
            rest = known.grounds.answers.get(path)
            if rest is not None and path not in stale:
                rests[path] = rest
                return known.answers[path]
        found = _answer(engine, path, options)
        if isinstance(found, str):
            return found
        rests[path] = found[1]
        return found[0]

    def work(files: Sequence[str]) -> Part:
        nonlocal stale
        if known is not None and known.grounds is not None and stale is None:
            stale = engine.resume(known.grounds, known.changed)
        answers = [(path, answer(path)) for path in files]
        disk = engine.disk
        seen = {path: seen for path, seen in disk.seen.items() if path not in told}
        listed = {f: names for f, names in disk.listed().items() if f not in told}
        told.update(seen, listed)
        engine.keep()
        if cache is not None:
            cache.flush()
        is_traced = is_alone and cache is not None and not _spans_files(options)
        return Part(answers, seen, listed, partial(engine.grounds, rests) if is_traced else None)

    return lambda files: run_deep(lambda: work(files))


def _answer(
    engine: Engine, path: str, options: Options
) -> tuple[kept.Answer, frozenset[Unit]] | str:
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
        return described(error)
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
