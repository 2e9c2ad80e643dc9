"""The engine's end of the fixes: what a fix may depend on besides its finding."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from loopsafe.config import Settings
from loopsafe.effects.callees import callees, exchanged, gives_plainly
from loopsafe.effects.chains import Chains
from loopsafe.effects.loop_needs import loop_need
from loopsafe.effects.outliving import outlives
from loopsafe.effects.places import Places
from loopsafe.facts.ir import Function
from loopsafe.fixes import fixes, merge, moves
from loopsafe.fixes.context import FixContext
from loopsafe.fixes.to_def import GROUP as PLAIN
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import Edit, Finding, Fix, Hop, Span
from loopsafe.modules.finder import Finder
from loopsafe.modules.module import Module
from loopsafe.modules.origins import Origin
from loopsafe.modules.roots import Versions
from loopsafe.resolve.values import GeneratorValue, Instance
from loopsafe.text import SourceText

_NEWEST = (3, 14)
"""The Python a project is taken to run on when it does not say."""

_ITERATORS = frozenset({"Iterator", "Generator"})
_TREES = 16
"""Syntax trees that are kept: findings come by file, and a fix may need others beside it."""


class Cures:
    """Finds the fixes of findings."""

    def __init__(
        self,
        settings: Settings,
        versions: Versions,
        finder: Finder,
        places: Places,
        chains: Chains,
    ) -> None:
        self._settings = settings
        self._versions = versions
        self._finder = finder
        self._places = places
        self._chains = chains
        self._trees: dict[str, ast.Module | None] = {}

    def of(
        self, finding: Finding, source: SourceText, module: Module, known: Blocking | None
    ) -> tuple[Fix, ...]:
        """What cures a finding, in the order of preference; nothing where the file is broken."""
        context = self.context(finding, source, module, known)
        return fixes(finding, context) if context is not None else ()

    def merged(self, wanted: Iterable[Fix], path: str, source: SourceText) -> tuple[Edit, ...]:
        """The edits of as many fixes of a file as can be applied together."""
        tree = self.tree(source)
        return merge(path, source, tree, wanted) if tree is not None else ()

    def moves(self, span: Span, path: str, source: SourceText) -> tuple[Fix, ...]:
        """The refactorings of a selection."""
        tree = self.tree(source)
        return tuple(moves(self._bare(path, source, tree), span)) if tree is not None else ()

    def bare(self, path: str, source: SourceText) -> FixContext | None:
        """What is known of a file without a finding; None where it does not parse."""
        tree = self.tree(source)
        return self._bare(path, source, tree) if tree is not None else None

    def context(
        self, finding: Finding, source: SourceText, module: Module, known: Blocking | None
    ) -> FixContext | None:
        """What is known of a finding's file, and of it; None where the file does not parse."""
        tree = self.tree(source)
        if tree is None:
            return None
        number = number_of(module, finding.function)
        runner = self._places.run(module, number).runner if number is not None else None
        may_convert = number is not None and runner is not None and runner.convertible
        return replace(
            self._bare(finding.path, source, tree),
            blocking=known,
            runner=runner,
            makes_coroutine=self._makes_coroutine(finding),
            outliving=partial(self._outliving, finding),
            lazy=self._is_lazy(finding),
            awaited_elsewhere=may_convert
            and number is not None
            and self._places.callers.is_called(module, number),
        )

    def plain(self, finding: Finding, source: SourceText, module: Module) -> Fix | None:
        """An endpoint as a plain function, where only calls by its name keep it from being one."""
        context = self.context(finding, source, module, None)
        if context is None or not context.awaited_elsewhere:
            return None
        offered = fixes(finding, replace(context, awaited_elsewhere=False))
        return next((fix for fix in offered if fix.group == PLAIN), None)

    def tree(self, source: SourceText) -> ast.Module | None:
        """The parsed text, or None; the last few are kept, as callers of callers share files."""
        text = source.text
        if text not in self._trees:
            if len(self._trees) == _TREES:
                del self._trees[next(iter(self._trees))]
            try:
                self._trees[text] = ast.parse(text)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                self._trees[text] = None
        return self._trees[text]

    def _bare(self, path: str, source: SourceText, tree: ast.Module) -> FixContext:
        """What is known without a finding."""
        version = self._versions.of(path) or _NEWEST
        return FixContext(
            path, source, tree, self._finder.installed, version, self._settings.offload,
            own=partial(self._is_own, path), loop_need=partial(self._loop_need, path),
            called=partial(self._called, path), exchanged=partial(self._exchanged, path),
            gives_plainly=partial(self._gives_plainly, path),
        )  # fmt: skip

    def _is_own(self, path: str, module: str) -> bool:
        found = self._finder.find(module, path)
        return found is not None and found.origin is Origin.PROJECT

    def _loop_need(self, path: str, span: Span) -> str:
        module = self._places.resolver.table.at(path)
        return loop_need(self._chains, module, span) if module is not None else ""

    def _called(self, path: str, span: Span) -> frozenset[str]:
        module = self._places.resolver.table.at(path)
        return callees(self._chains.resolver, module, span) if module else frozenset()

    def _exchanged(self, path: str, span: Span) -> frozenset[str]:
        module = self._places.resolver.table.at(path)
        return exchanged(self._chains.resolver, module, span) if module else frozenset()

    def _outliving(self, finding: Finding) -> str:
        for hop in finding.chain[1:]:
            module = self._places.resolver.table.at(hop.path) if not hop.place else None
            if module is not None and (hop.path, hop.span) == finding.root:
                return self._text(hop.path) if outlives(module, hop.span) else ""
        return ""

    def _text(self, path: str) -> str:
        try:
            return self._places.resolver.table.disk.read(path)
        except (OSError, UnicodeDecodeError, SyntaxError):
            return ""

    def _gives_plainly(self, path: str, span: Span) -> bool:
        module = self._places.resolver.table.at(path)
        return module is not None and gives_plainly(self._chains.resolver, module, span)

    def _makes_coroutine(self, finding: Finding) -> bool:
        """Whether what is called is a coroutine function, whose body blocks later."""
        if len(finding.chain) < 2:
            return False
        function = self._function(finding.chain[1])
        return function is not None and function.is_async

    def _is_lazy(self, finding: Finding) -> bool:
        """Whether what is called only makes an iterator, whose use blocks."""
        if len(finding.chain) <= 1:
            return self._gives_iterator(finding.sink)
        below = finding.chain[1:]
        return any(map(self._is_generator, below)) and self._gives_iterator(below[0].function)

    def _is_generator(self, hop: Hop) -> bool:
        function = self._function(hop)
        return function is not None and function.is_generator

    def _function(self, hop: Hop) -> Function | None:
        """The function in which a step of a chain stands."""
        module = self._places.resolver.table.at(hop.path)
        number = number_of(module, hop.function) if module is not None else None
        return module.facts.functions[number] if module is not None and number is not None else None

    def _gives_iterator(self, callee: str) -> bool:
        """Whether calling a library's function only makes an iterator."""
        resolver = self._places.resolver
        for value in resolver.named(callee):
            for given in resolver.called(value):
                if isinstance(given, GeneratorValue):
                    return True
                if isinstance(given, Instance) and given.cls.module == "typing":
                    module = resolver.module("typing")
                    name = module.facts.classes[given.cls.number].name if module else ""
                    return name in _ITERATORS
        return False


def number_of(module: Module, qualified: str) -> int | None:
    """The index of the function of a qualified name, `app.users.load`."""
    for number, function in enumerate(module.facts.functions):
        if number and f"{module.dotted}.{function.qualname}" == qualified:
            return number
    return None
