"""Who calls a function, what it calls that blocks, and who runs it: for people who read code.

Functions are taken as their signatures say; what one caller alone passes in is not followed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from loopsafe.effects.chains import Chains
from loopsafe.effects.derive import Derived
from loopsafe.effects.meetings import function_of
from loopsafe.effects.places import Places
from loopsafe.effects.sources import body
from loopsafe.facts.ir import Call, Function, Site, last_name
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import Cost, Hop, Place, Severity, Span
from loopsafe.modules.finder import Origin
from loopsafe.modules.module import Module
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, Frame, FunctionValue
from loopsafe.rules.blocking import code_of
from loopsafe.rules.hops import hop, inside

Key = tuple[str, int]
"""A function: the key of its module, and its number there."""

_MOST_CALLERS = 300
"""Functions that are looked at on the way up; beyond, the answer is incomplete."""
_MODULE_BODY = 0


@dataclass(frozen=True, slots=True)
class Node:
    """A function of the project, or the blocking function of a library at the end of a way."""

    name: str
    """Qualified in its module, `Service.load`; a library's in full, `psycopg.connect`."""
    module: str
    """Dotted; for a blocking function what it waits for."""
    path: str
    span: Span
    """Of the name; of the call, where the definition cannot be found."""
    ahead: tuple[Hop, ...] = ()
    """The calls inside the library, down to the one that waits."""
    is_blocking: bool = False
    """A library's function: what it calls is in `ahead`."""


@dataclass(frozen=True, slots=True)
class CallLine:
    """One function calls another, at these places in the caller's file."""

    node: Node
    path: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """From where a function is reached by plain calls."""

    loop: tuple[Node, ...] = ()
    """Functions that the event loop runs and that lead to it; itself, if it is one."""
    thread: tuple[Node, ...] = ()
    """The same for worker threads."""
    is_complete: bool = True


class CallGraph:
    """Questions about one project's functions; keeps nothing, its stages remember."""

    def __init__(
        self,
        resolver: Resolver,
        chains: Chains,
        places: Places,
        project: Callable[[], Iterable[Module]],
        severities: Callable[[str], Callable[[str, Cost], Severity]],
    ) -> None:
        """`severities` gives, for a file, how loudly a rule's findings are told."""
        self._severities = severities
        self._resolver = resolver
        self._chains = chains
        self._places = places
        self._project = project

    def function(self, path: str, span: Span) -> Key | None:
        """The function whose name stands at a span."""
        module = self._resolver.table.at(path)
        for number, function in enumerate(module.facts.functions if module else ()):
            if module is not None and number != _MODULE_BODY and function.span == span:
                return module.name, number
        return None

    def functions(self, path: str) -> tuple[Key, ...]:
        """The functions of a file, without the body of the module."""
        module = self._resolver.table.at(path)
        if module is None:
            return ()
        return tuple((module.name, n) for n in range(1, len(module.facts.functions)))

    def enclosing(self, path: str, name: str) -> Key | None:
        """The function of an absolute dotted name in a file, as findings and hops give it."""
        module = self._resolver.table.at(path)
        for number, function in enumerate(module.facts.functions if module else ()):
            if module is not None and name == f"{module.dotted}.{function.qualname}":
                return module.name, number
        return None

    def node(self, key: Key) -> Node | None:
        """A function for people."""
        module = self._resolver.table.get(key[0])
        if module is None or key[1] >= len(module.facts.functions):
            return None
        function = module.facts.functions[key[1]]
        if key[1] == _MODULE_BODY:
            return Node("<module>", module.dotted, module.path, Span(1, 0, 1, 0))
        return Node(function.qualname, module.dotted, module.path, function.span)

    def stalls(self, key: Key) -> bool:
        """Whether a function reaches a call that may stall whoever runs it."""
        frame, module = self._frame(key), self._resolver.table.get(key[0])
        if frame is None or module is None:
            return False
        severity_of = self._severities(module.path)
        return any(
            way.rank == Cost.STALL.rank
            and severity_of(code_of(category), Cost.STALL) is not Severity.OFF
            for category, way in self._chains.ways(frame).items()
        )

    def callees(self, key: Key) -> tuple[CallLine, ...]:
        """What a function calls that blocks, in the order of its calls."""
        frame, module = self._frame(key), self._resolver.table.get(key[0])
        if frame is None or module is None:
            return ()
        function = module.facts.functions[key[1]]
        found: dict[Node, list[Span]] = {}
        for edge in self._chains.edges(frame):
            if next(iter(self._chains.through(edge)), None) is None:
                continue
            node = self._target(frame, edge.site, edge.target)
            span = function.in_file(edge.site.spot)
            if node is not None and span not in found.setdefault(node, []):
                found[node].append(span)
        lines = [CallLine(node, module.path, tuple(spans)) for node, spans in found.items()]
        return tuple(sorted(lines, key=lambda line: line.spans[0]))

    def callees_on(self, key: Key, line: int) -> tuple[CallLine, ...]:
        """The same for the calls on one line."""
        module = self._resolver.table.get(key[0])
        function = module.facts.functions[key[1]] if module else None
        spans = [function.in_file(site.spot) for site in function.sites] if function else ()
        if not any(span.line <= line <= span.end_line for span in spans):
            return ()
        return self.callees(key)

    def callers(self, key: Key, stop: Callable[[], bool] = lambda: False) -> tuple[CallLine, ...]:
        """The project's functions that call a function where they run."""
        found = []
        for caller, spans in self._callers(key, stop):
            node, module = self.node(caller), self._resolver.table.get(caller[0])
            if node is not None and module is not None:
                found.append(CallLine(node, module.path, spans))
        return tuple(found)

    def reach(self, key: Key, stop: Callable[[], bool] = lambda: False) -> Reach:
        """Who runs a function, by following its callers up to what the loop or a thread runs."""
        entries: dict[Place, list[Node]] = {Place.LOOP: [], Place.THREAD: []}
        seen, todo = {key}, [key]
        while todo and len(seen) <= _MOST_CALLERS and not stop():
            here = todo.pop(0)
            module = self._resolver.table.get(here[0])
            node = self.node(here)
            if module is None or node is None or here[1] == _MODULE_BODY:
                continue
            place = self._places.run(module, here[1]).place
            if place in entries:
                entries[place].append(node)
            if module.facts.functions[here[1]].is_async:
                continue
            fresh = [caller for caller, _ in self._callers(here, stop) if caller not in seen]
            seen.update(fresh)
            todo.extend(fresh)
        return Reach(tuple(entries[Place.LOOP]), tuple(entries[Place.THREAD]), not todo)

    def leads_to(self, hop: Hop) -> tuple[str, Span] | None:
        """Where what a hop calls is defined: path, and span of the name."""
        key = self.enclosing(hop.path, hop.function)
        module = self._resolver.table.get(key[0]) if key else None
        frame = self._frame(key) if key else None
        if key is None or module is None or frame is None:
            return None
        function = module.facts.functions[key[1]]
        spot = function.inside(hop.span)
        called = (self._definition(frame, s) for s in function.sites if s.spot == spot)
        return next(filter(None, called), None)

    def _definition(self, frame: Frame, site: Site) -> tuple[str, Span] | None:
        """Where the callable of a call is defined, in its source rather than in a stub."""
        call = site.expr
        if not isinstance(call, Call):
            return None
        for value in self._resolver.values(call.func, frame):
            if not isinstance(value, (FunctionValue, ClassValue)):
                continue
            source = value
            if isinstance(value, FunctionValue):
                source = body(self._resolver, value) or value
            module = self._resolver.table.get(source.module)
            if module is None or module.file.origin is Origin.BUNDLED:
                continue
            facts = module.facts
            known = facts.functions if isinstance(source, FunctionValue) else facts.classes
            return module.path, known[source.number].span
        return None

    def _frame(self, key: Key) -> Frame | None:
        return self._resolver.function_frame(FunctionValue(*key))

    def _target(self, frame: Frame, site: Site, target: Blocking | Frame) -> Node | None:
        if isinstance(target, Frame):
            key = self._key(target)
            return self.node(key) if key else None
        module, owner = self._resolver.table.get(frame.module), function_of(self._resolver, frame)
        if module is None or owner is None:
            return None
        here = module.path, owner.in_file(site.spot)
        path, span = self._definition(frame, site) or here
        ahead: tuple[Hop, ...] = ()
        if isinstance(target, Derived):
            ahead = tuple(inside(self._resolver, target.steps, hop(self._resolver, frame, site)))
        return Node(target.name, f"waits: {target.category}", path, span, ahead, True)

    def _key(self, frame: Frame) -> Key | None:
        module = self._resolver.table.get(frame.module)
        if module is None:
            return None
        owner = module.facts.scopes[frame.scope].owner
        return frame.module, max(owner, _MODULE_BODY)

    def _callers(
        self, key: Key, stop: Callable[[], bool]
    ) -> Iterator[tuple[Key, tuple[Span, ...]]]:
        module = self._resolver.table.get(key[0])
        if module is None:
            return
        function = module.facts.functions[key[1]]
        word = _word(module, function)
        for other in self._project():
            if stop():
                return
            if other is not module and word not in other.facts.words:
                continue
            for number, candidate in enumerate(other.facts.functions):
                if not any(_may_lead(site, function.name) for site in candidate.sites):
                    continue
                frame = self._frame((other.name, number))
                edges = self._chains.edges(frame) if frame is not None else ()
                spans = {
                    candidate.in_file(edge.site.spot): None
                    for edge in edges
                    if isinstance(edge.target, Frame)
                    and edge.target.module == key[0]
                    and edge.target.scope == function.scope
                }
                if spans:
                    yield (other.name, number), tuple(spans)


def _word(module: Module, function: Function) -> str:
    """A word that stands wherever the function is used: operators do not name their method."""
    if function.name.startswith("__") and function.owner >= 0:
        return module.facts.classes[function.owner].name
    return function.name


def _may_lead(site: Site, name: str) -> bool:
    """Whether a site can lead to a function of that name: a call must be by it."""
    call = site.expr
    if site.kind != "call" or not isinstance(call, Call) or name.startswith(("__", "<")):
        return True
    return last_name(call.func) in ("", name)
