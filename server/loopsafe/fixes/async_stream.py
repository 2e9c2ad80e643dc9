"""Reads an answer in parts from an async client.

with requests.get(url, stream=True) as r:     async with httpx.AsyncClient(...) as client, \\
    for part in r.iter_content(n):                    client.stream("GET", url) as r:
        ...                                       async for part in r.aiter_bytes(n):
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from loopsafe.fixes.async_client import arguments
from loopsafe.fixes.clients import Change, Pair, pairs, removal, spell_client, translate
from loopsafe.fixes.names import bindings, own_nodes
from loopsafe.fixes.place import may_await
from loopsafe.fixes.responses import caught
from loopsafe.fixes.rewrite import opening_await
from loopsafe.fixes.site import Site, site_at
from loopsafe.model import Edit, Fix, Safety


def cures(site: Site) -> Iterator[Fix]:
    """The `with` of the answer around the finding, and all that is done with it."""
    for block in (node for node in reversed(site.path) if isinstance(node, ast.With)):
        call, target = block.items[0].context_expr, block.items[0].optional_vars
        if len(block.items) != 1 or not isinstance(call, ast.Call):
            continue
        if not site.direct and site.node not in (call, call.func):
            continue
        package, _, made = site.full_name(call.func).rpartition(".")
        for pair in pairs():
            if pair.package == package and isinstance(target, ast.Name):
                edits = _edits(site, pair, block, call, target.id, made)
                if edits:
                    title = f"Use {_shown(site, pair)}.stream()"
                    yield Fix(title, Safety.UNSAFE, edits, caveat=pair.caveat)
                    return


def _shown(site: Site, pair: Pair) -> str:
    """The async client, as titles name it."""
    found = spell_client(site, pair)
    return f"{found[0] if found else pair.package}.{pair.client}"


def _edits(
    site: Site, pair: Pair, block: ast.With, call: ast.Call, name: str, made: str
) -> tuple[Edit, ...] | None:
    client, rule, draft = spell_client(site, pair), pair.streamed, site.draft
    function = site.function
    if function is None or client is None or rule is None:
        return None
    if not may_await(site_at(site, call.func)):
        return None
    keyword = next((k for k in call.keywords if k.arg and k.arg == rule["keyword"]), None)
    if made != rule["function"] and not _is_true(keyword):
        return None
    changes: list[Change] = []
    if keyword is not None:
        gone = removal(site, call, keyword)
        if gone is None:
            return None
        changes.append(gone)
    request = translate(site, pair, call, _method(made, rule), without=keyword)
    used = _used(site, pair, function, block, name)
    if request is None or used is None:
        return None
    handlers = caught(site, pair, client[0], function, [call])
    if handlers is None:
        return None
    wanted = site.free_name("client")
    head = f"{client[1].text}({arguments(request.constructor)}) as {wanted}, {wanted}.stream"
    changes += [
        (draft.start(block), draft.start(block), "async "),
        (draft.start(call), draft.callee_stop(call), head),
        *request.changes,
        *used,
    ]
    if made != rule["function"]:
        at = draft.bracket(call) + 1
        changes.append((at, at, f'"{made.upper()}", '))
    return (*client[1].edits, *handlers, *(draft.replace(*change) for change in changes))


def _method(made: str, rule: Any) -> str:
    return "request" if made == rule["function"] else made


def _is_true(keyword: ast.keyword | None) -> bool:
    value = keyword.value if keyword is not None else None
    return isinstance(value, ast.Constant) and value.value is True


def _used(
    site: Site, pair: Pair, function: ast.AsyncFunctionDef, block: ast.With, name: str
) -> list[Change] | None:
    """What changes where the answer is used; None where one use has no async way."""
    rule = pair.streamed
    assert rule is not None
    if len(bindings(function).get(name, [])) != 1:
        return None
    inside = {id(node) for node in ast.walk(block)}
    parents = {id(c): n for n in ast.walk(function) for c in ast.iter_child_nodes(n)}
    own = {id(node) for node in own_nodes(function)}
    changes: list[Change] = []
    for node in ast.walk(function):
        if not isinstance(node, ast.Name) or node.id != name or isinstance(node.ctx, ast.Store):
            continue
        held = parents.get(id(node))
        if id(node) not in inside or not isinstance(held, ast.Attribute):
            return None
        if held.attr in rule["plain"]:
            twin, stop = (pair.attributes or {}).get(held.attr, held.attr), site.draft.stop(held)
            if twin != held.attr:
                changes.append((stop - len(held.attr), stop, twin))
            continue
        call = parents.get(id(held))
        if not isinstance(call, ast.Call) or call.func is not held or id(call) not in own:
            return None
        found = _called(site, rule, held, call, parents.get(id(call)))
        if found is None:
            return None
        changes += found
    return changes


def _called(
    site: Site, rule: Any, held: ast.Attribute, call: ast.Call, parent: ast.AST | None
) -> list[Change] | None:
    draft = site.draft
    stop = draft.stop(held)
    place = stop - len(held.attr), stop
    if held.attr in rule["awaited"]:
        there = site_at(site, held)
        if not may_await(there):
            return None
        before, after = opening_await(there, call)
        changes = [(draft.start(call), draft.start(call), before)]
        changes += [(draft.stop(call), draft.stop(call), after)] if after else []
        return [*changes, (*place, rule["awaited"][held.attr])]
    twin = rule["iterators"].get(held.attr)
    named = all(keyword.arg in rule["arguments"] for keyword in call.keywords)
    if twin is None or not named or not isinstance(parent, ast.For) or parent.iter is not call:
        return None
    return [(draft.start(parent), draft.start(parent), "async "), (*place, twin)]
