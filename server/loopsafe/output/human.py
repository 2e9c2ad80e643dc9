"""Findings for people: `full` with the source and the chain, `concise` on one line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from loopsafe.explain import explain, shown_path, step
from loopsafe.model import Finding, Fix, Hop, Safety, Severity, Span
from loopsafe.output import Result, Sources, in_cell
from loopsafe.output.style import Style, printable, width
from loopsafe.text import SourceText

_LEVELS = (Severity.ERROR, Severity.WARNING, Severity.INFORMATION, Severity.HINT)
_LONGEST_LINE = 200
_MOST_LINES = 4
_MANY = 5
"""Findings of one cause that are worth a line at the end."""


def concise(result: Result, style: Style) -> str:
    """`path:row:column: severity[code]: message`."""
    finding = result.finding
    place = f"{style.path(finding.path)}:{_row_column(result.source, finding.span)}"
    return f"{style.paint(place, 'bold')}: {_head(finding, style)}: {printable(finding.message)}"


def full(result: Result, sources: Sources, style: Style) -> str:
    """A finding with its source line, its chain, why it is on the loop and what to do."""
    finding = result.finding
    place = f"{style.path(finding.path)}:{_row_column(result.source, finding.span)}"
    margin = len(str(in_cell(result.source, finding.span.end_line)[1]))
    bar = style.paint(" " * margin + " |", "frame")
    lines = [
        f"{_head(finding, style)}{style.paint(': ' + printable(finding.message), 'bold')}",
        f"{style.paint(' ' * margin + '-->', 'frame')} {place}",
        bar,
        *_excerpt(result, margin, style),
        bar,
    ]
    mark = style.paint(" " * margin + " =", "frame")
    for label, texts in _notes(result, sources, style):
        for index, text in enumerate(texts):
            start = f"{mark} {style.paint(label + ':', 'bold')}" if index == 0 else ""
            pad = 6 - len(label) if index == 0 else margin + 10
            lines.append(f"{start}{' ' * pad}{text}")
    return "\n".join(lines) + "\n"


def summary(findings: Sequence[Finding], broken: int = 0, fixed: int = 0) -> str:
    """What a run came to; `broken` files could not be read, or not all of them."""
    files = "1 file" if broken == 1 else f"{broken} files"
    unread = f" {files} could not be checked in full, see above." if broken else ""
    if fixed:
        total = fixed + len(findings)
        noun = "finding" if total == 1 else "findings"
        return f"Found {total} {noun} ({fixed} fixed, {len(findings)} remaining).{unread}"
    if not findings:
        return f"Found nothing, but{unread}" if broken else "All checks passed!"
    counts = Counter(finding.severity for finding in findings)
    levels = ", ".join(_counted(counts[level], level) for level in _LEVELS if counts[level])
    noun = "finding" if len(findings) == 1 else "findings"
    return f"Found {len(findings)} {noun} ({levels}).{unread}"


def statistics(findings: Sequence[Finding], style: Style) -> Iterator[str]:
    """How many findings each rule has, and the causes that several findings share."""
    by_code = Counter(finding.code for finding in findings)
    size = len(str(max(by_code.values(), default=0)))
    for code, count in sorted(by_code.items(), key=lambda item: (-item[1], item[0])):
        levels = Counter(finding.severity for finding in findings if finding.code == code)
        shown = ", ".join(_counted(levels[level], level) for level in _LEVELS if levels[level])
        yield f"{count:>{size}}  {style.paint(f'{code:<20}', 'bold')} {shown}"
    shared = [group for group in _by_root(findings) if len(group) > 1]
    if shared:
        yield ""
        yield "Several findings come from the same call:"
    for group in shared[:10]:
        yield f"{len(group):>{size}}  {'  '.join(_root(group, style))}"


def shared_cause(findings: Sequence[Finding], style: Style) -> str:
    """The call that most findings come from, where it is behind many; else nothing."""
    groups = _by_root(findings)
    if not groups or len(groups[0]) < _MANY:
        return ""
    root = " in ".join(reversed(_root(groups[0], style)))
    return f"{len(groups[0])} of them share one cause: {root} (`--statistics` lists more)."


def _notes(result: Result, sources: Sources, style: Style) -> Iterator[tuple[str, Iterable[str]]]:
    finding, parts = result.finding, explain(result.finding)
    if len(finding.chain) > 1:
        yield "chain", _chain(finding.chain, result, sources, style)
    why = " ".join(filter(None, (parts.reason, parts.certainty)))
    if why:
        yield "why", (printable(why),)
    if parts.advice:
        yield "help", (parts.advice,)
    if parts.caveat and all(fix.caveat != parts.caveat for fix in result.cures):
        yield "note", (parts.caveat,)
    if result.cures:
        yield "fix", [line for fix in result.cures for line in _fix(fix)]


def _fix(fix: Fix) -> Iterator[str]:
    """What a fix does; below it, why that may change more than it should."""
    if fix.safety is Safety.SAFE or fix.caveat:
        yield printable(fix.title)
    else:
        yield f"{printable(fix.title)} ({fix.safety.value})"
    if fix.safety is not Safety.SAFE and fix.caveat:
        yield f"  {fix.safety.value}: {printable(fix.caveat)}"


def _chain(chain: tuple[Hop, ...], result: Result, sources: Sources, style: Style) -> Iterator[str]:
    places = []
    for hop in chain:
        if hop.place:
            places.append(printable(hop.place))
            continue
        same = hop.path == result.finding.path
        source = result.source if same else sources(hop.path)
        name = style.path(hop.path)
        if name == printable(hop.path):
            name = printable(shown_path(hop.path, None))
        places.append(f"{name}:{_row_column(source, hop.span)}")
    size = max(width(place) for place in places)
    for hop, place in zip(chain, places, strict=True):
        pad = " " * (size - width(place))
        yield f"{place}{pad}  {printable(step(hop))}"


def _excerpt(result: Result, margin: int, style: Style) -> Iterator[str]:
    """The lines of the callee, with carets below its text."""
    span, severity = result.finding.span, result.finding.severity
    numbers = list(range(span.line, span.end_line + 1))
    if len(numbers) > _MOST_LINES:
        numbers = [*numbers[: _MOST_LINES - 1], -1, numbers[-1]]
    for number in numbers:
        if number < 0:
            yield style.paint("...", "frame")
            continue
        content = result.source.line(number)
        start = result.source.point(number, span.column) if number == span.line else 0
        stop = len(content)
        if number == span.end_line:
            stop = result.source.point(number, span.end_column)
        text, before, marked = _fitted(content, start, stop)
        carets = style.paint("^" * marked, severity)
        shown = in_cell(result.source, number)[1]
        yield f"{style.paint(f'{shown:>{margin}} |', 'frame')} {text}".rstrip()
        yield f"{style.paint(' ' * margin + ' |', 'frame')} {' ' * before}{carets}".rstrip()


def _fitted(content: str, start: int, stop: int) -> tuple[str, int, int]:
    """A line to show, cut where it is very long, with the columns before and below the carets."""
    indent = len(content) - len(content.lstrip())
    start = max(start, min(indent, stop))
    stop = min(stop, start + _LONGEST_LINE)
    head, body, tail = (printable(part) for part in (content[:start], content[start:stop], ""))
    tail = printable(content[stop : stop + _LONGEST_LINE])
    if width(head) > _LONGEST_LINE // 2:
        head = "..." + head[-_LONGEST_LINE // 2 :]
    room = max(_LONGEST_LINE - width(head) - width(body), 0)
    if len(tail) > room or len(content) > stop + _LONGEST_LINE:
        tail = tail[:room] + "..."
    return head + body + tail, width(head), max(width(body), 1)


def _head(finding: Finding, style: Style) -> str:
    return style.paint(f"{finding.severity.value}[{finding.code}]", finding.severity)


def _by_root(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings that share a cause, the largest group first."""
    groups: dict[tuple[str, Span], list[Finding]] = {}
    for finding in findings:
        if finding.root:
            groups.setdefault(finding.root, []).append(finding)
    return sorted(groups.values(), key=len, reverse=True)


def _root(group: Sequence[Finding], style: Style) -> tuple[str, ...]:
    """Where the cause that a group shares is, and where it is known the call."""
    assert group[0].root is not None
    path, span = group[0].root
    hop = next((hop for hop in group[0].chain if (hop.path, hop.span) == (path, span)), None)
    place = f"{style.path(path)}:{span.line}"
    return (place, printable(hop.call)) if hop else (place,)


def _counted(count: int, level: Severity) -> str:
    plural = "s" if count != 1 and level is not Severity.INFORMATION else ""
    return f"{count} {level.value}{plural}"


def _row_column(source: SourceText | None, span: Span) -> str:
    """`line:column`, in a notebook `cell 3:line:column`, as ruff counts."""
    column = source.point(span.line, span.column) if source else span.column
    cell, line = in_cell(source, span.line)
    place = f"{line}:{column + 1}"
    return f"cell {cell}:{place}" if cell else place
