"""JSON: a list in the shape of ruff's, with what is known of the stall added to each finding."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from loopsafe.explain import rule_url
from loopsafe.model import Edit, Fix, Hop
from loopsafe.output import Result, Sources, in_cell
from loopsafe.text import SourceText


def render(results: Sequence[Result], sources: Sources) -> str:
    """The whole list. Rows and columns count from 1, columns in code points."""
    return json.dumps([_finding(result, sources) for result in results], indent=2)


def _finding(result: Result, sources: Sources) -> dict[str, Any]:
    finding, source = result.finding, result.source
    span = finding.span
    return {
        "filename": finding.path,
        "cell": in_cell(source, span.line)[0],
        "location": _location(source, span.line, span.column),
        "end_location": _location(source, span.end_line, span.end_column),
        "code": finding.code,
        "message": finding.message,
        "url": rule_url(finding.code),
        "severity": finding.severity.value,
        "category": finding.category,
        "function": finding.function,
        "confidence": finding.confidence.value,
        "derived_from": finding.derived or None,
        "bundled": finding.bundled or None,
        "chain": [_hop(hop, result, sources) for hop in finding.chain],
        "fix": _ruff_fix(result.fix, source) if result.fix else None,
        "fixes": [_fix(fix, result, sources) for fix in result.cures],
    }


def _hop(hop: Hop, result: Result, sources: Sources) -> dict[str, Any]:
    source = _source(hop.path, result, sources)
    return {
        "filename": hop.path,
        "location": _location(source, hop.span.line, hop.span.column),
        "function": hop.function,
        "call": hop.call,
        "place": hop.place or None,
    }


def _ruff_fix(fix: Fix, source: SourceText) -> dict[str, Any]:
    return {
        "applicability": fix.safety.value,
        "message": fix.title,
        "edits": [_edit(edit, source) for edit in fix.edits],
    }


def _fix(fix: Fix, result: Result, sources: Sources) -> dict[str, Any]:
    edits = []
    for edit in fix.edits:
        source = _source(edit.path, result, sources)
        edits.append({"filename": edit.path, **_edit(edit, source)})
    return {"title": fix.title, "safety": fix.safety.value, "edits": edits}


def _edit(edit: Edit, source: SourceText | None) -> dict[str, Any]:
    span = edit.span
    return {
        "content": edit.content,
        "location": _location(source, span.line, span.column),
        "end_location": _location(source, span.end_line, span.end_column),
    }


def _source(path: str, result: Result, sources: Sources) -> SourceText | None:
    return result.source if path == result.finding.path else sources(path)


def _location(source: SourceText | None, line: int, byte: int) -> dict[str, int]:
    """Bytes and code points are the same in nearly every line; a file may be gone by now."""
    column = source.point(line, byte) if source else byte
    cell, row = in_cell(source, line)
    place = {"row": row, "column": column + 1}
    return {"cell": cell, **place} if cell else place
