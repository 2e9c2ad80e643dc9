"""What the source of installed packages says of blocking, for functions without an entry.

From a call of the project the nearest way through a package to a catalogued call that waits is
searched, the least conditional first; what arguments rule out on that way is no way.
"""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from loopsafe.effects.allowance import Allowance, PutOff
from loopsafe.effects.bounds import bounds
from loopsafe.effects.branches import Branch, Crowd, branches, entered
from loopsafe.effects.knowns import Known
from loopsafe.effects.lived import is_filling, is_lasting
from loopsafe.effects.meetings import function_of
from loopsafe.effects.outcomes import open_conditions
from loopsafe.effects.passed import Texts, passed
from loopsafe.effects.runs import Run, Target
from loopsafe.effects.sources import facts_of
from loopsafe.effects.stored import NOTHING, Store, Summary
from loopsafe.effects.telling import made_here, told
from loopsafe.facts.ir import Call, Site
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import Cost
from loopsafe.modules.module import Module
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame, FunctionValue, PartialValue, Value

_MOST_TRIES = 8
"""Ways that the arguments rule out, before a search gives up."""

_UNSEEN = 3
"""Conditions that each one counts as in a function whose arguments are not seen."""

_PER_CONDITION = 4
"""An open condition makes a way as unlikely as this many calls make it long."""

_SHORT = 3
"""Calls inside a package."""

_PER_BRIEF = 8
"""What is only brief is reported where nothing worse lies near."""


_PER_GUESS = 8
"""What is only guessed is followed where nothing sure lies near."""


class Step(NamedTuple):
    """A call on a way through a package, and the frame that holds it."""

    frame: Frame
    site: Site


@dataclass(frozen=True, slots=True)
class Derived(Blocking):
    """A library's function that leads to a catalogued blocking call."""

    primitive: Blocking | None = None
    steps: tuple[Step, ...] = field(default=(), compare=False)
    """From the function down to the primitive's call."""
    conditions: int = 0
    """Open ones on the way."""
    package: str = ""
    """The import name of the package whose source says so."""
    release: str = ""
    """What Loopsafe has of it, where it is not installed: `GitPython 3.2.1`."""

    @property
    def doubts(self) -> int:
        """0 for a short way without conditions, else how much speaks against it."""
        return self.conditions + 1 if self.conditions or len(self.steps) > _SHORT else 0


class _Node(NamedTuple):
    frame: Frame
    function: FunctionValue
    branch: Branch | None
    """The way in; None at the start."""
    parent: _Node | None
    calls: int
    conditions: int
    is_guessed: bool
    """A step of the way in was guessed."""


class Derivation:
    """Answers about functions of packages; they hold until a package's text changes."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self.texts = Texts(resolver)
        self._bounds = bounds()
        self._store = Store(resolver)
        self._allowance = Allowance()
        self.check_in: Callable[[], None] = lambda: None
        """Called between functions, the project's too; what it raises ends a search, to be begun
        again."""

    def of(self, site: Site, value: Value, target: Target, caller: Frame) -> Derived | None:
        """What a site of the project's caller meets, for one target of one of its values."""
        entry = entered(self.resolver, self._bounds, site, value, target)
        if entry is None:
            return None
        function, frame, direct = entry
        known: dict[str, Known] | None = None if site.kind == "call" else {}
        call = site.expr if isinstance(site.expr, Call) else None
        if isinstance(value, PartialValue):
            call, direct = value.called(call), True
        made = made_here(self.resolver, site, function, caller)
        if made is not None and isinstance(target, Run) and target.iterated:
            here = told(self.resolver, made, caller)
            known = passed(self.resolver, function, made, here)
        elif direct and call is not None:
            here = told(self.resolver, call, caller) if call is site.expr else {}
            known = passed(self.resolver, function, call, here)
        found = self.verdict(function, frame, known)
        facts = facts_of(self.resolver, function)
        if found is not None and found.conditions and site.awaited and facts and not facts.is_async:
            return None  # It gives something to await: where it may go two ways, by the other.
        return found

    def verdict(
        self, function: FunctionValue, frame: Frame, known: dict[str, Known] | None
    ) -> Derived | None:
        """What a function of a package leads to, entered so; None where nothing is known of it."""
        about = None if known is None else tuple(sorted(known.items(), key=lambda item: item[0]))
        key = ("derived", frame, about)
        found = self.resolver.remember(
            key, frame.module, lambda: (self._answer(function, frame, known),)
        )
        return found[0] if found else None  # Empty while it is being asked.

    def is_warm(self, module: Module) -> bool:
        """Whether all that a module of the project calls was derived and kept before."""
        return self._store.is_warm(module.digest)

    def warmed(self, module: Module) -> None:
        """All that a module of the project calls has been derived."""
        self._store.warmed(module.digest)

    def glancing(self, seconds: float) -> contextlib.AbstractContextManager[None]:
        """Searches take no more of the processor together; where one is cut short there is no
        answer for now, and what rests on that has the bit `put_off`.
        """
        return self._allowance.of(seconds)

    @property
    def put_off(self) -> int:
        """Stands for all that a glance had no time for."""
        return self.resolver.table.bit(("put off",))

    def keep(self) -> None:
        """Puts new answers into the store on disk."""
        self._store.write()

    def forget(self) -> None:
        """A package's text changed: new answers that are not in the store rest on what was."""
        self._store.forget()

    def _answer(
        self, function: FunctionValue, frame: Frame, known: dict[str, Known] | None
    ) -> Derived | None:
        about = None if known is None else tuple(sorted(known.items(), key=lambda item: item[0]))
        name = self._store.name(function, frame, about)
        stored = self._store.recall(name) if name is not None else None
        if stored is not None:
            return self._restored(stored)
        try:
            with self._allowance.spending():
                answer, trace, is_final = self.resolver.settled(
                    lambda: self._search(function, frame, known)
                )
        except PutOff:
            if self._allowance.is_spending:
                raise  # Another search asks, whose answer would be wrong.
            self.resolver.table.trace |= self.put_off
            return None
        if name is not None and is_final:
            self._store.keep(name, self._summary(answer), trace)
        return answer

    def _search(
        self, function: FunctionValue, frame: Frame, known: dict[str, Known] | None
    ) -> Derived | None:
        closed: set[tuple[Frame, Site]] = set()
        awaited = self._is_coroutine(frame)
        for _ in range(_MOST_TRIES):
            end = self._nearest(function, frame, closed)
            if end is None:
                return None
            way = _way(end)
            conditions = self._conditions(way, known, closed)
            if conditions is None:
                continue
            if conditions > self._bounds.conditions:
                conditions -= self._settled(way, conditions - self._bounds.conditions)
            if conditions > self._bounds.conditions or self._is_unsure(way, conditions, awaited):
                closed.add(self._worst(way, closed))
                continue
            rare = next((step for step in way if not self._is_common(step[1].crowd)), None)
            if rare is not None:
                closed.add((rare[0].frame, rare[1].site))
                continue
            return self._derived(function, way, conditions)
        return None

    def _is_coroutine(self, frame: Frame) -> bool:
        """Whether what the project enters is a coroutine of a package, which it awaits."""
        function = function_of(self.resolver, frame)
        return function is not None and function.is_async

    def _is_brief(self, primitive: Blocking, awaited: bool) -> bool:
        return self._bounds.cost(primitive, awaited) is not Cost.STALL

    def _is_unsure(self, way: list[tuple[_Node, Branch]], conditions: int, awaited: bool) -> bool:
        """Whether what is only brief lies behind conditions: certificates where TLS is wanted."""
        primitive = way[-1][1].primitive
        if primitive is None or not self._is_brief(primitive, awaited):
            return False
        return conditions - sum(b.doubt for _, b in way) > self._bounds.brief_conditions

    def _is_common(self, crowd: Crowd | None) -> bool:
        """Whether half of what a site may lead to blocks, where one of many says little."""
        if crowd is None or crowd.size <= self._bounds.values:
            return True
        return 2 * self._blocking(crowd) >= crowd.size

    def _settled(self, way: list[tuple[_Node, Branch]], wanted: int) -> int:
        """How many of the doubts on a way are none: whatever a site leads to, it blocks."""
        doubtful = [b.crowd for _, b in way if b.doubt and b.crowd is not None]
        if len(doubtful) < wanted:
            return 0
        return sum(3 * self._blocking(crowd) >= 2 * crowd.size for crowd in doubtful)

    def _blocking(self, crowd: Crowd) -> int:
        """How many of those that a site may lead to block."""
        verdicts = (self.verdict(function, frame, None) for function, frame in crowd.entries)
        return crowd.primitives + sum(verdict is not None for verdict in verdicts)

    def _nearest(
        self, function: FunctionValue, frame: Frame, closed: set[tuple[Frame, Site]]
    ) -> _Node | None:
        """The end of the best way that is not closed: the node whose branch is a primitive."""
        start = _Node(frame, function, None, None, 1, 0, False)
        heap: list[tuple[int, int, _Node]] = [(0, 0, start)]
        awaited = self._is_coroutine(frame)
        done: set[Frame] = set()
        counter = guessed = 0
        while heap and len(done) - guessed < self._bounds.functions:
            weight, _, node = heapq.heappop(heap)
            if node.branch is not None and node.branch.primitive is not None:
                return node
            if node.frame in done:
                continue
            if node.is_guessed:
                if guessed >= self._bounds.guesses:
                    continue
                guessed += 1
            done.add(node.frame)
            self.check_in()
            self._allowance.check()
            for branch, conditions in self._onward(node, closed):
                if branch.frame in done:
                    continue
                counter += 1
                added = 1 + _PER_CONDITION * (conditions - node.conditions)
                if branch.primitive is not None and self._is_brief(branch.primitive, awaited):
                    added += _PER_BRIEF
                if branch.is_guessed:
                    added += _PER_GUESS
                after = _Node(
                    branch.frame or node.frame,
                    branch.function or node.function,
                    branch,
                    node,
                    node.calls + 1,
                    conditions,
                    node.is_guessed or branch.is_guessed,
                )
                heapq.heappush(heap, (weight + added, counter, after))
        return None

    def _onward(self, node: _Node, closed: set[tuple[Frame, Site]]) -> Iterator[tuple[Branch, int]]:
        for branch in branches(self.resolver, node.frame):
            if (node.frame, branch.site) in closed:
                continue
            if branch.primitive is None and node.calls >= self._bounds.calls:
                continue
            conditions = node.conditions + branch.doubt + branch.conditions
            # The text may settle some of them.
            if conditions <= 2 * self._bounds.conditions:
                yield branch, conditions

    def _conditions(
        self,
        way: list[tuple[_Node, Branch]],
        known: dict[str, Known] | None,
        closed: set[tuple[Frame, Site]],
    ) -> int | None:
        """The open conditions on a way; None, and a step of it closed, where it cannot be gone."""
        count, is_kept, is_once, is_held = 0, False, False, False
        for node, branch in way:
            if is_held and is_filling(self.resolver, node.frame, branch):
                closed.add((node.frame, branch.site))
                return None
            is_held = is_lasting(self.resolver, node.frame, branch, is_held)
            found = open_conditions(
                self.resolver, self.texts, node.frame, branch, known or {}, is_once
            )
            if found is None:
                closed.add((node.frame, branch.site))
                return None
            # Arguments that nobody sees may settle every condition.
            count += branch.doubt + found.number * (1 if known is not None else _UNSEEN)
            is_kept = is_kept or found.is_kept
            is_once = found.is_attempt and branch.site.kind == "iterate"
            call = branch.site.expr
            if branch.direct and branch.function is not None and isinstance(call, Call):
                here = known or {} if found.names is None else found.names
                known = passed(self.resolver, branch.function, call, here)
            else:
                known = {} if self._is_seen(branch) else None
        return count + is_kept

    def _is_seen(self, branch: Branch) -> bool:
        """Whether nobody passes a function that a site enters indirectly anything but itself."""
        if branch.site.kind != "call":
            return True
        facts = facts_of(self.resolver, branch.function) if branch.function else None
        return facts is not None and facts.owner >= 0 and len(facts.parameters) == 1

    def _worst(
        self, way: list[tuple[_Node, Branch]], closed: set[tuple[Frame, Site]]
    ) -> tuple[Frame, Site]:
        """The last step: what lies before it may lead elsewhere with fewer conditions. The call
        before it where there is another one of the same function, which may pass something else."""
        node, branch = way[-1]
        if len(way) > 1:
            before, call = way[-2]
            for other in branches(self.resolver, before.frame):
                is_other = other.site != call.site and (before.frame, other.site) not in closed
                if is_other and other.frame is not None and other.frame == call.frame:
                    return before.frame, call.site
        return node.frame, branch.site

    def _derived(
        self, function: FunctionValue, way: list[tuple[_Node, Branch]], conditions: int
    ) -> Derived | None:
        primitive = way[-1][1].primitive
        name = dotted_name(self.resolver, function)
        if primitive is None or name is None:
            return None
        steps = tuple(Step(node.frame, branch.site) for node, branch in way)
        return self._made(name, primitive, steps, conditions)

    def _summary(self, answer: Derived | None) -> Summary | None:
        """An answer in words that mean the same in every environment with the same packages."""
        if answer is None:
            return NOTHING
        primitive = answer.primitive
        if primitive is None or self.resolver.catalogue.callable(primitive.name) != primitive:
            return None
        places = tuple(self._store.place(step.frame, step.site) for step in answer.steps)
        known = tuple(place for place in places if place is not None)
        if len(known) != len(places):
            return None
        return Summary(answer.name, primitive.name, answer.conditions, known)

    def _restored(self, summary: Summary) -> Derived | None:
        primitive = self.resolver.catalogue.callable(summary.primitive)
        if primitive is None:
            return None
        steps = tuple(Step(*self._store.site(place)) for place in summary.places)
        return self._made(summary.name, primitive, steps, summary.conditions)

    def _made(
        self, name: str, primitive: Blocking, steps: tuple[Step, ...], conditions: int
    ) -> Derived:
        module = self.resolver.table.get(steps[0].frame.module)
        return Derived(
            name=name,
            category=primitive.category,
            cost=self._bounds.cost(primitive, self._is_coroutine(steps[0].frame)),
            primitive=primitive,
            steps=steps,
            conditions=conditions,
            package=name.partition(".")[0],
            release=self.resolver.table.disk.bundle.release(module.path) if module else "",
        )


def _way(end: _Node) -> list[tuple[_Node, Branch]]:
    """The nodes from the start, each with its branch to the next."""
    way: list[tuple[_Node, Branch]] = []
    node = end
    while node.parent is not None and node.branch is not None:
        way.append((node.parent, node.branch))
        node = node.parent
    return way[::-1]
