"""The blocking chain of a finding, for editors that show it as a tree, and the way to its root."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from lsprotocol import types

from loopsafe import explain
from loopsafe.lsp.workbench import Work
from loopsafe.model import Finding, Span

SHOW = "loopsafe.showChain"
GO_TO_ROOT = "loopsafe.goToRoot"


def finding_at(work: Work, position: types.Position) -> Finding | None:
    """The innermost finding around a position, else the first one on its line."""
    line, column = work.place(position)
    at = (line, column)
    around = [f for f in work.report.findings if f.span[:2] <= at <= f.span[2:]]
    if around:
        return max(around, key=lambda finding: finding.span[:2])
    return next((f for f in work.report.findings if f.span.line == line), None)


def chain_at(work: Work, position: types.Position) -> dict[str, Any] | None:
    """The answer to `loopsafe/chain`: the calls in order, then what they end in.

    `{"title", "steps": [{"message", "place", "location"}], "root": index of the project's last}`.
    """
    finding = finding_at(work, position)
    if finding is None:
        return None
    steps = [_step(work, explain.step(hop), hop.path, hop.span, hop.place) for hop in finding.chain]
    end = work.engine.calls.leads_to(finding.chain[-1]) if finding.chain else None
    if end:
        steps.append(_step(work, f"{finding.sink}() waits", *end))
    return {"title": finding.message, "steps": steps, "root": _root(finding)}


def command(work: Work, finding: Finding, name: str, title: str) -> types.Command:
    """What a click on a menu's entry or a lens sends to the editor."""
    return types.Command(title, name, arguments=_arguments(work, finding))


def links(work: Work, finding: Finding) -> str:
    """Markdown for a hover: what can be done by a click; empty where the editor cannot."""
    texts = {SHOW: "Show blocking chain", GO_TO_ROOT: "Go to root"}
    if len(finding.chain) < 2 or not texts.keys() <= work.convert.client.commands:
        return ""
    given = quote(json.dumps(_arguments(work, finding)))
    return " · ".join(f"[{text}](command:{name}?{given})" for name, text in texts.items())


def _arguments(work: Work, finding: Finding) -> list[Any]:
    place = work.convert.located(finding.path, finding.span, work.texts)
    return [place.uri, plain_range(place.range)["start"]]


def _root(finding: Finding) -> int:
    """The last hop of the project, where the library is called."""
    return next(
        (n for n, hop in enumerate(finding.chain) if (hop.path, hop.span) == finding.root), 0
    )


def _step(work: Work, message: str, path: str, span: Span, place: str = "") -> dict[str, Any]:
    location = work.convert.located(path, span, work.texts)
    return {
        "message": message,
        "place": place or f"{explain.shown_path(path, work.root)}:{span.line}",
        "location": {
            "uri": location.uri,
            "range": plain_range(location.range),
        },
    }


def plain_range(range_: types.Range) -> dict[str, Any]:
    """A range within what the protocol does not describe."""
    start, end = range_.start, range_.end
    return {
        "start": {"line": start.line, "character": start.character},
        "end": {"line": end.line, "character": end.character},
    }
