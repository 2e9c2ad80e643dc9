"""What of a class is different in an async twin that another library has, by `objects.toml`.

with smtplib.SMTP(host) as server:      async with aiosmtplib.SMTP(hostname=host) as server:
    server.send_message(message)            await server.send_message(message)
"""

from __future__ import annotations

import ast
from typing import Any

from loopsafe.fixes.data import table
from loopsafe.fixes.edits import Draft
from loopsafe.fixes.flow import breaks_out
from loopsafe.fixes.layout import alone, opened
from loopsafe.fixes.made import start_in
from loopsafe.fixes.names import own_nodes
from loopsafe.fixes.site import Site
from loopsafe.model import Edit


def constructed(site: Site, call: ast.Call) -> list[Edit] | None:
    """The arguments of a constructor as the twin wants them; None where it has no such ones."""
    rule = table("objects")["constructor"].get(site.full_name(call.func))
    if rule is None:
        return []
    if len(call.args) > len(rule["positional"]) or any(_is_starred(a) for a in call.args):
        return None
    draft, edits = site.draft, []
    for position, name in enumerate(rule["positional"][: len(call.args)]):
        if name:
            edits.append(draft.insert(opened(draft, call, position), f"{name}="))
    for keyword in call.keywords:
        edits += _keyword(draft, keyword, rule["keywords"])
        if not rule["others"] and keyword.arg not in rule["keywords"]:
            return None
    given = [*call.args, *(k.value for k in call.keywords)]
    if rule["added"] and not given:
        return None
    if rule["added"]:
        at = draft.stop(given[-1])
        if draft.source.text[at : draft.stop(call)].strip(", \t\r\n") != ")":
            return None
        edits.append(draft.insert(at, f", {rule['added']}"))
    return edits


def renamed(site: Site, call: ast.Call, name: str, parent: ast.AST | None) -> list[Edit] | None:
    """A method's keywords as the twin wants them; None where it takes or gives something else."""
    package, _, method = name.partition(".")
    rule = table("objects")["methods"].get(package)
    if rule is None:
        return []
    keywords = rule["keywords"].get(method.rpartition(".")[2], {})
    if method.rpartition(".")[2] in rule["discarded"] and not isinstance(parent, ast.Expr):
        return None
    if any(keyword.arg not in keywords for keyword in call.keywords):
        return None
    return [e for keyword in call.keywords for e in _keyword(site.draft, keyword, keywords)]


def fitted(site: Site, call: ast.Call, method: str) -> list[Edit] | None:
    """A method's arguments without those that the twin needs no more; None where it takes fewer."""
    data = table("objects")
    if len(call.args) > data["positional"].get(method, len(call.args)):
        return None
    dropped, edits = data["dropped"].get(method, {}), []
    untaken = data["untaken"].get(start_in(data["untaken"], method), [])
    for keyword in call.keywords:
        name = keyword.arg or ""
        if name in dropped and site.draft.code(keyword.value) == dropped[name]:
            edit = _without(site.draft, call, keyword)
            if edit is None:
                return None
            edits.append(edit)
        elif name in untaken:
            return None
    return edits


def ended(
    site: Site, function: ast.AsyncFunctionDef, block: ast.With, method: str
) -> list[Edit] | None:
    """What a `with` does at its end, done by a call, as the twin's only closes.

    None where the block can be left before that, or its object is used behind it.
    """
    item, draft = block.items[0], site.draft
    name = item.optional_vars.id if isinstance(item.optional_vars, ast.Name) else ""
    if not name or not isinstance(item.context_expr, ast.Call):
        return None
    inside = sum(_is_named(node, name) for node in ast.walk(block))
    if inside != sum(_is_named(node, name) for node in ast.walk(function)):
        return None
    if _only_reads(block):
        return []
    leaves = any(isinstance(node, ast.Return) for n in block.body for node in _own(n))
    last = block.body[-1]
    if leaves or breaks_out(block.body) or not alone(draft, [last]):
        return None
    call = f"{name}.{method}()"
    if draft.code(last) == call:
        return []
    lead = draft.source.newline + draft.indent(last.lineno)
    line = draft.source.line(last.end_lineno or last.lineno).rstrip("\r\n")
    at = draft.source.offset(last.end_lineno or last.lineno, len(line.encode()))
    return [draft.insert(at, f"{lead}await {call}")]


def fails_otherwise(site: Site, cls: str) -> bool:
    """Whether the function handles exceptions that the twin does not raise."""
    package = cls.partition(".")[0]
    if package not in table("objects")["methods"] or site.function is None:
        return False
    handlers = (n for n in ast.walk(site.function) if isinstance(n, ast.ExceptHandler))
    types = (node for handler in handlers if handler.type for node in ast.walk(handler.type))
    return any(
        isinstance(node, (ast.Name, ast.Attribute))
        and site.full_name(node).partition(".")[0] == package
        for node in types
    )


def _keyword(draft: Draft, keyword: ast.keyword, names: dict[str, Any]) -> list[Edit]:
    new = str(names.get(keyword.arg or "", keyword.arg))
    if new == keyword.arg or keyword.arg is None:
        return []
    start = draft.source.offset(keyword.lineno, keyword.col_offset)
    return [draft.replace(start, start + len(keyword.arg), new)]


def _without(draft: Draft, call: ast.Call, keyword: ast.keyword) -> Edit | None:
    """The removal of a keyword with the comma before it, or behind it if it comes first."""
    given: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    given.sort(key=lambda a: (a.lineno, a.col_offset))
    at, text = given.index(keyword), draft.source.text
    ends = [draft.stop(a.value if isinstance(a, ast.keyword) else a) for a in given]
    if at > 0:
        start, stop = ends[at - 1], ends[at]
        gap = text[start : draft.start(keyword)]
    else:
        start = draft.start(keyword)
        stop = draft.start(given[1]) if len(given) > 1 else ends[0]
        gap = text[ends[0] : stop]
    return draft.replace(start, stop, "") if not gap.strip(", \t\r\n") else None


def _is_starred(node: ast.expr) -> bool:
    return isinstance(node, ast.Starred)


def _is_named(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _own(statement: ast.stmt) -> list[ast.AST]:
    return [statement, *own_nodes(statement)]


def _only_reads(block: ast.With) -> bool:
    """Whether all that is executed in a block is written there, and reads."""
    rule = table("objects")["reading"]
    texts = [
        node.args[0] if node.args else None
        for node in ast.walk(block)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in rule["methods"]
    ]
    return bool(texts) and all(
        isinstance(text, ast.Constant)
        and isinstance(text.value, str)
        and text.value.lower().lstrip().startswith(tuple(rule["words"]))
        for text in texts
    )
