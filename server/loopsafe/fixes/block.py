"""Moves a whole block to a worker thread: what is opened, with all that is done with it.

with open(path) as file:              def work():
    text = file.read()                    with open(path) as file:
                                              text = file.read()
                                          return text

                                      text = await asyncio.to_thread(work)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from loopsafe.fixes.data import table
from loopsafe.fixes.extract import CAVEAT, extracted
from loopsafe.fixes.handles import Handles
from loopsafe.fixes.idioms import choose
from loopsafe.fixes.names import FUNCTIONS
from loopsafe.fixes.offload import is_bound
from loopsafe.fixes.site import Site
from loopsafe.model import Fix, Safety


def cures(site: Site) -> Iterator[Fix]:
    """The `with`, the `for` or the run of statements that the finding belongs to."""
    function, node = site.function, site.node
    if function is None or not isinstance(node, ast.expr):
        return
    handles = Handles(function, lambda opened: _is_handle(site, opened))
    for what, block in _blocks(site, function, handles):
        edits = extracted(site, function, block, choose(site))
        if edits:
            shows = choose(site).shows
            yield Fix(
                f"Run the {what} in a thread with {shows}", Safety.UNSAFE, edits, caveat=CAVEAT
            )
            return


def _blocks(
    site: Site, function: ast.AsyncFunctionDef, handles: Handles
) -> Iterator[tuple[str, Sequence[ast.stmt]]]:
    """What may be moved together, the smallest first, with its name."""
    root = handles.origin(site.node)
    below: ast.AST = site.node
    for node in site.above(site.node):
        if isinstance(node, FUNCTIONS):
            break
        if isinstance(node, ast.With):
            enters = handles.entered(node, root) and (handles.opened(root) or not is_bound(site))
            if enters or isinstance(below, ast.withitem):
                yield "with block", [node]
        elif isinstance(node, ast.For) and below is node.iter and _is_handle(site, node.iter):
            yield "for block", [node]
        below = node
    opened = handles.run(function, site.node)
    if opened:
        yield f"statements that use `{opened[0]}`", opened[1]


def _is_handle(site: Site, opened: ast.expr) -> bool:
    if not isinstance(opened, ast.Call):
        return False
    if opened is site.call and site.direct:
        return site.finding.sink in table("threads")["handles"]
    return site.full_name(opened.func) in table("threads")["handles"]
