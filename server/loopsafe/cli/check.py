"""`loopsafe check`: runs the engine over files and tells what it finds."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace

from loopsafe.cli.add_ignore import add_ignores
from loopsafe.cli.analysis import Analysis, answer
from loopsafe.cli.baseline import Baseline, write_findings
from loopsafe.cli.crew import Crew, parts
from loopsafe.cli.errors import complain
from loopsafe.cli.fix import Fixed, fixed
from loopsafe.cli.options import Options
from loopsafe.cli.printer import Printer
from loopsafe.cli.projects import Project, projects
from loopsafe.cli.settings import show
from loopsafe.deep import run_deep
from loopsafe.engine import Engine, kept
from loopsafe.engine.teaching import catalogue_of, releases_of, shipped
from loopsafe.memory import reclaim, without_collections
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
    mistakes = {place: text for project in found for place, text in _mistakes(project)}
    for (path, line), text in mistakes.items():
        complain("warning", f"{printer.style.path(path)}:{line}", text)
    for project in found:
        if options.fixing.wanted:
            _fix(project, options, cache, printer)
        else:
            _check(project, options, cache, printer)
        if project is not found[-1]:
            reclaim()
    if not printer.files:
        print("loopsafe: warning: no Python files found", file=sys.stderr)
    printer.end()
    failures = printer.failures + _set_aside(printer, options, baseline)
    if cache:
        cache.close()
    return Outcome(printer.count, failures)


def _show(found: list[Project], options: Options) -> None:
    """Settings or files instead of findings."""
    for project in found:
        if options.aside.shown == "files":
            print("\n".join(project.files))
            continue
        environment = find_environment(project.root, project.python, os.environ)
        for settings in project.told:
            base = settings.base or project.root
            root = base if base.is_relative_to(project.root) else project.root
            print("\n".join(show(root, settings, environment.label_in(project.top))))


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


def _set_aside(printer: Printer, options: Options, baseline: Baseline | None) -> int:
    """Writes findings where they are to be kept, and says so; gives the files that stay."""
    if options.aside.write_baseline is not None:
        count = write_findings(options.aside.write_baseline, printer.findings)
        print(f"Wrote {_counted(count, 'finding')} to {options.aside.write_baseline}.")
    elif options.aside.ignore is not None:
        added = add_ignores(printer.findings, options.aside.ignore)
        comments, files = _counted(added.comments, "ignore comment"), _counted(added.files, "file")
        print(f"Added {comments} in {files}.")
        return added.failures
    elif baseline is not None and not options.aside.narrowed and options.stdin is None:
        mended = baseline.shrink()
        if mended:
            done = "can be taken" if os.environ.get("CI") else "taken"
            text = f"{_counted(mended, 'mended finding')} {done} out of the baseline"
            print(f"loopsafe: {text}", file=sys.stderr)
    return 0


def _counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def _mistakes(project: Project) -> Iterator[tuple[tuple[str, int], str]]:
    """What is wrong in the knowledge files of packages, each at its place."""
    environment = find_environment(project.root, project.python, os.environ)
    files = shipped(project.root, project.settings, environment)
    for mistake in catalogue_of(project.settings, files, {})[1] if files else ():
        yield (mistake.path, mistake.line or 1), f"{mistake.message}; the file is left out"


def _check(project: Project, options: Options, cache: Cache | None, printer: Printer) -> None:
    """Tells what the files of one project come to, from what is kept or anew."""
    if not project.files:
        return
    key, known = b"", None
    if cache is not None and not options.deep and options.stdin is None:
        environment = find_environment(project.root, project.python, os.environ)
        files = shipped(project.root, project.settings, environment)
        rest_on = (
            replace(project, files=()),
            environment,
            releases_of(project.root, environment),
            files,
            options.with_fixes,
            options.output_format == "json",
            sorted(options.levels),
        )
        key = kept.key_of(sys.version, str(find_typeshed()), *map(repr, rest_on))
        known = kept.recall(cache, key, project.files)
        if known is not None and known.grounds is None:
            for path in project.files:
                printer.take(path, known.answers[path])
            return
    answers: dict[str, kept.Answer] = {}
    seen: dict[str, Seen] = {}
    listed: dict[str, Mapping[str, bool]] = {}
    # The second opinion has a process of its own for each engine.
    size = 1 if options.deep or known else min(options.jobs, len(project.files))
    told = (project.top, project.files[0], options, size == 1, known, frozenset(project.files))
    crew = Crew(Analysis, told)
    carried: dict[str, kept.Answer] = {}
    grounds = None
    for part in parts(crew, project.files, size):
        seen.update(part.seen)
        listed.update(part.listed)
        grounds = part.grounds
        carried.update(part.carried)
        for path, found in part.answers:
            _tell(printer, path, found)
            if isinstance(found, kept.Answer):
                answers[path] = found
    if cache is not None and key and len(answers) == len(project.files):
        rest, carried = kept.Rest(seen, listed), {**carried, **answers}
        kept.keep(cache, key, rest, carried, grounds() if grounds else None, known)


def _fix(project: Project, options: Options, cache: Cache | None, printer: Printer) -> None:
    """Applies fixes to the files of one project, and tells what is left in them."""
    engine = Engine(project.root, project.settings, project.python, cache, project.homes)

    def work() -> tuple[Fixed, list[tuple[str, kept.Answer | str]]]:
        engine.index()
        outcome = fixed(engine, project.files, options)
        return outcome, [(path, answer(engine, path, options)[0]) for path in project.files]

    outcome, answers = run_deep(work)
    printer.fixed(outcome)
    for path, found in answers:
        _tell(printer, path, found)


def _tell(printer: Printer, path: str, found: kept.Answer | str) -> None:
    if isinstance(found, str):
        printer.fail(path, found)
    else:
        printer.take(path, found)
