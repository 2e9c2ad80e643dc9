"""Opens an async client around the statements that use a blocking one.

client = TestClient(app)        async with httpx.AsyncClient(transport=...) as client:
r = client.get("/")                 r = await client.get("/")
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loopsafe.fixes.counterpart import Entry, entry_of, filled, making
from loopsafe.fixes.layout import alone, changed, deeper, suites
from loopsafe.fixes.names import bindings, own_nodes
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import opening_await
from loopsafe.fixes.site import Site, site_at
from loopsafe.model import Edit, Fix, Safety

Change = tuple[int, int, str]
_SIMPLE = (ast.Assign, ast.AnnAssign, ast.Expr, ast.Return, ast.Assert)


@dataclass(frozen=True, slots=True)
class _Client:
    """The blocking client, and the statements that use it."""

    made: ast.Call
    block: Sequence[ast.stmt]
    name: str = ""
    """Its variable; empty where it is made in the statement that uses it."""
    is_local: bool = False
    """The first statement of the block is its assignment."""


def cures(site: Site) -> Iterator[Fix]:
    """The statements from where the client is made, or first used, to where it is last used."""
    function, node = site.function, site.node
    if function is None or site.call is None or not isinstance(node, ast.Attribute):
        return
    client = _client(site, function, node.value)
    entry = entry_of(site, client.made) if client else None
    if client is None or entry is None or not _may_move(site, client, entry):
        return
    made, uses = making(site, entry, client.made), _uses(site, function, client, entry)
    if made is None or uses is None:
        return
    name = client.name or site.free_name("client")
    edit = _wrapped(site, client, f"async with {made.text} as {name}:", name, uses)
    title = filled(site, entry["title"])
    yield Fix(title, Safety.UNSAFE, (*made.edits, edit), caveat=entry["caveat"])


def _client(site: Site, function: ast.AsyncFunctionDef, root: ast.expr) -> _Client | None:
    statement = site.statement
    if isinstance(root, ast.Call):
        return _Client(root, [statement]) if isinstance(statement, _SIMPLE) else None
    if not isinstance(root, ast.Name):
        return None
    is_local = root.id in bindings(function)
    made = _assigned(function if is_local else site.context.tree, root.id)
    if made is None or entry_of(site, made[1]) is None:
        return None
    for suite in suites(function) if is_local else [function.body]:
        used = [i for i, statement in enumerate(suite) if _mentions(statement, root.id)]
        if not used or (is_local and suite[used[0]] is not made[0]):
            continue
        block = suite[used[0] : used[-1] + 1]
        inside = sum(_mentions(statement, root.id) for statement in block)
        everywhere = _mentions(function, root.id)
        return _Client(made[1], block, root.id, is_local) if inside == everywhere else None
    return None


def _assigned(
    scope: ast.AsyncFunctionDef | ast.Module, name: str
) -> tuple[ast.stmt, ast.Call] | None:
    """The only statement that sets a variable, to what a call gives."""
    found = bindings(scope).get(name, [])
    for node in own_nodes(scope):
        if isinstance(node, ast.Assign) and len(found) == 1 and node.targets == found:
            return (node, node.value) if isinstance(node.value, ast.Call) else None
    return None


def _mentions(node: ast.AST, name: str) -> int:
    """How often a name is mentioned."""
    return sum(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))


def _may_move(site: Site, client: _Client, entry: Entry) -> bool:
    if not alone(site.draft, client.block) or not site.draft.faithful(client.made):
        return False
    if client.is_local or not client.name:
        return True
    local = {name for scope in site.scopes() for name in bindings(scope)} - {client.name}
    names = {node.id for node in ast.walk(client.made) if isinstance(node, ast.Name)}
    return bool(entry["shared"]) and names.isdisjoint(local)


def _uses(
    site: Site, function: ast.AsyncFunctionDef, client: _Client, entry: Entry
) -> list[Change] | None:
    """The changes of all that is done with the client; None where one has no async way."""
    changes: list[Change] = []
    parents = {id(c): n for n in ast.walk(function) for c in ast.iter_child_nodes(n)}
    for node in [n for statement in client.block for n in ast.walk(statement)]:
        key = node.slice if isinstance(node, ast.Subscript) else None
        if isinstance(key, ast.Constant) and key.value in entry["streams"]:
            return None
        if client.name:
            is_client = isinstance(node, ast.Name) and node.id == client.name
            is_used = is_client and not any(node is target for target in _targets(client))
        else:
            is_used = node is client.made
        if not is_used:
            continue
        parent = parents.get(id(node))
        if isinstance(parent, ast.Attribute) and parent.attr in entry["plain"]:
            continue
        used = _awaited(site, function, parent, entry)
        if used is None:
            return None
        changes += used
    return changes


def _targets(client: _Client) -> Sequence[ast.expr]:
    first = client.block[0]
    return first.targets if client.is_local and isinstance(first, ast.Assign) else ()


def _awaited(
    site: Site, function: ast.AsyncFunctionDef, node: ast.AST | None, entry: Entry
) -> list[Change] | None:
    if not isinstance(node, ast.Attribute) or node.attr in entry["refused"]:
        return None
    there = site_at(site, node)
    if there.call is None or there.function is not function or not may_await(there):
        return None
    if node.attr not in entry["awaited"] and "*" not in entry["awaited"]:
        return None
    before, after = opening_await(there, there.call)
    start, stop = site.draft.start(there.call), site.draft.stop(there.call)
    return [(start, start, before), *([(stop, stop, after)] if after else [])]


def _wrapped(site: Site, client: _Client, head: str, name: str, uses: list[Change]) -> Edit:
    """The block below the `async with`; the assignment of the client goes."""
    draft, unit = site.draft, site.indent_unit()
    start, stop = draft.start(client.block[0]), draft.stop(client.block[-1])
    changes = [*uses, *deeper(draft, client.block, unit)]
    if client.is_local:
        changes.append((start, draft.stop(client.block[0]), head))
        return draft.replace(start, stop, changed(draft, start, stop, changes))
    if not client.name:
        # The `await` stands before the client that goes.
        first, last = draft.start(client.made), draft.stop(client.made)
        waits = "".join(text for at, _, text in uses if at == first)
        changes = [change for change in changes if change[0] != first]
        changes.append((first, last, waits + name))
    indent = draft.source.newline + draft.indent(client.block[0].lineno) + unit
    return draft.replace(start, stop, head + indent + changed(draft, start, stop, changes))
