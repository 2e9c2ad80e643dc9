"""What the lines of a source text look like, whether or not it parses: indentation and openings.

Line numbers in here count from 0, and the ends of ranges are excluded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from loopsafe.facts.headers import clause_word
from loopsafe.facts.syntax import split_lines
from loopsafe.facts.tokens import HARD_KEYWORDS, is_stray, scan

_CODE = re.compile(
    r"[ \t]*(?:@|(?:async|def|class|return|if|for|while|with|try|raise|import|from|await|yield"
    r"|else|elif|except|finally|del|assert|pass|break|continue|global|nonlocal|match|case)\b"
    r"|[\w.]+(?:: [^=]+)? = )"
)
_DEFINITION = re.compile(r"[ \t]*(?:@\w|(?:async[ \t]+)?def\b|class\b)")
_CALL = re.compile(r"[\w\])]\(")


def is_empty(line: str) -> bool:
    """Whether a line has no code: it is blank, or a comment."""
    return line.strip()[:1] in ("", "#")


class Lines:
    """The lines of a text."""

    def __init__(self, text: str) -> None:
        # A form feed before a statement is not part of its indentation.
        self.texts = [line.removeprefix("\f") for line in split_lines(text)]
        self.indents = [line[: len(line) - len(line.lstrip(" \t\f"))] for line in self.texts]
        self.empty = [is_empty(line) for line in self.texts]

    def between(self, start: int, stop: int) -> str:
        """The text of some lines."""
        return "".join(self.texts[start:stop])

    def blank(self, start: int, stop: int) -> None:
        """Takes the text of some lines away."""
        for line in range(start, stop):
            self.texts[line], self.empty[line] = "\n", True

    def first(self, start: int, stop: int) -> int | None:
        """The first line that is neither empty nor a comment."""
        return next((line for line in range(start, stop) if not self.empty[line]), None)

    def starts(self, start: int, stop: int, indent: str) -> Iterator[int]:
        """Lines where statements of the block start; a decorator starts what it decorates."""
        decorated, first = False, True
        for line in range(start, stop):
            if self.empty[line] or self.indents[line] != indent:
                continue
            content = self.texts[line][len(indent) :]
            if content[0] in ")]}" or (clause_word(content) and not first):
                continue
            if not decorated:
                yield line
            first, decorated = False, content[0] == "@"

    def may_reach(self, start: int, stop: int) -> bool:
        """Whether what is opened in some lines may hold the line after them, at a quick look."""
        if not self.is_code(stop):
            return True
        text = self.between(start, stop)
        return (text.count('"""') + text.count("'''")) % 2 == 1

    def reach(self, start: int, stops: list[int]) -> int:
        """The first of some lines at which all is closed again that was opened; else -1."""
        text = "".join(self.texts[start : stops[-1]])
        wanted = set(stops)
        level, line, opened = 0, start, start
        for token in scan(text):
            part = text[token.start : token.end]
            if token.kind == "newline":
                line += 1
                if level == 0 and line in wanted:
                    return line
            elif is_stray(text, token) or (token.kind == "unclosed" and token.end == len(text)):
                return -1
            elif token.kind in ("space", "string", "interpolated"):
                line += len(split_lines(part + "x")) - 1
            elif level and part in HARD_KEYWORDS:
                # A bracket was left open above; what it holds is not known, but it ends here.
                if opened < stops[0] <= line:
                    return -1
                level = 0
            else:
                opened = opened if level else line
                level = max(level + (token.kind == "open") - (token.kind == "close"), 0)
        return stops[-1] if level == 0 else -1

    def dedent(self, start: int, stop: int, indent: str, outer: str) -> int:
        """The first definition that is indented less than a block, and more than around it."""
        less = (n for n in range(start, stop) if len(outer) < len(self.indents[n]) < len(indent))
        return next((n for n in less if _DEFINITION.match(self.texts[n])), stop)

    def is_code(self, line: int) -> bool:
        """Whether a line starts as hardly anything but a statement does."""
        return _CODE.match(self.texts[line]) is not None

    def has_call(self, line: int) -> bool:
        """Whether something seems to be called on a line."""
        return _CALL.search(self.texts[line]) is not None
