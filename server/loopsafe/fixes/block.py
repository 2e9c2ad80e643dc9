"""Moves a whole block to a worker thread, as a function of its own: a file with all its uses.

with open(path) as file:              def work():
    text = file.read()                    with open(path) as file:
                                              text = file.read()
                                          return text
                                      text = await asyncio.to_thread(work)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from loopsafe.fixes.data import table
from loopsafe.fixes.flow import Flow, flow_of
from loopsafe.fixes.idioms import Idiom, choose, of_nothing
from loopsafe.fixes.layout import alone, changed, deeper
from loopsafe.fixes.names import FUNCTIONS
from loopsafe.fixes.site import Site
from loopsafe.model import Fix, Safety


def cures(site: Site) -> Iterator[Fix]:
    """The `with` or `for` that the finding belongs to."""
    block = opening(site)
    if block is None or site.function is None or not alone(site.draft, block):
        return
    idiom = choose(site)
    flow = flow_of(site.function, block, _never_swallows(site, block))
    if flow is None:
        return
    fix = _moved(site, idiom, block, flow)
    if fix:
        yield fix


def opening(site: Site) -> ast.With | ast.For | None:
    """The statement that opens what the finding uses: the file it reads, the loop that reads it."""
    root: ast.AST = site.node
    while isinstance(root, (ast.Attribute, ast.Call, ast.Subscript)):
        root = root.func if isinstance(root, ast.Call) else root.value
    below: ast.AST = site.node
    for node in site.above(site.node):
        if isinstance(node, FUNCTIONS):
            return None
        if isinstance(node, ast.With):
            if isinstance(below, ast.withitem) or _opens(site, node, root):
                return node
        elif isinstance(node, ast.For) and below is node.iter and _is_handle(site, node.iter):
            return node
        below = node
    return None


def _opens(site: Site, block: ast.With, root: ast.AST) -> bool:
    """Whether a `with` opens the handle that the finding is called on."""
    return isinstance(root, ast.Name) and any(
        isinstance(item.optional_vars, ast.Name)
        and item.optional_vars.id == root.id
        and _is_handle(site, item.context_expr)
        for item in block.items
    )


def _is_handle(site: Site, opened: ast.expr) -> bool:
    if not isinstance(opened, ast.Call):
        return False
    if opened is site.call and site.direct:
        return site.finding.sink in table("threads")["handles"]
    return site.full_name(opened.func) in table("threads")["handles"]


def _never_swallows(site: Site, block: ast.With | ast.For) -> bool:
    """Whether every exception leaves the block, as of a file, so that its end proves its whole."""
    return isinstance(block, ast.With) and all(
        _is_handle(site, item.context_expr) for item in block.items
    )


def _moved(site: Site, idiom: Idiom, block: ast.With | ast.For, flow: Flow) -> Fix | None:
    around = of_nothing(site, idiom)
    if around is None:
        return None
    head, tail, imports = around
    draft, unit, newline = site.draft, site.indent_unit(), site.draft.source.newline
    indent = draft.indent(block.lineno)
    start, stop = draft.start(block), draft.stop(block)
    name = site.free_name("work")
    body = changed(draft, start, stop, deeper(draft, block, unit))
    lines = [f"def {name}():"]
    for keyword, names in (("global", flow.globals), ("nonlocal", flow.shared)):
        if names:
            lines.append(f"{indent}{unit}{keyword} {', '.join(names)}")
    lines.append(f"{indent}{unit}{body}")
    behind = _comment_behind(site, block)
    lines[-1] += behind
    results = ", ".join(flow.results)
    if results:
        lines.append(f"{indent}{unit}return {results}")
    given = "return " if flow.returns else f"{results} = " if results else ""
    lines += ["", f"{indent}{given}await {head}{name}{tail}"]
    edit = draft.replace(start, stop + len(behind), newline.join(lines))
    kind = "with" if isinstance(block, ast.With) else "for"
    return Fix(
        f"Run the {kind} block in a thread with {idiom.shows}",
        Safety.UNSAFE,
        (*imports, edit),
        caveat="The block then runs beside the loop: what it shares must be thread-safe.",
    )


def _comment_behind(site: Site, block: ast.stmt) -> str:
    """The comment on the block's last line, which goes with it."""
    line = block.end_lineno or block.lineno
    return site.draft.source.line(line)[
        site.draft.source.point(line, block.end_col_offset or 0) :
    ].rstrip()
