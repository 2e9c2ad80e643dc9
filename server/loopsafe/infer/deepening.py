"""The engine's end of the second opinion: what to ask, what is known from it, what it changes.

Belongs to the analysis thread, except `Inquiry.ask`, which takes its time and may run anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from loopsafe.effects.chains import Chains
from loopsafe.effects.places import Places
from loopsafe.facts.ir import ModuleFacts
from loopsafe.infer.marks import Mark, Marked, marked_calls
from loopsafe.infer.names import values_of
from loopsafe.infer.opinion import SecondOpinion, never
from loopsafe.infer.unknowns import open_calls
from loopsafe.infer.verdicts import Verdict, verdict, weighed
from loopsafe.infer.wire import Answer, Question
from loopsafe.model import Confidence, Finding, Span
from loopsafe.modules.table import Module
from loopsafe.resolve.expressions import evaluate
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Values
from loopsafe.text import SourceText

JEDI, ASTROID, CHECK = "jedi", "astroid", "check"
"""What a question is for: hints by either library, or a look at what `resolve` knows itself."""

_MOST_QUESTIONS = 150
"""In one inquiry."""

_MOST_ANSWERS = 20_000


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Questions about what a file's report rests on."""

    path: str
    questions: tuple[tuple[tuple[str, Mark], Question], ...]
    """Each with its aim and its call's mark."""
    texts: dict[str, str]
    """Unsaved buffers, by path."""
    opinion: SecondOpinion

    def ask(self, cancelled: Callable[[], bool] = never) -> dict[Question, Answer]:
        """Waits for the answers, in seconds rather than milliseconds. Any thread."""
        return self.opinion.extra([q for _, q in self.questions], self.texts, cancelled)


class _Calls(NamedTuple):
    """The calls of a module's text."""

    facts: ModuleFacts
    by_id: dict[int, Marked]
    by_span: dict[Span, Marked]


class Deepening:
    """Answers, by call; they survive edits, until the same call is asked about again."""

    def __init__(
        self,
        resolver: Resolver,
        chains: Chains,
        places: Places,
        opinion: SecondOpinion,
        stale: Callable[[tuple[str, ...]], None],
    ) -> None:
        self.opinion = opinion
        self.libraries = frozenset({JEDI, ASTROID})
        """Who is asked."""
        self._resolver = resolver
        self._chains = chains
        self._places = places
        self._stale = stale
        """Told of the modules whose answers rest on other hints now."""
        self._answers: dict[tuple[str, Mark], Answer] = {}
        self._asked: set[tuple[str, Mark]] = set()
        """Since the last change."""
        self._calls: dict[str, _Calls] = {}
        self._in_force = True

    def changed(self) -> None:
        """Some file changed: hints are made anew from the answers, and all may be asked again."""
        self._asked.clear()
        self._in_force = not self._answers

    def inquire(self, module: Module, findings: Iterable[Finding]) -> Inquiry | None:
        """What is worth asking about a file; None where nothing is left."""
        wanted: dict[tuple[str, Mark], Question] = {}
        for aim, here, call in (*self._open(module), *self._doubtful(findings)):
            key = (aim, call.mark)
            library = JEDI if aim == JEDI else ASTROID
            if library in self.libraries and key not in self._asked:
                wanted.setdefault(key, _question(library, here, call))
            if len(wanted) == _MOST_QUESTIONS:
                break
        if not wanted:
            return None
        self._asked.update(wanted)
        return Inquiry(module.path, tuple(wanted.items()), self._texts(), self.opinion)

    def learn(self, inquiry: Inquiry, answers: dict[Question, Answer]) -> bool:
        """Keeps the answers; says whether they changed anything."""
        news = False
        for key, question in inquiry.questions:
            if question in answers:
                news = news or self._answers.get(key, ()) != answers[question]
                self._answers[key] = answers[question]
        if len(self._answers) > _MOST_ANSWERS:
            self._answers.clear()
        if news:
            self._in_force = False
            self.restore()
        return news

    def restore(self) -> None:
        """Puts the hints in force that the answers give, for the files as they are now."""
        if self._in_force:
            return
        self._in_force = True
        before = dict(self._resolver.hints)
        hints: dict[tuple[str, str | int], Values] = {}
        for path in {mark.path for (_, mark), answer in self._answers.items() if answer}:
            module = self._resolver.table.at(path)
            if module is not None:
                for call in self._calls_of(module).by_id.values():
                    values = self._hint(call.mark)
                    if values:
                        hints[module.key, id(call.call.func)] = values
        differing = {key[0] for key in {*before, *hints} if before.get(key) != hints.get(key)}
        self._resolver.hints.clear()
        self._resolver.hints.update(hints)
        if differing:
            self._stale(tuple(differing))

    def weigh(self, finding: Finding) -> Finding:
        """The finding with the confidence that the answers leave it."""
        verdicts: list[Verdict] = []
        hinted = False
        for step in range(len(finding.chain)):
            found = self._at(finding, step)
            if found is None:
                verdicts.append(Verdict.OPEN)
                continue
            module, call = found
            by = self._hinting(module, call)
            hinted = hinted or bool(by)
            answer = self._answers.get((CHECK, call.mark), ())
            own = by == ASTROID or ASTROID not in self.libraries
            verdicts.append(
                Verdict.OPEN
                if own
                else verdict(self._resolver, finding, step, module, call, answer)
            )
        confidence = weighed(finding.confidence, verdicts, hinted)
        if confidence is finding.confidence:
            return finding
        return replace(finding, confidence=confidence)

    def _open(self, module: Module) -> Iterator[tuple[str, Module, Marked]]:
        """Calls with an unknown callee: jedi first, astroid where jedi has no answer."""
        for found in open_calls(self._resolver, self._chains, self._places, module):
            call = self._calls_of(found.module).by_id.get(id(found.call))
            if call is None:
                continue
            first = (JEDI, call.mark)
            if JEDI in self.libraries and first not in self._asked:
                yield JEDI, found.module, call
            elif not values_of(self._resolver, self._answers.get(first, ())):
                yield ASTROID, found.module, call

    def _doubtful(self, findings: Iterable[Finding]) -> Iterator[tuple[str, Module, Marked]]:
        """The steps of the findings' chains, those of the doubtful ones first."""
        for finding in sorted(findings, key=lambda f: f.confidence is Confidence.HIGH):
            for step in range(len(finding.chain)):
                found = self._at(finding, step)
                if found is not None:
                    yield CHECK, *found

    def _at(self, finding: Finding, step: int) -> tuple[Module, Marked] | None:
        """The call of a step."""
        hop = finding.chain[step]
        module = self._resolver.table.at(hop.path)
        if module is None or not module.is_project:
            return None
        call = self._calls_of(module).by_span.get(hop.span)
        return (module, call) if call is not None else None

    def _hint(self, mark: Mark) -> Values:
        for library in (JEDI, ASTROID):
            answer = self._answers.get((library, mark), ())
            values = values_of(self._resolver, answer) if answer else ()
            if values:
                return values
        return ()

    def _hinting(self, module: Module, call: Marked) -> str:
        """Which library alone knows the callee; empty where `resolve` does."""
        if (module.key, id(call.call.func)) not in self._resolver.hints:
            return ""
        frame = self._resolver.frame(module.key, call.site.scope)
        if self._resolver.known(evaluate(self._resolver, call.call.func, frame)):
            return ""
        answer = self._answers.get((JEDI, call.mark), ())
        return JEDI if values_of(self._resolver, answer) else ASTROID

    def _calls_of(self, module: Module) -> _Calls:
        known = self._calls.get(module.key)
        if known is None or known.facts is not module.facts:
            try:
                source = SourceText(self._resolver.table.disk.read(module.path))
            except (OSError, UnicodeDecodeError, SyntaxError):
                return _Calls(module.facts, {}, {})
            calls = list(marked_calls(module, source))
            known = _Calls(
                module.facts, {id(c.call): c for c in calls}, {c.site.span: c for c in calls}
            )
            self._calls[module.key] = known
        return known

    def _texts(self) -> dict[str, str]:
        table = self._resolver.table
        paths = [m.path for m in table.loaded() if m.is_project and table.disk.is_open(m.path)]
        return {path: table.disk.read(path) for path in paths}


def _question(library: str, module: Module, call: Marked) -> Question:
    member = getattr(call.call.func, "name", "")
    return Question(library, module.path, call.site.span, member)
