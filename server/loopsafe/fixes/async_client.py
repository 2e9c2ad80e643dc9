"""Makes an HTTP request with an async client that is installed.

r = requests.get(url)

async with httpx.AsyncClient(timeout=None, follow_redirects=True) as client:
    r = await client.get(url)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from loopsafe.fixes.clients import Change, Pair, pairs, spell_client, translate
from loopsafe.fixes.layout import alone, changed, deeper
from loopsafe.fixes.place import may_await
from loopsafe.fixes.responses import caught, uses_of
from loopsafe.fixes.rewrite import opening_await
from loopsafe.fixes.site import Site
from loopsafe.model import Fix, Safety

_SIMPLE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Return)


def cures(site: Site) -> Iterator[Fix]:
    """The statement with the request, inside an `async with` of its own."""
    call, statement = site.call, site.statement
    if call is None or not site.direct or not may_await(site) or not site.draft.faithful(call):
        return
    if not isinstance(statement, _SIMPLE) or not alone(site.draft, [statement]):
        return
    package, _, method = site.full_name(call.func).rpartition(".")
    for pair in pairs():
        if package == pair.package:
            fix = _fix(site, pair, call, statement, method)
            if fix:
                yield fix


def arguments(constructor: Mapping[str, str]) -> str:
    """The arguments of a client, as written."""
    return ", ".join(f"{name}={value}" for name, value in constructor.items())


def _fix(site: Site, pair: Pair, call: ast.Call, statement: ast.stmt, method: str) -> Fix | None:
    function, client = site.function, spell_client(site, pair)
    request = translate(site, pair, call, method)
    if function is None or client is None or request is None:
        return None
    module, spelling = client
    uses = uses_of(site, pair, call, function)
    if uses is None:
        return None
    handlers = caught(site, pair, module, function, [call, *uses.nodes])
    if handlers is None:
        return None
    draft = site.draft
    start, stop = draft.start(statement), draft.stop(statement)
    name = site.free_name("client")
    before, after = opening_await(site, call)
    changes: list[Change] = [
        (draft.start(call), draft.callee_stop(call), f"{before}{name}.{method}"),
        *request.changes,
        *deeper(draft, [statement], site.indent_unit()),
    ]
    if after:
        changes.append((draft.stop(call), draft.stop(call), after))
    elsewhere = []
    for change in uses.changes:
        if start <= change[0] < stop:
            changes.append(change)
        else:
            elsewhere.append(draft.replace(*change))
    opened = f"async with {spelling.text}({arguments(request.constructor)}) as {name}:"
    indent = draft.source.newline + draft.indent(statement.lineno) + site.indent_unit()
    body = changed(draft, start, stop, changes)
    edit = draft.replace(start, stop, opened + indent + body)
    safe = request.safe and pair.attributes is None
    return Fix(
        f"Use {module}.{pair.client}",
        Safety.SAFE if safe else Safety.UNSAFE,
        (*spelling.edits, *handlers, edit, *elsewhere),
        caveat="" if safe else pair.caveat,
    )
