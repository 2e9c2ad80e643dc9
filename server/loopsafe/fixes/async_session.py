"""Turns a `with` of a blocking HTTP client, and every request in it, into its async twin.

with requests.Session() as session:
    r = session.get(url)

async with httpx.AsyncClient(timeout=None, follow_redirects=True) as session:
    r = await session.get(url)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from loopsafe.fixes.async_client import arguments
from loopsafe.fixes.clients import Change, Pair, pairs, spell_client, translate
from loopsafe.fixes.place import may_await
from loopsafe.fixes.responses import caught, uses_of
from loopsafe.fixes.rewrite import opening_await
from loopsafe.fixes.site import Site, site_at
from loopsafe.model import Edit, Fix, Safety


def cures(site: Site) -> Iterator[Fix]:
    """The whole block, where all that is done with the client has an async way."""
    call = site.call
    if call is None or not site.direct or not isinstance(call.func, ast.Attribute):
        return
    if not isinstance(call.func.value, ast.Name):
        return
    for block in site.above(call):
        if isinstance(block, ast.With) and _binds(block, call.func.value.id):
            for pair in pairs():
                fix = _fix(site, pair, block, call.func.value.id)
                if fix:
                    yield fix
            return


def request(
    site: Site, pair: Pair, module: str, function: ast.AsyncFunctionDef, call: ast.Call
) -> tuple[list[Change], tuple[Edit, ...], bool] | None:
    """The changes of a request made with a client that stays, those of handlers around it, and
    whether they are safe; None if it cannot be made with the async client.
    """
    there = site_at(site, call.func)
    if there.call is None or there.function is not function or not may_await(there):
        return None
    assert isinstance(call.func, ast.Attribute)
    request = translate(there, pair, call, call.func.attr)
    uses = uses_of(there, pair, call, function)
    # What belongs to the client's constructor cannot differ between its requests.
    if request is None or uses is None or not request.plain:
        return None
    handlers = caught(there, pair, module, function, [call, *uses.nodes])
    if handlers is None:
        return None
    before, after = opening_await(there, call)
    start, stop = site.draft.start(call), site.draft.stop(call)
    changes: list[Change] = [(start, start, before), *request.changes, *uses.changes]
    if after:
        changes.append((stop, stop, after))
    return changes, handlers, request.safe


def _binds(block: ast.With, name: str) -> bool:
    target = block.items[0].optional_vars
    return len(block.items) == 1 and isinstance(target, ast.Name) and target.id == name


def _fix(site: Site, pair: Pair, block: ast.With, name: str) -> Fix | None:
    opened, function = block.items[0].context_expr, site.function
    if not isinstance(opened, ast.Call) or site.full_name(opened.func) != pair.session:
        return None
    client = spell_client(site, pair)
    if client is None or function is None or opened.args:
        return None
    if any(k.arg is None or k.arg not in pair.session_arguments for k in opened.keywords):
        return None
    module, spelling = client
    changes = _requests(site, pair, module, function, name)
    if changes is None:
        return None
    requests, handlers, safe = changes
    draft = site.draft
    edits = [
        draft.insert(draft.start(block), "async "),
        draft.replace(draft.start(opened), draft.callee_stop(opened), spelling.text),
    ]
    if pair.defaults:
        at = draft.bracket(opened) + 1
        more = ", " if opened.keywords else ""
        edits.append(draft.insert(at, arguments(pair.defaults) + more))
    edits += [draft.replace(*change) for change in requests]
    return Fix(
        f"Use {module}.{pair.client}",
        Safety.SAFE if safe else Safety.UNSAFE,
        (*spelling.edits, *handlers, *edits),
        caveat="" if safe else pair.caveat,
    )


def _requests(
    site: Site, pair: Pair, module: str, function: ast.AsyncFunctionDef, name: str
) -> tuple[list[Change], list[Edit], bool] | None:
    """The changes of all requests made with a client; None if it is used in any other way."""
    owners = {id(n.value): n for n in ast.walk(function) if isinstance(n, ast.Attribute)}
    calls = {id(n.func): n for n in ast.walk(function) if isinstance(n, ast.Call)}
    changes: list[Change] = []
    handlers: list[Edit] = []
    safe = pair.attributes is None
    bound = 0
    for node in ast.walk(function):
        if not isinstance(node, ast.Name) or node.id != name:
            continue
        if not isinstance(node.ctx, ast.Load):
            bound += 1
            continue
        attribute = owners.get(id(node))
        if attribute and attribute.attr in pair.session_attributes:
            continue
        call = calls.get(id(attribute))
        found = request(site, pair, module, function, call) if call else None
        if found is None:
            return None
        changes += found[0]
        handlers += [edit for edit in found[1] if edit not in handlers]
        safe = safe and found[2]
    return (changes, handlers, safe) if bound == 1 else None
