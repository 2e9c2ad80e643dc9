"""Makes a blocking client an async one, and awaits all that is done with it.

client = OpenAI()                         client = AsyncOpenAI()

async def ask(text):                      async def ask(text):
    return client.embeddings.create(...)      return await client.embeddings.create(...)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from loopsafe.fixes.async_object import streams
from loopsafe.fixes.combine import combined
from loopsafe.fixes.context import FixContext
from loopsafe.fixes.data import table
from loopsafe.fixes.edits import compiles
from loopsafe.fixes.everywhere import Stuck
from loopsafe.fixes.imports import spell
from loopsafe.fixes.names import FUNCTIONS, bindings, dotted, own_nodes
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import opening_await
from loopsafe.fixes.site import Site, place_in
from loopsafe.model import Edit, Span


@dataclass(frozen=True, slots=True)
class Client:
    """A variable or attribute that holds a client for good."""

    name: str
    """As it is written: `client`, `self.client`."""
    made: ast.Call
    cls: str
    """Full name of the blocking class."""
    scope: ast.AST
    """Where all of its uses are: the module, a function, a class."""


def client_of(context: FixContext, span: Span) -> Client | None:
    """The client that a call is made on, by the span of its callee."""
    site = place_in(context, span)
    owner = _owner(site)
    if owner is None:
        return None
    name = dotted(owner)
    for scope in _scopes(site, name):
        found = list(_makings(scope, name))
        if not found:
            continue
        cls = site.full_name(found[0].func) if len(found) == 1 and found[0] is not None else ""
        known = cls in table("twins")["classes"] or cls in table("twins")["primitive"]
        return Client(name, found[0], cls, scope) if found[0] is not None and known else None
    return None


def replaced(
    context: FixContext, client: Client, twin: str, awaitable: Mapping[Span, str]
) -> tuple[Edit, ...]:
    """The edits. `awaitable` has the callees of all calls that block and have an async twin, with
    its name. Raises Stuck where something else is done with the client.
    """
    own = [k.arg for k in client.made.keywords if k.arg in (None, *table("twins")["own"])]
    if own:
        raise Stuck(f"`{client.name}` is made with `{own[0] or '**'}`")
    edits = list(made(context, client, twin))
    for node in mentions(client):
        edits += _used(context, client, node, awaitable)
    together = combined(edits)
    draft = place_in(context, span_of(client.made)).draft
    if not compiles(draft, context.tree, together):
        raise Stuck("the result would not be valid Python")
    return together


def mentions(client: Client) -> Iterator[ast.expr]:
    """Where the client is read. Raises Stuck where the name is another thing somewhere."""
    for node in ast.walk(client.scope):
        if isinstance(node, (ast.Global, ast.Nonlocal)) and client.name in node.names:
            raise Stuck(f"`{client.name}` is set anew in line {node.lineno}")
        inner = isinstance(node, FUNCTIONS) and node is not client.scope
        if isinstance(node, FUNCTIONS) and inner and client.name in bindings(node):
            raise Stuck(f"`{client.name}` is another thing in line {node.lineno}")
        is_read = isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load)
        if isinstance(node, (ast.Name, ast.Attribute)) and is_read and dotted(node) == client.name:
            yield node


def made(context: FixContext, client: Client, twin: str) -> Iterator[Edit]:
    """The constructor, its import, and the annotation beside it."""
    site = place_in(context, span_of(client.made.func))
    module, _, name = twin.rpartition(".")
    written = client.made.func
    old = client.cls.rpartition(".")[0]
    alias = _alias(context.tree, written) if module == old else None
    draft = site.draft
    if alias is not None and isinstance(written, ast.Name):
        # Nothing else needs the old name: its import becomes that of the new one.
        start = draft.source.offset(alias.lineno, alias.col_offset)
        yield draft.replace(start, start + len(alias.name), name)
        text = name
    elif (plain := _plain_import(context.tree, old)) and module.startswith(f"{old}."):
        # `import redis.asyncio` binds `redis` as `import redis` does.
        start = draft.source.offset(plain.lineno, plain.col_offset)
        yield draft.replace(start, start + len(old), module)
        text = twin
    else:
        spelling = spell(site, module, name)
        if spelling is None:
            raise Stuck(f"`{name}` is another thing here")
        yield from spelling.edits
        text = spelling.text
    for node in ast.walk(context.tree):
        if isinstance(node, ast.AnnAssign) and node.value is client.made:
            kind = node.annotation
            kind = kind.value if isinstance(kind, ast.Subscript) else kind
            yield draft.replace(draft.start(kind), draft.stop(kind), text)
    yield draft.replace(draft.start(written), draft.stop(written), text)


def span_of(node: ast.AST) -> Span:
    """Where a node stands."""
    return Span(
        getattr(node, "lineno", 0),
        getattr(node, "col_offset", 0),
        getattr(node, "end_lineno", 0),
        getattr(node, "end_col_offset", 0),
    )


def _owner(site: Site) -> ast.expr | None:
    """The client in `client.chat.create`, `self.client.get` and `with self.client`."""
    node = site.node
    if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(site.parent(node), ast.withitem):
        return node
    if not isinstance(node, ast.Attribute):
        return None
    inner = node.value
    while isinstance(inner, ast.Attribute):
        if isinstance(inner.value, ast.Name) and inner.value.id == "self":
            return inner
        inner = inner.value
    return inner if isinstance(inner, ast.Name) and inner.id != "self" else None


def _scopes(site: Site, name: str) -> Iterator[ast.AST]:
    around = list(site.path)[::-1]
    if name.startswith("self."):
        yield from [node for node in around if isinstance(node, ast.ClassDef)][:1]
        return
    for node in around:
        if isinstance(node, (*FUNCTIONS, ast.Module)) and name in bindings(node):
            yield node
            return


def _makings(scope: ast.AST, name: str) -> Iterator[ast.Call | None]:
    """What is assigned to the client; None for what is no call, or no plain assignment."""
    nodes = ast.walk(scope) if isinstance(scope, ast.ClassDef) else own_nodes(scope)
    plain: set[int] = set()
    for node in nodes:
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        for target in targets:
            if dotted(target) == name and isinstance(node, (ast.Assign, ast.AnnAssign)):
                plain.add(id(target))
                yield node.value if isinstance(node.value, ast.Call) else None
        is_set = isinstance(node, (ast.Name, ast.Attribute)) and not isinstance(node.ctx, ast.Load)
        if is_set and dotted(node) == name and id(node) not in plain:
            yield None
        if isinstance(node, ast.arg) and node.arg == name:
            yield None


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


def _plain_import(tree: ast.Module, module: str) -> ast.alias | None:
    """The `import module` at the top of a file."""
    aliases = (a for node in tree.body if isinstance(node, ast.Import) for a in node.names)
    return next((a for a in aliases if a.name == module and a.asname is None), None)


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
