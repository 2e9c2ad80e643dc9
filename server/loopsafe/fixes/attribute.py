"""Asks the async wrapper instead of the blocking object that it holds.

data = upload.file.read()
data = await upload.read()
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from loopsafe.fixes.data import table
from loopsafe.fixes.names import FUNCTIONS, bindings
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import opening_await
from loopsafe.fixes.site import Site
from loopsafe.model import Fix, Safety


def cures(site: Site) -> Iterator[Fix]:
    """The method of the same name of a parameter that is annotated with such a wrapper."""
    call = site.call
    if call is None or not isinstance(call.func, ast.Attribute) or not may_await(site):
        return
    held = call.func.value
    if not isinstance(held, ast.Attribute) or not isinstance(held.value, ast.Name):
        return
    if not site.direct or not site.draft.faithful(call):
        return
    annotation = _annotation(site, held.value.id)
    names = {site.full_name(part) for part in ast.walk(annotation)} if annotation else set()
    for entry in table("attribute")["wrapper"]:
        takes = entry["methods"].get(call.func.attr) if held.attr == entry["attribute"] else None
        if takes and names & set(entry["classes"]) and _fits(site, call, takes):
            yield from _moved(site, call, held.value)


def _fits(site: Site, call: ast.Call, takes: dict[str, Any]) -> bool:
    """Whether the async method takes these arguments, and gives what is made use of."""
    if call.keywords or len(call.args) > takes["arguments"]:
        return False
    return takes["same"] or isinstance(site.parent(call), ast.Expr)


def _moved(site: Site, call: ast.Call, wrapper: ast.Name) -> Iterator[Fix]:
    assert isinstance(call.func, ast.Attribute)
    draft, method = site.draft, call.func.attr
    start, end = draft.stop(wrapper), draft.stop(call.func) - len(method)
    if "#" in draft.source.text[start:end]:
        return
    before, after = opening_await(site, call)
    edits = [draft.insert(draft.start(call), before), draft.replace(start, end, ".")]
    if after:
        edits.append(draft.insert(draft.stop(call), after))
    yield Fix(f"Use await {wrapper.id}.{method}()", Safety.SAFE, tuple(edits))


def _annotation(site: Site, name: str) -> ast.expr | None:
    """The annotation of a parameter that keeps its value in the function."""
    for scope in site.scopes():
        found = bindings(scope).get(name, [])
        if found:
            node = found[0]
            is_own = isinstance(scope, FUNCTIONS) and len(found) == 1
            return node.annotation if is_own and isinstance(node, ast.arg) else None
    return None
