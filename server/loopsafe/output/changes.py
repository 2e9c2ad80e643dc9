"""What fixes changed, or would change: a diff, counts, and what more there is to fix."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff

from loopsafe.model import Severity
from loopsafe.output.style import Style
from loopsafe.text import SourceText

_NO_LINE_END = "\\ No newline at end of file"
_COLOURS: tuple[tuple[str, str | Severity], ...] = (
    ("---", "bold"),
    ("+++", "bold"),
    ("@@", "frame"),
    ("-", Severity.ERROR),
    ("+", Severity.HINT),
)


def diff(path: str, before: SourceText, after: str, style: Style) -> str:
    """A unified diff, as `git apply` and `patch` read it."""
    name = style.path(path)
    lines = unified_diff(before.lines(), SourceText(after).lines(), name, name)
    shown = []
    for line in lines:
        content, end = (line[:-1], "\n") if line.endswith("\n") else (line, "")
        colour = next((c for start, c in _COLOURS if content.startswith(start)), "")
        shown.append(style.paint(content, colour) + (end or f"\n{_NO_LINE_END}\n"))
    return "".join(shown)


def listed(fixed: Mapping[str, Mapping[str, int]], style: Style) -> str:
    """How many findings of each rule are gone from each file."""
    total = sum(sum(counts.values()) for counts in fixed.values())
    lines = [f"Fixed {_findings(total)}:"]
    for path, counts in fixed.items():
        lines.append(f"- {style.path(path)}:")
        size = len(str(max(counts.values())))
        for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            lines.append(f"    {count:>{size}} × {style.paint(code, 'bold')}")
    return "\n".join(lines) + "\n"


def summary(fixed: int, more: int, would: bool) -> str:
    """What was or would be fixed; `more` could be with unsafe fixes. Empty if nothing at all."""
    if not fixed and not more:
        return ""
    if not fixed:
        head = "No findings would be fixed" if would else "No findings fixed"
    else:
        head = f"{'Would fix' if would else 'Fixed'} {_findings(fixed)}"
    kind = "additional fix" if fixed else "fix"
    rest = f" ({_counted(more, kind, 'es')} available with `--unsafe-fixes`)" if more else ""
    return f"{head}{rest}."


def fixable(safe: int, unsafe: int, unsafe_too: bool) -> str:
    """How many findings have a fix that is not applied yet."""
    if unsafe_too:
        safe, unsafe = safe + unsafe, 0
    hidden = f"{_counted(unsafe, 'more', '')} with the `--unsafe-fixes` option" if unsafe else ""
    if safe:
        rest = f" ({hidden})" if hidden else ""
        return f"{safe} fixable with the `--fix` option{rest}."
    return f"{unsafe} fixable with the `--fix --unsafe-fixes` options." if unsafe else ""


def _findings(count: int) -> str:
    return _counted(count, "finding", "s")


def _counted(count: int, noun: str, plural: str) -> str:
    return f"{count} {noun}{plural if count != 1 else ''}"
