"""Fixes that reach beyond one function: its callers in all files, and others of its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import NamedTuple

from loopsafe.effects.uses import AllUses, Use
from loopsafe.engine.conversion import Conversion, Converter, Refused
from loopsafe.engine.cures import Cures, number_of
from loopsafe.engine.held import HeldObjects
from loopsafe.fixes import fixes
from loopsafe.fixes.everywhere import Rewritten, Stuck, Wanted, rewritten
from loopsafe.fixes.held import Blocked
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import Edit, Finding, Fix, Hop, Safety, Span
from loopsafe.modules.marks import is_test_file
from loopsafe.modules.module import Module
from loopsafe.modules.table import ModuleTable
from loopsafe.text import SourceText


class Files(NamedTuple):
    """What of an engine the fixes of several files need."""

    table: ModuleTable
    read: Callable[[str], SourceText]
    project: Callable[[], Iterable[Module]]
    findings: Callable[[str], Sequence[Finding]]
    within: Callable[[Module, int], Sequence[Finding]]
    """What would be found in a function if the loop ran it."""
    given: Callable[[Finding], Sequence[Finding]]
    """What blocks in the coroutine function that a finding's call leads to, as it is called."""
    blocking: Callable[[Finding], Blocking | None]
    twin: Callable[[str], str]
    """The async twin of a class, by full names; empty where it has none."""


class Wide:
    """Makes such fixes; keeps those of a helper, as many findings share one."""

    def __init__(self, files: Files, cures: Cures, callers: AllUses, converter: Converter) -> None:
        self._files = files
        self._cures = cures
        self._callers = callers
        self._converter = converter
        self._known: dict[tuple[object, ...], Fix | None] = {}
        self._held = HeldObjects(
            files.table,
            lambda path: cures.bare(path, files.read(path)),
            self._blocked,
            files.twin,
            callers,
            converter.shown,
        )

    def forget(self) -> None:
        """Some text changed."""
        self._known.clear()

    def of(self, finding: Finding, known: Blocking | None) -> Iterator[Fix]:
        """What else cures a finding; a fix of the kind `refused` says why it cannot be done."""
        hop = _helper(finding)
        if hop is not None:
            key = (hop.path, hop.span, finding.sink)
            if key not in self._known:
                self._known[key] = self._asynchronous(finding, hop)
            fix = self._known[key]
            if fix is not None:
                yield fix
        inside = self._within_coroutine(finding)
        for fix in (inside, self._held.fix(finding), self._unawaited(finding)):
            if fix is not None:
                yield fix

    def _asynchronous(self, finding: Finding, hop: Hop) -> Fix | None:
        """The helper that makes the blocking call as a coroutine function, awaited everywhere."""
        module = self._files.table.at(hop.path)
        number = number_of(module, hop.function) if module is not None else None
        if module is None or number is None or module.facts.functions[number].is_async:
            return None
        name = module.facts.functions[number].name
        if name == "<lambda>":
            return None
        title = f"Make {name} async, and await it wherever it is called"
        chain = finding.chain[finding.chain.index(hop) :]
        first = replace(
            finding, path=hop.path, span=hop.span, function=hop.function, chain=chain, root=None
        )
        try:
            found = self._converter.conversion(module, number, self._files.project())
            follow = {first.span, *found.awaited.get(hop.path, ())}
            others = [f for f in self._files.within(module, number) if f.span not in follow]
            made = self._rewritten(found, module, (first, *others))
        except (Refused, Stuck) as why:
            return Fix(title, Safety.DISPLAY, (), "refused", str(why))
        count = len(dict.fromkeys(edit.path for edit in made.edits))
        files = f" ({count} files)" if count > 1 else ""
        outside = f"Code outside of this workspace that calls `{name}` must await it as well."
        said = (made.caveat, _still(made.left), outside)
        return Fix(title + files, Safety.UNSAFE, made.edits, caveat=" ".join(filter(None, said)))

    def _rewritten(
        self, found: Conversion, module: Module, blocking: Sequence[Finding]
    ) -> Rewritten:
        """All edits; what blocks in the module is cured, the first in any case."""
        cured = []
        for finding in blocking:
            source, known = self._files.read(finding.path), self._files.blocking(finding)
            context = self._cures.context(finding, source, module, known)
            if context is not None:
                cured.append((finding, context))
        together = Rewritten(())
        for path in found.paths:
            context = self._cures.bare(path, self._files.read(path))
            if context is None:
                raise Stuck(f"{path} cannot be parsed")
            wanted = Wanted(
                functions=found.functions.get(path, ()),
                awaited=found.awaited.get(path, ()),
                run=found.run.get(path, ()),
                cured=cured if path == module.path else (),
            )
            try:
                made = rewritten(context, wanted, fixes)
            except Stuck as why:
                raise Stuck(f"{self._converter.shown(path)}: {why}") from None
            together = Rewritten(
                (*together.edits, *made.edits),
                together.caveat or made.caveat,
                (*together.left, *made.left),
            )
        return together

    def _within_coroutine(self, finding: Finding) -> Fix | None:
        """What a coroutine function is given and calls, in a thread where it is called.

        `await retry(lambda: client.load())` has nothing to move: `retry` calls what blocks.
        """
        leading = list(takewhile(self._coroutine_of, finding.chain[1:]))
        found = self._coroutine_of(leading[-1]) if leading else None
        if found is None:
            return None
        module, name = found
        hop = leading[-1]
        fix = self._moved(finding, hop, module)
        if fix is None:
            return None
        others = self._files.given(finding) if len(leading) == 1 else ()
        more = (
            self._moved(other, other.chain[0], module)
            for other in others
            if other.span != hop.span and not any(map(self._coroutine_of, other.chain[1:2]))
        )
        edits = self._cures.merged((fix, *filter(None, more)), hop.path, self._files.read(hop.path))
        return replace(fix, title=f"{fix.title}, in {name}()", safety=Safety.UNSAFE, edits=edits)

    def _moved(self, finding: Finding, hop: Hop, module: Module) -> Fix | None:
        """A call in a thread, where a step of a finding's chain makes it."""
        # No cure may take the call for one of what it is given here: it is given other things too.
        chain = (hop, replace(hop, function=""))
        there = replace(
            finding, path=hop.path, span=hop.span, function=hop.function, chain=chain, root=None
        )
        source, known = self._files.read(hop.path), self._files.blocking(finding)
        offered = self._cures.of(there, source, module, known)
        return next((fix for fix in offered if fix.kind == "quickfix"), None)

    def _coroutine_of(self, hop: Hop) -> tuple[Module, str] | None:
        """The coroutine function of the project that a step of a chain stands in."""
        module = self._files.table.at(hop.path) if not hop.place else None
        number = number_of(module, hop.function) if module is not None else None
        if module is None or number is None or not module.is_project:
            return None
        function = module.facts.functions[number]
        return (module, function.name) if function.is_async else None

    def _blocked(self, path: str) -> dict[Span, Blocked]:
        """The calls of a file that block by themselves."""
        found = {}
        for finding in self._files.findings(path):
            if len(finding.chain) <= 1 and not finding.derived:
                known = self._files.blocking(finding)
                # An attribute's methods are named by the client: `openai.OpenAI.files.create`.
                twin = known.twin if known is not None else finding.sink
                found[finding.span] = Blocked(finding.sink, twin.rpartition(".")[2])
        return found

    def _unawaited(self, finding: Finding) -> Fix | None:
        """A plain endpoint that its tests no longer await."""
        module = self._files.table.at(finding.path)
        number = number_of(module, finding.function) if module is not None else None
        if module is None or number is None:
            return None
        plain = self._cures.plain(finding, self._files.read(finding.path), module)
        if plain is None:
            return None
        name = module.facts.functions[number].name
        title = f"Make {name} a plain def, and do not await it in its tests"
        try:
            edits = [*plain.edits, *self._without_await(name, self._callers.uses(module, number))]
        except (Refused, Stuck) as why:
            return Fix(title, Safety.DISPLAY, (), "refused", str(why))
        return replace(plain, title=title, safety=Safety.UNSAFE, edits=tuple(edits), group="")

    def _without_await(self, name: str, uses: Sequence[Use]) -> Iterator[Edit]:
        for use in uses:
            place = f"{self._converter.shown(use.module.path)}:{use.span.line}"
            if use.kind != "call" or not is_test_file(use.module.path):
                raise Refused(f"`{name}` is not only called by the framework, but in {place}")
        for path in dict.fromkeys(use.module.path for use in uses):
            context = self._cures.bare(path, self._files.read(path))
            if context is None:
                raise Stuck(f"{self._converter.shown(path)} cannot be parsed")
            spans = [use.span for use in uses if use.module.path == path]
            yield from rewritten(context, Wanted(unawaited=spans), fixes).edits


def _still(left: Sequence[Finding]) -> str:
    """What goes on blocking in a helper."""
    calls = [f"{f.chain[0].call} in line {f.span.line}" for f in left if f.chain]
    return f"What still blocks in it: {', '.join(calls)}." if calls else ""


def _helper(finding: Finding) -> Hop | None:
    """The hop of the project's own plain function that makes the call to a library."""
    for hop in finding.chain[1:]:
        if (hop.path, hop.span) == finding.root and not hop.place:
            return hop
    return None
