"""Where comments, statements and calls lie in a file, finished or half typed.

A scan for strings, brackets and line ends, which unlike `tokenize` has an answer for every text
and the same one on every Python.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from loopsafe.text import SourceText

_TOKEN = re.compile(
    r"""
    (?P<comment>\#[^\r\n]*)
  | (?P<string>\"{3}(?:[^\\\"]|\\.|\"(?!\"\"))*\"{3}
             | '{3}(?:[^\\']|\\.|'(?!''))*'{3}
             | (?:\"{3}|'{3})[^\r\n]*
             | \"(?:[^\"\\\r\n]|\\(?:\r\n|.))*\"?
             | '(?:[^'\\\r\n]|\\(?:\r\n|.))*'?)
  | (?P<open>[(\[{])
  | (?P<close>[)\]}])
  | (?P<continued>\\(?:\r\n|\r|\n))
  | (?P<end>\r\n|\r|\n)
  | (?P<other>[^\s\#\"'()\[\]{}\\]+|\\)
    """,
    re.VERBOSE | re.DOTALL,
)
"""An unfinished string ends with its line, so that a quote just typed does not swallow the file."""

_LINE_END = re.compile(r"\r\n|\r|\n")

_STATEMENT = re.compile(
    r"(?:def|class|return|import|with|try|while|raise|assert|del|pass|break|continue|global"
    r"|nonlocal|async\s+(?:def|with))\b"
)
"""Words that never begin a line within brackets: a bracket still open there was never closed."""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment; columns in code points."""

    line: int
    column: int
    text: str
    own_line: bool
    within: int
    """Offset of the innermost open bracket around it, -1 for none."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The first and last line of a logical line; of a compound statement, its header."""

    first: int
    last: int
    decorator: bool


@dataclass(frozen=True, slots=True)
class Bracket:
    """A pair of brackets; `call` tells whether something callable stands before it."""

    first: int
    last: int
    call: bool


class Layout:
    """What `Suppressions` needs to know of a text. Lines are 1-based."""

    def __init__(self, source: SourceText) -> None:
        scan = _Scan(source.text)
        self._text = source.text
        self.comments = tuple(scan.comments)
        self.brackets = scan.brackets
        """By the offset of the opening one, in code points."""
        self.uncommentable = frozenset(scan.uncommentable)
        """Lines that end inside a string or with a backslash."""
        self._statements = scan.statements
        self._firsts = [statement.first for statement in scan.statements]

    def statement_at(self, line: int) -> Statement | None:
        """The statement that has text on this line."""
        index = bisect_right(self._firsts, line) - 1
        if index < 0 or self._statements[index].last < line:
            return None
        return self._statements[index]

    def statement_after(self, line: int) -> Statement | None:
        """The next statement that begins below a line."""
        index = bisect_right(self._firsts, line)
        return self._statements[index] if index < len(self._statements) else None

    def bracket_after(self, offset: int) -> int:
        """The offset of the bracket that follows a callee; -1 if something else does."""
        while offset < len(self._text) and self._text[offset] in " \t\f\r\n\\":
            offset += 1
        return offset if offset in self.brackets else -1


class _Scan:
    """One pass over a text; the lists fill from top to bottom."""

    def __init__(self, text: str) -> None:
        self.comments: list[Comment] = []
        self.statements: list[Statement] = []
        self.brackets: dict[int, Bracket] = {}
        self.uncommentable: set[int] = set()
        self._text = text
        self._line = 1
        self._line_start = 0
        self._code_end = 0
        self._opened: list[tuple[int, int]] = []
        self._first = 0
        self._decorator = False
        for match in _TOKEN.finditer(text):
            self._take(match.lastgroup or "", match.start(), match.end())
        self._finish(self._line)

    def _take(self, kind: str, start: int, end: int) -> None:
        if kind == "comment":
            column = start - self._line_start
            within = self._opened[-1][0] if self._opened else -1
            text = self._text[start:end]
            self.comments.append(Comment(self._line, column, text, self._at_line_start(), within))
        elif kind == "end":
            if not self._opened:
                self._finish(self._line)
            self._next_line(end)
        elif kind == "continued":
            self.uncommentable.add(self._line)
            self._next_line(end)
        else:
            self._take_code(kind, start, end)

    def _take_code(self, kind: str, start: int, end: int) -> None:
        if self._opened and self._at_line_start() and _STATEMENT.match(self._text, start):
            self._finish(self._line - 1)
        if not self._first:
            self._first, self._decorator = self._line, self._text[start] == "@"
        if kind == "open":
            self._opened.append((start, self._line))
        elif kind == "close" and self._opened:
            self._close(self._line)
        elif kind == "string":
            for ending in _LINE_END.finditer(self._text, start, end):
                self.uncommentable.add(self._line)
                self._next_line(ending.end())
        self._code_end = end

    def _at_line_start(self) -> bool:
        return self._code_end <= self._line_start

    def _next_line(self, start: int) -> None:
        self._line += 1
        self._line_start = start

    def _finish(self, line: int) -> None:
        while self._opened:
            self._close(line)
        if self._first:
            self.statements.append(Statement(self._first, line, self._decorator))
            self._first = 0

    def _close(self, line: int) -> None:
        offset, first = self._opened.pop()
        before = self._text[offset - 1] if offset else ""
        call = self._text[offset] == "(" and (before.isalnum() or before in tuple("_)]"))
        self.brackets[offset] = Bracket(first, line, call)
