"""Awaits a future of threads instead of waiting for its result.

value = pool.submit(load, uid).result()
value = await asyncio.wrap_future(pool.submit(load, uid))
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from loopsafe.fixes.data import table
from loopsafe.fixes.idioms import choose
from loopsafe.fixes.imports import spell, spell_dotted
from loopsafe.fixes.place import awaiter, may_await
from loopsafe.fixes.rewrite import opening_await
from loopsafe.fixes.site import Site
from loopsafe.model import Fix, Safety

_LIMITED = (3, 11)
"""The first Python in which both kinds of futures raise one TimeoutError."""


def cures(site: Site) -> Iterator[Fix]:
    """The receiver of a method that waits, wrapped in something to await."""
    call, entry = site.call, table("future")["method"].get(site.finding.sink)
    if entry is None or call is None or not isinstance(call.func, ast.Attribute):
        return
    if not site.direct or not may_await(site) or not site.draft.faithful(call):
        return
    if choose(site).name in entry["unless"] or awaiter(site, call) is not None:
        return  # A task is made of a coroutine, and this gives a future.
    limit = _limit(call)
    if limit is None or (limit and site.context.python_version < _LIMITED):
        return
    spelling, waiting = spell_dotted(site, entry["wrap"]), spell(site, "asyncio", "wait_for")
    if spelling is None or waiting is None:
        return
    draft, text = site.draft, site.draft.source.text
    start, stop = draft.start(call), draft.stop(call)
    dot = draft.stop(call.func) - len(call.func.attr)
    end = len(text[:dot].rstrip().removesuffix(".").rstrip())
    if "#" in text[end:stop]:
        return
    before, after = opening_await(site, call)
    if limit:
        before, after = f"{before}{waiting.text}(", f", {limit}){after}"
    edits = (
        *spelling.edits,
        *(waiting.edits if limit else ()),
        draft.insert(start, f"{before}{spelling.text}("),
        draft.replace(end, stop, f"){after}"),
    )
    caveat = entry["caveat"] if limit or not isinstance(call.func.value, ast.Call) else ""
    yield Fix(
        f"Use await {entry['wrap']}()",
        Safety.UNSAFE if caveat else Safety.SAFE,
        edits,
        caveat=caveat,
    )


def _limit(call: ast.Call) -> str | None:
    """The time limit as written, empty if there is none; None for other arguments."""
    given = [*call.args, *(k.value for k in call.keywords if k.arg == "timeout")]
    if len(given) != len(call.args) + len(call.keywords) or len(given) > 1:
        return None
    if not given or (isinstance(given[0], ast.Constant) and given[0].value is None):
        return ""
    return None if isinstance(given[0], ast.Starred) else ast.unparse(given[0])
