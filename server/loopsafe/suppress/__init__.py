"""Comments that hide findings: `# loopsafe: ignore[blocking-http] reason`, and `# noqa`.

A comment speaks for the line it ends, on the first or last line of a statement for all of it,
below a call's own line for that call, and alone on a line for the statement that follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from loopsafe.model import Edit, Finding, Span
from loopsafe.suppress.layout import Comment, Layout
from loopsafe.text import SourceText

_MARK = re.compile(
    r"\#\s*loopsafe\s*:\s*ignore(?P<file>-file)?(?![\w-])"
    r"(?:\s*\[(?P<codes>[^\[\]\#]*)(?P<closed>\])?)?\s*(?P<reason>[^\#]*)",
    re.IGNORECASE,
)
_NOQA = re.compile(
    r"\#\s*(?P<file>(?:ruff|flake8)\s*:\s*)?noqa(?!\w)"
    r"(?P<list>\s*:\s*(?P<codes>[A-Z]+[0-9]*(?:[,\s]+[A-Z]+[0-9]+)*)?)?",
    re.IGNORECASE,
)
_OF_NOQA = {
    "ASYNC210": "blocking-http",
    "ASYNC211": "blocking-http",
    "ASYNC212": "blocking-http",
    "ASYNC220": "blocking-subprocess",
    "ASYNC221": "blocking-subprocess",
    "ASYNC222": "blocking-subprocess",
    "ASYNC230": "blocking-file",
    "ASYNC231": "blocking-file",
    "ASYNC232": "blocking-file",
    "ASYNC240": "blocking-file",
    "ASYNC250": "blocking-input",
    "ASYNC251": "blocking-sleep",
}
"""What flake8-async and ruff call the same mistakes."""


@dataclass(frozen=True, slots=True)
class IgnoreComment:
    """One comment that hides findings."""

    span: Span
    """From its `#` to its end; another comment may follow on the line."""
    codes: frozenset[str] | None
    """The rules it hides; None for every rule."""
    reason: str
    noqa: bool
    """Written for another linter."""
    first: int
    """The lines it speaks for; `first` 0 means the whole file."""
    last: int
    calls: frozenset[int] = frozenset()
    """Offsets of the opening brackets of the calls that it speaks for."""


class Suppressions:
    """The ignore comments of one file."""

    def __init__(self, source: SourceText) -> None:
        self._source = source

    @cached_property
    def comments(self) -> tuple[IgnoreComment, ...]:
        """All of them, from the top."""
        return tuple(
            ignore
            for comment in self._layout.comments
            if "loopsafe" in comment.text.lower() or "noqa" in comment.text.lower()
            for ignore in _read(comment, self._source, self._layout)
        )

    def hides(self, finding: Finding) -> bool:
        """Whether a comment covers the finding."""
        return self.hiding(finding) is not None

    def hiding(self, finding: Finding) -> IgnoreComment | None:
        """The comment that covers the finding, if one does."""
        text = self._source.text.lower()
        if "loopsafe" not in text and "noqa" not in text:
            return None
        span = finding.span
        call = self._layout.bracket_after(self._source.offset(span.end_line, span.end_column))
        for ignore in self.comments:
            if ignore.codes is not None and finding.code not in ignore.codes:
                continue
            on_line = ignore.first <= span.end_line and span.line <= ignore.last
            if ignore.first == 0 or on_line or call in ignore.calls:
                return ignore
        return None

    def unused(self, findings: Iterable[Finding]) -> tuple[IgnoreComment, ...]:
        """The comments of our own that hide none of a file's findings, hidden ones included."""
        used = {self.hiding(finding) for finding in findings}
        return tuple(c for c in self.comments if not c.noqa and c not in used)

    def code_at(self, line: int, column: int) -> str:
        """The rule written at a place inside an ignore comment of our own; empty elsewhere."""
        for ignore in self.comments:
            span = ignore.span
            if ignore.noqa or span.line != line or not span.column <= column <= span.end_column:
                continue
            start = self._source.offset(line, span.column)
            here = self._source.offset(line, column)
            for word in re.finditer(r"[\w-]+", self._source.slice(span)):
                if start + word.start() <= here <= start + word.end():
                    return word.group() if word.group() in (ignore.codes or ()) else ""
        return ""

    @cached_property
    def _layout(self) -> Layout:
        return _layout_of(self._source)


@lru_cache(maxsize=4)
def _layout_of(source: SourceText) -> Layout:
    """Of a file whose findings are asked about one after the other."""
    return Layout(source)


def suppressions(source: SourceText) -> Suppressions:
    """The ignore comments of a file, read when first asked for."""
    return Suppressions(source)


def ignore_edit(
    path: str, source: SourceText, line: int, code: str, reason: str = ""
) -> Edit | None:
    """Hides a rule's findings on a line, in a comment that is there or a new one.

    None if a comment hides them already. Where the line itself cannot end in a comment, inside a
    string or before a backslash, the statement's last line takes it.
    """
    layout = _layout_of(source)
    for ignore in Suppressions(source).comments:
        if ignore.noqa or not ignore.first <= line <= ignore.last:
            continue
        if ignore.codes is None or code in ignore.codes:
            return None
        closing = source.slice(ignore.span).find("]")
        if closing > 0:
            at = source.point(ignore.span.line, ignore.span.column) + closing
            content = f", {code}" if ignore.codes else code
            return _insert(path, source, ignore.span.line, at, at, content)
    statement = layout.statement_at(line)
    if line in layout.uncommentable and statement:
        line = statement.last
    content = source.line(line)
    end = len(content.rstrip())
    comment = f"  # loopsafe: ignore[{code}] {reason}".rstrip()
    return _insert(path, source, line, end, len(content), comment)


def _insert(path: str, source: SourceText, line: int, start: int, stop: int, text: str) -> Edit:
    span = Span(line, source.byte_from_point(line, start), line, source.byte_from_point(line, stop))
    return Edit(path, span, text)


def _read(comment: Comment, source: SourceText, layout: Layout) -> Iterable[IgnoreComment]:
    for match in _MARK.finditer(comment.text):
        written = match["codes"]
        codes = None if written is None else _codes(written if match["closed"] else "")
        ignore = _place(comment, match, codes, source, layout)
        if ignore:
            yield ignore
    for match in _NOQA.finditer(comment.text):
        known: frozenset[str] | None = None
        if match["list"]:
            prefixes = tuple(_codes((match["codes"] or "").upper()))
            known = frozenset(code for noqa, code in _OF_NOQA.items() if noqa.startswith(prefixes))
        ignore = _place(comment, match, known, source, layout)
        if ignore and not (ignore.first == 0 and known is None):
            yield ignore


def _codes(written: str) -> frozenset[str]:
    return frozenset(re.split(r"[,\s]+", written.strip())) - {""}


def _place(
    comment: Comment,
    match: re.Match[str],
    codes: frozenset[str] | None,
    source: SourceText,
    layout: Layout,
) -> IgnoreComment | None:
    """The comment with the lines and calls that it speaks for."""
    noqa = match.re is _NOQA
    start = comment.column + match.start()
    stop = comment.column + len(match.string[: match.end()].rstrip())
    span = _insert("", source, comment.line, start, stop, "").span
    reason = "" if noqa else match["reason"].strip()
    if match["file"]:
        return IgnoreComment(span, codes, reason, noqa, 0, 0) if comment.own_line else None
    if comment.own_line and noqa:
        return None
    line = comment.line
    statement = layout.statement_at(line)
    if comment.own_line and comment.within < 0:
        first, last = _following(line, layout)
        return IgnoreComment(span, codes, reason, noqa, first, last)
    if comment.own_line:
        line = _next_code_line(line, source)
    elif statement and line in (statement.first, statement.last):
        return IgnoreComment(span, codes, reason, noqa, statement.first, statement.last)
    calls = _calls_on(line, comment.within, layout)
    return IgnoreComment(span, codes, reason, noqa, line, line, calls)


def _following(line: int, layout: Layout) -> tuple[int, int]:
    """The lines of the statement below; of decorators with the `def` they belong to."""
    statement = layout.statement_after(line)
    if statement is None:
        return line, line
    first = statement.first
    while statement.decorator:
        following = layout.statement_after(statement.last)
        if following is None:
            break
        statement = following
    return first, statement.last


def _next_code_line(line: int, source: SourceText) -> int:
    for number in range(line + 1, source.line_count + 1):
        content = source.line(number).strip()
        if content and not content.startswith("#"):
            return number
    return line


def _calls_on(line: int, within: int, layout: Layout) -> frozenset[int]:
    """The calls that end on a line; if none begins or ends there, the one around it."""
    calls = {at: pair for at, pair in layout.brackets.items() if pair.call}
    ending = frozenset(at for at, pair in calls.items() if pair.first < line == pair.last)
    if ending or any(pair.first == line for pair in calls.values()) or within not in calls:
        return ending
    return frozenset({within})
