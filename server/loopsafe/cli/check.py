"""`loopsafe check`: runs the engine over files and prints what it finds."""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from loopsafe.cli import UsageError
from loopsafe.cli.crew import Crew, Part, Work, parts
from loopsafe.config import ConfigError, Settings
from loopsafe.config.document import find_line, read_toml
from loopsafe.deep import run_deep
from loopsafe.engine import Engine, Problem, kept
from loopsafe.model import Finding, Severity
from loopsafe.modules.cache import Cache, default_folder
from loopsafe.modules.disk import Seen
from loopsafe.modules.environment import find_environment
from loopsafe.modules.typeshed import find_typeshed
from loopsafe.output import Result, Sources, human, json_format
from loopsafe.output.style import Style
from loopsafe.project_files import python_files
from loopsafe.text import SourceText, decode

_ROOT_MARKS = ("pyproject.toml", "setup.cfg", "setup.py", ".git")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for."""

    paths: tuple[str, ...]
    python: str | None
    output_format: str
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    exclude: tuple[str, ...]
    levels: frozenset[Severity]
    deep: bool
    cached: bool
    jobs: int
    """Processes."""
    statistics: bool
    colored: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    findings: int
    failures: int
    """Files that could not be analysed because of a mistake in Loopsafe."""


def run(options: Options) -> Outcome:
    """Checks the paths; findings go to stdout as they come, trouble to stderr."""
    printer = _Printer(options)
    cache = Cache(default_folder(os.environ)) if options.cached else None
    for project in _projects(options):
        _check(project, options, cache, printer)
    if not printer.files:
        print("loopsafe: warning: no Python files found", file=sys.stderr)
    printer.end()
    if cache:
        cache.close()
    return Outcome(len(printer.findings), printer.failures)


def _check(project: _Project, options: Options, cache: Cache | None, printer: _Printer) -> None:
    """Tells what the files of one project come to, from what is kept or anew."""
    key = b""
    if cache is not None and not options.deep:
        environment = find_environment(project.root, project.python, os.environ)
        told = (project, environment, _with_fixes(options), sorted(options.levels))
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


def _prepared(root: Path, options: Options) -> Work:
    """What analyses files of a project, here or in a process of its own."""
    cache = Cache(default_folder(os.environ)) if options.cached else None
    engine = Engine(root, *_settings(root, options), cache)
    engine.index()
    told: set[str] = set()

    def work(files: Sequence[str]) -> Part:
        answers = [(path, _answer(engine, path, options)) for path in files]
        disk = engine.disk
        seen = {path: seen for path, seen in disk.seen.items() if path not in told}
        listed = {f: names for f, names in disk.listed().items() if f not in told}
        told.update(seen, listed)
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
        with_fixes = _with_fixes(options)
        findings = tuple(
            (finding, engine.fixes(finding) if with_fixes else ())
            for finding in report.findings
            if finding.severity in options.levels
        )
    except Exception as error:
        return _described(error)
    return kept.Answer(report.problems, findings)


def _with_fixes(options: Options) -> bool:
    return options.output_format != "concise" and not options.statistics


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Facts and trees have no cycles: looking for some would double the time of a run."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 1000)
    try:
        yield
    finally:
        gc.set_threshold(*before)


class _Printer:
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
        _complain("internal error", self.style.path(path), why)

    def take(self, path: str, answer: kept.Answer) -> None:
        """What one file came to."""
        self.files += 1
        self._broken += bool(answer.problems)
        for problem in answer.problems:
            _complain("warning", _place(problem, self.style), problem.message)
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


@dataclass(frozen=True, slots=True)
class _Project:
    """Files of one project that are to be checked, and how."""

    root: Path
    settings: Settings
    python: Path | None
    files: tuple[str, ...]


def _projects(options: Options) -> list[_Project]:
    """Each file once, with its project."""
    groups: dict[Path, list[str]] = {}
    for path in options.paths:
        if not os.path.lexists(path):
            raise UsageError(f"{path}: no such file or folder")
        if path.endswith(".ipynb"):
            # Most are valid Python, a large dictionary: that nothing is found in it says nothing.
            _complain("warning", path, "notebooks are not read")
            continue
        groups.setdefault(_project_root(Path(os.path.abspath(path))), []).append(path)
    prepared = [(root, *_settings(root, options), paths) for root, paths in groups.items()]
    seen: set[str] = set()
    projects = []
    for root, settings, python, paths in prepared:
        files = [file for file in python_files(paths, settings) if file not in seen]
        seen.update(files)
        projects.append(_Project(root, settings, python, tuple(files)))
    return projects


def _settings(root: Path, options: Options) -> tuple[Settings, Path | None]:
    settings = Settings.load(root)
    given = Path(os.path.abspath(options.python)) if options.python else settings.python
    if given is not None:
        problem = find_environment(root, given).problem
        if problem and options.python:
            raise UsageError(f"--python: {problem}")
        if problem:
            raise _setting("python", problem, settings)
    for folder in settings.source_roots:
        if not folder.is_dir():
            raise _setting("source-roots", f"{folder}: no such folder", settings)
    settings = replace(
        settings,
        select=options.select or settings.select,
        ignore=settings.ignore + options.ignore,
        exclude=settings.exclude + _anchored(options.exclude, settings.base or root),
        base=settings.base or root,
        python=given,
        second_opinion=options.deep,
    )
    return settings, given


def _setting(key: str, problem: str, settings: Settings) -> ConfigError:
    """An error about a setting that only the disk shows to be wrong."""
    path = (settings.base or Path.cwd()) / "pyproject.toml"
    line = find_line(read_toml(path)[0], ("tool", "loopsafe", key))
    return ConfigError(str(path), f"`{key}`: {problem}", line)


def _anchored(patterns: tuple[str, ...], base: Path) -> tuple[str, ...]:
    """Patterns of the command line, where a path is one from the current folder."""
    anchored = []
    for pattern in patterns:
        path = Path(os.path.abspath(pattern))
        is_path = "/" in pattern.rstrip("/") or os.sep in pattern.rstrip(os.sep)
        if is_path and "**" not in pattern and path.is_relative_to(base):
            pattern = "/" + path.relative_to(base).as_posix()
        anchored.append(pattern)
    return tuple(anchored)


def _project_root(path: Path) -> Path:
    """The nearest folder, upwards, that looks like a project.

    Without one: the current folder, if the path is in it; else what holds the path's package.
    """
    folder = path if path.is_dir() else path.parent
    for candidate in (folder, *folder.parents):
        if any((candidate / mark).exists() for mark in _ROOT_MARKS):
            return candidate
    if folder.is_relative_to(Path.cwd()):
        return Path.cwd()
    while (folder / "__init__.py").exists() and folder != folder.parent:
        folder = folder.parent
    return folder


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


def _complain(level: str, place: str, message: str) -> None:
    print(f"loopsafe: {level}: {place}: {message}", file=sys.stderr)


def _described(error: Exception) -> str:
    """An unexpected error in one line, with the place that a bug report needs."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {error}{place}; please report it".replace("\n", " ")
