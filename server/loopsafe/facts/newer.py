"""Rewrites syntax newer than the running interpreter into older syntax of the same meaning.

Covers, for Python 3.10 to 3.13 as the interpreter: `except A, B:` (3.14), t-strings (3.14), type
parameter defaults (3.13), type parameters, `type` statements and freely quoted f-strings (3.12),
`except*` and starred subscripts (3.11). A `Rewriting` remembers where everything came from.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from loopsafe.facts.rewriting import LINE_END, Edit, Rewriting, apply
from loopsafe.facts.tokens import Field, Interpolated, Token, interpolated, scan

_SINCE = tuple(
    (since, re.compile(pattern))
    for since, pattern in (
        ((3, 14), r"except\b(?:[\w. \t*\[\]]|\([^()\r\n]*\))*,"),
        ((3, 14), r"(?<![\w\"'])(?:[tT][rR]?|[rR][tT])['\"]"),
        ((3, 13), r"(?:def|class|type)[ \t]+\w+[ \t]*\["),
        ((3, 12), r"type[ \t]+\w+[ \t]*[=\[]"),
        ((3, 11), r"except[ \t]*\*"),
        ((3, 11), r"[\[,:]\s*\*"),
    )
)
"""What syntax of a version looks like, with false alarms."""


def rewrite(
    text: str,
    strings: bool = True,
    others: bool = True,
    version: tuple[int, int] | None = None,
) -> Rewriting | None:
    """The text for an older Python; None where nothing in it is newer.

    `strings` tells that f-strings as Python 3.12 has them may be in it, `others` that anything
    else may.
    """
    version = version or sys.version_info[:2]
    wanted = strings and version < (3, 12)
    if not wanted and others:
        wanted = any(version < since and pattern.search(text) for since, pattern in _SINCE)
    if not wanted:
        return None
    rewriter = _Rewriter(text, version)
    rewriter.run()
    return apply(text, rewriter.edits, rewriter.strings) if rewriter.edits else None


@dataclass(slots=True)
class _Rewriter:
    text: str
    version: tuple[int, int]
    edits: list[Edit] = field(default_factory=list)
    strings: dict[int, int] = field(default_factory=dict)
    """Start offsets of f-strings that became other expressions, to their ends."""

    def run(self) -> None:
        tokens = list(self._significant(0, len(self.text)))
        for index, token in enumerate(tokens):
            if token.kind == "name":
                self._name(tokens, index)
            elif token.kind == "open" and self.version < (3, 11):
                self._stars(tokens, index)
        self._texts(tokens)
        self.edits.sort()

    def _significant(self, start: int, stop: int) -> Iterator[Token]:
        """Tokens without blanks and comments, and without line ends inside brackets."""
        level = 0
        for token in scan(self.text, start):
            if token.start >= stop:
                return
            level = max(level + (token.kind == "open") - (token.kind == "close"), 0)
            if token.kind not in ("space", "comment") and not (token.kind == "newline" and level):
                yield token

    def _name(self, tokens: list[Token], index: int) -> None:
        word = self._part(tokens[index])
        first = index == 0 or self._part(tokens[index - 1]) in ("\n", "\r\n", "\r", ";", ":")
        following = [self._part(t) for t in tokens[index + 1 : index + 3]]
        if len(following) < 2:
            return
        if word in ("def", "class") and following[1] == "[":
            self._type_parameters(tokens, index + 2)
        elif word == "type" and first and tokens[index + 1].kind == "name":
            if following[1] == "[":
                self._type_parameters(tokens, index + 2)
            if following[1] in ("[", "=") and self.version < (3, 12):
                self.edits.append(Edit(tokens[index].start, tokens[index + 1].start, ""))
        elif word == "except" and first:
            self._except(tokens, index + 1)

    def _type_parameters(self, tokens: list[Token], opening: int) -> None:
        closing = self._closing(tokens, opening)
        if closing < 0:
            return
        defaults = any(self._part(t) == "=" for t in tokens[opening:closing])
        if self.version < (3, 12) or (self.version < (3, 13) and defaults):
            start, end = tokens[opening].start, tokens[closing].end
            self.edits.append(Edit(start, end, _blank(self.text[start:end])))

    def _except(self, tokens: list[Token], index: int) -> None:
        if self._part(tokens[index]) == "*":
            if self.version < (3, 11):
                self.edits.append(Edit(tokens[index].start, tokens[index].end, " "))
            index += 1
        level, several = 0, False
        for token in tokens[index:]:
            part = self._part(token)
            if token.kind == "newline" or (level == 0 and part == "as"):
                return
            if level == 0 and part == ":":
                if several and self.version < (3, 14):
                    start = tokens[index].start
                    self.edits.append(Edit(start, start, "("))
                    self.edits.append(Edit(token.start, token.start, ")"))
                return
            several = several or (level == 0 and part == ",")
            level += (token.kind == "open") - (token.kind == "close")

    def _stars(self, tokens: list[Token], opening: int) -> None:
        """`a[*b]`, and in `def` the `*args: *Ts`: the star goes."""
        bracket = self._part(tokens[opening])
        before = tokens[opening - 1] if opening else tokens[opening]
        indexes = bracket == "[" and (
            before.kind in ("name", "close", "string") and before.end == tokens[opening].start
        )
        closing = self._closing(tokens, opening)
        level = 0
        for index in range(opening, max(closing, opening)):
            part = self._part(tokens[index])
            level += (tokens[index].kind == "open") - (tokens[index].kind == "close")
            starts = (indexes and part in ("[", ",")) or (bracket == "(" and part == ":")
            if level == 1 and starts and self._part(tokens[index + 1]) == "*":
                self.edits.append(Edit(tokens[index + 1].start, tokens[index + 1].end, " "))

    def _texts(self, tokens: list[Token]) -> None:
        """Strings that stand next to each other are one, so they are rewritten together."""
        run: list[Token] = []
        for token in [*tokens, None]:
            if token and token.kind in ("string", "interpolated"):
                run.append(token)
            elif run:
                self._strings(run)
                run = []

    def _strings(self, run: list[Token]) -> None:
        found = [
            i for t in run if t.kind == "interpolated" if (i := interpolated(self.text, t.start))
        ]
        if not found:
            return
        if self.version < (3, 12) and any(self._is_free(i) for i in found):
            fields = [f for i in found for f in _flat(i.fields)]
            self._as_expression(run[0].start, run[-1].end, fields)
        elif self.version < (3, 14):
            for string in found:
                prefix = self.text[string.start : string.end].partition(string.quote)[0]
                if "t" in prefix.lower():
                    stop = string.start + len(prefix)
                    new = prefix.replace("t", "f").replace("T", "F")
                    self.edits.append(Edit(string.start, stop, new))
        for string in found:
            for place in _flat(string.fields):
                self._texts(list(self._significant(place.start, place.end)))

    def _is_free(self, string: Interpolated) -> bool:
        """Whether an f-string holds in its fields what was forbidden before Python 3.12."""
        deep = any(f.inner and any(i.inner for i in f.inner) for f in string.fields)
        for place in _flat(string.fields):
            inside = self.text[place.start : place.end]
            if string.quote in inside or "\\" in inside or "#" in inside:
                return True
            if len(string.quote) == 1 and ("\n" in inside or "\r" in inside):
                return True
        return deep

    def _as_expression(self, start: int, end: int, fields: list[Field]) -> None:
        """`f"a{b}c"` -> `(""%((b),))`, of which only the text between the fields is new."""
        self.strings[start] = end
        previous, opening = start, '(""%(('
        for place in fields:
            self._gap(previous, place.start, opening)
            previous, opening = place.end, "),("
        self._gap(previous, end, "),))")

    def _gap(self, start: int, end: int, new: str) -> None:
        lines = "\n" * (len(LINE_END.split(self.text[start:end])) - 1)
        # Line ends go inside the outer brackets, where they end no statement.
        new = f"),{lines}))" if new == "),))" else new + lines
        self.edits.append(Edit(start, end, new))

    def _closing(self, tokens: list[Token], opening: int) -> int:
        level = 0
        for index in range(opening, len(tokens)):
            level += (tokens[index].kind == "open") - (tokens[index].kind == "close")
            if level == 0:
                return index
        return -1

    def _part(self, token: Token) -> str:
        return self.text[token.start : token.end]


def _flat(fields: tuple[Field, ...]) -> Iterator[Field]:
    for place in fields:
        yield place
        yield from _flat(place.inner)


def _blank(text: str) -> str:
    """Blanks of the same width, continued where the text has line ends."""
    blank = [" " * len(line.encode()) for line in LINE_END.split(text)]
    return "\\\n".join([*(line[:-1] for line in blank[:-1]), blank[-1]])
