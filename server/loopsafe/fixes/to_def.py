"""Makes an endpoint that awaits nothing a plain function, which the framework runs in a thread.

async def read_user(uid: int): ...
def read_user(uid: int): ...
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from loopsafe.fixes.data import table
from loopsafe.fixes.edits import span_of
from loopsafe.fixes.names import FUNCTIONS, bindings, dotted, own_nodes, survey
from loopsafe.fixes.site import Site
from loopsafe.model import Fix, Safety, Span

GROUP = "plain-def"
_ASYNC = re.compile(r"async(?:[ \t\f]|\\\r?\n)+(?=def\b)")


def cures(site: Site) -> Iterator[Fix]:
    """The function without `async`, where its runner takes both and nobody else awaits it."""
    function, runner = site.function, site.context.runner
    if function is None or runner is None or not runner.convertible:
        return
    if site.context.awaited_elsewhere or _needs_loop(site, function):
        return
    if site.context.makes_coroutine:
        return  # The loop runs that all the same.
    start = site.draft.start(function)
    match = _ASYNC.match(site.draft.source.text, start)
    if match is None:
        return
    edit = site.draft.replace(start, match.end(), "")
    caveat = _caveat(site, function)
    title = f"Make {function.name} a plain def (runs in the thread pool)"
    safety = Safety.UNSAFE if caveat else Safety.SAFE
    yield Fix(title, safety, (edit,), caveat=caveat, group=GROUP)


def _needs_loop(site: Site, function: ast.AsyncFunctionDef) -> bool:
    """Whether the body awaits, or uses what only works where a loop is running."""
    if any(_suspends(node) for node in _body(function, FUNCTIONS)):
        return True
    first, last = span_of(function.body[0]), span_of(function.body[-1])
    if site.context.loop_need(Span(*first[:2], *last[2:])):
        return True
    imports = site.imports()
    names = {
        imports.get(node.id, node.id)
        for node in _body(function, (ast.AsyncFunctionDef,))
        if isinstance(node, ast.Name)
    }
    bound = table("to_def")["bound_to_loop"]
    return any(full == name or full.startswith(name + ".") for name in bound for full in names)


def _body(function: ast.AST, nested: tuple[type[ast.AST], ...]) -> Iterator[ast.AST]:
    """What is written inside a function, without nested functions of these kinds."""
    stack: list[ast.AST] = list(getattr(function, "body", ()))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, nested):
            stack.extend(ast.iter_child_nodes(node))


def _suspends(node: ast.AST) -> bool:
    if isinstance(node, ast.comprehension):
        return bool(node.is_async)
    awaits = (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Yield, ast.YieldFrom)
    return isinstance(node, awaits)


def _caveat(site: Site, function: ast.AsyncFunctionDef) -> str:
    """What may shift when several threads run the function at once."""
    decorator = _other_decorator(site, function)
    if decorator:
        return f"`@{decorator}` must take a plain function as well."
    changed = _changed_global(site, function)
    if changed:
        return f"Threads may run it at the same time, and it changes `{changed}`."
    return ""


def _other_decorator(site: Site, function: ast.AsyncFunctionDef) -> str:
    """A decorator besides the runner's own; `@app.get`, `@app.post` of one `app` are its own."""
    runner = site.context.runner
    method = runner.name.rpartition(".")[2] if runner and runner.decorated else ""
    names = []
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        names.append(dotted(called) or ast.unparse(called))
    owners = {n.rpartition(".")[0] for n in names if method and n.rpartition(".")[2] == method}
    return next((n for n in names if n.rpartition(".")[0] not in owners), "")


def _changed_global(site: Site, function: ast.AsyncFunctionDef) -> str:
    """A variable of the module, or of an outer function, that the body assigns into."""
    own = bindings(function)
    module = survey(site.context.tree).bindings
    for node in own_nodes(function):
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            return node.names[0]
        target: ast.expr | None = None
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            target = node.value
        elif isinstance(node, ast.Call) and _changes_receiver(node):
            target = node.func
        root = dotted(target).partition(".")[0] if target else ""
        if root and root not in own and root in module:
            return root
    return ""


def _changes_receiver(call: ast.Call) -> bool:
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    return method in table("to_def")["changing_methods"]
