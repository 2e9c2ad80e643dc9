"""One project's analysis: its inputs, its caches, and the one door for the faces."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from loopsafe.config import Settings
from loopsafe.effects.callers import Callers
from loopsafe.effects.chains import Chains
from loopsafe.effects.libraries import library_edges
from loopsafe.effects.overrides import Overrides
from loopsafe.effects.places import Places
from loopsafe.effects.uses import AllUses
from loopsafe.engine.callgraph import CallGraph
from loopsafe.engine.conversion import Converter
from loopsafe.engine.cures import Cures
from loopsafe.engine.repair import repair
from loopsafe.engine.reports import (
    Cancelled,
    FileReport,
    FunctionPlace,
    Problem,
    too_large,
    unreadable,
)
from loopsafe.engine.resume import Grounds, grounds, resumed
from loopsafe.engine.teachable import Teachable, teachables
from loopsafe.engine.teaching import catalogue_of, shipped
from loopsafe.engine.verdicts import Verdict, members, verdict
from loopsafe.engine.wide import Files, Wide
from loopsafe.facts.ir import Function
from loopsafe.infer.deepening import Deepening, Inquiry
from loopsafe.infer.opinion import SecondOpinion, search_of
from loopsafe.infer.wire import Answer, Question
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import Edit, Finding, Fix, Safety, Severity, Span
from loopsafe.modules.cache import Cache
from loopsafe.modules.disk import Disk
from loopsafe.modules.environment import find_environment
from loopsafe.modules.finder import Finder
from loopsafe.modules.roots import python_version, source_roots
from loopsafe.modules.table import LARGEST_TEXT, Module, ModuleTable, Unit
from loopsafe.modules.typeshed import find_typeshed
from loopsafe.project_files import python_files
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import FunctionValue
from loopsafe.rules import View, check, unused_ignore
from loopsafe.suppress import Suppressions
from loopsafe.text import SourceText

__all__ = ["Cancelled", "Engine", "FileReport", "FunctionPlace", "Problem", "Verdict"]

T = TypeVar("T")

_MOST_ROUNDS = 4
"""Of questions to the second opinion: an answer may open the way to further calls."""


class Engine:
    """Analyses the files of one project folder. Not thread-safe: one thread at a time."""

    def __init__(
        self,
        root: Path,
        settings: Settings,
        python: Path | None = None,
        cache: Cache | None = None,
    ) -> None:
        self.root = root
        self.settings = settings
        self._python = python
        self.environment = find_environment(root, python or settings.python, os.environ)
        self.disk = Disk()
        roots = source_roots(root, settings.source_roots)
        self.finder = Finder(roots, self.environment, find_typeshed(), self.disk)
        self.table = ModuleTable(self.finder, self.disk, cache)
        files = shipped(root, settings, self.environment)
        self.catalogue, self.mistakes = catalogue_of(settings, files)
        """The catalogue; and what is wrong in the files of packages, which are left out."""
        self.resolver = Resolver(self.table, self.catalogue)
        self.resolver.outside.project = self._project
        self._callers = Callers(self.resolver, self._project)
        self._overrides = Overrides(self._project)
        self._chains = Chains(self.resolver, self._overrides)
        self._places = Places(self.resolver, self._project, self._callers)
        self.calls = CallGraph(
            self.resolver, self._chains, self._places, self._project, settings.severity_of
        )
        search = search_of(root, roots, self.environment, self.finder.typeshed.folder)
        self._deepening = Deepening(
            self.resolver, self._chains, self._places, SecondOpinion(search), self._rethink
        )
        version = python_version(root, self.environment)
        self._cures = Cures(settings, version, self.finder, self._places)
        uses = AllUses(self.resolver, self._project, self._source)
        converter = Converter(self.resolver, self._places, uses, str(root))
        project = Files(
            self.table,
            self._source,
            self._project,
            lambda path: self.report(path).findings,
            self.blocking,
            self._twin_of,
        )
        self._wide = Wide(project, self._cures, uses, converter)
        self._modules: dict[str, Module | None] = {}
        self._is_whole = False
        """All files of the project are known."""
        self._reports: dict[str, tuple[FileReport, int]] = {}
        """By path, with what it rests on, as bits of the module table."""

    # Inputs

    def index(self, paths: Iterable[str] | None = None, whole: bool = False) -> None:
        """Reads the project's files, so that registrations and subclasses anywhere are known.

        `whole` says that these files are all of them, as they are where none are given.
        """
        self._is_whole = self._is_whole or whole or paths is None
        found = set(paths) if paths is not None else set(python_files([self.root], self.settings))
        fresh = found - self._modules.keys()
        if fresh:
            known = {*self._modules, *found}
            self._modules = {path: self._modules.get(path) for path in sorted(known)}
            # Any of them may override a method, register a function or store an attribute.
            self.resolver.forget_kind("edges")
            self.resolver.forget((), self._callers.changed(None))
            self._overrides.look_again()
            self._places.look_again()
            self._chains.forget()
            self._wide.forget()
            self._reports.clear()

    def open_text(self, path: str, text: str) -> None:
        """An unsaved buffer shadows the file from now on."""
        if self.disk.is_open(path) and self.disk.read(path) == text:
            return
        names = self.disk.generation
        self.disk.open(path, text)
        self._changed(path, files=self.disk.generation != names)

    def close_text(self, path: str) -> None:
        """The file on disk counts again."""
        names = self.disk.generation
        self.disk.close(path)
        self._changed(path, files=self.disk.generation != names)

    def forget(self, paths: Iterable[str]) -> None:
        """Files were changed, made or removed on disk."""
        for path in paths:
            names = self.disk.generation
            self.finder.invalidate([path])
            self._changed(path, files=self.disk.generation != names)

    # Answers

    def report(self, path: str, cancelled: Callable[[], bool] = lambda: False) -> FileReport:
        """The findings of a file. Raises Cancelled where the caller asks to stop."""
        self._drop_reports(self._places.refreshed())
        known = self._reports.get(path)
        if known is None:
            self.table.trace = 0
            report = self._report(path, cancelled)
            known = self._reports[path] = (report, self.table.trace)
        return known[0]

    def resting(self, path: str, more: Callable[[], T]) -> tuple[T, frozenset[Unit]]:
        """What is asked besides a file's report, and what both rest on."""
        self.report(path)
        self.table.trace = self._reports[path][1]
        return more(), self.table.units(self.table.trace)

    def grounds(self, answers: Mapping[str, frozenset[Unit]]) -> Grounds | None:
        """What a run rested on, given what each of its answers did; None where that is no help."""
        return grounds(self.table, self._places, answers)

    def resume(self, before: Grounds, changed: Collection[str]) -> frozenset[str] | None:
        """The files whose answers in an earlier run may be others now that some texts changed.

        None where nothing can be told. To be asked first, of an engine that knows all files.
        """
        bits = resumed(self.table, self._places, before, changed)
        if bits is None:
            return None
        rests = before.answers.items()
        return frozenset(path for path, rest in rests if self.table.trace_of(rest) & bits)

    def fixes(self, finding: Finding) -> tuple[Fix, ...]:
        """What cures a finding, in the order of preference."""
        module = self.table.at(finding.path)
        if module is None:
            return ()
        source = self.report(finding.path).source
        return self._cures.of(finding, source, module, self.blocking(finding))

    def wide_fixes(self, finding: Finding) -> tuple[Fix, ...]:
        """What cures a finding by edits of other functions too, in any file of the project.

        A fix of the kind `refused` has no edits, but says why it cannot be made. There is none
        before all files are known.
        """
        return tuple(self._wide.of(finding, self.blocking(finding))) if self._is_whole else ()

    def fix_group(self, group: str, paths: Iterable[str]) -> tuple[Edit, ...]:
        """The edits of all safe fixes of a group in some files, one for each function."""
        edits: list[Edit] = []
        for path in paths:
            offered = (fix for f in self.report(path).findings for fix in self.fixes(f))
            chosen = [f for f in offered if f.group == group and f.safety is Safety.SAFE]
            edits += self.merged(path, dict.fromkeys(chosen))
        return tuple(edits)

    def paths(self) -> tuple[str, ...]:
        """The project's files; none before all are known."""
        return tuple(self._modules) if self._is_whole else ()

    def fix_all(self, path: str) -> tuple[Edit, ...]:
        """The edits after which a file has no finding with a safe fix left."""
        is_open, text = self.disk.is_open(path), self.report(path).source.text
        edits = repair(self, path, self.report, (Safety.SAFE,))
        if edits:
            self.open_text(path, text) if is_open else self.close_text(path)
        return edits

    def moves(self, path: str, span: Span) -> tuple[Fix, ...]:
        """The refactorings that move what is selected in a file to a worker thread."""
        return self._cures.moves(span, path, self.report(path).source)

    def merged(self, path: str, fixes: Iterable[Fix]) -> tuple[Edit, ...]:
        """The edits of as many fixes of a file as can be applied together, earlier ones first."""
        return self._cures.merged(fixes, path, self.report(path).source)

    def function_at(self, path: str, line: int, column: int) -> FunctionPlace | None:
        """The function whose name stands at a place (1-based line, column in UTF-8 bytes)."""
        module = self.table.at(path)
        if module is None:
            return None
        for number, function in enumerate(module.facts.functions):
            span = function.span
            if number == 0 or span.line != line or not span.column <= column <= span.end_column:
                continue
            if function.name != "<lambda>":
                return self._function_place(module, number, function)
        return None

    def functions(self, path: str) -> Iterator[FunctionPlace]:
        """Every named function of a file, with where it runs."""
        module = self.table.at(path)
        for number, function in enumerate(module.facts.functions if module else ()):
            if module is not None and number and function.name != "<lambda>":
                yield self._function_place(module, number, function)

    def environment_label(self) -> str:
        """The analysed environment in words: `Python 3.12 (.venv)`."""
        return self.environment.label

    def blocking(self, finding: Finding) -> Blocking | None:
        """What is known of a finding's blocking callable."""
        if not finding.sink:
            return None
        said = self.catalogue.word(finding.sink)
        return said if isinstance(said, Blocking) else self.catalogue.callable(finding.sink)

    def teachables(self, path: str, span: Span) -> Iterator[Teachable]:
        """What is called at a place, and could be spoken of in the settings."""
        module = self.table.at(path)
        if module is not None:
            yield from teachables(self.resolver, module, span)

    def verdict(self, name: str) -> Verdict:
        """What an importable callable does to the event loop, by its dotted name."""
        return verdict(self.resolver, self._chains.derivation, name)

    def verdicts(self, package: str) -> Iterator[Verdict]:
        """What of a package blocks the event loop."""
        seen: set[str] = set()
        for name in members(self.resolver, package):
            found = self.verdict(name)
            if found.blocking is None or found.needs_arguments or found.name in seen:
                continue
            seen.add(found.name)
            yield found

    # The second opinion

    def inquire(self, path: str) -> Inquiry | None:
        """What jedi and astroid may add to a file's report; None where nothing is left to ask."""
        if not self.settings.second_opinion:
            return None
        findings = self.report(path).findings
        module = self.table.at(path)
        return self._deepening.inquire(module, findings) if module is not None else None

    def learn(self, inquiry: Inquiry, answers: dict[Question, Answer]) -> FileReport | None:
        """The file's report with the answers, if it differs; the engine's own findings all stay."""
        path = inquiry.path
        before = self.report(path)
        own = [f for f in before.findings if not self._deepening.hinted(f)]
        if not self._deepening.learn(inquiry, answers):
            return None
        self._reports.clear()
        after = self.report(path)
        spans = {finding.span for finding in after.findings}
        roots = {finding.root for finding in after.findings}  # One may move nearer to its root.
        lost = [f for f in own if f.span not in spans and f.root not in roots]
        if lost:
            kept = sorted((*after.findings, *lost), key=lambda f: (f.span, f.code))
            after = replace(after, findings=tuple(kept))
            self._reports[path] = (after, self._reports[path][1])
        return after if after.findings != before.findings else None

    def deepen(self, path: str, cancelled: Callable[[], bool] = lambda: False) -> FileReport | None:
        """Asks and learns in turn, waiting for answers; the new report, if it differs."""
        latest = None
        for _ in range(_MOST_ROUNDS):
            inquiry = None if cancelled() else self.inquire(path)
            if inquiry is None:
                break
            latest = self.learn(inquiry, inquiry.ask(cancelled)) or latest
        return latest

    def twin(self) -> Engine:
        """Another engine of the same project and cache, which knows no unsaved buffers."""
        return Engine(self.root, self.settings, self._python, self.table.cache)

    def warm(self, path: str, check_in: Callable[[], None]) -> None:
        """Derives what a file calls in packages, for the cache; nothing that was done before.

        Raises what `check_in` raises, and goes on from there when it is called again.
        """
        self._chains.derivation.check_in = check_in
        module = self.table.at(path)
        if module is None or self._chains.derivation.is_warm(module):
            return
        for number in range(len(module.facts.functions)):
            check_in()
            frame = self.resolver.function_frame(FunctionValue(module.key, number))
            if frame is not None:
                library_edges(self.resolver, self._chains.derivation, frame)
        self._chains.derivation.warmed(module)

    def keep(self) -> None:
        """Hands what was derived from packages to the cache, for all projects and later runs."""
        self._chains.derivation.keep()

    def close(self) -> None:
        """Ends the process that gives second opinions, if there is one."""
        self._deepening.opinion.close()

    # Insides

    def _rethink(self, modules: tuple[str, ...]) -> None:
        """Drops what was made of these modules' expressions: some mean more now."""
        changed = 0
        for key in modules:
            module = self.table.get(key)
            changed |= module.bit | module.text_bit if module is not None else 0
        self._drop(modules, changed)

    def _project(self) -> Iterator[Module]:
        for path, module in self._modules.items():
            if module is None:
                module = self._modules[path] = self.table.at(path)
            if module is not None:
                yield module

    def _twin_of(self, name: str) -> str:
        known = self.catalogue.klass(name)
        return known.twin if known is not None else ""

    def _source(self, path: str) -> SourceText:
        return SourceText(self.disk.read(path))

    def _changed(self, path: str, files: bool) -> None:
        """Drops what rests on a file; with `files`, on which files there are, too."""
        self._wide.forget()
        if path in self._modules:
            self._modules[path] = None
        gone: list[str] = []
        changed = 0
        appears = files or self.table.missed(path)
        if appears:
            changed |= self.table.lookup_bit(path) | self._callers.changed(None)
            gone.extend(self._files_changed(path))
        else:
            for change in self.table.reread(path):
                changed |= change.before.text_bit
                changed |= self._callers.changed(change)
                if change.kept is not None:
                    self.resolver.renew(change.before.key, change.kept)
                else:
                    changed |= change.before.bit
                    gone.append(change.before.key)
                if not change.before.is_project:
                    self._forget_answers()
        for key in gone:
            changed |= self.table.bit(key) * 3
        changed |= self._overrides.forget(self.table, gone)
        self._drop(gone, changed)
        module = self.table.at(path) if appears else None
        if module is not None:
            self._places.appeared(module.key)
        self._deepening.changed()

    def _files_changed(self, path: str) -> list[str]:
        """A file was made or removed: what its name led to may be another's now."""
        if self.table.leads_elsewhere(path):
            self._forget_answers()
        gone = self.table.forget(path)
        self.table.forget_files()
        return gone

    def _drop(self, modules: Iterable[str], changed: int) -> None:
        """Drops the answers about some modules, and all that rests on any of these bits."""
        self.resolver.forget(modules, changed)
        self._places.forget(changed)
        self._chains.forget(changed)
        self._drop_reports(changed)

    def _drop_reports(self, changed: int) -> None:
        if changed:
            for path in [path for path, (_, trace) in self._reports.items() if trace & changed]:
                del self._reports[path]

    def _forget_answers(self) -> None:
        """Drops every answer; what was read of files stays."""
        self._chains.derivation.forget()
        self.resolver.forget_all()
        self._places.forget()
        self._chains.forget()
        self._reports.clear()

    def _report(self, path: str, cancelled: Callable[[], bool]) -> FileReport:
        def check_in() -> None:
            if cancelled():
                raise Cancelled

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
        severity_of = self.settings.for_file(path).severity_of
        view = View(module, self.resolver, self._chains, self._places, severity_of, check_in)
        hidden = Suppressions(source)
        found = list(check(view))
        findings = [
            self._deepening.weigh(finding)
            for finding in found
            if finding.severity is not Severity.OFF and not hidden.hides(finding)
        ]
        if not module.facts.problems:
            findings += unused_ignore.check(path, hidden, found, severity_of)
        problems = tuple(
            Problem(path, problem.message, problem.line, problem.column)
            for problem in module.facts.problems
        )
        findings.sort(key=lambda finding: (finding.span, finding.code))
        return FileReport(path, source, tuple(findings), problems)

    def _function_place(self, module: Module, number: int, function: Function) -> FunctionPlace:
        run = self._places.run(module, number)
        name = f"{module.dotted}.{function.qualname}"
        count = sum(1 for f in self.report(module.path).findings if f.function == name)
        return FunctionPlace(
            function.name,
            name,
            module.path,
            function.span,
            function.is_async,
            run.place,
            run.role,
            run.reason,
            count,
        )
