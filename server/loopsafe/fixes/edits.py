"""Edits by character offset, and the gate that lets only those through that still compile."""

from __future__ import annotations
import __future__

import ast
import re
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from loopsafe.model import Edit, Span
from loopsafe.text import SourceText

_TRIVIA = re.compile(r"(?:[ \t\f\r\n)]|\\\r?\n|#[^\r\n]*)*")
_IN_CLASS = "class _:\n"
"""Stands for the head of a class."""


class Draft:
    """A file to be edited. Offsets count code points from its start."""

    def __init__(self, path: str, source: SourceText) -> None:
        self.path = path
        self.source = source

    def start(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        """Where a node begins."""
        return self.source.offset(node.lineno, node.col_offset)

    def stop(self, node: ast.expr | ast.stmt) -> int:
        """Where a node ends."""
        line, column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return self.source.offset(line, column)

    def code(self, node: ast.expr | ast.stmt) -> str:
        """A node as it is written, without brackets around it."""
        return self.source.text[self.start(node) : self.stop(node)]

    def replace(self, start: int, stop: int, content: str) -> Edit:
        """An edit of a range; of an empty range, an insertion."""
        return Edit(self.path, Span(*self._place(start), *self._place(stop)), content)

    def insert(self, at: int, content: str) -> Edit:
        """An insertion."""
        return self.replace(at, at, content)

    def bracket(self, call: ast.Call) -> int:
        """Where the argument list of a call opens."""
        match = _TRIVIA.match(self.source.text, self.stop(call.func))
        return match.end() if match else self.stop(call.func)

    def callee_stop(self, call: ast.Call) -> int:
        """Where the callee ends, brackets around it included: `(f)` in `(f)(x)`."""
        stop = self.stop(call.func)
        gap = self.source.text[stop : self.bracket(call)]
        closing = re.sub(r"#[^\r\n]*", lambda m: " " * len(m.group()), gap).rfind(")")
        return stop + closing + 1

    def indent(self, line: int) -> str:
        """The white space at the start of a line."""
        content = self.source.line(line)
        return content[: len(content) - len(content.lstrip(" \t\f"))]

    def faithful(self, node: ast.expr) -> bool:
        """Whether the node's position is right; older Pythons misplace parts of f-strings."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                parsed = ast.parse(f"({self.code(node)}\n)", mode="eval").body
        except (SyntaxError, ValueError):
            return False
        return ast.dump(parsed) == ast.dump(node)

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.source.starts, offset)
        point = offset - self.source.starts[line - 1]
        return line, self.source.byte_from_point(line, point)


def span_of(node: ast.AST) -> Span:
    """Where a node stands."""
    return Span(
        getattr(node, "lineno", 0),
        getattr(node, "col_offset", 0),
        getattr(node, "end_lineno", 0),
        getattr(node, "end_col_offset", 0),
    )


def compiles(draft: Draft, tree: ast.Module, edits: Iterable[Edit]) -> bool:
    """Whether the file still compiles after the edits, if it did before.

    Only those statements of the module, and of its classes, are compiled that an edit touches, and
    new lines between them.
    """
    flags = 0
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            for alias in node.names:
                flags |= getattr(getattr(__future__, alias.name, None), "compiler_flag", 0)
    for before, after in _regions(draft.source, tree, tuple(edits)):
        if not _compiles(after, flags) and (_compiles(before, flags) or not _parses(after)):
            return False
    return True


def _regions(
    source: SourceText, tree: ast.Module, edits: tuple[Edit, ...]
) -> Iterator[tuple[str, str]]:
    """The touched statements of the module, before and after."""
    left = list(edits)
    for first, last in _line_ranges(tree):
        inside = [e for e in left if e.span.line <= last and first <= _last_line(e.span)]
        if not inside:
            continue
        left = [e for e in left if e not in inside]
        members = _members(tree, first, last)
        parts = [(m, [e for e in inside if _lies_in(e.span, m)]) for m in members]
        if sum(len(edits) for _, edits in parts) == len(inside):
            for lines, touching in parts:
                if touching:
                    before, after = _region(source, *lines, touching)
                    yield _IN_CLASS + before, _IN_CLASS + after
        else:
            start = min(first, *(e.span.line for e in inside))
            stop = max(last, *(_last_line(e.span) for e in inside))
            yield _region(source, start, stop, inside)
    for edit in left:
        yield "", edit.content


def _region(source: SourceText, start: int, stop: int, edits: list[Edit]) -> tuple[str, str]:
    """Some lines before and after edits in them."""
    text = SourceText("".join(source.line(n) + "\n" for n in range(start, stop + 1)))
    moved = tuple(Edit(e.path, _shifted(e.span, start - 1), e.content) for e in edits)
    return text.text, text.apply(moved)


def _members(tree: ast.Module, first: int, last: int) -> list[tuple[int, int]]:
    """First and last lines of the statements of the class that has these lines for itself."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and (first_line(node), node.end_lineno) == (first, last):
            ranges = _line_ranges(node)
            return ranges if ranges[0][0] > node.lineno else []
    return []


def _lies_in(span: Span, lines: tuple[int, int]) -> bool:
    return lines[0] <= span.line and span.end_line <= lines[1]


def _last_line(span: Span) -> int:
    """The last line that a range has something of: lines taken out end where the next begins."""
    return span.end_line - (span.end_column == 0 and span.end_line > span.line)


def _line_ranges(tree: ast.Module | ast.ClassDef) -> list[tuple[int, int]]:
    """First and last lines of the statements; those that share a line are one range."""
    ranges: list[tuple[int, int]] = []
    for node in tree.body:
        first, last = first_line(node), node.end_lineno or node.lineno
        if ranges and first <= ranges[-1][1]:
            first, last = ranges[-1][0], max(last, ranges.pop()[1])
        ranges.append((first, last))
    return ranges


def first_line(node: ast.stmt) -> int:
    """Where a statement begins, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(d.lineno for d in decorators)])


def _shifted(span: Span, lines: int) -> Span:
    return span._replace(line=span.line - lines, end_line=span.end_line - lines)


def _compiles(text: str, flags: int) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<fix>", "exec", flags=flags, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _parses(text: str) -> bool:
    return _compiles(text, ast.PyCF_ONLY_AST)
