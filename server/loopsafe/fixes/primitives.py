"""Makes a lock, an event or a queue of threads one of asyncio, where only coroutines use it.

jobs = queue.Queue()                      jobs = asyncio.Queue()

async def work():                         async def work():
    job = jobs.get()                          job = await jobs.get()
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from loopsafe.fixes.context import FixContext
from loopsafe.fixes.data import table
from loopsafe.fixes.edits import span_of
from loopsafe.fixes.everywhere import Stuck
from loopsafe.fixes.holders import reads
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import opening_await
from loopsafe.fixes.site import Site, place_in
from loopsafe.fixes.twins import Client
from loopsafe.model import Edit

_ANY_LOOP = (3, 10)
"""The first Python whose primitives do not belong to the loop of where they are made."""

CAVEAT = "It then belongs to one event loop: no thread may use it, nor another loop."


def is_primitive(cls: str) -> bool:
    """Whether a class of threads has a twin in asyncio that is used in the same way."""
    return cls in table("twins")["primitive"]


def check(context: FixContext, held: Client, call: ast.Call) -> None:
    """Raises Stuck where the object is made in a way that its twin does not know."""
    if context.python_version < _ANY_LOOP:
        raise Stuck("before Python 3.10 it would belong to the loop of where it is made")
    if len(call.args) + len(call.keywords) > table("twins")["primitive"][held.cls]["takes"]:
        raise Stuck(f"`{held.name}` is made with other arguments")


def uses(context: FixContext, held: Client) -> Iterator[Edit]:
    """The edits of all that a file does with the object.

    Raises Stuck where it may be used in a thread, or in another way.
    """
    entry = table("twins")["primitive"][held.cls]
    for node in ast.walk(context.tree):
        name = getattr(node, "attr", getattr(node, "id", ""))
        if name in entry["errors"]:
            raise Stuck(f"line {getattr(node, 'lineno', 0)} is about `{name}`, an error of threads")
    for read in reads(held.holder):
        yield from _used(context, held, read, entry)


def _used(
    context: FixContext, held: Client, node: ast.expr, entry: dict[str, Any]
) -> Iterator[Edit]:
    site = place_in(context, span_of(node))
    if site.function is None:
        raise Stuck(f"`{held.name}` may be used in a thread in line {node.lineno}")
    parent = site.parent(node)
    if isinstance(parent, ast.withitem) and entry["entered"]:
        yield _entered(site, held, parent)
        return
    if not isinstance(parent, ast.Attribute):
        raise Stuck(f"`{held.name}` goes somewhere in line {node.lineno}")
    here = place_in(context, span_of(parent))
    call, most = here.call, entry["awaited"].get(parent.attr)
    if call is not None and parent.attr in entry["plain"]:
        return
    if call is None or most is None or len(call.args) + len(call.keywords) > most:
        raise Stuck(f"what is done with `{held.name}` in line {node.lineno} has no async way")
    if not may_await(here) or not here.draft.faithful(call):
        raise Stuck(f"`await` may not stand in line {node.lineno}")
    before, after = opening_await(here, call)
    yield here.draft.insert(here.draft.start(call), before)
    if after:
        yield here.draft.insert(here.draft.stop(call), after)


def _entered(site: Site, held: Client, item: ast.withitem) -> Edit:
    """`with lock:` to `async with lock:`."""
    block = site.parent(item)
    if not isinstance(block, ast.With) or len(block.items) != 1 or item.optional_vars:
        line = site.finding.span.line
        raise Stuck(f"`{held.name}` is entered with something else in line {line}")
    return site.draft.insert(site.draft.start(block), "async ")
