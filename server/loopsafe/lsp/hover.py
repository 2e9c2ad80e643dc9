"""What the mouse finds: a finding, where a function runs, or the rule of an ignore comment."""

from __future__ import annotations

import re

from lsprotocol import types

from loopsafe import explain
from loopsafe.engine import FunctionPlace
from loopsafe.lsp.workbench import Work
from loopsafe.model import Finding, Place, Span
from loopsafe.suppress import suppressions

_WHERE = {
    Place.LOOP: "runs on the event loop",
    Place.THREAD: "runs in a worker thread",
    Place.IMPORT: "runs once, at import",
}


def hover_at(work: Work, position: types.Position) -> types.Hover | None:
    """The hover at a position; the innermost finding goes before the function's name."""
    source = work.report.source
    line, column = work.convert.place(source, position)
    finding = _finding_at(work, line, column)
    if finding:
        text = explain.finding_markdown(finding, work.engine.fixes(finding))
        return _hover(work, text, finding.span)
    code = suppressions(source).code_at(line, column)
    page = rule_page(code)
    if page:
        return _hover(work, page, None)
    function = work.engine.function_at(work.path, line, column)
    if function and function.place:
        return _hover(work, _function(function, function.place), function.span)
    return None


def rule_page(code: object) -> str | None:
    """The page of a rule, None for a name that is none."""
    return explain.rule_markdown(code) if isinstance(code, str) else None


def _finding_at(work: Work, line: int, column: int) -> Finding | None:
    at = (line, column)
    around = [f for f in work.report.findings if f.span[:2] <= at <= f.span[2:]]
    return max(around, key=lambda finding: finding.span[:2], default=None)


def _function(function: FunctionPlace, place: Place) -> str:
    kind = "async def" if function.is_async else "def"
    role = f" ({function.role})" if function.role else ""
    parts = [f"`{kind} {function.name}`{role} {_WHERE[place]}."]
    if function.reason:
        parts.append(f"{function.reason}.")
    if function.findings:
        calls = "call" if function.findings == 1 else "calls"
        parts.append(f"{function.findings} blocking {calls} in it.")
    return "\n\n".join(parts) + "\n"


def _hover(work: Work, markdown: str, span: Span | None) -> types.Hover:
    contents = work.convert.markup(markdown, plain_text(markdown))
    range_ = work.convert.range(work.report.source, span) if span else None
    return types.Hover(contents, range_)


def plain_text(markdown: str) -> str:
    """Markdown for clients that show it as it is: without marks, links with their address."""
    text = re.sub(r"^(```|~~~).*\n?", "", markdown, flags=re.MULTILINE)
    text = re.sub(r"\[([^\]]+)\]\((https?:[^)\s]+)\)", r"\1 (\2)", text)
    text = re.sub(r"\[([^\]]+)\]\([^)\s]+\)", r"\1", text)
    text = re.sub(r"^#+ +", "", text, flags=re.MULTILINE)
    return re.sub(r"\*\*|(?<!`)`(?!`)", "", text)
