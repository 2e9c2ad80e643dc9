"""What may shift when a call moves to a thread: one sentence, or nothing where nothing may."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase

from loopsafe.fixes.data import table
from loopsafe.fixes.names import bindings, dotted, survey
from loopsafe.fixes.site import Site
from loopsafe.model import Cost


def risk(site: Site, moved: ast.expr) -> str:
    """The caveat of an offload; empty if what moves shares nothing with the loop."""
    blocking, call = site.context.blocking, site.call
    if site.finding.code == "await-sync":
        return "The call gives nothing to await: today this line fails with a TypeError."
    whole = call is not None and moved is not call
    if blocking and blocking.caveat and not whole:
        return blocking.caveat
    if not site.direct:
        return "It then runs beside the loop: what it shares with other code must be thread-safe."
    if site.finding.sink in table("threads")["handles"] and not whole:
        return "Only the opening moves: reading from and writing to the result still blocks."
    if not (whole or _has_no_state(site, call)):
        return "A thread then uses the object: nothing else may use it at the same time."
    shared = _shared(site, moved)
    if shared:
        return f"A thread then reads `{shared}`: the loop must not change it meanwhile."
    if site.finding.cost is Cost.TRIVIAL:
        return "Going to a thread and back can take longer than this call."
    return ""


def _has_no_state(site: Site, call: ast.Call | None) -> bool:
    """Whether a call works on its arguments alone."""
    if call is None:
        return False
    immutable = table("threads")["immutable"]
    return _is_library_function(site, call.func) or any(
        fnmatchcase(site.finding.sink, pattern) for pattern in immutable
    )


def _is_library_function(site: Site, function: ast.expr) -> bool:
    """Whether a callee is a library's function or a builtin, so that there is no object behind it.

    `from app import session` names an object, `requests.get` a function of its module.
    """
    root = dotted(function).partition(".")[0]
    if root and root in site.imports():
        owner, _, last = site.finding.sink.rpartition(".")
        full = site.full_name(function)
        same = full.partition(".")[0] == owner.partition(".")[0] and full.endswith(f".{last}")
        return same and owner.rpartition(".")[2][:1].islower()
    scopes = (*site.scopes(), site.context.tree)
    return isinstance(function, ast.Name) and not any(root in bindings(s) for s in scopes)


def _shared(site: Site, moved: ast.expr) -> str:
    """A part that other code can reach: an attribute of `self`, a variable of the module."""
    module = survey(site.context.tree).bindings
    local = {name for scope in site.scopes() for name in bindings(scope)}
    for node in _passed(site, moved):
        if isinstance(node, ast.Attribute) and dotted(node).startswith(("self.", "cls.")):
            return dotted(node)
        if not isinstance(node, ast.Name) or node.id in local or node.id.isupper():
            continue
        if any(isinstance(n, ast.Name) for n in module.get(node.id, ())):
            return node.id
    return ""


def _passed(site: Site, moved: ast.expr) -> Iterator[ast.AST]:
    """The arguments of a call; all of an expression that is moved as a whole."""
    if isinstance(moved, ast.Call) and moved is site.call:
        for argument in (*moved.args, *(keyword.value for keyword in moved.keywords)):
            yield from ast.walk(argument)
    else:
        yield from ast.walk(moved)
