"""The object that a finding is about, where its function makes it: `client = OpenAI()`."""

from __future__ import annotations

import ast
from collections.abc import Container

from loopsafe.fixes.data import table
from loopsafe.fixes.names import bindings, own_nodes, survey
from loopsafe.fixes.site import Site
from loopsafe.knowledge.catalogue import load
from loopsafe.knowledge.schema import ClassKnowledge


def construction(site: Site, function: ast.AsyncFunctionDef) -> ast.Call | None:
    """The call that makes what the finding is called on: in the same chain, or in a variable."""
    root: ast.AST = subject(site)
    seen: set[str] = set()
    while True:
        while isinstance(root, (ast.Attribute, ast.Call, ast.Subscript)):
            if isinstance(root, ast.Call) and class_of(site, root):
                return root
            root = root.func if isinstance(root, ast.Call) else root.value
        if not isinstance(root, ast.Name) or root.id in seen:
            return None
        seen.add(root.id)
        value = value_of(function, root.id)
        if value is None:
            return None
        root = value


def subject(site: Site) -> ast.AST:
    """The expression that a finding is about; of `list(rows)`, the rows."""
    call = site.call
    if call is None:
        return site.node
    consumes = name_of(call.func) in table("threads")["consumers"] and len(call.args) == 1
    return call.args[0] if consumes else call


def value_of(function: ast.AsyncFunctionDef, name: str) -> ast.expr | None:
    """What the only assignment of a local variable gives it."""
    if len(bindings(function).get(name, [])) != 1:
        return None
    found: list[ast.expr | None] = []
    for node in own_nodes(function):
        if isinstance(node, ast.Assign) and [name_of(t) for t in node.targets] == [name]:
            found.append(node.value)
        elif isinstance(node, ast.With):
            found += [i.context_expr for i in node.items if name_of(i.optional_vars) == name]
    return found[0] if len(found) == 1 else None


def name_of(node: ast.expr | None) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def class_of(site: Site, made: ast.Call) -> ClassKnowledge | None:
    """What is known of the class that a call makes an object of, if the class has an async twin."""
    full = site.full_name(made.func)
    if "." not in full:
        return None
    known = load().klass(table("objects")["factories"].get(full, full))
    if known is None or known.asynchronous:
        return None
    return known if known.twin or known.name in table("objects")["foreign"] else None


def twin_of(made: ast.Call, site: Site, known: ClassKnowledge) -> str:
    data = table("objects")
    cls = data["foreign"].get(known.name, known.twin)
    return str(data["twins"].get(site.full_name(made.func), cls))


def is_there(site: Site, known: ClassKnowledge) -> bool:
    """Whether the installed version of the library has the twin; it may not be installed at all.

    A twin of another library must be there, and what it makes its requests with.
    """
    needs, installed = table("objects")["needs"], site.context.installed
    package = start_in(needs, known.name) or known.name.partition(".")[0]
    needed = needs.get(package, package)
    if not is_carried(site, known.name):
        return False
    if installed(needed) or needed in survey(site.context.tree).imported:
        return True
    is_own = f"{needed}.".startswith(f"{package}.")
    return is_own and not installed(package)


def is_carried(site: Site, cls: str) -> bool:
    """Whether the library that a class's twin makes its requests with is there, if there is any."""
    carried = table("objects")["carried"]
    needed = carried.get(start_in(carried, cls))
    installed = site.context.installed
    return needed is None or installed(needed) or not installed(cls.rpartition(".")[0])


def start_in(names: Container[str], name: str) -> str:
    """The longest of some names that a dotted one begins with; empty if there is none."""
    parts = name.split(".")
    starts = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next((start for start in starts if start in names), "")
