"""Starts a process of asyncio, and awaits its end.

process = subprocess.Popen(["git"])     process = await asyncio.create_subprocess_exec("git")
code = process.wait()                   code = await process.wait()
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from loopsafe.fixes.data import table
from loopsafe.fixes.idioms import choose
from loopsafe.fixes.names import bindings, own_nodes
from loopsafe.fixes.place import may_await
from loopsafe.fixes.program import options_of, started
from loopsafe.fixes.rewrite import opening_await
from loopsafe.fixes.site import Site, site_at
from loopsafe.model import Edit, Fix, Safety

_CAVEAT = "Where the task is cancelled, the program goes on by itself."


def cures(site: Site) -> Iterator[Fix]:
    """The start and all uses of a process that a variable of the function holds."""
    function, made_by = site.function, table("process")["popen"]["made"]
    if function is None or not any(f"{site.finding.sink}.".startswith(f"{m}.") for m in made_by):
        return
    if not site.direct or choose(site).name not in table("process")["idioms"]:
        return
    name, made = _process(site, function)
    there = site_at(site, made.func) if made else None
    if made is None or there is None or there.function is not function or not may_await(there):
        return
    options = options_of(site, made, checks=False, shell=False)
    uses = _uses(site, function, name)
    if options is None or options.decoded or not uses or "#" in site.draft.code(made):
        return
    start = started(site, options)
    if start is None:
        return
    before, after = opening_await(there, made)
    text = f"{before}{start.text}{after}"
    edit = site.draft.replace(site.draft.start(made), site.draft.stop(made), text)
    title = f"Use await asyncio.{options.starter}()"
    yield Fix(title, Safety.UNSAFE, (*start.edits, edit, *uses), caveat=_CAVEAT)


def _process(site: Site, function: ast.AsyncFunctionDef) -> tuple[str, ast.Call | None]:
    """The variable that the finding is about, and the call that its process is started by."""
    for node in own_nodes(function):
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        target = node.targets[0]
        made, callee = node.value, site.node
        if not isinstance(made, ast.Call) or bindings(function).get(target.id) != node.targets:
            continue
        about = isinstance(callee, ast.Attribute) and callee.value
        is_meant = made.func is callee or (isinstance(about, ast.Name) and about.id == target.id)
        if is_meant and site.full_name(made.func) in table("process")["popen"]["made"]:
            return target.id, made
    return "", None


def _uses(site: Site, function: ast.AsyncFunctionDef, name: str) -> list[Edit] | None:
    """The edits of all uses of a process; None where one has no async way."""
    data, draft = table("process")["popen"], site.draft
    parents = {id(c): n for n in ast.walk(function) for c in ast.iter_child_nodes(n)}
    edits: list[Edit] = []
    for node in ast.walk(function):
        if not isinstance(node, ast.Name) or node.id != name or not isinstance(node.ctx, ast.Load):
            continue
        attribute = parents.get(id(node))
        if not isinstance(attribute, ast.Attribute):
            return None
        if attribute.attr in data["plain"]:
            continue
        there = site_at(site, attribute)
        most = data["awaited"].get(attribute.attr)
        call = there.call
        if most is None or call is None or there.function is not function or not may_await(there):
            return None
        named = {keyword.arg for keyword in call.keywords}
        if len(call.args) + len(named) > most or not named <= {"input"}:
            return None
        before, after = opening_await(there, call)
        edits.append(draft.insert(draft.start(call), before))
        edits += [draft.insert(draft.stop(call), after)] if after else []
    return edits
