"""Opens a file with an async library, and awaits all that is done with it.

with open(path) as file:                async with aiofiles.open(path) as file:
    data = json.load(file)                  data = json.loads(await file.read())
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from loopsafe.fixes.data import table
from loopsafe.fixes.edits import span_of
from loopsafe.fixes.imports import spell_dotted
from loopsafe.fixes.names import FUNCTIONS, bound_by, own_nodes, survey
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import async_loop, opening_await
from loopsafe.fixes.site import Site, site_at
from loopsafe.model import Edit, Fix, Safety


def cures(site: Site) -> Iterator[Fix]:
    """The whole `with`, where each use of the file has an async way."""
    block, function = _block(site), site.function
    if not isinstance(block, ast.With) or function is None:
        return
    library = _library(site)
    if library is None or not any(node is block for node in own_nodes(function)):
        return
    edits = [site.draft.insert(site.draft.start(block), "async ")]
    for item in block.items:
        temporary = _temporary(site, item.context_expr, library)
        opened = _opened(site, item.context_expr, library, temporary)
        uses = _uses(site, function, block, item, temporary)
        if opened is None or uses is None:
            return
        edits += [*opened, *uses]
    first = _temporary(site, block.items[0].context_expr, library)
    caveat = _caveat(site, block, library)
    safety = Safety.UNSAFE if caveat else Safety.SAFE
    title = f"Use {first['by'] if first else library['open']}()"
    yield Fix(title, safety, tuple(edits), caveat=caveat)


def _block(site: Site) -> ast.With | None:
    """The `with` that opens what the finding uses: what it enters, or the file it is called on or
    given: `file.read()`, `json.load(file)`.
    """
    root: ast.AST = site.node
    while isinstance(root, (ast.Attribute, ast.Call, ast.Subscript)):
        root = root.func if isinstance(root, ast.Call) else root.value
    used = {
        node.id
        for node in (root, *(site.call.args if site.call else ()))
        if isinstance(node, ast.Name)
    }
    below: ast.AST = site.node
    for node in site.above(site.node):
        if isinstance(node, FUNCTIONS):
            return None
        if isinstance(node, ast.With):
            named = [
                i.optional_vars.id for i in node.items if isinstance(i.optional_vars, ast.Name)
            ]
            if below in node.items or not used.isdisjoint(named):
                return node
        below = node
    return None


def _library(site: Site) -> dict[str, Any] | None:
    """The one that the file imports, else the first that is installed and need not be."""
    libraries: list[dict[str, Any]] = table("files")["library"]
    found = [entry for entry in libraries if _imports(site, entry)]
    found += [
        entry for entry in libraries if entry["offered"] and site.context.installed(entry["name"])
    ]
    return found[0] if found else None


def _imports(site: Site, library: dict[str, Any]) -> bool:
    imported = survey(site.context.tree).imported
    return any(module.partition(".")[0] == library["name"] for module in imported)


def _temporary(site: Site, call: ast.expr, library: dict[str, Any]) -> dict[str, Any] | None:
    """The library's class for a temporary file or folder, if it takes the same arguments."""
    full = site.full_name(call.func) if isinstance(call, ast.Call) else ""
    entry: dict[str, Any] | None = library["temporary"].get(full)
    if entry is None or not isinstance(call, ast.Call):
        return None
    known = {*entry["takes"], *entry["by_name"]}
    by_name = all(keyword.arg in known for keyword in call.keywords)
    starred = any(isinstance(argument, ast.Starred) for argument in call.args)
    return entry if by_name and not starred and len(call.args) <= len(entry["takes"]) else None


def _opened(
    site: Site, call: ast.expr, library: dict[str, Any], temporary: dict[str, Any] | None
) -> list[Edit] | None:
    """`open(p)`, `p.open()` and a temporary file, opened by the library."""
    if not isinstance(call, ast.Call) or not site.draft.faithful(call):
        return None
    spelling = spell_dotted(site, temporary["by"] if temporary else library["open"])
    if spelling is None:
        return None
    draft, before = site.draft, "await " * library["awaited"]
    start, stop = draft.start(call), draft.callee_stop(call)
    if temporary:
        return [*spelling.edits, draft.replace(start, stop, spelling.text)]
    if site.full_name(call.func) in table("files")["functions"]:
        return [*spelling.edits, draft.replace(start, stop, before + spelling.text)]
    if not isinstance(call.func, ast.Attribute):
        return None
    sinks = {site.finding.sink} if call is site.call else site.context.called(span_of(call.func))
    if not sinks or not sinks <= set(table("files")["methods"]):
        return None
    end = draft.stop(call.func) - len(call.func.attr)
    receiver = draft.source.text[start:end].rstrip().removesuffix(".").rstrip()
    bracket = draft.bracket(call)
    if "#" in draft.source.text[start:bracket]:
        return None
    more = ", " if call.args or call.keywords else ""
    head = f"{before}{spelling.text}({receiver}{more}"
    return [*spelling.edits, draft.replace(start, bracket + 1, head)]


def _uses(
    site: Site,
    function: ast.AsyncFunctionDef,
    block: ast.With,
    item: ast.withitem,
    temporary: dict[str, Any] | None,
) -> list[Edit] | None:
    """The edits of all uses of a file in its block; None where one has no async way."""
    if temporary and temporary["plain"]:
        return []
    if not isinstance(item.optional_vars, ast.Name):
        return None
    name = item.optional_vars.id
    parents = {id(c): n for n in ast.walk(block) for c in ast.iter_child_nodes(n)}
    edits: list[Edit] = []
    bound = 0
    for node in ast.walk(block):
        bound += name in bound_by(node)
        if not isinstance(node, ast.Name) or node.id != name or not isinstance(node.ctx, ast.Load):
            continue
        if site_at(site, node).function is not function:
            return None
        found = _use(site, node, parents)
        if found is None:
            return None
        edits += found
    return edits if bound == 1 else None


def _use(site: Site, node: ast.Name, parents: dict[int, ast.AST]) -> list[Edit] | None:
    parent = parents.get(id(node))
    draft = site.draft
    if isinstance(parent, ast.Attribute):
        if parent.attr in table("files")["plain"]:
            return []
        call = parents.get(id(parent))
        is_call = isinstance(call, ast.Call) and call.func is parent
        if not is_call or parent.attr not in table("files")["awaited"]:
            return None
        assert isinstance(call, ast.Call)
        there = site_at(site, parent)
        if not may_await(there) or not draft.faithful(call):
            return None
        before, after = opening_await(there, call)
        closing = [draft.insert(draft.stop(call), after)] if after else []
        return [draft.insert(draft.start(call), before), *closing]
    if isinstance(parent, (ast.For, ast.comprehension)) and parent.iter is node:
        edit = async_loop(site_at(site, node), parent, parents.get(id(parent)))
        return [edit] if edit is not None else None
    return _given(site, node, parent) if isinstance(parent, ast.Call) else None


def _given(site: Site, node: ast.Name, call: ast.Call) -> list[Edit] | None:
    """`json.load(file)` to `json.loads(await file.read())`, `json.dump` likewise."""
    function, draft = call.func, site.draft
    full = site.full_name(function)
    reads, writes = table("files")["reads"].get(full), table("files")["writes"].get(full)
    there = site_at(site, function)
    if not isinstance(function, ast.Attribute) or not may_await(there) or not draft.faithful(call):
        return None
    end = draft.stop(function)
    if reads and call.args[:1] == [node]:
        renamed = draft.replace(end - len(function.attr), end, reads)
        read = draft.replace(draft.start(node), draft.stop(node), f"await {node.id}.read()")
        return [renamed, read]
    if not writes or len(call.args) < 2 or call.args[1] is not node:
        return None
    gap = slice(draft.stop(call.args[0]), draft.stop(node))
    if "#" in draft.source.text[gap] or ")" in draft.source.text[gap]:
        return None
    before, after = opening_await(there, call)
    return [
        draft.insert(draft.start(call), f"{before}{node.id}.write("),
        draft.replace(end - len(function.attr), end, writes),
        draft.replace(gap.start, gap.stop, ""),
        draft.insert(draft.stop(call), f"){after}"),
    ]


def _caveat(site: Site, block: ast.With, library: dict[str, Any]) -> str:
    if not _imports(site, library):
        return f"The module then depends on {library['name']}, which is installed."
    kept = [i.context_expr for i in block.items if not _temporary(site, i.context_expr, library)]
    if not all(map(_only_reads, kept)):
        return "Other code may run before the file is closed, and see it half written."
    return ""


def _only_reads(opened: ast.expr) -> bool:
    """Whether a file is opened for reading: by its mode, as written."""
    if not isinstance(opened, ast.Call):
        return False
    modes = [k.value for k in opened.keywords if k.arg == "mode"]
    modes += opened.args[0 if isinstance(opened.func, ast.Attribute) else 1 :][:1]
    values = [m.value if isinstance(m, ast.Constant) else "w" for m in modes]
    return all(isinstance(v, str) and set(v) <= set("rbtU") for v in values)
