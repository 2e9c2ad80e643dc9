"""The formats of CI systems: GitHub's workflow commands, GitLab's code quality, JUnit's XML."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree

from loopsafe.explain import explain, step
from loopsafe.model import Finding, Severity
from loopsafe.output import Result, Sources
from loopsafe.output.sarif import fingerprint
from loopsafe.output.style import Style, printable

_COMMANDS = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFORMATION: "notice",
    Severity.HINT: "notice",
}
_GITLAB = {
    Severity.ERROR: "critical",
    Severity.WARNING: "major",
    Severity.INFORMATION: "minor",
    Severity.HINT: "info",
}


def github(results: Sequence[Result], _sources: Sources) -> str:
    """A workflow command for each finding, which GitHub shows at its line.

    Columns stand only where the finding is on one line: GitHub takes them for those of the first.
    """
    return "\n".join(map(_command, results))


def gitlab(results: Sequence[Result], _sources: Sources) -> str:
    """A code quality report; file names are those of the checkout."""
    folder = os.environ.get("CI_PROJECT_DIR") or os.getcwd()
    seen: dict[str, int] = {}
    issues = []
    for result in results:
        finding = result.finding
        mark = fingerprint(result, folder)
        count = seen[mark] = seen.get(mark, 0) + 1
        issues.append(
            {
                "check_name": finding.code,
                "description": f"{finding.code}: {finding.message}",
                "severity": _GITLAB[finding.severity],
                "fingerprint": mark if count == 1 else f"{mark}-{count}",
                "location": {
                    "path": _slashed(finding.path, folder),
                    "positions": {
                        "begin": _place(result, finding.span.line, finding.span.column),
                        "end": _place(result, finding.span.end_line, finding.span.end_column),
                    },
                },
            }
        )
    return json.dumps(issues, indent=2)


def junit(results: Sequence[Result], _sources: Sources) -> str:
    """A suite for each file with findings; one passed test where there is none."""
    root = ElementTree.Element(
        "testsuites", name="loopsafe", tests=str(len(results) or 1), failures=str(len(results))
    )
    folder = os.getcwd()
    if not results:
        suite = ElementTree.SubElement(root, "testsuite", name="loopsafe", tests="1", failures="0")
        ElementTree.SubElement(suite, "testcase", name="No findings", classname="loopsafe")
    for path, group in groupby(results, key=lambda result: result.finding.path):
        found = list(group)
        name = _slashed(path, folder)
        count = str(len(found))
        suite = ElementTree.SubElement(root, "testsuite", name=name, tests=count, failures=count)
        for result in found:
            _case(suite, result, name)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'


def _command(result: Result) -> str:
    finding, span = result.finding, result.finding.span
    parameters = {
        "title": f"Loopsafe ({finding.code})",
        "file": _slashed(finding.path, os.environ.get("GITHUB_WORKSPACE") or os.getcwd()),
        "line": str(span.line),
    }
    start = _place(result, span.line, span.column)["column"]
    if span.line == span.end_line:
        parameters["col"] = str(start)
        parameters["endLine"] = str(span.end_line)
        parameters["endColumn"] = str(_place(result, span.end_line, span.end_column)["column"])
    else:
        parameters["endLine"] = str(span.end_line)
    listed = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in parameters.items())
    place = f"{_slashed(finding.path, os.getcwd())}:{span.line}:{start}"
    message = f"{place}: {finding.code}: {finding.message}"
    return f"::{_COMMANDS[finding.severity]} {listed}::{_escaped(message + _rest(finding))}"


def _rest(finding: Finding) -> str:
    """What comes after the message: the chain, why it is on the loop, what to do."""
    style = Style(folder=os.getcwd())
    lines = []
    if len(finding.chain) > 1:
        places = [h.place or f"{style.path(h.path)}:{h.span.line}" for h in finding.chain]
        lines += [f"{p}: {step(h)}" for p, h in zip(places, finding.chain, strict=True)]
    parts = explain(finding)
    lines += filter(None, (parts.reason, parts.certainty, parts.advice))
    return "".join(f"\n{printable(line)}" for line in lines)


def _case(suite: ElementTree.Element, result: Result, name: str) -> None:
    finding = result.finding
    place = _place(result, finding.span.line, finding.span.column)
    case = ElementTree.SubElement(
        suite,
        "testcase",
        name=f"{finding.code} at {place['line']}:{place['column']}",
        classname=name,
        line=str(place["line"]),
    )
    failure = ElementTree.SubElement(case, "failure", message=printable(finding.message))
    failure.set("type", finding.severity.value)
    failure.text = (
        f"{name}:{place['line']}:{place['column']}: {printable(finding.message)}" + _rest(finding)
    )


def _place(result: Result, line: int, byte: int) -> dict[str, int]:
    return {"line": line, "column": result.source.point(line, byte) + 1}


def _slashed(path: str, folder: str) -> str:
    return Style(folder=folder).path(path).replace(os.sep, "/")


def _escaped(text: str, more: str = "") -> str:
    """The text as workflow commands want it: what would end it, percent-encoded."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    for char in more:
        text = text.replace(char, f"%{ord(char):02X}")
    return text
