"""Code that never runs on the event loop, by the conditions it stands under."""

from __future__ import annotations

from loopsafe.facts.ir import Block, Call, Scope
from loopsafe.resolve.members import dotted_name
from loopsafe.resolve.names import qualified
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame

LOOP_LOOKUPS = frozenset(
    {
        "asyncio.get_running_loop",
        "asyncio.events.get_running_loop",
        "asyncio.current_task",
        "sniffio.current_async_library",
        "trio.lowlevel.current_task",
        "anyio.get_current_task",
    }
)
"""Callables that raise RuntimeError (or a subclass) where no event loop is running."""

LOOP_QUESTIONS = frozenset(
    {
        "asyncio.AbstractEventLoop.is_running",
        "asyncio.events.AbstractEventLoop.is_running",
        "asyncio.base_events.BaseEventLoop.is_running",
    }
)
"""Callables that are true where the event loop is running."""


def never_on_loop(resolver: Resolver, scope: Scope, block: int, frame: Frame) -> bool:
    """Whether a block is dead, only for type checkers, or only runs without an event loop."""
    while block > 0:
        found = scope.blocks[block]
        if found.kind in ("dead", "typing", "main"):
            return True
        if found.kind == "except" and _means_no_loop(resolver, found, frame):
            return True
        if found.kind == "else" and _asks_for_loop(resolver, found, frame):
            return True
        block = found.parent
    return False


def _asks_for_loop(resolver: Resolver, block: Block, frame: Frame) -> bool:
    """`if loop.is_running():` has an `else:` for where there is no loop."""
    if not isinstance(block.test, Call):
        return False
    values = resolver.values(block.test.func, frame)
    return any(dotted_name(resolver, value) in LOOP_QUESTIONS for value in values)


def _means_no_loop(resolver: Resolver, block: Block, frame: Frame) -> bool:
    """`try: get_running_loop()` / `except RuntimeError:` runs where there is no loop."""
    if not isinstance(block.test, Call):
        return False
    return qualified(resolver, block.test.func, frame) in LOOP_LOOKUPS
