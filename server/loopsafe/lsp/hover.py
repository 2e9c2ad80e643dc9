"""What the mouse finds: a finding, where a function runs, or the rule of an ignore comment."""

from __future__ import annotations

import re

from lsprotocol import types

from loopsafe import explain
from loopsafe.lsp import chain
from loopsafe.lsp.workbench import Work
from loopsafe.model import Finding, Span
from loopsafe.suppress import suppressions


def hover_at(work: Work, position: types.Position) -> types.Hover | None:
    """The hover at a position; the innermost finding goes before the function's name."""
    source = work.report.source
    line, column = work.place(position)
    finding = _finding_at(work, line, column)
    if finding:
        fixes = work.engine.fixes(finding)
        links = chain.links(work, finding)
        # Who shows chains as a tree shows a finding's message and chain above its hover.
        is_shown = chain.is_shown_by(work)
        text = explain.finding_markdown(finding, fixes, work.root, is_shown=is_shown)
        return _hover(work, f"{text} · {links}" if links else text, finding.span)
    page = explain.rule_page(suppressions(source).code_at(line, column))
    if page:
        return _hover(work, page, None)
    function = work.engine.function_at(work.path, line, column)
    if function is None:
        return None
    return _hover(work, explain.function_markdown(function), function.span)


def plain_text(markdown: str) -> str:
    """Markdown for clients that show it as it is: without marks; web addresses are kept."""
    text = re.sub(r"^(```|~~~).*\n?", "", markdown, flags=re.MULTILINE)
    text = re.sub(r"\[([^\]]+)\]\((https?:[^)\s]+)\)", r"\1 (\2)", text)
    text = re.sub(r"\[([^\]]+)\]\([^)\s]+\)", r"\1", text)
    text = re.sub(r"^#+ +", "", text, flags=re.MULTILINE)
    return re.sub(r"\*\*|`", "", text)


def _finding_at(work: Work, line: int, column: int) -> Finding | None:
    at = (line, column)
    around = [f for f in work.report.findings if f.span[:2] <= at <= f.span[2:]]
    return max(around, key=lambda finding: finding.span[:2], default=None)


def _hover(work: Work, markdown: str, span: Span | None) -> types.Hover | None:
    if not markdown:
        return None
    contents = work.convert.markup(markdown, plain_text(markdown))
    range_ = work.range(span) if span else None
    return types.Hover(contents, range_)
