"""Lets the loop wait for a socket that a function has for itself.

s = socket.socket()             s = socket.socket()
                                s.setblocking(False)
                                loop = asyncio.get_running_loop()
s.connect(address)              await loop.sock_connect(s, address)
data = s.recv(100)              data = await loop.sock_recv(s, 100)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from loopsafe.fixes.data import table
from loopsafe.fixes.everywhere import Stuck
from loopsafe.fixes.holders import Holder, assigned, reads
from loopsafe.fixes.idioms import choose
from loopsafe.fixes.imports import spell
from loopsafe.fixes.layout import alone
from loopsafe.fixes.names import bindings
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import awaited, opening_await
from loopsafe.fixes.site import Site, site_at
from loopsafe.model import Edit, Fix, Safety


def cures(site: Site) -> Iterator[Fix]:
    """The socket no longer blocks, and all that waits for it is awaited."""
    function, call, data = site.function, site.call, table("sockets")
    if function is None or call is None or not site.direct or choose(site).name in data["unless"]:
        return
    name = _name(site, call)
    holder = Holder(name, function)
    made = assigned(holder) if name else None
    if not isinstance(made, ast.Call):
        return
    change = _Change(site, function)
    try:
        change.made(holder, made)
    except Stuck:
        return
    yield Fix(
        f"Wait for {name} on the loop",
        Safety.UNSAFE,
        (*change.imports, *change.edits),
        caveat=data["caveat"],
    )


def _name(site: Site, call: ast.Call) -> str:
    """The variable with the socket of a call, or that a call's socket is given."""
    if isinstance(call.func, ast.Attribute) and site.full_name(call.func) not in _makers():
        return call.func.value.id if isinstance(call.func.value, ast.Name) else ""
    parent = site.parent(call)
    target = parent.optional_vars if isinstance(parent, ast.withitem) else None
    if isinstance(parent, ast.Assign) and len(parent.targets) == 1:
        target = parent.targets[0]
    return target.id if isinstance(target, ast.Name) else ""


def _makers() -> dict[str, Any]:
    found: dict[str, Any] = table("sockets")["made"]
    return found


class _Change:
    """Follows a socket through its function. Raises Stuck."""

    def __init__(self, site: Site, function: ast.AsyncFunctionDef) -> None:
        self.site = site
        self.function = function
        self.edits: list[Edit] = []
        self.imports: list[Edit] = []
        self.loop = ""

    def made(self, holder: Holder, call: ast.Call) -> None:
        """The socket that a call makes, and all that is done with it."""
        there = site_at(self.site, call.func)
        maker = _makers().get(self.site.full_name(call.func))
        if maker is None or there.function is not self.function:
            raise Stuck("another socket")
        if any(k.arg not in maker["keywords"] for k in call.keywords):
            raise Stuck("made with other arguments")
        if len(call.args) > maker["positional"]:
            raise Stuck("made with other arguments")
        if maker["waits"]:
            moved = awaited(there, choose(there), call) if may_await(there) else None
            if moved is None:
                raise Stuck("cannot be awaited")
            self.imports += moved
        self._prepared(there, call, holder.name)
        self._used(holder)

    def _prepared(self, there: Site, call: ast.Call, name: str) -> None:
        """What comes below where the socket is made."""
        draft, parent = self.site.draft, there.parent(call)
        spelling = spell(there, "asyncio", "get_running_loop")
        if spelling is None:
            raise Stuck("`asyncio` is another thing")
        self.imports += spelling.edits
        self.loop = there.free_name("loop")
        lines = [f"{name}.setblocking(False)", f"{self.loop} = {spelling.text}()"]
        if isinstance(parent, ast.withitem):
            block = there.parent(parent)
            assert isinstance(block, (ast.With, ast.AsyncWith))
            first = block.body[0]
            if first.lineno == block.lineno or not alone(draft, [first]):
                raise Stuck("a block on one line")
            lead = draft.source.newline + draft.indent(first.lineno)
            self.edits.append(
                draft.insert(draft.start(first), "".join(f"{x}{lead}" for x in lines))
            )
        elif isinstance(parent, ast.Assign) and alone(draft, [parent]):
            lead = draft.source.newline + draft.indent(parent.lineno)
            line = draft.source.line(parent.end_lineno or parent.lineno).rstrip("\r\n")
            at = draft.source.offset(parent.end_lineno or parent.lineno, len(line.encode()))
            self.edits.append(draft.insert(at, "".join(f"{lead}{x}" for x in lines)))
        else:
            raise Stuck("made in another way")

    def _used(self, holder: Holder) -> None:
        data = table("sockets")
        for node in reads(holder):
            here = site_at(self.site, node)
            held = here.parent(node)
            if not isinstance(held, ast.Attribute) or here.function is not self.function:
                raise Stuck("goes somewhere")
            there = site_at(self.site, held)
            if there.call is not None and held.attr in data["plain"]:
                continue
            if there.call is None or held.attr not in data["awaited"]:
                raise Stuck("has no async way")
            self._waited(there, there.call, held, holder.name)

    def _waited(self, there: Site, call: ast.Call, held: ast.Attribute, name: str) -> None:
        rule = table("sockets")["awaited"][held.attr]
        fits = not call.keywords and len(call.args) in rule["takes"]
        since = tuple(rule.get("since", ()))
        if not fits or self.site.context.python_version < since or not may_await(there):
            raise Stuck("takes other arguments")
        if not self.site.draft.faithful(call):
            raise Stuck("cannot be rewritten")
        draft = self.site.draft
        before, after = opening_await(there, call)
        more = ", " if call.args else ""
        head = f"{before}{self.loop}.{rule['by']}({name}{more}"
        self.edits.append(draft.replace(draft.start(call), draft.bracket(call) + 1, head))
        if after:
            self.edits.append(draft.insert(draft.stop(call), after))
        if rule.get("gives"):
            self._given(there, call)

    def _given(self, there: Site, call: ast.Call) -> None:
        """The socket that `accept` gives first of two: the loop has made it one of its own."""
        parent = there.parent(call)
        target = parent.targets[0] if isinstance(parent, ast.Assign) else None
        if not isinstance(target, ast.Tuple) or len(target.elts) != 2:
            raise Stuck("is accepted in another way")
        first = target.elts[0]
        if not isinstance(first, ast.Name) or len(bindings(self.function)[first.id]) != 1:
            raise Stuck("is accepted in another way")
        self._used(Holder(first.id, self.function))
