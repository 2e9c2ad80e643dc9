"""Enters and leaves a context manager in threads, where its block stays on the loop.

with lock:                  await asyncio.to_thread(lock.acquire)
    await work()            try:
                                await work()
                            finally:
                                lock.release()
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase

from loopsafe.fixes.data import table
from loopsafe.fixes.idioms import choose, of_nothing
from loopsafe.fixes.imports import spell
from loopsafe.fixes.iteration import shown
from loopsafe.fixes.layout import alone
from loopsafe.fixes.names import dotted, survey
from loopsafe.fixes.offload import needs_loop
from loopsafe.fixes.place import may_await
from loopsafe.fixes.site import Site
from loopsafe.model import Fix, Safety


def cures(site: Site) -> Iterator[Fix]:
    """The `with` that the finding is the context expression of."""
    entered = site.call or site.node
    item = site.parent(entered)
    block = site.parent(item) if isinstance(item, ast.withitem) else None
    if not isinstance(block, ast.With) or not isinstance(item, ast.withitem):
        return
    if not isinstance(entered, ast.expr) or not may_await(site) or needs_loop(site):
        return
    data, sink = table("threads"), site.finding.sink
    if any(fnmatchcase(sink, pattern) for pattern in data["released"]):
        fix = _acquired(site, block, item) if site.direct else None
    elif sink in data["handles"] or any(fnmatchcase(sink, pattern) for pattern in data["bound"]):
        fix = None
    else:
        fix = _in_threads(site, block, entered)
    if fix:
        yield fix


def _acquired(site: Site, block: ast.With, item: ast.withitem) -> Fix | None:
    """`with lock:` to a `try` whose lock is acquired in a thread."""
    lock, draft = dotted(item.context_expr), site.draft
    idiom = choose(site)
    around = of_nothing(site, idiom)
    if not lock or item.optional_vars or len(block.items) != 1 or around is None:
        return None
    if not alone(draft, [block]) or block.body[0].lineno == block.lineno:
        return None
    start, stop = draft.start(block), draft.stop(item.context_expr)
    colon = draft.source.text.find(":", stop)
    if draft.source.text[stop:colon].strip(" \t)\\\r\n"):
        return None
    head, tail, imports = around
    newline, unit = draft.source.newline, site.indent_unit()
    indent = newline + draft.indent(block.lineno)
    line = block.end_lineno or block.lineno
    end = draft.source.offset(line, 0) + len(draft.source.line(line))
    return Fix(
        f"Acquire {lock} in a thread with {idiom.shows}",
        Safety.UNSAFE,
        (
            *imports,
            draft.replace(start, colon, f"await {head}{lock}.acquire{tail}{indent}try"),
            draft.insert(end, f"{indent}finally:{indent}{unit}{lock}.release()"),
        ),
        caveat="Where the task is cancelled while it waits, the lock stays acquired.",
    )


def _in_threads(site: Site, block: ast.With, entered: ast.expr) -> Fix | None:
    """`with cm() as x:` to `async with contextmanager_in_threadpool(cm()) as x:`."""
    enters = choose(site).enters
    package, (module, _, name) = enters.partition(".")[0], enters.rpartition(".")
    imported = {full.partition(".")[0] for full in survey(site.context.tree).imported}
    if not enters or len(block.items) != 1 or package not in imported:
        return None
    spelling = spell(site, module, name, by_name=True)
    if spelling is None or not site.draft.faithful(entered):
        return None
    draft = site.draft
    return Fix(
        f"Enter and leave {shown(entered)} in a thread with {name}()",
        Safety.UNSAFE,
        (
            *spelling.edits,
            draft.insert(draft.start(block), "async "),
            draft.insert(draft.start(entered), f"{spelling.text}("),
            draft.insert(draft.stop(entered), ")"),
        ),
        caveat="What it gives is still used on the loop, and must not belong to one thread.",
    )
