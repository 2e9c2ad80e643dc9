"""SARIF 2.1.0: what GitHub's code scanning and other tools read, the chain as a code flow."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from loopsafe import __version__
from loopsafe.explain import explain, rule, rule_page, rule_url, step
from loopsafe.model import Edit, Fix, Hop, Safety, Severity, Span
from loopsafe.output import Result, Sources
from loopsafe.text import SourceText

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFORMATION: "note",
    Severity.HINT: "note",
}
_ROOT = "PROJECTROOT"


def render(results: Sequence[Result], sources: Sources) -> str:
    """One run. Lines and columns count from 1, columns in code points."""
    codes = list(dict.fromkeys(result.finding.code for result in results))
    folder = os.getcwd()
    run = {
        "tool": {
            "driver": {
                "name": "loopsafe",
                "version": __version__,
                "informationUri": "https://github.com/loopsafe/loopsafe",
                "rules": [_rule(code) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"uri": f"{Path(folder).as_uri()}/"}},
        "results": [_result(result, codes, sources, folder) for result in results],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(code: str) -> dict[str, Any]:
    known = rule(code)
    page = rule_page(code) or known.summary
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in code.split("-")),
        "shortDescription": {"text": known.summary},
        "fullDescription": {"text": f"{known.summary} {known.harm}".strip()},
        "help": {"text": known.advice or known.summary, "markdown": page},
        "helpUri": rule_url(code),
    }


def _result(result: Result, codes: list[str], sources: Sources, folder: str) -> dict[str, Any]:
    finding = result.finding
    parts = explain(finding)
    more = " ".join(filter(None, (parts.reason, parts.certainty, parts.advice)))
    found = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message}. {more}".strip()},
        "locations": [
            {
                **_location(finding.path, finding.span, result.source, folder),
                "logicalLocations": [{"fullyQualifiedName": finding.function, "kind": "function"}],
            }
        ],
        "partialFingerprints": {"loopsafe/v1": fingerprint(result, folder)},
        "properties": {
            "category": finding.category,
            "confidence": finding.confidence.value,
            "severity": finding.severity.value,
        },
    }
    if not finding.function:
        del found["locations"][0]["logicalLocations"]  # type: ignore[index]
    if len(finding.chain) > 1:
        steps = [_step(hop, result, sources, folder) for hop in finding.chain]
        found["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    fixes = [_fix(fix, result, sources, folder) for fix in result.cures if _can_apply(fix)]
    if fixes:
        found["fixes"] = fixes
    return found


def fingerprint(result: Result, folder: str) -> str:
    """Names a finding by what stays when lines move: file, rule, function and call."""
    finding = result.finding
    call = finding.chain[0].call if finding.chain else ""
    parts = (_relative(finding.path, folder), finding.code, finding.function, call, finding.sink)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def _step(hop: Hop, result: Result, sources: Sources, folder: str) -> dict[str, Any]:
    source = result.source if hop.path == result.finding.path else sources(hop.path)
    location = _location(hop.path, hop.span, source, folder)
    return {"location": {**location, "message": {"text": step(hop)}}, "importance": "essential"}


def _can_apply(fix: Fix) -> bool:
    return fix.safety is not Safety.DISPLAY and bool(fix.edits)


def _fix(fix: Fix, result: Result, sources: Sources, folder: str) -> dict[str, Any]:
    text = fix.title if fix.safety is Safety.SAFE else f"{fix.title} ({fix.safety.value})"
    return {
        "description": {"text": text},
        "artifactChanges": list(_changes(fix.edits, result, sources, folder)),
    }


def _changes(
    edits: Sequence[Edit], result: Result, sources: Sources, folder: str
) -> Iterator[dict[str, Any]]:
    for path in dict.fromkeys(edit.path for edit in edits):
        source = result.source if path == result.finding.path else sources(path)
        yield {
            "artifactLocation": _artifact(path, folder),
            "replacements": [
                {
                    "deletedRegion": _region(edit.span, source),
                    **({"insertedContent": {"text": edit.content}} if edit.content else {}),
                }
                for edit in edits
                if edit.path == path
            ],
        }


def _location(path: str, span: Span, source: SourceText | None, folder: str) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": _artifact(path, folder),
            "region": _region(span, source),
        }
    }


def _artifact(path: str, folder: str) -> dict[str, str]:
    relative = _relative(path, folder)
    if relative == path:
        return {"uri": Path(path).as_uri() if os.path.isabs(path) else path}
    return {"uri": quote(os.fsencode(relative)), "uriBaseId": _ROOT}


def _relative(path: str, folder: str) -> str:
    """The name from the folder on, with slashes; the whole name of what lies elsewhere."""
    try:
        return Path(path).relative_to(folder).as_posix()
    except ValueError:
        return path


def _region(span: Span, source: SourceText | None) -> dict[str, int]:
    start = source.point(span.line, span.column) if source else span.column
    end = source.point(span.end_line, span.end_column) if source else span.end_column
    return {
        "startLine": span.line,
        "startColumn": start + 1,
        "endLine": span.end_line,
        "endColumn": end + 1,
    }
