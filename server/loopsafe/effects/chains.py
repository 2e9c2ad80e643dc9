"""The shortest way from a function to each kind of blocking call, over the call graph.

A graph is read once from the functions that are asked about; then distances spread backwards from
the blocking calls, the worst and nearest first, so every answer is exact whatever the cycles.
"""

from __future__ import annotations

import heapq
from collections.abc import Container, Iterator
from typing import NamedTuple

from loopsafe.effects.derive import Derivation, Derived
from loopsafe.effects.edges import Edge, edges
from loopsafe.effects.holding import Holder
from loopsafe.effects.libraries import library_edges
from loopsafe.effects.meetings import function_of
from loopsafe.effects.mutexes import acquired, is_held_briefly
from loopsafe.effects.overrides import Overrides
from loopsafe.effects.pools import is_awaited_within
from loopsafe.effects.relief import Relief, function_relief
from loopsafe.facts.ir import Const, Function, Name, Site
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import COSTS, Spot
from loopsafe.modules.units import Resting
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame

_DEEPEST = 8
"""Functions that return what the next one returns."""
_BEHIND = 100
"""Calls by which a derived way is longer than it is."""


class Way(NamedTuple):
    """The best way from a frame to a blocking call of one category."""

    rank: int
    """Of the call's cost, 0 for the worst."""
    length: int
    """Calls on the way, the blocking one included."""
    edge: Edge
    blocking: Blocking
    kept: bool = False
    """Somewhere on the way a result is kept for the life of the process: it happens once."""
    held: Holder | None = None
    """The object that keeps a result on the way, as seen from where the way begins: it is that
    whose method this is, or another one, of which nobody knows how long it lives."""


class Step(NamedTuple):
    """One edge of a chain and the frame it starts from."""

    frame: Frame
    edge: Edge


class Chains:
    """Answers that hold until a module of the project changes."""

    def __init__(self, resolver: Resolver, overrides: Overrides) -> None:
        self.resolver = resolver
        self.overrides = overrides
        self.derivation = Derivation(resolver)
        self._ways: dict[Frame, dict[str, Way]] = {}
        self._traces: dict[Frame, int] = {}
        """What the ways of a frame rest on, as bits of the module table."""
        self._resting: Resting[Frame] = Resting()

    def forget(self, changed: int | None = None) -> None:
        """Drops what rests on any of these bits, or all."""
        if changed is None:
            self._ways.clear()
            self._traces.clear()
            self._resting.clear()
            return
        for frame in self._resting.take(changed):
            del self._ways[frame], self._traces[frame]

    def edges(self, frame: Frame) -> tuple[Edge, ...]:
        """Where the sites of a frame's function lead, into packages too."""
        self.derivation.check_in()
        module = self.resolver.table.get(frame.module)
        if module is not None:
            self.resolver.table.trace |= module.text_bit
        own = edges(self.resolver, self.overrides, frame)
        kept = (edge for edge in own if not self._waits_in_name_only(edge, frame))
        return (*kept, *library_edges(self.resolver, self.derivation, frame))

    def _waits_in_name_only(self, edge: Edge, frame: Frame) -> bool:
        """Whether a `with` has nothing to wait for, by what the code in such blocks does."""
        target, site = edge.target, edge.site
        if not isinstance(target, Blocking):
            return False
        if target.category == "lock":
            is_taken = site.kind == "enter" or bool(acquired(site))
            return is_taken and is_held_briefly(self.resolver, site, frame.module)
        if site.kind not in ("enter", "exit"):
            return False
        module, function = self.resolver.table.get(frame.module), function_of(self.resolver, frame)
        if module is None or function is None or target.category != "future":
            return False
        return site.kind == "exit" and is_awaited_within(module, function, site)

    def ways(self, frame: Frame) -> dict[str, Way]:
        """The best way to each category of blocking call that a function reaches."""
        table = self.resolver.table
        if frame not in self._ways:
            outer = table.trace
            self._settle(frame)
            table.trace = outer
        table.trace |= self._traces[frame]
        return self._ways[frame]

    def through(self, edge: Edge) -> Iterator[Way]:
        """What an edge leads to, as its function meets it: milder where a result is kept.

        Without what a coroutine reaches whoever awaits it.
        """
        return (
            way
            for way in self._reached(edge)
            if not self._is_told_inside(edge, way.blocking.category)
            and not (edge.site.is_awaited and self._gives_no_awaitable(edge.target, way))
        )

    def _is_told_inside(self, edge: Edge, category: str) -> bool:
        """Whether a coroutine on the way to a category, or what the loop calls back, reaches it
        whoever calls that: then it is reported inside of it."""
        while isinstance(edge.target, Frame):
            way = self.ways(edge.target).get(category)
            own = self._own_ways(edge.target, edge.apart)
            if category in own and (way is None or self.is_met_anyway(edge.target, way)):
                return True
            if way is None:
                return False
            edge = way.edge
        return False

    def is_met_anyway(self, target: Frame, way: Way) -> bool:
        """Whether the place where a way begins leads to its category whoever calls: of several
        places in a coroutine, one may wait only for what it is given."""
        spot, category = way.edge.site.spot, way.blocking.category
        return any(
            edge.site.spot == spot
            and any(other.blocking.category == category for other in self._reached(edge))
            for edge in self.edges(self._plain(target))
        )

    def _plain(self, target: Frame) -> Frame:
        """A function's frame where nobody says what it is given."""
        return self.resolver.frame(target.module, target.scope, target.receiver, outer=target.outer)

    def _gives_no_awaitable(self, target: Blocking | Frame, way: Way) -> bool:
        """Whether a way leads to what a plain function returns where it returns no awaitable.

        `await client.sync(f)` means the branch that returns the coroutine, not the one that waits.
        """
        category = way.blocking.category
        for _ in range(_DEEPEST):
            function = function_of(self.resolver, target) if isinstance(target, Frame) else None
            inner = self.ways(target).get(category) if isinstance(target, Frame) else None
            if function is None or inner is None or function.is_async:
                return False
            if not isinstance(target, Frame) or not self._returns(
                function, target, inner.edge.site
            ):
                return False
            if sum(not isinstance(value, Const) for value in function.values) > 1:
                return True
            target = inner.edge.target
        return False

    def _returns(self, function: Function, frame: Frame, site: Site) -> bool:
        """Whether a function returns what a call in it gives, by a name too."""
        module = self.resolver.table.get(frame.module)
        bindings = module.facts.scopes[function.scope].bindings if module is not None else {}
        return any(
            value is site.expr
            or (
                isinstance(value, Name)
                and any(binding.value is site.expr for binding in bindings.get(value.id, ()))
            )
            for value in function.values
        )

    def _reached(self, edge: Edge) -> Iterator[Way]:
        target = edge.target
        if isinstance(target, Blocking):
            relief = edge.relief.where(target.category)
            rank = relief.eased(target.cost.rank)
            if rank is not None:
                kept = relief is Relief.PROCESS
                held = Holder.SAME if edge.relief is Relief.OWN else None
                yield Way(rank, _length(target), edge, target, kept, held)
            return
        for way in self.ways(target).values():
            longer = self._longer(target, edge, way)
            if longer is not None:
                yield longer

    def _own_ways(self, target: Frame, is_apart: bool) -> Container[str]:
        """Categories that what the loop runs by itself reaches whoever gives it something."""
        function = function_of(self.resolver, target)
        if function is None or not (function.is_async or is_apart):
            return ()
        plain = self._plain(target)
        return self.ways(plain) if plain is not target else ()

    def _longer(self, target: Frame, edge: Edge, way: Way) -> Way | None:
        """A way of an edge's target from where the edge begins; None where nothing is left."""
        function = function_of(self.resolver, target)
        own = function_relief(self.resolver, function, target.module) if function else Relief.NONE
        if edge.fresh and own is Relief.PROCESS:
            own = Relief.OBJECT  # Once for each thing that is asked for.
        rank, kept = way.rank, way.kept
        held = Holder.SAME if own is Relief.OWN else way.held
        crossed = Relief.NONE
        if held is Holder.SAME and edge.holder is Holder.PROCESS:
            held, crossed = None, Relief.PROCESS
        elif held is not None and edge.holder is not Holder.SAME:
            held = Holder.OTHER
        for relief in (own, crossed, edge.relief.where(way.blocking.category)):
            if relief is Relief.PROCESS and kept:
                continue  # What happens once happens no more seldom.
            eased = relief.eased(rank)
            if eased is None:
                return None
            if relief is not Relief.NONE and eased == rank and way.blocking.category == "loop":
                # It fails where a loop runs: most likely the result is there by then.
                eased = min(rank + 1, len(COSTS) - 1)
            rank, kept = eased, kept or relief is Relief.PROCESS
        held = Holder.SAME if edge.relief is Relief.OWN else held
        return Way(rank, way.length + 1, edge, way.blocking, kept, held)

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
        found: list[tuple[Frame, Way]] = []
        table = self.resolver.table
        traces: dict[Frame, int] = {}
        todo = [start]
        while todo:
            frame = todo.pop()
            table.trace = 0
            for edge in self.edges(frame):
                target = edge.target
                if isinstance(target, Blocking) or target in self._ways:
                    found.extend((frame, way) for way in self._reached(edge))
                    continue
                if target not in callers:
                    callers[target] = []
                    todo.append(target)
                callers[target].append((frame, edge))
            traces[frame] = table.trace
        for frame in callers:
            self._ways[frame] = {}
            self._traces[frame] = 0
        self._spread(found, callers)
        self._rest(traces, callers)
        for frame in callers:
            self._resting.note(frame, self._traces[frame])

    def _rest(
        self, traces: dict[Frame, int], callers: dict[Frame, list[tuple[Frame, Edge]]]
    ) -> None:
        """Whoever calls a function rests on what it rests on."""
        todo = list(traces.items())
        while todo:
            frame, trace = todo.pop()
            known = self._traces[frame]
            if known | trace != known:
                self._traces[frame] = known | trace
                todo.extend((caller, known | trace) for caller, _ in callers.get(frame, ()))

    def _spread(
        self, found: list[tuple[Frame, Way]], callers: dict[Frame, list[tuple[Frame, Edge]]]
    ) -> None:
        heap = [(*_order(way), i, frame, way) for i, (frame, way) in enumerate(found)]
        heapq.heapify(heap)
        counter = len(heap)
        while heap:
            *_, frame, way = heapq.heappop(heap)
            ways = self._ways[frame]
            if way.blocking.category in ways:
                continue
            ways[way.blocking.category] = way
            for caller, edge in callers.get(frame, ()):
                step = self._longer(frame, edge, way)
                if step is not None:
                    counter += 1
                    heapq.heappush(heap, (*_order(step), counter, caller, step))


def _order(way: Way) -> tuple[int, bool, int, bool, Spot, str]:
    """What is taken first: the worst and nearest, and of two alike the one that stands first.

    What an object keeps comes after what happens every time: it may turn out to be milder.

    The end of a `with` comes after what is in it. Whatever is known already, so that an answer
    after an edit is that of a fresh look.
    """
    site = way.edge.site
    return (
        way.rank,
        way.held is not None,
        way.length,
        site.kind == "exit",
        site.spot,
        way.blocking.name,
    )


def _length(target: Blocking) -> int:
    """What the source of a package says ranks below what the catalogue says."""
    return _BEHIND + len(target.steps) if isinstance(target, Derived) else 1
