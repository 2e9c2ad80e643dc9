"""Makes statements a function of their own and calls it in a worker thread.

with lock:                            def work():
    text = load(path)                     with lock:
                                              return load(path)

                                      text = await asyncio.to_thread(work)
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from loopsafe.fixes.data import table
from loopsafe.fixes.edits import Draft, first_line, span_of
from loopsafe.fixes.flow import flow_of
from loopsafe.fixes.idioms import Idiom, of_nothing
from loopsafe.fixes.layout import alone, changed, deeper, suites
from loopsafe.fixes.site import Site
from loopsafe.model import Edit, Span

CAVEAT = "The block then runs beside the loop: what it shares must be thread-safe."


def extracted(
    site: Site, function: ast.AsyncFunctionDef, block: Sequence[ast.stmt], idiom: Idiom
) -> tuple[Edit, ...] | None:
    """The edits; None where the statements cannot leave their function, a coroutine function."""
    draft, unit, newline = site.draft, site.indent_unit(), site.draft.source.newline
    if not alone(draft, block) or _needs_loop(site, block):
        return None
    flow = flow_of(function, block, lambda node: swallows(site, node))
    around = of_nothing(site, idiom) if flow is not None else None
    if flow is None or around is None:
        return None
    head, tail, imports = around
    indent = draft.indent(block[0].lineno)
    start = draft.source.offset(first_line(block[0]), len(indent.encode()))
    above = _gap_above(draft, function, block[0])
    stop = draft.stop(block[-1])
    name = site.free_name("work")
    lines = [f"def {name}():"]
    for keyword, names in (("global", flow.globals), ("nonlocal", flow.shared)):
        if names:
            lines.append(f"{indent}{unit}{keyword} {', '.join(names)}")
    changes = deeper(draft, block, unit)
    last = _last_assignment(block, flow.results)
    if last is not None:
        value = draft.source.text.index("=", draft.stop(last.targets[0])) + 1
        changes.append((draft.start(last), value, "return"))
    lines.append(f"{indent}{unit}{changed(draft, start, stop, changes)}")
    behind = _comment_behind(site, block[-1])
    lines[-1] += behind
    results = ", ".join(flow.results)
    if results and last is None:
        lines.append(f"{indent}{unit}return {results}")
    given = "return " if flow.returns else f"{results} = " if results else ""
    lines += ["", f"{indent}{given}await {head}{name}{tail}"]
    text = above + newline.join(lines)
    if above:
        start -= len(indent)
    return (*imports, draft.replace(start, stop + len(behind), text))


def swallows(site: Site, block: ast.With) -> bool:
    """Whether an exception may end in a `with`, so that its end does not prove its whole."""
    for item in block.items:
        opened = item.context_expr
        name = site.full_name(opened.func if isinstance(opened, ast.Call) else opened)
        if name.rpartition(".")[2] in table("threads")["swallowing"]:
            return True
    return False


def _gap_above(draft: Draft, function: ast.AsyncFunctionDef, first: ast.stmt) -> str:
    """The blank line that a nested function wants below other statements, with its indentation."""
    before = draft.source.line(first_line(first) - 1).strip()
    is_first = any(suite[0] is first for suite in suites(function))
    if is_first or not before or before.startswith("#"):
        return ""
    return draft.source.newline + draft.indent(first.lineno)


def _last_assignment(block: Sequence[ast.stmt], results: Sequence[str]) -> ast.Assign | None:
    """The assignment of the only result, where nothing comes after it in the block."""
    last = block[-1]
    while isinstance(last, ast.With):
        last = last.body[-1]
    is_plain = isinstance(last, ast.Assign) and len(last.targets) == 1
    target = last.targets[0] if isinstance(last, ast.Assign) and is_plain else None
    is_result = isinstance(target, ast.Name) and [target.id] == list(results)
    return last if isinstance(last, ast.Assign) and is_result else None


def _needs_loop(site: Site, block: Sequence[ast.stmt]) -> bool:
    """Whether the block names or leads to what works only where a loop is running."""
    if site.context.loop_need(_span(block)):
        return True
    bound, imports = table("to_def")["bound_to_loop"], site.imports()
    names = {
        imports.get(node.id, node.id)
        for statement in block
        for node in ast.walk(statement)
        if isinstance(node, ast.Name)
    }
    return any(full == name or full.startswith(f"{name}.") for name in bound for full in names)


def _span(block: Sequence[ast.stmt]) -> Span:
    first, last = span_of(block[0]), span_of(block[-1])
    return Span(*first[:2], *last[2:])


def _comment_behind(site: Site, last: ast.stmt) -> str:
    """The comment on the block's last line, which goes with it."""
    line = last.end_lineno or last.lineno
    return site.draft.source.line(line)[
        site.draft.source.point(line, last.end_col_offset or 0) :
    ].rstrip()
