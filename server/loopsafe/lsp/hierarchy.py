"""Call hierarchy of what blocks: down to the call that waits, into libraries; up to who runs it.

An item carries what finds its function again: the file it was first asked from (whose folder's
engine answers), and the place of the name, which a later edit may make void.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lsprotocol import types

from loopsafe import explain
from loopsafe.engine.callgraph import CallLine, Key, Node
from loopsafe.lsp.workbench import Work
from loopsafe.model import Hop, Span


def prepare(work: Work, position: types.Position) -> list[types.CallHierarchyItem] | None:
    """The function whose name, or the blocking function whose call, stands at a position."""
    line, column = work.place(position)
    calls, found = work.engine.calls, []
    for key in calls.functions(work.path):
        node = calls.node(key)
        if node and _holds(node.span, line, column):
            return [_item(work, node)]
        found += [
            call.node
            for call in calls.callees_on(key, line)
            if any(_holds(span, line, column) for span in call.spans)
        ]
    return [_item(work, node) for node in found] or None


def outgoing(
    work: Work, item: types.CallHierarchyItem
) -> list[types.CallHierarchyOutgoingCall] | None:
    """What an item calls that blocks."""
    ahead = _ahead(item.data)
    if ahead:
        return [_inside(work, ahead)]
    key = _key(work, item.data)
    if key is None:
        return None
    return [
        types.CallHierarchyOutgoingCall(_item(work, call.node), _ranges(work, call))
        for call in work.engine.calls.callees(key)
    ]


def incoming(
    work: Work, item: types.CallHierarchyItem
) -> list[types.CallHierarchyIncomingCall] | None:
    """Who calls an item's function."""
    key = _key(work, item.data)
    if key is None:
        return None
    return [
        types.CallHierarchyIncomingCall(_item(work, call.node), _ranges(work, call))
        for call in work.engine.calls.callers(key)
    ]


def origin(item: types.CallHierarchyItem) -> str | None:
    """The address of the file that an item was first asked from."""
    data: Any = item.data
    uri = data.get("origin") if isinstance(data, dict) else None
    return uri if isinstance(uri, str) else None


def _item(work: Work, node: Node) -> types.CallHierarchyItem:
    location = work.convert.located(node.path, node.span, work.texts)
    data: dict[str, Any] = {"origin": work.uri}
    if node.is_blocking:
        data["ahead"] = [[h.path, list(h.span), h.function, h.call, h.place] for h in node.ahead]
    else:
        data["function"] = [node.path, list(node.span)]
    name = node.name
    return types.CallHierarchyItem(
        name=f"{name}()" if node.is_blocking else name,
        kind=types.SymbolKind.Function,
        uri=location.uri,
        range=location.range,
        selection_range=location.range,
        detail=node.module,
        data=data,
    )


def _inside(work: Work, ahead: Sequence[Hop]) -> types.CallHierarchyOutgoingCall:
    """The next call inside a library."""
    hop, *rest = ahead
    end = work.engine.calls.leads_to(hop) or (hop.path, hop.span)
    owner = hop.place or explain.shown_path(end[0], work.root)
    node = Node(hop.call.removesuffix("()"), owner, *end, ahead=tuple(rest), is_blocking=True)
    place = work.convert.located(hop.path, hop.span, work.texts).range
    return types.CallHierarchyOutgoingCall(_item(work, node), [place])


def _ranges(work: Work, call: CallLine) -> list[types.Range]:
    return [work.convert.located(call.path, span, work.texts).range for span in call.spans]


def _key(work: Work, data: Any) -> Key | None:
    match data:
        case {"function": [str(path), [int(a), int(b), int(c), int(d)]]}:
            return work.engine.calls.function(path, Span(a, b, c, d))
    return None


def _ahead(data: Any) -> list[Hop]:
    """The calls that an item of a library has before it; none in what is not ours."""
    hops = []
    for entry in data.get("ahead", ()) if isinstance(data, dict) else ():
        match entry:
            case [str(path), [int(a), int(b), int(c), int(d)], str(name), str(call), str(place)]:
                hops.append(Hop(path, Span(a, b, c, d), name, call, place))
    return hops


def _holds(span: Span, line: int, column: int) -> bool:
    return span[:2] <= (line, column) <= span[2:]
