"""Tells a framework to run a plain handler in a thread, where it does so on request only.

@get("/report")
@get("/report", sync_to_thread=True)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from loopsafe.fixes.names import FUNCTIONS, dotted
from loopsafe.fixes.site import Site
from loopsafe.model import Edit, Fix, Safety


def cures(site: Site) -> Iterator[Fix]:
    """The argument of the decorator that the runner asks for."""
    runner, function = site.context.runner, _function(site)
    if runner is None or function is None or not runner.decorated:
        return
    for condition in runner.thread_if:
        if not condition.argument or condition.equals is None:
            continue
        given = f"{condition.argument}={condition.equals!r}"
        for decorator in function.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if dotted(called).rpartition(".")[2] != runner.name.rpartition(".")[2]:
                continue
            edit = _edit(site, decorator, condition.argument, given)
            if edit:
                caveat = "Threads may run it at the same time: what it shares must be thread-safe."
                title = f"Run {function.name} in a thread with {given}"
                yield Fix(title, Safety.UNSAFE, (edit,), caveat=caveat)
                return


def _function(site: Site) -> ast.FunctionDef | None:
    """The plain function whose own body holds the finding."""
    for node in reversed(site.path[:-1]):
        if isinstance(node, FUNCTIONS):
            return node if isinstance(node, ast.FunctionDef) else None
    return None


def _edit(site: Site, decorator: ast.expr, argument: str, given: str) -> Edit | None:
    draft, text = site.draft, site.draft.source.text
    if not isinstance(decorator, ast.Call):
        return draft.insert(draft.stop(decorator), f"({given})")
    for keyword in decorator.keywords:
        if keyword.arg == argument:
            start = draft.source.offset(keyword.lineno, keyword.col_offset)
            return draft.replace(start, draft.stop(keyword.value), given)
    arguments = [*decorator.args, *(k.value for k in decorator.keywords)]
    if not arguments:
        return draft.insert(draft.stop(decorator) - 1, given)
    last = max(draft.stop(argument) for argument in arguments)
    rest = text[last : draft.stop(decorator) - 1].strip()
    if rest not in ("", ","):
        return None
    return draft.insert(last, f", {given}")
