"""Engines and what was put into them. Belongs to the analysis thread: nobody else calls it."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from lsprotocol import types

from loopsafe.engine import Engine, FileReport
from loopsafe.engine.earlier import Earlier
from loopsafe.lsp.client import Client
from loopsafe.lsp.convert import Converter, uri_of
from loopsafe.lsp.documents import DiskTexts, Document, OpenCell, View
from loopsafe.lsp.in_force import InForce, SettingsProblem
from loopsafe.lsp.scopes import EditorSettings
from loopsafe.lsp.worker import Stop
from loopsafe.memory import reclaim
from loopsafe.model import Edit, Finding, Span
from loopsafe.modules.cache import Cache, default_folder
from loopsafe.modules.homes import Home, Homes
from loopsafe.text import SourceText

_LONE_ENGINES = 4
_MOST_ENGINES = 12
"""Each has what it knows in memory; the one longest unused makes room."""
_KEPT_TIMINGS = 50
_REPAIR_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Work:
    """All that the answer to one request is made from: one file at one moment."""

    path: str
    root: Path
    """The folder that it is opened in."""
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


@dataclass(slots=True, eq=False)
class Bench:
    """One engine and the buffers it was given."""

    top: Path
    """The folder that it is opened in."""
    home: Home
    engine: Engine
    earlier: Earlier
    open: dict[str, Document] = field(default_factory=dict)
    reports: dict[str, tuple[int, FileReport]] = field(default_factory=dict)


class Workbench:
    """An engine for the files of each environment in a folder, in step with buffers and files."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._convert = Converter(client)
        self._disk = DiskTexts()
        self.cache_folder = default_folder(os.environ)
        self._cache = Cache(self.cache_folder, is_patient=True)
        self.in_force = InForce(client.trusted, self._disk.get)
        self._homes: dict[Path, Homes] = {}
        """By folder, those that its engines were given."""
        self._repaired = float("-inf")
        self.benches: list[Bench] = []
        """The one used last is the last."""
        self.timings: deque[tuple[str, float]] = deque(maxlen=_KEPT_TIMINGS)
        self.slowest: dict[str, float] = {}
        """The longest time in seconds of each file, of the slowest only."""

    @property
    def problems(self) -> tuple[SettingsProblem, ...]:
        """What is wrong in settings files. Any thread may ask."""
        return self.in_force.problems

    def work(
        self,
        path: str,
        top: Path,
        editor: EditorSettings,
        view: View,
        stop: Stop,
        at_a_glance: bool = False,
    ) -> Work:
        """The report of a file, up to date with the view.

        Whoever asks for a glance sees to it that the file is looked at in earnest afterwards.
        """
        homes = self.homes(top, editor)
        bench = self._bench(path, homes)
        _give(bench, view)
        look = bench.engine.glance if at_a_glance else bench.engine.report
        report = self._report(bench, path, view, partial(look, path, stop))
        if _is_installed(path) or homes.excludes(path):
            report = replace(report, findings=())
        return Work(
            path, top, bench.engine, editor, report, self._convert, Texts(view, self._disk), stop
        )

    def homes(self, top: Path, editor: EditorSettings) -> Homes:
        """What is in force for the files of a folder."""
        homes = self.in_force.homes(top, editor)
        if self._homes.get(top) is not homes:
            self._homes[top] = homes
            self._rehome(homes)
        return homes

    def uses(self, engine: Engine) -> bool:
        """Whether questions are still put to an engine."""
        return any(bench.engine is engine for bench in self.benches)

    def settle(self, check_in: Callable[[], None]) -> None:
        """Makes what files were read for ready to be kept; `check_in` may end it at any time."""
        self._cache.settle(check_in)

    def keep(self, engines: Collection[Engine]) -> None:
        """Remembers for the next session what these engines, which know all files, came to."""
        for bench in self.benches:
            if bench.engine in engines:
                bench.earlier.keep()
        self._cache.flush()

    def forget(self, paths: Iterable[str]) -> None:
        """Files changed on disk."""
        paths = tuple(paths)
        for bench in self.benches:
            bench.engine.forget(paths)
            bench.reports.clear()

    def reload(self) -> None:
        """Settings files or environments changed: look again when next needed."""
        self.in_force.reload()

    def start_over(self) -> None:
        """A package says something else of itself: make every engine anew."""
        self._drop(self.benches)

    def releases_changed(self) -> None:
        """Lock files or requirements changed: make engines anew whose entries they decide."""
        self._drop([bench for bench in self.benches if bench.engine.is_outdated()])

    def keep_only(self, folders: Iterable[Path]) -> None:
        """Drop the engines of folders that left, and of the lone files longest unused."""
        folders = set(folders)
        lone = [bench for bench in self.benches if bench.top not in folders]
        self._drop(lone[: max(len(lone) - _LONE_ENGINES, 0)])
        kept = {bench.top for bench in self.benches} | folders
        self._homes = {top: homes for top, homes in self._homes.items() if top in kept}
        self.in_force.keep_only(kept)

    def repair(self, top: Path) -> None:
        """After a crash, start over with fresh engines; not at every keystroke, though."""
        if time.monotonic() - self._repaired > _REPAIR_SECONDS:
            self._repaired = time.monotonic()
            self._drop([bench for bench in self.benches if bench.top == top])

    def _bench(self, path: str, homes: Homes) -> Bench:
        home, top = homes.of(path), homes.top.root
        key = home.engine
        bench = next((b for b in self.benches if b.top == top and b.home.engine == key), None)
        if bench is None:
            self._drop(self.benches[: max(len(self.benches) - _MOST_ENGINES + 1, 0)])
            engine = Engine(home.root, home.settings, home.python, self._cache, homes)
            self.in_force.note(engine.mistakes, home.root)
            bench = Bench(top, home, engine, Earlier(engine))
        else:
            self.benches.remove(bench)
        self.benches.append(bench)
        return bench

    def _rehome(self, homes: Homes) -> None:
        """Give a folder's engines what is in force now; drop those that nothing needs any more."""
        gone = []
        for bench in self.benches:
            if bench.top != homes.top.root:
                continue
            before, now = bench.home, homes.of_folder(str(bench.home.place))
            if now.engine == before.engine and now.settings.exclude == before.settings.exclude:
                bench.home = now
                bench.engine.rehome(homes)
                bench.reports.clear()
            else:
                gone.append(bench)
        self._drop(gone)

    def _report(
        self, bench: Bench, path: str, view: View, look: Callable[[], FileReport]
    ) -> FileReport:
        known = bench.reports.get(path)
        if known and known[0] == view.revision:
            return known[1]
        start = time.perf_counter()
        report = look()
        self._took(path, time.perf_counter() - start)
        bench.reports = {p: r for p, r in bench.reports.items() if r[0] == view.revision}
        bench.reports[path] = (view.revision, report)
        return report

    def _took(self, path: str, seconds: float) -> None:
        self.timings.append((path, seconds))
        self.slowest[path] = max(seconds, self.slowest.get(path, 0.0))
        if len(self.slowest) > _KEPT_TIMINGS:
            del self.slowest[min(self.slowest, key=self.slowest.__getitem__)]

    def _drop(self, benches: Iterable[Bench]) -> None:
        gone = list(benches)
        if gone:
            self.benches = [bench for bench in self.benches if bench not in gone]
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


def _is_installed(path: str) -> bool:
    parts = Path(path).parts
    return "site-packages" in parts or "dist-packages" in parts
