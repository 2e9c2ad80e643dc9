"""Edits that cure a finding. Each kind of cure is a module with `cures(site)`.

A cure is offered only where it is right; what would not compile is held back here, for all.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from loopsafe.fixes import (
    async_client,
    async_file,
    async_iteration,
    async_object,
    async_session,
    async_stream,
    attribute,
    block,
    client_block,
    drop_in,
    eager,
    future,
    ignore,
    nested_loop,
    offload,
    popen,
    process,
    run_process,
    scoped,
    sock,
    thread_flag,
    to_def,
    unused,
    worker_process,
)
from loopsafe.fixes.combine import combined, overlap
from loopsafe.fixes.context import FixContext
from loopsafe.fixes.edits import Draft, compiles
from loopsafe.fixes.idioms import idioms
from loopsafe.fixes.leftovers import removes, tidied
from loopsafe.fixes.selection import moves
from loopsafe.fixes.site import Site, locate
from loopsafe.model import Edit, Finding, Fix, Safety
from loopsafe.text import SourceText

__all__ = ["FixContext", "fixes", "idiom_names", "merge", "moves"]

Cure = Callable[[Site], Iterator[Fix]]

# In the order in which they are offered. Of a group, the first that has something to offer speaks.
_ASYNC: tuple[Cure, ...] = (
    async_iteration.cures,
    drop_in.cures,
    attribute.cures,
    future.cures,
    async_file.cures,
    async_object.cures,
    async_session.cures,
    async_stream.cures,
    async_client.cures,
    client_block.cures,
    sock.cures,
    popen.cures,
)
_THREAD: tuple[Cure, ...] = (block.cures, scoped.cures, offload.cures)
_PROCESS: tuple[Cure, ...] = (run_process.cures, process.cures, worker_process.cures)
_CURES: dict[str, tuple[tuple[Cure, ...], ...]] = {
    "async-without-await": ((to_def.cures,),),
    "eager-offload": ((eager.cures,),),
    "nested-loop": ((nested_loop.cures,),),
    "await-sync": (_ASYNC, (offload.cures,)),
    "blocking-future": ((to_def.cures,), (nested_loop.cures, *_ASYNC), _THREAD),
    "unused-ignore": ((unused.cures,),),
}
# Where one of these is safe, moving the call to a thread would be a detour.
_ENOUGH: tuple[Cure, ...] = (
    async_iteration.cures,
    drop_in.cures,
    attribute.cures,
    future.cures,
)
_BLOCKING = ((to_def.cures, thread_flag.cures), _ASYNC, _THREAD, _PROCESS)


def fixes(finding: Finding, context: FixContext) -> tuple[Fix, ...]:
    """The cures of a finding, the preferred one first, the ignore comment last."""
    site = locate(finding, context)
    offered: list[Fix] = []
    for group in _CURES.get(finding.code, _BLOCKING):
        cure, right = _first(site, group)
        offered += right
        if cure in _ENOUGH and any(fix.safety is Safety.SAFE for fix in right):
            break
    hiding = [] if finding.code == "unused-ignore" else _first(site, (ignore.cures,))[1]
    return (*offered, *hiding)


def merge(
    path: str, source: SourceText, tree: ast.Module, wanted: Iterable[Fix]
) -> tuple[Edit, ...]:
    """The edits of as many fixes of one file as can be applied together, earlier ones first.

    Equal edits, as of one import that several fixes add, are applied once.
    """
    draft = Draft(path, source)
    merged: list[Edit] = []
    for fix in wanted:
        cure = (edit for edit in fix.edits if not removes(draft, tree, edit))
        new = [edit for edit in cure if edit not in merged]
        if any(overlap(edit, other) for edit in new for other in merged):
            continue
        if compiles(draft, tree, combined((*merged, *new))):
            merged += new
    return combined(tidied(draft, tree, merged))


def idiom_names() -> tuple[str, ...]:
    """What the setting `offload` may name besides `auto`."""
    return tuple(idiom.name for idiom in idioms())


def _first(site: Site, group: tuple[Cure, ...]) -> tuple[Cure | None, list[Fix]]:
    """The first cure that has something to offer, and what."""
    for cure in group:
        found = [_finished(site, fix) for fix in cure(site)]
        right = [f for f in found if compiles(site.draft, site.context.tree, f.edits)]
        if right:
            return cure, right
    return None, []


def _finished(site: Site, fix: Fix) -> Fix:
    """The fix with its edits joined, and the imports taken out that it leaves unused."""
    edits = fix.edits
    if fix.kind == "quickfix":
        edits = tidied(site.draft, site.context.tree, edits)
    return replace(fix, edits=combined(edits))
