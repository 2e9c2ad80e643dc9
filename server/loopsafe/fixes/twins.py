"""Makes a blocking client an async one, and awaits all that is done with it.

client = OpenAI()                         client = AsyncOpenAI()

async def ask(text):                      async def ask(text):
    return client.embeddings.create(...)      return await client.embeddings.create(...)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from loopsafe.fixes.context import FixContext
from loopsafe.fixes.data import table
from loopsafe.fixes.edits import Draft, span_of
from loopsafe.fixes.everywhere import Stuck
from loopsafe.fixes.holders import Holder, reads
from loopsafe.fixes.imports import spell, widened_import
from loopsafe.fixes.names import bindings, dotted, own_nodes
from loopsafe.fixes.object_uses import streams
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import async_with, opening_await
from loopsafe.fixes.site import Site, place_in
from loopsafe.model import Edit, Span


@dataclass(frozen=True, slots=True)
class Client:
    """A client that is kept, in one file that has it."""

    holder: Holder
    cls: str
    """Full name of the blocking class."""

    @property
    def name(self) -> str:
        """As it is written: `client`, `self.client`."""
        return self.holder.name


def uses(context: FixContext, client: Client, awaitable: Mapping[Span, str]) -> Iterator[Edit]:
    """The edits of all that a file does with the client. Raises Stuck where one has no async way.

    `awaitable` has the callees of all calls that block and have an async twin, with its name.
    """
    for node in reads(client.holder):
        yield from _used(context, client, node, awaitable)


def check(client: Client, call: ast.Call) -> None:
    """Raises Stuck where a client is made with what its twin cannot be made with."""
    own = [k.arg for k in call.keywords if k.arg in (None, *table("twins")["own"])]
    if own:
        raise Stuck(f"`{client.name}` is made with `{own[0] or '**'}`")


def made(context: FixContext, client: Client, call: ast.Call, twin: str) -> Iterator[Edit]:
    """The constructor, its import, and the annotation beside it."""
    site = place_in(context, span_of(call.func))
    module, _, name = twin.rpartition(".")
    written = call.func
    old = client.cls.rpartition(".")[0]
    alias = _alias(context.tree, written) if module == old else None
    draft = site.draft
    if alias is not None and isinstance(written, ast.Name):
        # Nothing else needs the old name: its import becomes that of the new one.
        start = draft.source.offset(alias.lineno, alias.col_offset)
        yield draft.replace(start, start + len(alias.name), name)
        text = name
    elif widened := widened_import(site, written, module):
        yield from widened
        text = twin
    else:
        spelling = spell(site, module, name)
        if spelling is None:
            raise Stuck(f"`{name}` is another thing here")
        yield from spelling.edits
        text = spelling.text
    for node in ast.walk(context.tree):
        if isinstance(node, ast.AnnAssign) and node.value is call:
            yield _annotated(draft, node.annotation, text)
    yield draft.replace(draft.start(written), draft.stop(written), text)
    item = site.parent(call)
    if isinstance(item, ast.withitem):
        yield _entered(site, client, item)


def _entered(site: Site, client: Client, item: ast.withitem) -> Edit:
    """`with Client() as client:` to `async with AsyncClient() as client:`."""
    block = site.parent(item)
    edit = async_with(site, block)
    if edit is None:
        raise Stuck(f"`{client.name}` is entered with something else")
    if not may_await(site):
        raise Stuck(f"`async with` may not stand in line {item.context_expr.lineno}")
    return edit


def _annotated(draft: Draft, annotation: ast.expr, text: str) -> Edit:
    """The class in an annotation, `Queue` of `Queue[str]`, also where that is a text."""
    kind = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    start, stop = draft.start(kind), draft.stop(kind)
    if isinstance(kind, ast.Constant) and isinstance(kind.value, str):
        name = kind.value.partition("[")[0].strip()
        start += draft.source.text[start:stop].index(name)
        stop = start + len(name)
    return draft.replace(start, stop, text)


def _used(
    context: FixContext, client: Client, node: ast.expr, awaitable: Mapping[Span, str]
) -> Iterator[Edit]:
    site = place_in(context, span_of(node))
    callee: ast.AST = node
    for outer in site.above(node):
        if not isinstance(outer, ast.Attribute):
            break
        callee = outer
    here = place_in(context, span_of(callee)) if isinstance(callee, ast.expr) else site
    method = awaitable.get(span_of(callee)) if isinstance(callee, ast.Attribute) else None
    if isinstance(callee, ast.Attribute) and callee.value is node and callee.attr == "close":
        method = table("twins")["closing"].get(client.cls, "close")
    call = here.call
    if call is not None and not may_await(here):
        raise Stuck(f"`await` may not stand in line {node.lineno}")
    if not method or call is None or not isinstance(callee, ast.Attribute):
        raise Stuck(f"what is done with `{client.name}` in line {node.lineno} has no async way")
    if not here.draft.faithful(call):
        raise Stuck(f"the call in line {node.lineno} cannot be rewritten")
    if isinstance(here.parent(call), ast.Await):
        raise Stuck(f"`{client.name}` is awaited already in line {node.lineno}")
    if streams(call):
        yield from _in_parts(here, call, client)
    elif _is_iterated(here, call, client.cls, callee.attr):
        raise Stuck(f"what line {node.lineno} gets is iterated")
    before, after = opening_await(here, call)
    draft = here.draft
    yield draft.insert(draft.start(call), before)
    if after:
        yield draft.insert(draft.stop(call), after)
    if method != callee.attr:
        stop = draft.stop(callee)
        yield draft.replace(stop - len(callee.attr), stop, method)


def _is_iterated(site: Site, call: ast.Call, cls: str, method: str) -> bool:
    data = table("twins")
    if method in data["iterating"].get(cls.partition(".")[0], []):
        return True
    if isinstance(site.parent(call), (ast.withitem, ast.YieldFrom, ast.Starred)):
        return True
    if any(getattr(node, "iter", None) is call for node in site.path):
        return True
    return streams(call) is not False


def _in_parts(site: Site, call: ast.Call, client: Client) -> Iterator[Edit]:
    """An answer in parts, which is only gone through: `async for part in answer`."""
    stuck = Stuck(f"what line {call.lineno} gets is not only iterated")
    parent, function = site.parent(call), site.function
    if function is None or client.cls.partition(".")[0] not in table("objects")["streams"]:
        raise stuck
    name, loops = "", [parent]
    if isinstance(parent, ast.Assign) and len(parent.targets) == 1:
        name = dotted(parent.targets[0])
        if len(bindings(function).get(name, [])) != 1:
            raise stuck
        above = {id(c): n for n in ast.walk(function) for c in ast.iter_child_nodes(n)}
        loops = [above[id(n)] for n in ast.walk(function) if _reads(n, name)]
    own = {id(node) for node in own_nodes(function)}
    for loop in loops:
        is_own = isinstance(loop, ast.For) and id(loop) in own
        if not isinstance(loop, ast.For) or not is_own:
            raise stuck
        if loop.iter is not call and not _reads(loop.iter, name):
            raise stuck
        yield site.draft.insert(site.draft.start(loop), "async ")


def _reads(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)


def _alias(tree: ast.Module, written: ast.expr) -> ast.alias | None:
    """The import of a name that nothing but its one call, and the annotation beside it, needs."""
    if not isinstance(written, ast.Name):
        return None
    beside = [
        id(n.annotation)
        for n in ast.walk(tree)
        if isinstance(n, ast.AnnAssign)
        and isinstance(n.value, ast.Call)
        and n.value.func is written
    ]
    for node in ast.walk(tree):
        same = isinstance(node, ast.Name) and node.id == written.id and node is not written
        text = node.value if isinstance(node, ast.Constant) else None
        if (same and id(node) not in beside) or (isinstance(text, str) and written.id in text):
            return None
    found = [
        alias
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name == written.id and alias.asname is None
    ]
    return found[0] if len(found) == 1 else None
