"""Moves work for the processor to a process that the file has for such things.

pool = ProcessPoolExecutor()

report = compute(rows)
report = await asyncio.get_running_loop().run_in_executor(pool, compute, rows)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from loopsafe.fixes.data import table
from loopsafe.fixes.idioms import Idiom, choose, idiom_of
from loopsafe.fixes.names import bindings, dotted
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import awaited
from loopsafe.fixes.site import Site
from loopsafe.model import Fix, Safety


def cures(site: Site) -> Iterator[Fix]:
    """The call of a function that another process can import by its name."""
    call, data = site.call, table("processes")
    if call is None or site.finding.code not in data["codes"] or not may_await(site):
        return
    if site.context.makes_coroutine or not _can_be_sent(site, call):
        return
    for idiom in _ways(site):
        edits = awaited(site, idiom, call)
        if edits:
            title = f"Run {dotted(call.func)}() in a process with {idiom.shows}"
            yield Fix(title, Safety.UNSAFE, edits, caveat=data["caveat"])
            return


def _ways(site: Site) -> Iterator[Idiom]:
    """Pools that the module holds, and libraries of the file that hold one of their own."""
    data, tree = table("processes"), site.context.tree
    here = choose(site).name
    for node in tree.body:
        value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        name = targets[0].id if isinstance(targets[0], ast.Name) else ""
        makes = isinstance(value, ast.Call) and site.full_name(value.func) in data["pools"]
        hidden = any(name in bindings(scope) for scope in site.scopes())
        if name and makes and not hidden and here not in data["pool"]["unless"]:
            entry = {k: v for k, v in data["pool"].items() if k != "unless"}
            yield idiom_of({k: str(v).replace("{pool}", name) if k in ("head", "shows") else v
                            for k, v in entry.items()})  # fmt: skip
    yield from (idiom_of(entry) for entry in data["idiom"] if entry["name"] == here)


def _can_be_sent(site: Site, call: ast.Call) -> bool:
    """Whether the callee is a function of a module, and no argument one that has no name."""
    first = dotted(call.func).partition(".")[0]
    if not first or any(first in bindings(scope) for scope in site.scopes()):
        return False
    found = bindings(site.context.tree).get(first, [])
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef)
    if len(found) != 1 or not isinstance(found[0], kinds):
        return False
    if isinstance(found[0], ast.FunctionDef) and found[0].decorator_list:
        return False
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    unnamed = (ast.Lambda, ast.GeneratorExp, ast.Starred)
    return not any(isinstance(node, unnamed) for value in given for node in ast.walk(value))
