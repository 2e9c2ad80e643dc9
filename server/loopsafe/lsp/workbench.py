"""Engines and what was put into them. Belongs to the analysis thread: nobody else calls it."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from lsprotocol import types
from pathspec import GitIgnoreSpec

from loopsafe.config import ConfigError, Settings
from loopsafe.engine import Engine, FileReport
from loopsafe.lsp.client import Client
from loopsafe.lsp.convert import Converter, uri_of
from loopsafe.lsp.documents import DiskTexts, Document, OpenCell, View
from loopsafe.lsp.scopes import EditorSettings
from loopsafe.lsp.worker import Stop
from loopsafe.memory import reclaim
from loopsafe.model import Edit, Finding, Span
from loopsafe.modules.cache import Cache, default_folder
from loopsafe.modules.shipped import NAME
from loopsafe.text import SourceText

_LONE_ENGINES = 4
_KEPT_TIMINGS = 50
_REPAIR_SECONDS = 60.0
_NO_ENVIRONMENT = Path(os.devnull)
"""Chosen where none may be looked for: a path that no environment belongs to."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """Why a pyproject.toml is not in force, at its line."""

    path: str
    source: SourceText
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Work:
    """All that the answer to one request is made from: one file at one moment."""

    path: str
    root: Path
    engine: Engine
    editor: EditorSettings
    report: FileReport
    convert: Converter
    texts: Texts
    stop: Stop
    """Whether the answer is no longer wanted."""

    cell: OpenCell | None = None
    """The cell that is asked about, where the file is a notebook."""

    def about(self, uri: str) -> Work:
        """The same for one cell, where the address is that of a cell."""
        document = self.texts.view.documents.get(self.path)
        cell = document.cell(uri) if document else None
        return replace(self, cell=cell) if cell else self

    @property
    def uri(self) -> str:
        """The address that answers belong to: the file's, or the cell's."""
        return self.cell.uri if self.cell else self.texts.uri(self.path)

    def findings(self) -> tuple[Finding, ...]:
        """The findings of the file, or of the cell."""
        cell = self.cell
        if cell is None:
            return self.report.findings
        last = cell.first + cell.lines
        return tuple(f for f in self.report.findings if cell.first <= f.span.line < last)

    def place(self, position: types.Position) -> tuple[int, int]:
        """A position of the client's as line and column of a span."""
        moved = types.Position(position.line + self._shift, position.character)
        return self.convert.place(self.report.source, moved)

    def span(self, range_: types.Range) -> Span:
        """A range of the client's as a span."""
        return Span(*self.place(range_.start), *self.place(range_.end))

    def range(self, span: Span) -> types.Range:
        """A span of this file as the client understands it, within the cell that it is in."""
        return self.convert.located(self.path, span, self.texts).range

    @property
    def _shift(self) -> int:
        return self.cell.first - 1 if self.cell else 0

    def diagnostic(self, finding: Finding) -> types.Diagnostic:
        """A finding of this file as the client understands it."""
        return self.convert.diagnostic(finding, self.report.source, self.texts)

    def edit(self, edits: Iterable[Edit], label: str = "") -> types.WorkspaceEdit | None:
        """Edits of this and other files as the client understands them; `label` heads a preview.

        None where one of them would touch what a notebook has otherwise, or leave its cell.
        """
        return self.convert.workspace_edit(edits, self.texts, label)


@dataclass(frozen=True, slots=True)
class Texts:
    """Text, address and version of any file: open buffers first, then the disk."""

    view: View
    disk: DiskTexts

    def source(self, path: str) -> SourceText | None:
        document = self.view.documents.get(path)
        return document.source if document else self.disk.get(path)

    def uri(self, path: str) -> str:
        document = self.view.documents.get(path)
        return document.uri if document else uri_of(path)

    def version(self, path: str) -> int | None:
        document = self.view.documents.get(path)
        return document.version if document else None

    def cell(self, path: str, line: int) -> OpenCell | None:
        document = self.view.documents.get(path)
        return document.cell_at(line) if document else None

    def may_edit(self, path: str, span: Span) -> bool:
        document = self.view.documents.get(path)
        notebook = document.notebook if document else None
        return notebook.may_edit(span) if notebook else True


@dataclass(slots=True)
class Bench:
    """One folder's engine and the buffers it was given."""

    settings: Settings
    python: Path | None
    engine: Engine
    open: dict[str, Document] = field(default_factory=dict)
    reports: dict[str, tuple[int, FileReport]] = field(default_factory=dict)


class Workbench:
    """One engine per folder, kept in step with buffers, files and settings."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._convert = Converter(client)
        self._disk = DiskTexts()
        self.cache_folder = default_folder(os.environ)
        self._cache = Cache(self.cache_folder)
        self._settings: dict[Path, Settings] = {}
        self._stale: set[Path] = set()
        self._repaired = float("-inf")
        self.benches: dict[Path, Bench] = {}
        self.problems: tuple[SettingsProblem, ...] = ()
        """Replaced as a whole, so that any thread may take it."""
        self.timings: deque[tuple[str, float]] = deque(maxlen=_KEPT_TIMINGS)
        self.slowest: dict[str, float] = {}
        """The longest time in seconds of each file, of the slowest only."""

    def work(self, path: str, root: Path, editor: EditorSettings, view: View, stop: Stop) -> Work:
        """The report of a file, up to date with the view."""
        bench = self._bench(root, editor)
        _give(bench, view)
        report = self._report(bench, path, view, stop)
        if _excluded(path, bench.settings):
            report = replace(report, findings=())
        return Work(
            path, root, bench.engine, editor, report, self._convert, Texts(view, self._disk), stop
        )

    def settings(self, root: Path, editor: EditorSettings) -> Settings:
        """What is in force in a folder."""
        return self._effective(root, editor)[0]

    def forget(self, paths: Iterable[str]) -> None:
        """Files changed on disk."""
        paths = tuple(paths)
        for bench in self.benches.values():
            bench.engine.forget(paths)
            bench.reports.clear()

    def reload(self) -> None:
        """Settings files changed: read them again when next needed."""
        self._stale.update(self._settings)

    def start_over(self) -> None:
        """A package says something else of itself: make every engine anew."""
        for root in list(self.benches):
            self._drop(root)

    def keep_only(self, folders: Iterable[Path]) -> None:
        """Drop the engines of folders that left, and of the lone files longest unused."""
        folders = set(folders)
        lone = [root for root, bench in self.benches.items() if root not in folders]
        for root in lone[: max(len(lone) - _LONE_ENGINES, 0)]:
            self._drop(root)

    def repair(self, root: Path) -> None:
        """After a crash, start over with a fresh engine; not at every keystroke, though."""
        if time.monotonic() - self._repaired > _REPAIR_SECONDS:
            self._repaired = time.monotonic()
            self._drop(root)

    def _bench(self, root: Path, editor: EditorSettings) -> Bench:
        settings, python = self._effective(root, editor)
        bench = self.benches.pop(root, None)
        if bench is None or (bench.settings, bench.python) != (settings, python):
            is_first = bench is None
            bench = Bench(settings, python, Engine(root, settings, python, self._cache))
            self._note_mistakes(root, bench.engine.mistakes)
            if not is_first:
                reclaim()
        self.benches[root] = bench  # Last in the order, as the latest used.
        return bench

    def _effective(self, root: Path, editor: EditorSettings) -> tuple[Settings, Path | None]:
        """The project's settings changed by the editor's, and the environment to analyse."""
        settings = self._project_settings(root)
        for key, value in editor.overrides.items():
            if key == "python" and not self.client.trusted:
                continue
            try:
                settings = settings.with_overrides({key: value}, root)
            except ConfigError as error:
                _log.warning("%s", error.message)
        if not self.client.trusted:
            return replace(settings, python=None), _NO_ENVIRONMENT
        active = Path(editor.environment) if editor.environment else None
        return settings, settings.python or active

    def _project_settings(self, root: Path) -> Settings:
        """What pyproject.toml says; the last good word while it holds a mistake."""
        known = self._settings.get(root)
        if known is not None and root not in self._stale:
            return known
        self._stale.discard(root)
        problems = {problem.path: problem for problem in self.problems}
        try:
            self._settings[root] = Settings.load(root)
        except ConfigError as error:
            self._settings.setdefault(root, Settings())
            source = self._disk.get(error.path) or SourceText("")
            problems[error.path] = SettingsProblem(
                error.path, source, error.line or 1, error.message
            )
        else:
            for path in [p for p in problems if Path(p).parent in (root, *root.parents)]:
                del problems[path]
        self.problems = tuple(problems.values())
        return self._settings[root]

    def _note_mistakes(self, root: Path, mistakes: Iterable[ConfigError]) -> None:
        """Mistakes in knowledge files: shown in the file where it is in the folder, else logged."""
        kept = [p for p in self.problems if not _is_knowledge_of(p.path, root)]
        for error in mistakes:
            if not _is_knowledge_of(error.path, root):
                _log.warning("%s; the file is left out", error)
                continue
            source = self._disk.get(error.path) or SourceText("")
            kept.append(SettingsProblem(error.path, source, error.line or 1, error.message))
        self.problems = tuple(kept)

    def _report(self, bench: Bench, path: str, view: View, stop: Stop) -> FileReport:
        known = bench.reports.get(path)
        if known and known[0] == view.revision:
            return known[1]
        start = time.perf_counter()
        report = bench.engine.report(path, stop)
        self._took(path, time.perf_counter() - start)
        bench.reports = {p: r for p, r in bench.reports.items() if r[0] == view.revision}
        bench.reports[path] = (view.revision, report)
        return report

    def _took(self, path: str, seconds: float) -> None:
        self.timings.append((path, seconds))
        self.slowest[path] = max(seconds, self.slowest.get(path, 0.0))
        if len(self.slowest) > _KEPT_TIMINGS:
            del self.slowest[min(self.slowest, key=self.slowest.__getitem__)]

    def _drop(self, root: Path) -> None:
        if self.benches.pop(root, None) is not None:
            reclaim()


def _give(bench: Bench, view: View) -> None:
    """Tell an engine which buffers were opened, changed or closed."""
    for path in [p for p in bench.open if p not in view.documents]:
        bench.engine.close_text(path)
        del bench.open[path]
    for path, document in view.documents.items():
        if bench.open.get(path) is not document:
            bench.engine.open_text(path, document.source.text)
            bench.open[path] = document


def _is_knowledge_of(path: str, root: Path) -> bool:
    place = Path(path)
    is_installed = {"site-packages", "dist-packages"} & set(place.parts)
    return place.name == NAME and not is_installed and place.is_relative_to(root)


def _excluded(path: str, settings: Settings) -> bool:
    """Whether the project does not want to hear of a file, or it is an installed library's."""
    parts = Path(path).parts
    if "site-packages" in parts or "dist-packages" in parts:
        return True
    if not settings.exclude or settings.base is None:
        return False
    try:
        relative = Path(path).relative_to(settings.base)
    except ValueError:
        return False
    return GitIgnoreSpec.from_lines(settings.exclude).match_file(relative.as_posix())
