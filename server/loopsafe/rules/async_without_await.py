"""Reports endpoints and dependencies that block, never await, and could be a plain `def`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loopsafe.effects.targets import site_values
from loopsafe.model import Cost, Finding
from loopsafe.resolve.naming import dotted_name
from loopsafe.rules.view import Root, View

CODE = "async-without-await"


def check(view: View, found: Sequence[Finding]) -> Iterator[Finding]:
    """A hint at the name of each such function; one that does not block is best left as it is."""
    blocked = {finding.function for finding in found if finding.cost is not Cost.TRIVIAL}
    for root in view.roots():
        function = root.function
        name = view.qualified(function)
        if not root.run.convertible or function.awaits or function.is_generator:
            continue
        if name not in blocked or view.places.callers.is_called(view.module, root.number):
            continue
        if _needs_loop(view, root):
            continue
        yield Finding(
            path=view.module.path,
            span=function.span,
            code=CODE,
            category=CODE,
            cost=Cost.TRIVIAL,
            severity=view.severity_of(CODE, Cost.TRIVIAL),
            message=f"{function.name}() never awaits: a plain def would run in the thread pool",
            function=name,
            reason=root.run.reason,
        )


def _needs_loop(view: View, root: Root) -> bool:
    """Whether a function starts or touches something that belongs to a running loop."""
    for site in root.function.sites:
        for value in site_values(view.resolver, site, root.frame) if site.kind == "call" else ():
            name = dotted_name(view.resolver, value)
            if name is not None and view.resolver.catalogue.in_asynchronous_module(name):
                return True
    return False
