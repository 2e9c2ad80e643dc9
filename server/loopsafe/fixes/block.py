"""Moves a whole block to a worker thread: what is opened, with all that is done with it.

with open(path) as file:              def work():
    text = file.read()                    with open(path) as file:
                                              return file.read()

                                      text = await asyncio.to_thread(work)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from loopsafe.fixes.data import table
from loopsafe.fixes.extract import CAVEAT, extracted
from loopsafe.fixes.flow import suspends
from loopsafe.fixes.handles import Handles
from loopsafe.fixes.idioms import choose
from loopsafe.fixes.layout import suites
from loopsafe.fixes.names import FUNCTIONS, bindings, dotted
from loopsafe.fixes.offload import is_bound, makes_handle
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
            title = f"Run the {what} in a thread with {choose(site).shows}"
            more = f" {table('threads')['units_caveat']}" if _is_unit(site) else ""
            yield Fix(title, Safety.UNSAFE, edits, caveat=CAVEAT + more)
            return


def _blocks(
    site: Site, function: ast.AsyncFunctionDef, handles: Handles
) -> Iterator[tuple[str, Sequence[ast.stmt]]]:
    """What may be moved together, the smallest first, with its name."""
    root = _root(site, handles)
    below: ast.AST = site.node
    for node in site.above(site.node):
        if isinstance(node, FUNCTIONS):
            break
        if isinstance(node, ast.With):
            enters = handles.entered(node, root) and (handles.opened(root) or not is_bound(site))
            if enters or isinstance(below, ast.withitem) or _is_of(node, site.node):
                yield "with block", [node]
        elif isinstance(node, ast.For) and below is node.iter and _is_handle(site, node.iter):
            yield "for block", [node]
        below = node
    opened = handles.run(function, site.node, root)
    if opened and not (opened.hands_out and is_bound(site)):
        yield f"statements that use `{opened.name}`", opened.block
    name = handles.behind(site.node)[-1]
    if _is_unit(site) and name in bindings(function):
        used = _attribute(site.node, name) or name
        for window in _windows(function, site.node, used):
            yield f"statements that use `{used}`", window


def _is_unit(site: Site) -> bool:
    patterns = table("threads")["units"]
    return site.direct and any(fnmatchcase(site.finding.sink, pattern) for pattern in patterns)


def _windows(
    function: ast.AsyncFunctionDef, node: ast.AST, name: str
) -> Iterator[Sequence[ast.stmt]]:
    """The runs of statements around a node, from the first to the last that use a variable; the
    longest of the outermost first. What waits for the loop ends one.
    """
    for suite in suites(function):
        here = [i for i, s in enumerate(suite) if any(n is node for n in ast.walk(s))]
        if not here or suspends(suite[here[0]]):
            continue
        first = last = here[0]
        while first and not suspends(suite[first - 1]):
            first -= 1
        while last + 1 < len(suite) and not suspends(suite[last + 1]):
            last += 1
        using = [i for i in range(first, last + 1) if _mentions(suite[i], name)]
        for stop in [i for i in reversed(using) if i >= here[0]]:
            if stop > using[0]:
                yield suite[using[0] : stop + 1]


def _attribute(node: ast.AST, name: str) -> str:
    """`self.session` of `self.session.execute`: much else uses the object that keeps it."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and dotted(inner.value) == name and inner is not node:
            return dotted(inner) if name in ("self", "cls") else ""
    return ""


def _mentions(statement: ast.stmt, name: str) -> bool:
    return any(
        isinstance(node, (ast.Name, ast.Attribute)) and dotted(node) == name
        for node in ast.walk(statement)
    )


def _root(site: Site, handles: Handles) -> str:
    """The variable whose object the finding is about: its receiver's, or that of a handle that
    the call is given, or what these are made of.
    """
    given = site.call.args if site.call else []
    for node in (site.node, *given):
        names = handles.behind(node)
        if handles.opened(names[-1]):
            return names[-1]
    names = handles.behind(site.node)
    blocks = [node for node in site.above(site.node) if isinstance(node, ast.With)]
    entered = (n for n in reversed(names) if any(handles.entered(b, n) for b in blocks))
    return next(entered, names[-1])


def _is_of(block: ast.With, callee: ast.AST) -> bool:
    """Whether a block holds the object that a method is called on: `with done: done.wait()`."""
    receiver = ast.dump(callee.value) if isinstance(callee, ast.Attribute) else ""
    return any(ast.dump(item.context_expr) == receiver for item in block.items)


def _is_handle(site: Site, opened: ast.expr) -> bool:
    if not isinstance(opened, ast.Call):
        return False
    if opened is site.call and makes_handle(site):
        return True
    return site.full_name(opened.func) in table("threads")["handles"]
