"""Awaits an async callable that takes the same arguments.

time.sleep(1)
await asyncio.sleep(1)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from loopsafe.fixes.data import table
from loopsafe.fixes.idioms import choose
from loopsafe.fixes.imports import spell
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import opening_await
from loopsafe.fixes.site import Site
from loopsafe.model import Edit, Fix, Safety


def cures(site: Site) -> Iterator[Fix]:
    """The async callable in place of the blocking one."""
    call = site.call
    if call is None or not site.direct or not may_await(site) or not site.draft.faithful(call):
        return
    entry = table("drop_in")["function"].get(site.finding.sink)
    if entry:
        twin: str = entry.get(choose(site).name, entry["asyncio"])
        module, _, name = twin.rpartition(".")
        spelling = spell(site, module, name)
        if spelling:
            edits = (*spelling.edits, *_replaced(site, call, spelling.text))
            safety = Safety.SAFE if entry["safe"] else Safety.UNSAFE
            yield Fix(f"Use await {twin}()", safety, edits, caveat=entry.get("caveat", ""))
    elif isinstance(call.func, ast.Attribute):
        method = _sibling(site)
        if method:
            start, stop = site.draft.start(call), site.draft.stop(call.func) - len(call.func.attr)
            edits = _replaced(site, call, site.draft.source.text[start:stop] + method)
            yield Fix(f"Use await .{method}()", Safety.SAFE, edits)


def _sibling(site: Site) -> str:
    """The async method beside a blocking one: `Charge.create_async` of `Charge.create`."""
    blocking = site.context.blocking
    if blocking is None or not blocking.twin:
        return ""
    owner, _, name = blocking.twin.rpartition(".")
    return name if owner == blocking.name.rpartition(".")[0] else ""


def _replaced(site: Site, call: ast.Call, callee: str) -> tuple[Edit, ...]:
    draft = site.draft
    before, after = opening_await(site, call)
    edits = [draft.replace(draft.start(call), draft.callee_stop(call), before + callee)]
    if after:
        edits.append(draft.insert(draft.stop(call), after))
    return tuple(edits)
