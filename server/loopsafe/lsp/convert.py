"""Between the model and the protocol: addresses, positions, diagnostics and edits."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, unquote_to_bytes, urlsplit

from lsprotocol import types

from loopsafe.explain import rule_url, step
from loopsafe.lsp.client import Client
from loopsafe.lsp.documents import OpenCell
from loopsafe.model import Edit, Finding, Hop, Severity, Span
from loopsafe.text import SourceText

SOURCE = "loopsafe"
_PREVIEW = "loopsafe.preview"
_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFORMATION: types.DiagnosticSeverity.Information,
    Severity.HINT: types.DiagnosticSeverity.Hint,
}
_DRIVE = re.compile(r"/[a-zA-Z]:(/|$)")


class Texts(Protocol):
    """Where the text, the address and the version of a file come from."""

    def source(self, path: str) -> SourceText | None: ...

    def uri(self, path: str) -> str: ...

    def version(self, path: str) -> int | None: ...

    def cell(self, path: str, line: int) -> OpenCell | None:
        """The cell that a line is in, where the file is an open notebook."""

    def may_edit(self, path: str, span: Span) -> bool:
        """Whether the text of a span is the file's own."""


def uri_of(path: str) -> str:
    """The address of a file."""
    path = path.replace("\\", "/") if os.name == "nt" else path
    host = ""
    if os.name == "nt" and path.startswith("//"):
        host, _, path = path[2:].partition("/")
    path = path if path.startswith("/") else f"/{path}"
    return f"file://{host}{quote(os.fsencode(path), safe='/:' if os.name == 'nt' else '/')}"


def path_of(uri: str) -> str | None:
    """The file at an address; None for what is no file, as an output panel or an old revision."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if parts.scheme != "file":
        return None
    path = os.fsdecode(unquote_to_bytes(parts.path))
    if os.name != "nt":
        return path or None
    if parts.netloc:
        path = f"//{parts.netloc}{path}"
    elif _DRIVE.match(path):
        path = path[1].lower() + path[2:]
    return path.replace("/", "\\") or None


@dataclass(frozen=True, slots=True)
class Converter:
    """Speaks the units and the optional fields that one client understands."""

    client: Client

    def range(self, source: SourceText, span: Span) -> types.Range:
        """A span as the client counts."""
        return types.Range(
            self._position(source, span.line, span.column),
            self._position(source, span.end_line, span.end_column),
        )

    def span(self, source: SourceText, range_: types.Range) -> Span:
        """What the client counted, as a span; positions beyond the text are clamped."""
        start, end = self.place(source, range_.start), self.place(source, range_.end)
        return Span(*start, *end)

    def place(self, source: SourceText, position: types.Position) -> tuple[int, int]:
        """A position as line and column of a span."""
        line, column = position.line + 1, position.character
        if line > source.line_count:
            line = source.line_count
            return line, len(source.line(line).encode())
        match self.client.encoding:
            case "utf-8":
                return line, min(column, len(source.line(line).encode()))
            case "utf-32":
                return line, source.byte_from_point(line, column)
            case _:
                return line, source.byte_from_utf16(line, column)

    def diagnostic(self, finding: Finding, source: SourceText, texts: Texts) -> types.Diagnostic:
        """A finding with its chain, in the fields the client declared."""
        client = self.client
        version = texts.version(finding.path)
        return types.Diagnostic(
            range=self._located(finding.path, finding.span, source, texts).range,
            message=finding.message,
            severity=_SEVERITIES[finding.severity],
            source=SOURCE,
            code=finding.code,
            code_description=types.CodeDescription(rule_url(finding.code))
            if client.code_description
            else None,
            tags=[types.DiagnosticTag.Unnecessary]
            if client.tags and finding.code == "unused-ignore"
            else None,
            related_information=self._chain(finding, source, texts)
            if client.related_information
            else None,
            data={
                "code": finding.code,
                "span": list(finding.span),
                "version": version,
                "hash": text_hash(source),
            }
            if client.data
            else None,
        )

    def located(self, path: str, span: Span, texts: Texts) -> types.Location:
        """Where a span of any file is: in a notebook by its cell."""
        return self._located(path, span, texts.source(path), texts)

    def line_diagnostic(self, source: SourceText, line: int, message: str) -> types.Diagnostic:
        """An error about a whole line, as of a settings file."""
        line = min(max(line, 1), source.line_count)
        content = source.line(line)
        indent = len(content) - len(content.lstrip())
        span = Span(line, indent, line, len(content.encode()))
        return types.Diagnostic(
            range=self.range(source, span),
            message=message,
            severity=types.DiagnosticSeverity.Error,
            source=SOURCE,
            code="invalid-settings",
        )

    def workspace_edit(
        self, edits: Iterable[Edit], texts: Texts, label: str = ""
    ) -> types.WorkspaceEdit | None:
        """Edits of any files; None if the text of one of them is gone.

        Those of several files are to be looked at first, under the label, where the client can;
        the cells of a notebook are one file.
        """
        files = set()
        changes: dict[str, list[types.TextEdit]] = {}
        versions: dict[str, int | None] = {}
        for edit in edits:
            source = texts.source(edit.path)
            if source is None or not texts.may_edit(edit.path, edit.span):
                return None
            files.add(edit.path)
            place = self._located(edit.path, edit.span, source, texts)
            cell = texts.cell(edit.path, edit.span.line)
            versions[place.uri] = cell.version if cell else texts.version(edit.path)
            changes.setdefault(place.uri, []).append(types.TextEdit(place.range, edit.content))
        if not changes:
            return None
        if not self.client.document_changes:
            return types.WorkspaceEdit(changes=changes)
        is_previewed = len(files) > 1 and bool(label) and self.client.change_annotations
        return types.WorkspaceEdit(
            document_changes=[
                types.TextDocumentEdit(
                    types.OptionalVersionedTextDocumentIdentifier(uri, versions[uri]),
                    _annotated(edits_) if is_previewed else edits_,
                )
                for uri, edits_ in changes.items()
            ],
            change_annotations={_PREVIEW: types.ChangeAnnotation(label, needs_confirmation=True)}
            if is_previewed
            else None,
        )

    def markup(self, markdown: str, plain: str) -> types.MarkupContent:
        """Text for a hover, in the richer form if the client shows it."""
        if self.client.markdown:
            return types.MarkupContent(types.MarkupKind.Markdown, markdown)
        return types.MarkupContent(types.MarkupKind.PlainText, plain)

    def _position(self, source: SourceText, line: int, byte: int) -> types.Position:
        line = min(max(line, 1), source.line_count)
        match self.client.encoding:
            case "utf-8":
                column = min(byte, len(source.line(line).encode()))
            case "utf-32":
                column = source.point(line, byte)
            case _:
                column = source.utf16(line, byte)
        return types.Position(line - 1, column)

    def _chain(
        self, finding: Finding, source: SourceText, texts: Texts
    ) -> list[types.DiagnosticRelatedInformation] | None:
        """The hops of a chain; none for a direct call, whose only hop is the finding itself."""
        if len(finding.chain) < 2:
            return None
        return [self._hop(hop, finding, source, texts) for hop in finding.chain]

    def _hop(
        self, hop: Hop, finding: Finding, source: SourceText, texts: Texts
    ) -> types.DiagnosticRelatedInformation:
        own = source if hop.path == finding.path else texts.source(hop.path)
        return types.DiagnosticRelatedInformation(
            self._located(hop.path, hop.span, own, texts), step(hop)
        )

    def _located(
        self, path: str, span: Span, source: SourceText | None, texts: Texts
    ) -> types.Location:
        range_ = self.range(source, span) if source else _blind_range(span)
        cell = texts.cell(path, span.line)
        if cell is None:
            return types.Location(texts.uri(path), range_)
        return types.Location(cell.uri, _moved(range_, 1 - cell.first))


def _annotated(
    changes: Iterable[types.TextEdit],
) -> list[types.TextEdit | types.AnnotatedTextEdit | types.SnippetTextEdit]:
    return [types.AnnotatedTextEdit(_PREVIEW, edit.range, edit.new_text) for edit in changes]


def text_hash(source: SourceText) -> str:
    """A short name of a text's content."""
    return hashlib.sha256(source.text.encode()).hexdigest()[:16]


def _moved(range_: types.Range, lines: int) -> types.Range:
    start, end = range_.start, range_.end
    return types.Range(
        types.Position(start.line + lines, start.character),
        types.Position(end.line + lines, end.character),
    )


def _blind_range(span: Span) -> types.Range:
    """The place in a file that cannot be read: right for lines of ASCII."""
    return types.Range(
        types.Position(max(span.line - 1, 0), span.column),
        types.Position(max(span.end_line - 1, 0), span.end_column),
    )
