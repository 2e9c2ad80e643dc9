"""Rewrites a call so that a worker thread makes it, touching only its head and its end."""

from __future__ import annotations

import ast

from loopsafe.fixes.edits import Draft
from loopsafe.fixes.idioms import Idiom, of_nothing, wrapping
from loopsafe.fixes.names import may_stop
from loopsafe.fixes.place import FLAT, awaiter, may_await, must_bracket
from loopsafe.fixes.site import Site, site_at
from loopsafe.model import Edit

_FRAME = frozenset({"super", "locals", "vars", "dir", "eval", "exec"})
"""What sees the function that it is written in."""
_WIDTH = 88
"""Columns that formatters give a line, where nobody asks for others."""


def awaited(site: Site, idiom: Idiom, call: ast.Call) -> tuple[Edit, ...] | None:
    """`f(a)` becomes `await to_thread(f, a)`, in brackets where it must."""
    opening, closing = opening_await(site, call)
    return in_thread(site, idiom, call, opening, closing)


def in_thread(
    site: Site, idiom: Idiom, call: ast.Call, before: str = "", after: str = ""
) -> tuple[Edit, ...] | None:
    """`f(a)` becomes `to_thread(f, a)`: arguments stay where they are, in their order."""
    around = wrapping(site, idiom, call)
    if around is None or not site.draft.faithful(call) or may_stop(call):
        return None
    draft = site.draft
    start, callee, bracket = draft.start(call), draft.callee_stop(call), draft.bracket(call)
    head = before + around.head
    tail = around.tail + after
    if around.curried:
        edits = [draft.replace(start, callee, head + draft.source.text[start:callee] + ")")]
    elif has_bare_generator(site, call):
        # `f(x for x in y)`: its brackets are the generator's own from now on.
        content = head + draft.source.text[start:callee] + ", "
        edits = [draft.replace(start, bracket, content)]
        tail = ")" + tail
    else:
        given, stop = callee_as_argument(site, call)
        if given[:1] in ("\r", "\n"):
            head = head.rstrip(" ")  # `run_in_executor(None, ` would end its line in a space.
        edits = [draft.replace(start, stop, head + given)]
    if tail:
        edits.append(draft.insert(draft.stop(call), tail))
    return (*around.edits, *edits)


def callee_as_argument(site: Site, call: ast.Call) -> tuple[str, int]:
    """The callee, ready to stand before the call's own arguments, `f, `, and where these go on.

    On a line of its own where the arguments are:  f(      ->  to_thread(
                                                       a,          f,
                                                   )               a,
    On the one line that they share, if it does not become longer than others are.
    """
    draft, text = site.draft, site.draft.source.text
    start, callee, bracket = draft.start(call), draft.callee_stop(call), draft.bracket(call)
    gap = text[callee:bracket].replace("\\", "")
    arguments = [*call.args, *(k.value for k in call.keywords)]
    if not arguments:
        return text[start:callee] + gap, bracket + 1
    line = text[bracket + 1 :].lstrip(" \t\f")[:1]
    if line in ("\r", "\n", "#"):
        first = min(a.lineno for a in arguments)
        lead = draft.source.newline + draft.indent(first)
        if line != "#" and not gap and _is_joined(draft, call, text[start:callee], first):
            at = draft.source.offset(first, 0) + len(draft.indent(first))
            return f"{lead}{text[start:callee]}, ", at
        return f"{lead}{text[start:callee]},{gap}", bracket + 1
    separator = "" if text[bracket + 1].isspace() or gap[-1:].isspace() else " "
    return f"{text[start:callee]},{gap}{separator}", bracket + 1


def _is_joined(draft: Draft, call: ast.Call, callee: str, line: int) -> bool:
    """Whether the callee fits into the one line that has a call's arguments, and nothing else."""
    text = draft.source.line(line).rstrip()
    alone = draft.source.text[draft.source.offset(line + 1, 0) : draft.stop(call)].strip() == ")"
    widest = max(len(draft.source.line(n)) - 1 for n in range(1, draft.source.line_count + 1))
    width = len(text) + len(callee) + 2
    return alone and not text.endswith(",") and "#" not in text and width <= min(widest, _WIDTH)


def opening_await(site: Site, moved: ast.expr) -> tuple[str, str]:
    """What stands before and after an expression to await it; nothing where it is awaited."""
    parent = site.parent(moved)
    if isinstance(parent, ast.Await) or awaiter(site, moved) is not None:
        return "", ""
    start = site.draft.start(moved)
    before = site.draft.source.text[start - 1 : start]
    space = " " if before.isalnum() or before == "_" else ""
    if must_bracket(site, moved):
        return f"{space}(await ", ")"
    return f"{space}await ", ""


def async_loop(
    site: Site, loop: ast.For | ast.comprehension, parent: ast.AST | None
) -> Edit | None:
    """`for x in rows` as `async for x in rows`; None where it may not be.

    The place is that of the rows; the parent is what holds the loop.
    """
    draft = site.draft
    if not may_await(site):
        return None
    if isinstance(loop, ast.For):
        return draft.insert(draft.start(loop), "async ")
    if not isinstance(parent, FLAT):
        return None
    element = parent.value if isinstance(parent, ast.DictComp) else parent.elt
    text = draft.source.text[: draft.start(loop.target)].rstrip()
    if not may_await(site_at(site, element)) or not text.endswith("for"):
        return None
    return draft.insert(len(text) - len("for"), "async ")


def async_with(site: Site, block: ast.AST | None) -> Edit | None:
    """`with x as y:` as `async with x as y:`; None where it enters something else as well."""
    if not isinstance(block, ast.With) or len(block.items) != 1:
        return None
    return site.draft.insert(site.draft.start(block), "async ")


def has_bare_generator(site: Site, call: ast.Call) -> bool:
    """Whether a generator is the only argument, without brackets of its own."""
    if len(call.args) != 1 or call.keywords or not isinstance(call.args[0], ast.GeneratorExp):
        return False
    return site.draft.start(call.args[0]) == site.draft.bracket(call)


def lambda_in_thread(site: Site, idiom: Idiom, moved: ast.expr) -> tuple[Edit, ...] | None:
    """`e` becomes `await to_thread(lambda: e)`: all of the expression is evaluated there."""
    around = of_nothing(site, idiom)
    if around is None or not site.draft.faithful(moved) or not may_move(moved):
        return None
    head, tail, imports = around
    opening, closing = opening_await(site, moved)
    draft = site.draft
    return (
        *imports,
        draft.insert(draft.start(moved), f"{opening}{head}lambda: "),
        draft.insert(draft.stop(moved), tail + closing),
    )


def may_move(moved: ast.expr) -> bool:
    """Whether an expression means the same inside a lambda."""
    for node in ast.walk(moved):
        if isinstance(node, (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)):
            return False
        if may_stop(node):
            return False
        if isinstance(node, ast.comprehension) and node.is_async:
            return False
        if isinstance(node, ast.Name) and node.id in _FRAME:
            return False
    return True
