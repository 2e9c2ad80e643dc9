"""`ast.parse` for source of any Python version, and its failures as plain data."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from loopsafe.facts.newer import rewrite

FAILURES = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)
"""What parsing bad source may raise."""

_FSTRING = re.compile(r"[fF][rR]?['\"]|[rR][fF]['\"]")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """A place that does not parse."""

    line: int
    """From 1."""
    column: int | None
    """In UTF-8 bytes from 0; None where the parser names none."""
    message: str


def parse_text(text: str, first_line: int = 1, is_newer: bool = True) -> ast.Module:
    """The tree of a text whose first line is the given one of its file. Raises FAILURES.

    `is_newer` tells that there may be syntax in it that the running interpreter does not know.
    """
    try:
        return parse_plain(text, first_line)
    except SyntaxError as failure:
        tree, _ = parse_newer(text, failure, first_line, is_newer)
        if tree is None:
            raise
        return tree


def parse_newer(
    text: str, failure: SyntaxError, first_line: int = 1, is_newer: bool = True
) -> tuple[ast.Module | None, bool]:
    """The tree of a text that did not parse as it is, and whether newer syntax was in it."""
    rewriting = rewrite(text, _blames_fstring(failure), is_newer)
    if rewriting is None:
        return None, False
    try:
        tree = parse_plain(rewriting.text, first_line)
    except FAILURES:
        return None, True
    rewriting.restore(tree, first_line)
    return tree, True


def parse_plain(text: str, first_line: int = 1) -> ast.Module:
    """What the running interpreter makes of it. Raises FAILURES."""
    with warnings.catch_warnings():
        # Whatever the parser thinks of escapes in strings is not ours to print.
        warnings.simplefilter("ignore")
        whole = "\n" * (first_line - 1) + text
        try:
            return ast.parse(whole)
        except SystemError:
            # Of Python 3.11, where something else is parsed meanwhile: gh-106905 of CPython.
            return ast.parse(whole)


def split_lines(text: str) -> list[str]:
    """Lines with their ends, divided where the parser divides them."""
    return _LINE.findall(text)


def problem_of(failure: BaseException, line: int, lines: Sequence[str]) -> SyntaxProblem:
    """A failure as data; `lines` are the file's, and at `line`, from 1, the failed piece starts."""
    if not isinstance(failure, SyntaxError):
        deep = isinstance(failure, (RecursionError, MemoryError))
        return SyntaxProblem(line, None, "too deeply nested" if deep else str(failure))
    message = failure.msg.partition(" (<unknown>")[0]
    place, offset = failure.lineno, failure.offset
    if place is None or not line <= place <= len(lines):
        return SyntaxProblem(line, None, message)
    if offset is None or offset < 1:
        return SyntaxProblem(place, None, message)
    return SyntaxProblem(
        place, len(lines[place - 1].rstrip("\r\n")[: offset - 1].encode()), message
    )


def _blames_fstring(failure: SyntaxError) -> bool:
    """Whether the failure is what older parsers make of the f-strings of Python 3.12."""
    if "f-string" in failure.msg:
        return True
    is_open = "unterminated" in failure.msg or "EOL" in failure.msg
    return is_open and _FSTRING.search(failure.text or "") is not None
