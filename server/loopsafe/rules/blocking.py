"""Reports calls that block the event loop: direct ones, chains, eager offloads, awaited calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from loopsafe.effects.beside import by_what_is_given
from loopsafe.effects.chains import Step, Way
from loopsafe.effects.declared import is_given_asynchronous
from loopsafe.effects.derive import Derived
from loopsafe.effects.edges import Edge, ForAsync
from loopsafe.effects.finished import is_finished
from loopsafe.effects.helpers import handed_over
from loopsafe.effects.meetings import function_of
from loopsafe.effects.serving import is_undisturbed
from loopsafe.facts.ir import Call, Site
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import COSTS, Confidence, Cost, Finding, Hop, Spot
from loopsafe.resolve.arguments import argument_at
from loopsafe.resolve.runners import runner_of
from loopsafe.resolve.values import CoroutineValue, Frame
from loopsafe.rules.hops import handed, hop, inside
from loopsafe.rules.view import Root, View
from loopsafe.rules.wording import call_label, decorated_message, message, sink_label

CODES = {"loop": "nested-loop"}
"""Category -> rule, where it is not `blocking-<category>`."""
_ALONE_AS_WELL = frozenset({"loop"})
"""What fails beside nothing else, too: a second loop is refused, and waiting for one's own never
ends."""
_WITHOUT_END = frozenset({"lock", "future", "input"})
"""What may wait for good, so that coming to it once is enough."""
_FEW = 2
"""Possibilities besides the one that is told of, up to which it is likely."""


def code_of(category: str) -> str:
    """The rule that reports calls of a category."""
    return CODES.get(category, f"blocking-{category}")


def check(view: View) -> Iterator[Finding]:
    """What blocks in the functions that the loop runs."""
    for root in view.roots():
        eager: frozenset[Spot] | None = None
        is_alone = is_start_up = False
        for site, ways, steps in _blocking_sites(view, root):
            if eager is None:
                if view.is_private(root):
                    break
                is_alone = view.is_alone(root)
                is_start_up = is_alone and view.is_start_up(root)
                eager = _eager_calls(view, root)
            found = _finding(view, root, site, ways, steps, eager)
            is_quiet = is_start_up or (is_alone and is_undisturbed(view.chains, steps))
            if found.category in _ALONE_AS_WELL:
                yield found
            elif is_quiet:
                yield _milder(view, found, steps, _ALONE)
            elif view.is_of_tests():
                yield _milder(view, found, steps, _TRIED)
            else:
                may_be = found.cost is Cost.STALL and found.category not in _WITHOUT_END
                is_seldom = may_be and view.runs_once(root, steps)
                yield _milder(view, found, steps, _ONCE) if is_seldom else found


def within(view: View, root: Root) -> Iterator[Finding]:
    """What blocks in one function, as if the loop ran it."""
    eager = _eager_calls(view, root)
    for site, ways, steps in _blocking_sites(view, root):
        yield _finding(view, root, site, ways, steps, eager)


def tell(view: View, root: Root, best: Way, steps: list[Step], is_alone: bool) -> Finding:
    """Of a coroutine that plain code begins: the first step leads into it."""
    found = _finding(view, root, best.edge.site, [best], steps, frozenset())
    if found.category in _ALONE_AS_WELL:
        return found
    if is_alone and is_undisturbed(view.chains, steps[1:]):
        return _milder(view, found, steps, _ALONE)
    return _milder(view, found, steps, _TRIED) if view.is_of_tests() else found


def _blocking_sites(view: View, root: Root) -> Iterator[tuple[Site, list[Way], list[Step]]]:
    """Each site of a function that blocks, with its ways, the worst and nearest first, and the
    steps of the first."""
    by_site: dict[Site, list[Edge]] = {}
    for edge in view.chains.edges(root.frame):
        by_site.setdefault(edge.site, []).append(edge)
    seen: set[Spot] = set()
    for_async = ForAsync(root.function)
    for site, edges in by_site.items():
        if site.spot in seen or _callee(site) in seen:
            # `with open_file() as f` has said enough when it has named the call.
            continue
        ways = _ways(view, root, for_async.has(site), edges)
        given = None if ways else _given(view, root, edges)
        if ways:
            seen.add(site.spot)
            yield site, ways, _steps(view, root, ways[0])
        elif given is not None:
            seen.add(site.spot)
            yield site, [given[0]], given[1]


def _given(view: View, root: Root, edges: list[Edge]) -> tuple[Way, list[Step]] | None:
    """What a coroutine that is begun at a site waits for by what it is given, beside what is told
    inside of it."""
    for edge in edges:
        target = edge.target
        if not isinstance(target, Frame) or not target.arguments:
            continue
        is_open = any(view.chains.through(edge))  # What was sorted out there stays so.
        found = None if is_open else by_what_is_given(view.chains, root.frame, edge)
        if found is not None:
            return found
    return None


def _callee(site: Site) -> Spot | None:
    """The callee of the call that a `with` or `for` is written over."""
    is_over_call = site.kind != "call" and isinstance(site.expr, Call)
    return site.expr.spot if is_over_call and isinstance(site.expr, Call) else None


def _ways(view: View, root: Root, for_async: bool, edges: list[Edge]) -> list[Way]:
    """The ways from a site to what blocks, the worst and nearest first."""
    if for_async:
        # What is awaited is the asynchronous one, where a receiver may be of either kind.
        edges = [e for e in edges if isinstance(e.target, Frame) or not _doubt(view, root.frame, e)]
        given = (view.places.callers, view.module, root.number)
        edges = [e for e in edges if not is_given_asynchronous(*given, e, root.frame)]
    ways = (way for edge in edges for way in view.chains.through(edge))
    open_ways = (
        way
        for way in ways
        if not is_finished(view.resolver, root.function, way, root.frame)
        and not (for_async and _is_of_other_kind(view, root, way))
    )
    return sorted(open_ways, key=_weight)


def _is_of_other_kind(view: View, root: Root, way: Way) -> bool:
    """Whether a plain function waits only where its client is not the asynchronous one.

    It gives what the client gives, which may be of either kind: what is awaited shows which.
    """
    target = way.edge.target
    called = function_of(view.resolver, target) if isinstance(target, Frame) else None
    call = way.edge.site.expr
    if called is None or called.is_async or not isinstance(call, Call):
        return False
    if not any(isinstance(v, CoroutineValue) for v in view.resolver.values(call, root.frame)):
        return False
    last = _steps(view, root, way)[-1]
    return isinstance(last.edge.target, Blocking) and _doubt(view, last.frame, last.edge) > 0


def _steps(view: View, root: Root, best: Way) -> list[Step]:
    steps = [Step(root.frame, best.edge)]
    if isinstance(best.edge.target, Frame):
        steps.extend(view.chains.steps(best.edge.target, best.blocking.category))
    return steps


def _finding(
    view: View,
    root: Root,
    site: Site,
    ways: list[Way],
    steps: list[Step],
    eager: frozenset[Spot],
) -> Finding:
    best, *rest = ways
    others = [way.blocking.category for way in rest]
    chain, own = _hops(view, steps, best), len(steps)
    cost = COSTS[best.rank].lowered() if root.run.once else COSTS[best.rank]
    category = best.blocking.category
    code = code_of(category)
    derived = best.blocking if isinstance(best.blocking, Derived) else None
    text = message(site, derived.primitive or derived if derived else best.blocking, len(chain))
    if view.resolver.catalogue.decorator(best.blocking.name) is not None and len(chain) == 1:
        text = decorated_message(site, best.blocking)
    if site.awaited and not derived and _is_plain(view, site, best, root.frame):
        code, text = "await-sync", f"{sink_label(best.blocking)} blocks before it can be awaited"
    if site.spot in eager:
        code = "eager-offload"
        text = f"{call_label(site)} runs on the event loop, not in the thread"
    doubts = _doubts(view, steps)
    return Finding(
        path=view.module.path,
        span=root.function.in_file(site.spot),
        code=code,
        category=category,
        cost=cost,
        severity=view.severity_of(code, _told_as(cost, doubts)),
        message=text,
        function=view.qualified(root.function),
        confidence=_confidence(doubts, best),
        chain=chain,
        sink=best.blocking.name,
        reason=_reason(view, root, best.edge),
        root=(chain[own - 1].path, chain[own - 1].span),
        also=tuple(dict.fromkeys(c for c in others if c != category)),
        derived=derived.package if derived else "",
        bundled=derived.release if derived else "",
        origin=best.blocking.origin,
        twin=best.blocking.twin,
        advice=best.blocking.advice,
        caveat=best.blocking.caveat,
    )


def _reason(view: View, root: Root, edge: Edge) -> str:
    """Why the loop runs what blocks: the function, or what that has the loop call later."""
    target = edge.target
    module = view.resolver.table.get(target.module) if isinstance(target, Frame) else None
    if not edge.apart or module is None or not isinstance(target, Frame):
        return root.run.reason
    later = view.places.run(module, module.facts.scopes[target.scope].owner)
    return later.reason or root.run.reason


def _told_as(cost: Cost, doubts: int) -> Cost:
    """The cost by which a way is told: milder where a step is one of many possibilities."""
    return cost.lowered() if doubts > _FEW else cost


_ALONE = "nothing else runs on its loop here"
_TRIED = "only tests run this"
_ONCE = "it is come to once in the life of the program"


def _milder(view: View, finding: Finding, steps: list[Step], why: str) -> Finding:
    """Of code beside which nothing runs on its loop: it stalls nobody else, while that is so. Of
    code that a program comes to once, it stalls them once."""
    cost = finding.cost.lowered()
    severity = view.severity_of(finding.code, _told_as(cost, _doubts(view, steps)))
    reason = f"{finding.reason}; as the code is now, {why}"
    return replace(finding, cost=cost, severity=severity, reason=reason)


def _weight(way: Way) -> tuple[bool, int, int]:
    """What sorts the ways of a site: what the source of a package may do comes last."""
    doubtful = isinstance(way.blocking, Derived) and way.blocking.doubts > 0
    return doubtful, way.rank, way.length


def _hops(view: View, steps: list[Step], best: Way) -> tuple[Hop, ...]:
    own = [hop(view.resolver, step.frame, step.edge.site) for step in steps]
    hops = [found for found in own if found is not None]
    if isinstance(best.blocking, Derived):
        hops.extend(inside(view.resolver, best.blocking.steps, hops[-1]))
    elif hops:
        last = steps[-1]
        given = handed(view.resolver, last.frame, last.edge.site, best.blocking, hops[-1])
        hops.extend((given,) if given is not None else ())
    return tuple(hops)


def _confidence(doubts: int, best: Way) -> Confidence:
    """Lower where a step may lead elsewhere, to something that does not block."""
    if isinstance(best.blocking, Derived):
        doubts += best.blocking.doubts
    if doubts == 0:
        return Confidence.HIGH
    return Confidence.MEDIUM if doubts <= _FEW else Confidence.LOW


def _doubts(view: View, steps: list[Step]) -> int:
    """In how many ways else the least certain step of a way may go, to what does not block."""
    return max(_doubt(view, step.frame, step.edge) for step in steps)


def _doubt(view: View, frame: Frame, edge: Edge) -> int:
    """How many members of the union at an edge's site do not block."""
    if edge.members == 1:
        return 0
    blocking = {
        other.target if isinstance(other.target, Frame) else other.target.name
        for other in view.chains.edges(frame)
        if other.site is edge.site
        and (isinstance(other.target, Blocking) or view.chains.ways(other.target))
    }
    return max(0, edge.members - len(blocking))


def _is_plain(view: View, site: Site, best: Way, frame: Frame) -> bool:
    """Whether what is awaited is known to be no awaitable."""
    if site.expr is None or not isinstance(site.expr, Call):
        return False
    values = view.resolver.values(site.expr, frame)
    if isinstance(best.edge.target, Frame):
        # A decorator's wrapper may block and still give what the coroutine function gives.
        called = view.resolver.values(site.expr.func, frame)
        if not all(view.resolver.called(callee) for callee in called):
            return False
    return not any(
        isinstance(v, CoroutineValue) or view.resolver.attribute(v, "__await__") for v in values
    )


def _eager_calls(view: View, root: Root) -> frozenset[Spot]:
    """Calls written where an offload wants the callable: `to_thread(load())`."""
    found: list[Spot] = []
    for site in root.function.sites:
        call = site.expr
        if site.kind != "call" or not isinstance(call, Call):
            continue
        if not any(isinstance(arg, Call) for arg in (*call.args, *(v for _, v in call.keywords))):
            continue
        for value in view.resolver.values(call.func, root.frame):
            runner = runner_of(view.resolver, value)
            if runner is None:
                found.extend(arg.spot for arg in handed_over(view.resolver, value, call))
                continue
            argument = argument_at(call, runner.position, runner.argument)
            if runner.offloads and isinstance(argument, Call):
                found.append(argument.spot)
    return frozenset(found)
