"""The engine's end of the second opinion: what to ask, what is known from it, what it changes.

Belongs to the analysis thread, except `Inquiry.ask`, which takes its time and may run anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from loopsafe.effects.chains import Chains
from loopsafe.effects.places import Places
from loopsafe.facts.ir import Attr, ModuleFacts
from loopsafe.infer.marks import Mark, Marked, marked_calls
from loopsafe.infer.names import values_of
from loopsafe.infer.opinion import SecondOpinion, never
from loopsafe.infer.unknowns import open_calls
from loopsafe.infer.verdicts import Verdict, verdict, weighed
from loopsafe.infer.wire import Answer, Question
from loopsafe.model import Confidence, Finding
from loopsafe.modules.module import Module
from loopsafe.resolve.expressions import evaluate
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Values
from loopsafe.text import SourceText

JEDI, ASTROID, CHECK = "jedi", "astroid", "check"
"""What a question is for: hints by either library, or a look at what `resolve` knows itself."""

MOST_ROUNDS = 4
"""Of inquiries about a file: an answer may open the way to further calls."""

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


class _Text(NamedTuple):
    """A module's text, and what was looked up in it so far."""

    facts: ModuleFacts
    """Kept, as an expression's `id` holds while the expression lives."""
    source: SourceText
    calls: dict[str, list[Marked]]
    """By the function they are in."""


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
        self._texts: dict[str, _Text] = {}
        self._hints: dict[Mark, Values] = {}

    def changed(self) -> None:
        """Some file changed: hints are made anew from the answers, and all may be asked again."""
        self._asked.clear()
        if not self._answers:
            return
        before = self._hints
        self._renew()
        # A mark that came or went did so in a changed text, whose answers are dropped anyway.
        self._tell(mark for mark in before if self._hints.get(mark, before[mark]) != before[mark])

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
        return Inquiry(module.path, tuple(wanted.items()), self._buffers(), self.opinion)

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
            before = self._hints
            self._renew()
            marks = {*before, *self._hints}
            self._tell(mark for mark in marks if before.get(mark) != self._hints.get(mark))
        return news

    def hinted(self, finding: Finding) -> bool:
        """Whether the finding rests on a hint, which another answer may replace."""
        steps = (self._at(finding, step) for step in range(len(finding.chain)))
        return bool(self._hints) and any(found and self._hinting(*found) for found in steps)

    def weigh(self, finding: Finding) -> Finding:
        """The finding with the confidence that the answers leave it."""
        if not self._answers:
            return finding
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

    def _renew(self) -> None:
        """Makes the hints of the answers, for the files as they are now."""
        self._resolver.hints.clear()
        self._hints = {}
        functions: dict[str, set[str]] = {}
        for (_, mark), answer in self._answers.items():
            if answer:
                functions.setdefault(mark.path, set()).add(mark.function)
        for path, names in functions.items():
            module = self._resolver.table.at(path)
            if module is None:
                continue
            for call in (c for name in names for c in self._calls(module, name)):
                _, values = self._settled(call)
                if values:
                    self._resolver.hints[module.key, id(call.call.func)] = values
                    self._hints[call.mark] = values

    def _tell(self, marks: Iterable[Mark]) -> None:
        paths = {mark.path for mark in marks}
        modules = [self._resolver.table.at(path) for path in paths]
        if modules:
            self._stale(tuple(module.key for module in modules if module is not None))

    def _open(self, module: Module) -> Iterator[tuple[str, Module, Marked]]:
        """Calls with an unknown callee: one library first, the other where it has no answer."""
        for found in open_calls(self._resolver, self._chains, self._places, module):
            calls = self._calls(found.module, found.function.qualname)
            call = next((c for c in calls if c.call is found.call), None)
            if call is None:
                continue
            for library in _order(call):
                if library not in self.libraries:
                    continue
                if (library, call.mark) not in self._asked:
                    yield library, found.module, call
                    break
                if self._answered(library, call):
                    break

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
        function = hop.function.removeprefix(f"{module.dotted}.")
        for call in self._calls(module, function):
            if call.span == hop.span:
                return module, call
        return None

    def _settled(self, call: Marked) -> tuple[str, Values]:
        """What the libraries say of a callee, and which one does."""
        for library in _order(call):
            values = self._answered(library, call)
            if values:
                return library, values
        return "", ()

    def _answered(self, library: str, call: Marked) -> Values:
        answer = self._answers.get((library, call.mark), ())
        return values_of(self._resolver, answer) if answer else ()

    def _hinting(self, module: Module, call: Marked) -> str:
        """Which library alone knows the callee; empty where `resolve` does."""
        if (module.key, id(call.call.func)) not in self._resolver.hints:
            return ""
        frame = self._resolver.frame(module.key, call.site.scope)
        known = self._resolver.known(evaluate(self._resolver, call.call.func, frame))
        return "" if known else self._settled(call)[0]

    def _calls(self, module: Module, function: str) -> list[Marked]:
        """The calls of the functions with a name."""
        text = self._texts.get(module.key)
        if text is None or text.facts is not module.facts:
            try:
                source = SourceText(self._resolver.table.disk.read(module.path))
            except (OSError, UnicodeDecodeError, SyntaxError):
                return []
            text = self._texts[module.key] = _Text(module.facts, source, {})
        if function not in text.calls:
            text.calls[function] = list(marked_calls(module, text.source, function))
        return text.calls[function]

    def _buffers(self) -> dict[str, str]:
        table = self._resolver.table
        paths = [m.path for m in table.loaded() if m.is_project and table.disk.is_open(m.path)]
        return {path: table.disk.read(path) for path in paths}


def _order(call: Marked) -> tuple[str, str]:
    """Who is asked first: jedi knows receivers, astroid tables and what is looked up in them."""
    return (JEDI, ASTROID) if isinstance(call.call.func, Attr) else (ASTROID, JEDI)


def _question(library: str, module: Module, call: Marked) -> Question:
    member = getattr(call.call.func, "name", "")
    return Question(library, module.path, call.span, member)
