"""Comments that hide findings: `# loopsafe: ignore[blocking-http] reason`, and `# noqa`.

A comment speaks for the line it ends, on the first or last line of a statement for all of it,
below a call's own line for that call, and alone on a line for the statement that follows.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
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
OF_NOQA = {
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

_KEPT = "unused-ignore"
"""A comment that names this rule stays, whatever it hides."""


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


@dataclass(frozen=True, slots=True)
class Useless:
    """A comment of our own that hides nothing, or a rule in it."""

    span: Span
    """Of the comment, or of the rule's name."""
    code: str = ""
    """The rule; empty where the whole comment is meant."""


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
        return next(self._covering(finding), None)

    def _covering(self, finding: Finding) -> Iterator[IgnoreComment]:
        text = self._source.text.lower()
        if "loopsafe" not in text and "noqa" not in text:
            return
        span = finding.span
        call = self._layout.bracket_after(self._source.offset(span.end_line, span.end_column))
        for ignore in self.comments:
            if ignore.codes is not None and finding.code not in ignore.codes:
                continue
            on_line = ignore.first <= span.end_line and span.line <= ignore.last
            if ignore.first == 0 or on_line or call in ignore.calls:
                yield ignore

    def useless(
        self, findings: Iterable[Finding], off: Container[str], known: Iterable[str]
    ) -> Iterator[Useless]:
        """What of the comments hides none of a file's findings, hidden ones included.

        `off` are rules that are not looked for, `known` all that there are.
        """
        if "loopsafe" not in self._source.text.lower():
            return
        used: dict[IgnoreComment, set[str]] = {}
        for finding in findings:
            for comment in self._covering(finding):
                used.setdefault(comment, set()).add(finding.code)
        for comment in self.comments:
            if comment.noqa or _KEPT in (comment.codes or ()):
                continue
            hides = used.get(comment, set())
            if comment.codes is None:
                if not hides and not any(code in off for code in known):
                    yield Useless(comment.span)
                continue
            idle = sorted(code for code in comment.codes - hides if code not in off)
            if idle and set(idle) == comment.codes and set(idle) <= set(known):
                yield Useless(comment.span)
            else:
                yield from (Useless(self._word(comment, code), code) for code in idle)

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

    def _word(self, comment: IgnoreComment, code: str) -> Span:
        """Where a rule's name stands in a comment."""
        span = comment.span
        start = self._source.point(span.line, span.column)
        text = self._source.slice(span)
        found = re.search(rf"(?<![\w-]){re.escape(code)}(?![\w-])", text)
        at = start + (found.start() if found else 0)
        return _insert("", self._source, span.line, at, at + len(code), "").span

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


def removal(path: str, source: SourceText, span: Span) -> Edit:
    """Takes a comment out, with its line where it is alone there; or a rule out of a comment."""
    line = source.line(span.line)
    start = source.point(span.line, span.column)
    stop = source.point(span.line, span.end_column)
    if not line[start:].startswith("#"):
        after = re.match(r"\s*,\s*", line[stop:])
        before = re.search(r"\s*,\s*$", line[:start])
        if after:
            stop += after.end()
        elif before:
            start = before.start()
        return _insert(path, source, span.line, start, stop, "")
    head, tail = line[:start], line[stop:].lstrip()
    if head.strip() or tail:
        start = len(head) if tail else len(head.rstrip())
        return _insert(path, source, span.line, start, len(line) - len(tail), "")
    if span.line < source.line_count:
        return Edit(path, Span(span.line, 0, span.line + 1, 0), "")
    return _insert(path, source, span.line, 0, len(line), "")


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
            known = frozenset(code for noqa, code in OF_NOQA.items() if noqa.startswith(prefixes))
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
