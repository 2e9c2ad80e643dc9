"""Source text and its positions.

Lines end at `\\n`, `\\r\\n` or `\\r` and nowhere else, as in the language server protocol and in
`ast`. (`str.splitlines` also breaks at form feeds and U+2028 and must not be used on source.)
"""

from __future__ import annotations

import io
import re
import tokenize
from difflib import SequenceMatcher
from functools import cached_property

from loopsafe.model import Edit, Span
from loopsafe.notebook import Notebook

_LINE_END = re.compile(r"\r\n|\r|\n")


def decode(data: bytes) -> str:
    """Source bytes to text, by byte order mark, then PEP 263 comment, then UTF-8.

    Raises UnicodeDecodeError or SyntaxError (an unknown encoding) where Python would refuse too.
    Line ends are kept as they are.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding)


def encode(text: str, like: bytes) -> bytes:
    """Text to bytes in the encoding, and with the byte order mark, of the file it came from.

    Raises UnicodeEncodeError where that encoding lacks a character.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(like).readline)
    return text.encode(encoding)


class SourceText:
    """A source file's text with its line index.

    Columns come in three units: `byte` (UTF-8 bytes, as in `ast` and `Span`), `point` (code
    points, as Python's `str` counts) and `utf16` (the editor's default). Lines are 1-based.
    Out-of-range positions are clamped, as editors send positions of older texts.
    """

    def __init__(self, text: str, notebook: Notebook | None = None) -> None:
        self.text = text
        self.notebook = notebook
        """What is joined in the text, where its file is a notebook."""

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Code point offset of each line's first character."""
        return (0, *(m.end() for m in _LINE_END.finditer(self.text)))

    @property
    def line_count(self) -> int:
        return len(self.starts)

    @cached_property
    def newline(self) -> str:
        """The file's own line end, `\\n` where it has none."""
        match = _LINE_END.search(self.text)
        return match.group() if match else "\n"

    def line(self, line: int) -> str:
        """The text of a 1-based line without its line end; empty beyond the end."""
        if not 1 <= line <= len(self.starts):
            return ""
        start = self.starts[line - 1]
        stop = self.starts[line] if line < len(self.starts) else len(self.text)
        return self.text[start:stop].rstrip("\r\n")

    def point(self, line: int, byte: int) -> int:
        """Column in code points of a column in UTF-8 bytes."""
        content = self.line(line)
        if content.isascii():
            return min(byte, len(content))
        return len(content.encode()[:byte].decode(errors="ignore"))

    def utf16(self, line: int, byte: int) -> int:
        """Column in UTF-16 code units of a column in UTF-8 bytes."""
        content = self.line(line)
        if content.isascii():
            return min(byte, len(content))
        head = content.encode()[:byte].decode(errors="ignore")
        return len(head.encode("utf-16-le")) // 2

    def byte_from_point(self, line: int, point: int) -> int:
        """Column in UTF-8 bytes of a column in code points."""
        return len(self.line(line)[:point].encode())

    def byte_from_utf16(self, line: int, utf16: int) -> int:
        """Column in UTF-8 bytes of a column in UTF-16 code units."""
        content = self.line(line)
        if content.isascii():
            return min(utf16, len(content))
        head = content.encode("utf-16-le")[: 2 * utf16].decode("utf-16-le", errors="ignore")
        return len(head.encode())

    def offset(self, line: int, byte: int) -> int:
        """Code point offset in the text of a 1-based line and a UTF-8 column."""
        if line > len(self.starts):
            return len(self.text)
        return self.starts[max(line, 1) - 1] + self.point(line, byte)

    def slice(self, span: Span) -> str:
        """The text of a span."""
        start = self.offset(span.line, span.column)
        return self.text[start : self.offset(span.end_line, span.end_column)]

    def apply(self, edits: tuple[Edit, ...]) -> str:
        """The text after edits of one file, which must not overlap (ValueError if they do)."""
        text, limit = self.text, len(self.text)
        for edit in sorted(edits, key=lambda edit: edit.span, reverse=True):
            start = self.offset(edit.span.line, edit.span.column)
            stop = self.offset(edit.span.end_line, edit.span.end_column)
            if stop > limit:
                raise ValueError("edits overlap")
            text = text[:start] + edit.content + text[stop:]
            limit = start
        return text

    def lines(self) -> list[str]:
        """All lines with their line ends."""
        stops = (*self.starts[1:], len(self.text))
        lines = [self.text[a:b] for a, b in zip(self.starts, stops, strict=True)]
        return lines if lines[-1] else lines[:-1]


def difference(path: str, before: SourceText, after: str) -> tuple[Edit, ...]:
    """The edits of whole lines that make one text of another."""
    new = SourceText(after).lines()
    runs = SequenceMatcher(None, before.lines(), new, False).get_opcodes()
    return tuple(
        Edit(path, Span(*_line_start(before, start), *_line_start(before, stop)), "".join(new[i:j]))
        for kind, start, stop, i, j in runs
        if kind != "equal"
    )


def _line_start(source: SourceText, index: int) -> tuple[int, int]:
    """Where a line, counted from 0, begins; behind the last one, where the text ends."""
    if index < source.line_count:
        return index + 1, 0
    return source.line_count, len(source.line(source.line_count).encode())
