"""Whether `await` may stand at a place. The rules are the compiler's, and a test asks it."""

from __future__ import annotations

import ast

from loopsafe.fixes.data import table
from loopsafe.fixes.names import COMPREHENSIONS
from loopsafe.fixes.site import Site

FLAT = (ast.ListComp, ast.SetComp, ast.DictComp)
"""Comprehensions that make their result at once."""
DISPLAYS = (ast.List, ast.Tuple, ast.Set)


def may_await(site: Site) -> bool:
    """Whether an `await` at the finding is legal and leaves the types around it as they are."""
    comprehensions = 0
    for outer, inner in _steps(site):
        if isinstance(outer, ast.AsyncFunctionDef):
            if inner in outer.body:
                return comprehensions < 2 or site.context.python_version >= (3, 11)
            if _is_annotation(outer, inner):
                return False
        elif isinstance(outer, (ast.FunctionDef, ast.ClassDef)):
            if inner in outer.body or _is_annotation(outer, inner):
                return False
        elif isinstance(outer, ast.Lambda):
            if inner is outer.body:
                return False
        elif isinstance(outer, ast.GeneratorExp):
            # With an `await` inside it would become an asynchronous generator.
            if not _runs_outside(site, outer, inner):
                return False
        elif isinstance(outer, FLAT):
            # Before Python 3.11 only the outermost comprehension could be asynchronous.
            comprehensions += not _runs_outside(site, outer, inner)
        elif _keeps_source(site, outer, inner):
            return False
    return False


def must_bracket(site: Site, call: ast.expr) -> bool:
    """Whether `await ...` needs brackets to stand where an expression stood."""
    parent = site.parent(call)
    if not isinstance(parent, (ast.Attribute, ast.Subscript, ast.Call)):
        return False
    held = parent.func if isinstance(parent, ast.Call) else parent.value
    if held is not call:
        return False
    # Where the parent begins earlier, there are brackets around the call already: `(f()).x`.
    return site.draft.start(parent) == site.draft.start(call)


def awaiter(site: Site, node: ast.expr) -> ast.Call | None:
    """The call that wants to await an expression: `asyncio.create_task(f())`, `wait([f()])`,
    `gather(*(f(u) for u in urls))`.
    """
    held, outer, data = node, site.parent(node), table("eager")
    if isinstance(outer, (*DISPLAYS, *FLAT, ast.GeneratorExp)):
        if held is not getattr(outer, "elt", held) or isinstance(outer, ast.DictComp):
            return None
        held, outer = outer, site.parent(outer)
        wanted = data["awaiting_each"]
        if isinstance(outer, ast.Starred):
            held, outer, wanted = outer, site.parent(outer), data["awaiting_all"]
        is_wanted = isinstance(outer, ast.Call) and last_name(outer) in wanted
    else:
        name = last_name(outer) if isinstance(outer, ast.Call) else ""
        is_wanted = name in data["awaiting"]
    if not is_wanted or not isinstance(outer, ast.Call):
        return None
    first = last_name(outer) not in data["awaiting_all"]
    return outer if any(held is given for given in outer.args[: 1 if first else None]) else None


def last_name(call: ast.Call) -> str:
    """`run_in_executor` of `asyncio.get_running_loop().run_in_executor(...)`."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _steps(site: Site) -> list[tuple[ast.AST, ast.AST]]:
    path = site.path
    return [(path[i - 1], path[i]) for i in range(len(path) - 1, 0, -1)]


def _runs_outside(site: Site, outer: ast.AST, inner: ast.AST) -> bool:
    """The first iterable of a comprehension is evaluated before it is entered."""
    if not isinstance(outer, COMPREHENSIONS) or not isinstance(inner, ast.comprehension):
        return False
    return inner is outer.generators[0] and inner.iter in site.path


def _is_annotation(outer: ast.AST, inner: ast.AST) -> bool:
    return isinstance(inner, ast.arg) or inner is getattr(outer, "returns", None)


def _keeps_source(site: Site, outer: ast.AST, inner: ast.AST) -> bool:
    """Annotations may not hold `await`; `f"{x()=}"` and template strings show their source."""
    if isinstance(outer, ast.AnnAssign):
        return inner is outer.annotation
    if isinstance(outer, ast.FormattedValue) and inner is outer.value:
        rest = site.draft.source.text[site.draft.stop(outer.value) :].lstrip(" \t)")
        return rest.startswith("=")
    return type(outer).__name__ in ("Interpolation", "TypeAlias")
