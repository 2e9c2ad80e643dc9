"""One project's analysis: the one door for the faces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from loopsafe.config import Settings
from loopsafe.effects.libraries import library_edges
from loopsafe.effects.uses import AllUses
from loopsafe.engine.callgraph import CallGraph
from loopsafe.engine.conversion import Converter
from loopsafe.engine.core import Core
from loopsafe.engine.cures import Cures, number_of
from loopsafe.engine.repair import repair
from loopsafe.engine.reports import (
    Cancelled,
    FileReport,
    FunctionPlace,
    Problem,
)
from loopsafe.engine.teachable import Teachable, teachables
from loopsafe.engine.verdicts import Verdict, members, verdict
from loopsafe.engine.wide import Files, Wide
from loopsafe.facts.ir import Function
from loopsafe.infer.deepening import MOST_ROUNDS, Deepening, Inquiry
from loopsafe.infer.opinion import SecondOpinion, search_of
from loopsafe.infer.wire import Answer, Question
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import Edit, Finding, Fix, Safety, Span
from loopsafe.modules.cache import Cache
from loopsafe.modules.homes import Homes
from loopsafe.modules.module import Module
from loopsafe.modules.roots import Versions
from loopsafe.resolve.values import Frame, FunctionValue
from loopsafe.rules import within
from loopsafe.rules.view import Root
from loopsafe.suppress import Suppressions

__all__ = ["Cancelled", "Engine", "FileReport", "FunctionPlace", "Problem", "Verdict"]

T = TypeVar("T")


class Engine(Core):
    """All that the faces ask about the files that one environment serves."""

    def __init__(
        self,
        root: Path,
        settings: Settings,
        python: Path | None = None,
        cache: Cache | None = None,
        homes: Homes | None = None,
    ) -> None:
        super().__init__(root, settings, python, cache, homes)
        self.calls = CallGraph(
            self.resolver, self._chains, self._places, self._project, self._severities
        )
        search = search_of(root, self._roots, self.environment, self.finder.typeshed.folder)
        self._deepening = Deepening(
            self.resolver, self._chains, self._places, SecondOpinion(search), self._rethink
        )
        versions = Versions(root, self.environment)
        self._cures = Cures(settings, versions, self.finder, self._places, self._chains)
        uses = AllUses(self.resolver, self._project, self._source, self._cures.tree)
        converter = Converter(self.resolver, self._places, uses, str(root))
        project = Files(
            self.table,
            self._source,
            self._project,
            lambda path: self.report(path).findings,
            self._within,
            self._given,
            self.blocking,
            self._twin_of,
        )
        self._wide = Wide(project, self._cures, uses, converter)

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
            offered = (fix for f in self.confirm(path).findings for fix in self.fixes(f))
            chosen = [f for f in offered if f.group == group and f.safety is Safety.SAFE]
            edits += self.merged(path, dict.fromkeys(chosen))
        return tuple(edits)

    def fix_all(self, path: str) -> tuple[Edit, ...]:
        """The edits after which a file has no finding with a safe fix left."""
        is_open, text = self.disk.is_open(path), self.confirm(path).source.text
        edits = repair(self, path, self.confirm, (Safety.SAFE,))
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
        return self.environment.label_in(self.homes.top.root)

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
        findings = self.confirm(path).findings
        module = self.table.at(path)
        return self._deepening.inquire(module, findings) if module is not None else None

    def learn(self, inquiry: Inquiry, answers: dict[Question, Answer]) -> FileReport | None:
        """The file's report with the answers, if it differs; the engine's own findings all stay."""
        path = inquiry.path
        before = self.confirm(path)
        own = [f for f in before.findings if not self._deepening.hinted(f)]
        if not self._deepening.learn(inquiry, answers):
            return None
        self._told.forget()
        after = self.confirm(path)
        spans = {finding.span for finding in after.findings}
        roots = {finding.root for finding in after.findings}  # One may move nearer to its root.
        lost = [f for f in own if f.span not in spans and f.root not in roots]
        if lost:
            kept = sorted((*after.findings, *lost), key=lambda f: (f.span, f.code))
            after = replace(after, findings=tuple(kept))
            self._told.note(after, self._confirmed(path)[1])
        return after if after.findings != before.findings else None

    def deepen(self, path: str, cancelled: Callable[[], bool] = lambda: False) -> FileReport | None:
        """Asks and learns in turn, waiting for answers; the new report, if it differs."""
        latest = None
        for _ in range(MOST_ROUNDS):
            inquiry = None if cancelled() else self.inquire(path)
            if inquiry is None:
                break
            latest = self.learn(inquiry, inquiry.ask(cancelled)) or latest
        return latest

    def is_warm(self, path: str) -> bool:
        """Whether what a file calls in packages was derived before, and is kept."""
        module = self.table.at(path)
        return module is None or self._chains.derivation.is_warm(module)

    def warm(self, path: str) -> None:
        """Derives what a file calls in packages, for the cache; nothing that was done before."""
        derivation = self._chains.derivation
        module = self.table.at(path)
        if module is None or derivation.is_warm(module):
            return
        for number in range(len(module.facts.functions)):
            frame = self.resolver.function_frame(FunctionValue(module.key, number))
            if frame is not None:
                library_edges(self.resolver, derivation, frame)
        derivation.warmed(module)

    def keep(self) -> None:
        """Hands what was derived from packages to the cache, for all projects and later runs."""
        self._chains.derivation.keep()

    def close(self) -> None:
        """Ends the process that gives second opinions, if there is one."""
        self._deepening.opinion.close()

    def reports(self) -> Iterator[FileReport]:
        """What is known of files by now, without what a second opinion added."""
        for report in super().reports():
            own = (f for f in report.findings if not self._deepening.hinted(f))
            yield replace(report, findings=tuple(own))

    # Insides

    def _within(self, module: Module, number: int) -> list[Finding]:
        """What would be found in a function of a file if the loop ran it."""
        view = self._view(module, lambda: None)
        root = view.root(number, self._places.run(module, number))
        found = within(view, root) if root is not None else ()
        return self._shown(found, Suppressions(self._source(module.path)))

    def _given(self, finding: Finding) -> list[Finding]:
        """What blocks in the coroutine function that a finding's call leads to, as it is called."""
        module = self.table.at(finding.path)
        number = number_of(module, finding.function) if module is not None else None
        if module is None or number is None:
            return []
        frame = self.resolver.function_frame(FunctionValue(module.name, number))
        spot = module.facts.functions[number].inside(finding.span)
        for edge in self._chains.edges(frame) if frame is not None else ():
            target = edge.target
            if edge.site.spot != spot or not isinstance(target, Frame):
                continue
            home = self.table.get(target.module)
            owner = home.facts.scopes[target.scope].owner if home is not None else -1
            if home is not None and owner >= 0 and home.facts.functions[owner].is_async:
                run = self._places.run(home, owner)
                root = Root(home.facts.functions[owner], owner, target, run)
                return list(within(self._view(home, lambda: None), root))
        return []

    def _before_change(self) -> None:
        self._wide.forget()

    def _after_change(self) -> None:
        self._deepening.changed()

    def _weighed(self, finding: Finding) -> Finding:
        return self._deepening.weigh(finding)

    def _rethink(self, modules: tuple[str, ...]) -> None:
        """Drops what was made of these modules' expressions: some mean more now."""
        changed = 0
        for key in modules:
            module = self.table.get(key)
            changed |= module.bit | module.text_bit if module is not None else 0
        self._drop(modules, changed)

    def _twin_of(self, name: str) -> str:
        known = self.catalogue.klass(name)
        return known.twin if known is not None else ""

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
