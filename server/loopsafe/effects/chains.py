"""The shortest way from a function to each kind of blocking call, over the call graph.

A graph is read once from the functions that are asked about; then distances spread backwards from
the blocking calls, the worst and nearest first, so every answer is exact whatever the cycles.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import NamedTuple

from loopsafe.effects.edges import Edge, edges, function_of
from loopsafe.effects.overrides import Overrides
from loopsafe.facts.ir import Call
from loopsafe.knowledge.schema import Blocking
from loopsafe.resolve.names import qualified
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame

CACHES = frozenset({"cache", "lru_cache", "cached", "cached_property", "alru_cache"})
"""Decorators, by the last part of their names, that call a function once for each argument."""

MILDEST = 2
"""The rank of the mildest cost."""


class Way(NamedTuple):
    """The best way from a frame to a blocking call of one category."""

    rank: int
    """Of the call's cost, 0 for the worst."""
    length: int
    """Calls on the way, the blocking one included."""
    edge: Edge
    blocking: Blocking


class Step(NamedTuple):
    """One edge of a chain and the frame it starts from."""

    frame: Frame
    edge: Edge


class Chains:
    """Answers that hold until a module of the project changes."""

    def __init__(self, resolver: Resolver, overrides: Overrides) -> None:
        self.resolver = resolver
        self.overrides = overrides
        self._ways: dict[Frame, dict[str, Way]] = {}

    def forget(self) -> None:
        """Some function's edges may have changed."""
        self._ways.clear()

    def edges(self, frame: Frame) -> tuple[Edge, ...]:
        return edges(self.resolver, self.overrides, frame)

    def ways(self, frame: Frame) -> dict[str, Way]:
        """The best way to each category of blocking call that a function reaches."""
        if frame not in self._ways:
            self._settle(frame)
        return self._ways[frame]

    def through(self, frame: Frame) -> Iterator[Way]:
        """A function's ways as its callers meet them: milder where the answer is kept."""
        relief = self._relief(frame)
        for way in self.ways(frame).values():
            yield way._replace(rank=min(way.rank + relief, MILDEST))

    def _relief(self, frame: Frame) -> int:
        """1 for a function whose result is cached: it blocks the first caller only."""
        function = function_of(self.resolver, frame)
        if function is None or not function.decorators:
            return 0
        outer = self.resolver.frame(frame.module, function.outer)
        for decorator in function.decorators:
            callee = decorator.func if isinstance(decorator, Call) else decorator
            name = qualified(self.resolver, callee, outer) or ""
            if name.rpartition(".")[2] in CACHES:
                return 1
        return 0

    def steps(self, frame: Frame, category: str) -> Iterator[Step]:
        """The chain from a frame to its nearest blocking call of a category."""
        here: Frame | None = frame
        while here is not None:
            way = self.ways(here).get(category)
            if way is None:
                return
            yield Step(here, way.edge)
            here = way.edge.target if isinstance(way.edge.target, Frame) else None

    def _settle(self, start: Frame) -> None:
        """Finds the ways of every function that the start reaches and that is not known yet."""
        callers: dict[Frame, list[tuple[Frame, Edge]]] = {start: []}
        found: list[tuple[int, int, int, Frame, Edge, Blocking]] = []
        todo = [start]
        while todo:
            frame = todo.pop()
            for edge in self.edges(frame):
                target = edge.target
                if isinstance(target, Blocking):
                    found.append((target.cost.rank, 1, len(found), frame, edge, target))
                    continue
                if target in self._ways:
                    found.extend(
                        (way.rank, way.length + 1, len(found), frame, edge, way.blocking)
                        for way in self.through(target)
                    )
                    continue
                if target not in callers:
                    callers[target] = []
                    todo.append(target)
                callers[target].append((frame, edge))
        for frame in callers:
            self._ways[frame] = {}
        self._spread(found, callers)

    def _spread(
        self,
        heap: list[tuple[int, int, int, Frame, Edge, Blocking]],
        callers: dict[Frame, list[tuple[Frame, Edge]]],
    ) -> None:
        heap = [(r, n, i, f, e, b) for i, (r, n, _, f, e, b) in enumerate(heap)]
        heapq.heapify(heap)
        counter = len(heap)
        while heap:
            rank, length, _, frame, edge, blocking = heapq.heappop(heap)
            ways = self._ways[frame]
            if blocking.category in ways:
                continue
            ways[blocking.category] = Way(rank, length, edge, blocking)
            rank = min(rank + self._relief(frame), MILDEST)
            for caller, step in callers.get(frame, ()):
                counter += 1
                heapq.heappush(heap, (rank, length + 1, counter, caller, step, blocking))
