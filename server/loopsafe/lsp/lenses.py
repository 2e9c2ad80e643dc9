"""CodeLens: where functions run, and which helpers block the loop for how many callers.

What only this file tells is said at once. Who calls a helper is asked of the whole project, and
only for the lenses that the editor shows.
"""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from loopsafe.engine import FunctionPlace
from loopsafe.engine.callgraph import Key, Reach
from loopsafe.lsp import chain
from loopsafe.lsp.workbench import Work
from loopsafe.model import Hop, Place, Severity, Span

SHOW_CALLERS = "loopsafe.showCallers"
_PLACES = {
    Place.LOOP: "event loop",
    Place.THREAD: "thread pool",
    Place.IMPORT: "while importing",
}
_LOUD = (Severity.ERROR, Severity.WARNING)
_BULLET = "\N{MIDDLE DOT}"


def code_lenses(work: Work) -> list[types.CodeLens]:
    """The lenses of a file; those of helpers without a title, to be resolved."""
    if work.editor.code_lens == "off":
        return []
    only_problems = work.editor.code_lens == "onlyProblems"
    lenses = []
    for place in work.engine.functions(work.path):
        if work.stop():
            break
        if work.cell is not None and work.cell != work.texts.cell(work.path, place.span.line):
            continue
        lens = _of_entry(work, place) or _of_helper(work, place)
        if lens is None:
            continue
        if only_problems:
            # A lens that turns out to say nothing would leave an empty line behind.
            lens = lens if lens.command else resolve(work, lens)
            if lens.command is None or not _is_problem(lens.command.title):
                continue
        lenses.append(lens)
    return lenses


def resolve(work: Work, lens: types.CodeLens) -> types.CodeLens:
    """A helper's lens with its title."""
    key = _key(work, lens.data)
    if key is None:
        lens.command = types.Command("", "")  # The text has changed; new lenses are on their way.
        return lens
    reach = work.engine.calls.reach(key, work.stop)
    callers = work.engine.calls.callers(key, work.stop)
    hops = [Hop(call.path, span, "", "") for call in callers for span in call.spans]
    lens.command = _callers_command(work, lens, _title(reach, len(callers)), hops)
    return lens


def origin(lens: types.CodeLens) -> str | None:
    """The address of the file that a lens is in."""
    data: Any = lens.data
    uri = data.get("uri") if isinstance(data, dict) else None
    return uri if isinstance(uri, str) else None


def _of_entry(work: Work, place: FunctionPlace) -> types.CodeLens | None:
    """Of a function that a framework, the loop or a thread runs."""
    if place.place is None:
        return None
    own = (f for f in work.report.findings if f.function == place.qualified)
    blocking = [f for f in own if f.severity in _LOUD]
    if not place.role and not blocking and place.place is Place.LOOP:
        return None  # That an `async def` runs on the loop goes without saying.
    title = _PLACES[place.place]
    if blocking:
        calls = "1 call blocks it" if len(blocking) == 1 else f"{len(blocking)} calls block it"
        command = chain.command(work, blocking[0], chain.SHOW, f"{title} {_BULLET} {calls}")
    else:
        command = types.Command(title, "")
    return types.CodeLens(work.range(place.span), _known(work, command))


def _of_helper(work: Work, place: FunctionPlace) -> types.CodeLens | None:
    """Of a plain function that blocks whoever calls it."""
    key = work.engine.calls.function(work.path, place.span)
    if place.place is not None or place.is_async or key is None:
        return None
    if not work.engine.calls.stalls(key):
        return None
    data = {"uri": work.uri, "span": list(place.span)}
    return types.CodeLens(work.range(place.span), data=data)


def _title(reach: Reach, callers: int) -> str:
    more = "" if reach.is_complete else "+"
    if reach.loop:
        count = f"{len(reach.loop)}{more}"
        text = f"blocks the loop: {count} {'caller' if count == '1' else 'callers'}"
        return f"{text} {_BULLET} thread pool: {len(reach.thread)}" if reach.thread else text
    number = "1 caller" if callers == 1 else f"{callers} callers"
    if reach.thread:
        return f"thread pool ({number})"
    return f"blocks {_BULLET} {number}" if callers else f"blocks {_BULLET} no callers found"


def _is_problem(title: str) -> bool:
    return "block it" in title or "blocks it" in title or title.startswith("blocks the loop")


def _callers_command(
    work: Work, lens: types.CodeLens, title: str, hops: list[Hop]
) -> types.Command:
    """A click lists the callers, where the editor can do that."""
    places = []
    for hop in hops:
        location = work.convert.located(hop.path, hop.span, work.texts)
        places.append({"uri": location.uri, "range": chain.plain_range(location.range)})
    position = chain.plain_range(lens.range)["start"]
    command = types.Command(title, SHOW_CALLERS, arguments=[work.uri, position, places])
    return _known(work, command) if places else types.Command(title, "")


def _known(work: Work, command: types.Command) -> types.Command:
    """Without what the editor does not know how to do: then the title is all there is."""
    known = command.command in work.convert.client.commands
    return command if known else types.Command(command.title, "")


def _key(work: Work, data: Any) -> Key | None:
    match data:
        case {"span": [int(a), int(b), int(c), int(d)]}:
            return work.engine.calls.function(work.path, Span(a, b, c, d))
    return None
