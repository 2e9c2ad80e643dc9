"""Awaits an async callable that takes the same arguments.

time.sleep(1)
await asyncio.sleep(1)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from loopsafe.fixes.data import table
from loopsafe.fixes.idioms import choose
from loopsafe.fixes.imports import Spelling, spell, spell_dotted
from loopsafe.fixes.layout import opened
from loopsafe.fixes.names import dotted, survey
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import opening_await
from loopsafe.fixes.site import Site
from loopsafe.model import Edit, Fix, Safety


def cures(site: Site) -> Iterator[Fix]:
    """The async callable in place of the blocking one."""
    call = site.call
    if call is None or not site.direct or not may_await(site) or not site.draft.faithful(call):
        return
    entry = table("drop_in")["function"].get(site.finding.sink)
    path = table("drop_in")["path"].get(site.finding.sink)
    if entry and _twin(site, entry):
        yield from _function(site, call, entry)
    elif path:
        yield from _path(site, call, path)
    elif entry:
        return
    elif isinstance(call.func, ast.Attribute):
        method = sibling(site, "coroutine")
        if method:
            start, stop = site.draft.start(call), site.draft.stop(call.func) - len(call.func.attr)
            edits = _replaced(site, call, site.draft.source.text[start:stop] + method)
            owner = dotted(call.func.value)
            yield Fix(f"Use await {owner}.{method}()", Safety.SAFE, edits)
        else:
            yield from _wrapped(site, call, call.func)


def sibling(site: Site, gives: str) -> str:
    """The async method beside a blocking one, `create_async` of `Charge.create`, if it gives what
    is asked for, one of `TWINS`; empty where there is none."""
    blocking = site.context.blocking
    if blocking is None or blocking.twin_is != gives:
        return ""
    owner, _, name = blocking.twin.rpartition(".")
    return name if owner == blocking.name.rpartition(".")[0] else ""


def _function(site: Site, call: ast.Call, entry: dict[str, Any]) -> Iterator[Fix]:
    """`os.path.exists(p)` to `await aiofiles.os.path.exists(p)`."""
    twin = _twin(site, entry)
    spelling = spell_twin(site, twin) if twin else None
    keywords = _keywords(site, call, entry.get("keywords", []))
    if spelling is None or keywords is None:
        return
    edits = (*spelling.edits, *_replaced(site, call, spelling.text), *keywords)
    safety = Safety.SAFE if entry["safe"] else Safety.UNSAFE
    title = f"Use await {twin.replace(':', '.')}()"
    yield Fix(title, safety, edits, caveat=entry.get("caveat", ""))


def _path(site: Site, call: ast.Call, entry: dict[str, Any]) -> Iterator[Fix]:
    """`os.path.exists(p)` to `await anyio.Path(p).exists()`, in a file of that library."""
    data, draft = table("drop_in"), site.draft
    needed = data["path_library"]
    if needed not in survey(site.context.tree).imported or not call.args:
        return
    names = [keyword.arg for keyword in call.keywords]
    first = call.args[0]
    wrong = [name for name in names if name not in entry.get("keywords", [])]
    starred = any(isinstance(argument, ast.Starred) for argument in call.args)
    if wrong or starred or len(call.args) > 1 + entry.get("more", 0):
        return
    if entry.get("discarded") and not isinstance(site.parent(call), ast.Expr):
        return
    spelling = spell_dotted(site, data["path_class"])
    text = draft.source.text
    rest = [draft.code(a) for a in call.args[1:]] + entry.get("added", [])
    rest += [text[draft.start(k) : draft.stop(k.value)] for k in call.keywords]
    written = text[draft.bracket(call) : draft.stop(call)]
    if spelling is None or "#" in written:
        return
    before, after = opening_await(site, call)
    head = f"{before}{spelling.text}({draft.code(first)}).{entry['method']}({', '.join(rest)})"
    edit = draft.replace(draft.start(call), draft.stop(call), head + after)
    title = f"Use await {data['path_class']}.{entry['method']}()"
    yield Fix(title, Safety.UNSAFE, (*spelling.edits, edit), caveat=data["path_caveat"])


def spell_twin(site: Site, twin: str) -> Spelling | None:
    """`asyncio:get_running_loop().getaddrinfo`: what is left of the colon is imported."""
    module, _, name = twin.partition(":") if ":" in twin else twin.rpartition(".")
    name, bracket, rest = name.partition("(")
    spelling = spell(site, module, name)
    return Spelling(spelling.text + bracket + rest, spelling.edits) if spelling else None


def _twin(site: Site, entry: dict[str, Any]) -> str:
    """Of a library that the file imports for this; else of its idiom."""
    imported = survey(site.context.tree).imported
    for library in table("drop_in")["libraries"]:
        if library in entry and any(i.partition(".")[0] == library for i in imported):
            return str(entry[library])
    idiom = choose(site).name
    return str(entry.get(idiom, entry.get("asyncio", "")))


def _keywords(site: Site, call: ast.Call, names: list[str]) -> list[Edit] | None:
    """Names for arguments that the twin takes by keyword only; None where they cannot be told."""
    edits = []
    for position, name in enumerate(names[: len(call.args)]):
        if any(isinstance(argument, ast.Starred) for argument in call.args[: position + 1]):
            return None
        if name:
            edits.append(site.draft.insert(opened(site.draft, call, position), f"{name}="))
    return edits


def _wrapped(site: Site, call: ast.Call, callee: ast.Attribute) -> Iterator[Fix]:
    """`path.exists()` to `await anyio.Path(path).exists()`, where the file has that library."""
    owner, _, method = site.finding.sink.rpartition(".")
    entry = table("drop_in")["wrapped"].get(owner)
    if entry is None or method not in entry["methods"] or callee.attr != method:
        return
    if entry["library"] not in survey(site.context.tree).imported:
        return
    spelling = spell_dotted(site, entry["by"])
    if spelling is None:
        return
    draft, made = site.draft, callee.value
    dot = draft.stop(callee) - len(method)
    if isinstance(made, ast.Call) and site.full_name(made.func) == owner and dotted(made.func):
        head = spelling.text + draft.source.text[draft.stop(made.func) : dot]
    else:
        end = len(draft.source.text[:dot].rstrip().removesuffix(".").rstrip())
        receiver = draft.source.text[draft.start(call) : end]
        head = f"{spelling.text}({receiver}){draft.source.text[end:dot]}"
    if "#" in head:
        return
    edits = (*spelling.edits, *_replaced(site, call, head + method))
    yield Fix(f"Use await {entry['by']}.{method}()", Safety.SAFE, edits)


def _replaced(site: Site, call: ast.Call, callee: str) -> tuple[Edit, ...]:
    draft = site.draft
    before, after = opening_await(site, call)
    edits = [draft.replace(draft.start(call), draft.callee_stop(call), before + callee)]
    if after:
        edits.append(draft.insert(draft.stop(call), after))
    return tuple(edits)
