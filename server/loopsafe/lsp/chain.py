"""The blocking chain of a finding, for editors that show it as a tree, and the way to its root."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from lsprotocol import types

from loopsafe import explain
from loopsafe.lsp.workbench import Work
from loopsafe.model import Finding, Hop, Span

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

    `{"title", "steps": [{"name", "message", "place", "location"}], "root": index of the project's
    last}`. The last step is what waits, at its definition, or without a place at its call.
    """
    finding = finding_at(work, position)
    if finding is None:
        return None
    steps = [_of_hop(work, hop) for hop in finding.chain]
    if finding.chain:
        steps.append(_end(work, finding))
    return {"title": finding.message, "steps": steps, "root": _root(finding)}


def is_shown_by(work: Work) -> bool:
    """Whether the editor shows chains as a tree."""
    return {SHOW, GO_TO_ROOT} <= work.convert.client.commands


def command(work: Work, finding: Finding, name: str, title: str) -> types.Command:
    """What a click on a menu's entry or a lens sends to the editor."""
    return types.Command(title, name, arguments=_arguments(work, finding))


def links(work: Work, finding: Finding) -> str:
    """Markdown for a hover: what can be done by a click; empty where the editor cannot."""
    if len(finding.chain) < 2 or not is_shown_by(work):
        return ""
    texts = {SHOW: "Show blocking chain", GO_TO_ROOT: "Go to root"}
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


def _of_hop(work: Work, hop: Hop) -> dict[str, Any]:
    place = hop.place or f"{explain.shown_path(hop.path, work.root)}:{hop.span.line}"
    name = explain.function_name(hop)
    return _step(work, name, explain.step(hop), place, (hop.path, hop.span))


def _end(work: Work, finding: Finding) -> dict[str, Any]:
    last = finding.chain[-1]
    # A method that only syntax calls is named as it is written.
    is_named = finding.sink and not finding.sink.endswith("__")
    name = f"{finding.sink}()" if is_named else last.call
    end = work.engine.calls.leads_to(last)
    place = f"{explain.shown_path(end[0], work.root)}:{end[1].line}" if end else ""
    return _step(work, name, f"{name} waits", place, end or (last.path, last.span))


def _step(
    work: Work, name: str, message: str, place: str, target: tuple[str, Span]
) -> dict[str, Any]:
    location = work.convert.located(*target, work.texts)
    return {
        "name": name,
        "message": message,
        "place": place,
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
