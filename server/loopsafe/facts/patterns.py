"""What the patterns of a `match` statement say of names."""

from __future__ import annotations

import ast

from loopsafe.facts.bindings import BindingReader
from loopsafe.facts.ir import Attr, Display, Expr, InstanceOf, Item, Name, Subscript


class PatternReader(BindingReader):
    """Reads patterns."""

    def pattern(self, pattern: ast.pattern, subject: Expr) -> None:
        """Notes what a pattern binds where it fits a subject, and what it tells of that."""
        if isinstance(pattern, ast.MatchAs):
            self._captured(pattern, subject)
        elif isinstance(pattern, ast.MatchClass):
            self._of_class(pattern, self._narrowed(pattern, subject))
        elif isinstance(pattern, ast.MatchOr):
            self._narrowed(pattern, subject)
            for each in pattern.patterns:
                if not isinstance(each, ast.MatchClass) or each.patterns or each.kwd_patterns:
                    self.pattern(each, subject)
        elif isinstance(pattern, ast.MatchSequence):
            self._sequence_of(pattern, subject)
        elif isinstance(pattern, ast.MatchMapping):
            for key, value in zip(pattern.keys, pattern.patterns, strict=True):
                self.pattern(value, Subscript(subject, self.expression(key)))
            if pattern.rest:
                self.bind_name(pattern.rest, None)

    def _captured(self, pattern: ast.MatchAs, subject: Expr) -> None:
        """`case x`, and `case Class() as x`."""
        inner = pattern.pattern
        if inner is not None:
            self.pattern(inner, subject)
        if pattern.name:
            kind = self._kind(inner) if inner is not None else None
            self.bind_name(pattern.name, InstanceOf(kind) if kind is not None else subject)

    def _narrowed(self, pattern: ast.pattern, subject: Expr) -> Expr:
        """The subject as an object of the pattern's classes, where it names any."""
        kind = self._kind(pattern)
        if kind is not None and isinstance(subject, (Name, Attr)):
            self.tell(subject, self.scope.tick(), kind, True)
        return InstanceOf(kind) if kind is not None else subject

    def _kind(self, pattern: ast.pattern) -> Expr | None:
        """The classes of what fits a pattern, where it is of classes only."""
        if isinstance(pattern, ast.MatchClass):
            return self.expression(pattern.cls)
        if not isinstance(pattern, ast.MatchOr):
            return None
        kinds = tuple(kind for kind in map(self._kind, pattern.patterns) if kind is not None)
        return Display("tuple", kinds) if len(kinds) == len(pattern.patterns) else None

    def _of_class(self, pattern: ast.MatchClass, found: Expr) -> None:
        """`case Point(x, y=0)`: by place, the fields of a class; and by name its attributes."""
        for place, inner in enumerate(pattern.patterns):
            self.pattern(inner, Item(found, place))
        for name, inner in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
            self.words.add(name)
            self.pattern(inner, Attr(found, name))

    def _sequence_of(self, pattern: ast.MatchSequence, subject: Expr) -> None:
        """`case [first, *rest]`, as an assignment to such targets."""
        starred = False
        for index, inner in enumerate(pattern.patterns):
            if isinstance(inner, ast.MatchStar):
                starred = True
                if inner.name:
                    self.bind_name(inner.name, Item(subject, -1))
            else:
                place = index - len(pattern.patterns) - 1 if starred else index
                self.pattern(inner, Item(subject, place))
