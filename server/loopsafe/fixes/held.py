"""The objects that are kept and can become their async twins, each kind with what rewrites it.

A rewriter is made for a file, is told where the object is made or held there, and collects the
edits, with the variables and attributes that others may use. It raises Stuck where one has no way.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from loopsafe.fixes import channel, primitives, twins
from loopsafe.fixes.async_object import caveat_of, joined
from loopsafe.fixes.clients import Pair, spell_client
from loopsafe.fixes.context import FixContext
from loopsafe.fixes.data import table
from loopsafe.fixes.edits import span_of
from loopsafe.fixes.held_session import SessionUses, pair_of
from loopsafe.fixes.holders import Holder
from loopsafe.fixes.made import class_of, is_carried, is_there, twin_of
from loopsafe.fixes.object_uses import Uses
from loopsafe.fixes.site import Site, place_in
from loopsafe.fixes.twins import Client
from loopsafe.knowledge.schema import ClassKnowledge
from loopsafe.model import Edit, Span

_CLIENT = "An async client belongs to one event loop, and is closed with `await`."


class Blocked(NamedTuple):
    """A call that blocks, as the engine found it."""

    sink: str
    method: str
    """What the async twin calls it."""


Calls = Mapping[Span, Blocked]
"""The blocking calls of a file, by the spans of their callees."""


class Rewriter(Protocol):
    """The uses of an object in one file."""

    @property
    def holders(self) -> list[tuple[Holder, Any]]:
        """Where it was followed to, with what it is there."""

    def made(self, holder: Holder, call: ast.Call) -> None:
        """The call that makes it, and all uses of what holds it first."""

    def held(self, holder: Holder, what: Any) -> None:
        """All uses of a variable or attribute."""

    def changes(self) -> tuple[Edit, ...]:
        """The edits so far."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How an object of one kind is rewritten."""

    twin: str
    caveat: str
    rewriter: Callable[[FixContext, Calls], Rewriter]
    local: bool = False
    """It may also be a function's own: no cure of one function is for it."""
    uses: str = "calls"
    wrapped: bool = False
    """What is made of nothing but the object uses it as well."""


def kind_of(site: Site, made: ast.Call, twin: Callable[[str], str]) -> Kind | None:
    """What the object is that a call makes, if it has a twin; `twin` knows those of classes."""
    cls = site.full_name(made.func)
    data = table("twins")
    if cls in data["primitive"] and twin(cls):
        new = twin(cls)
        return Kind(new, primitives.CAVEAT, lambda c, calls: _Primitive(c, cls, new), True, "uses")
    if cls in data["classes"] and twin(cls) and is_carried(site, cls):
        new = twin(cls)
        return Kind(new, _CLIENT, lambda c, calls: _Twin(c, cls, new, calls), True)
    entry, pair = channel.entry_of(site, made), pair_of(site, made)
    if entry is not None:
        new = f"{entry['by']}.Channel"
        return Kind(
            new,
            entry["caveat"],
            lambda c, calls: _Channel(c, entry, calls),
            local=True,
            wrapped=True,
        )
    if pair is not None:
        client = spell_client(site, pair)
        module = client[0] if client is not None else pair.clients[0]
        new = f"{module}.{pair.client}"
        return Kind(new, f"{pair.caveat} {_CLIENT}", lambda c, calls: _Session(c, pair), True)
    known = class_of(site, made)
    if known is None or known.name not in table("objects")["kept"] or not is_there(site, known):
        return None
    new = twin_of(made, site, known)
    new = new if new.rpartition(".")[2][:1].isupper() else new.rpartition(".")[0]
    return Kind(new, f"{caveat_of(known.name)} {_CLIENT}", lambda c, calls: _Object(c))


class _Primitive:
    def __init__(self, context: FixContext, cls: str, twin: str) -> None:
        self.context, self.cls, self.twin = context, cls, twin
        self.holders: list[tuple[Holder, Any]] = []
        self.edits: list[Edit] = []

    def made(self, holder: Holder, call: ast.Call) -> None:
        client = Client(holder, self.cls)
        primitives.check(self.context, client, call)
        self.edits += twins.made(self.context, client, call, self.twin)
        self.held(holder, None)

    def held(self, holder: Holder, what: Any) -> None:
        self.holders.append((holder, what))
        self.edits += primitives.uses(self.context, Client(holder, self.cls))

    def changes(self) -> tuple[Edit, ...]:
        return tuple(self.edits)


class _Twin:
    def __init__(self, context: FixContext, cls: str, twin: str, calls: Calls) -> None:
        library = cls.partition(".")[0]
        self.context, self.cls, self.twin = context, cls, twin
        self.awaitable = {
            span: blocked.method
            for span, blocked in calls.items()
            if blocked.sink.startswith(f"{library}.")
        }
        self.holders: list[tuple[Holder, Any]] = []
        self.edits: list[Edit] = []

    def made(self, holder: Holder, call: ast.Call) -> None:
        client = Client(holder, self.cls)
        twins.check(client, call)
        self.edits += twins.made(self.context, client, call, self.twin)
        self.held(holder, None)

    def held(self, holder: Holder, what: Any) -> None:
        self.holders.append((holder, what))
        self.edits += twins.uses(self.context, Client(holder, self.cls), self.awaitable)

    def changes(self) -> tuple[Edit, ...]:
        return tuple(self.edits)


class _Session:
    def __init__(self, context: FixContext, pair: Pair) -> None:
        self.uses = SessionUses(_anywhere(context), pair)
        self.holders: list[tuple[Holder, Any]] = []

    def made(self, holder: Holder, call: ast.Call) -> None:
        self.holders.append((holder, None))
        self.uses.made(holder, call)

    def held(self, holder: Holder, what: Any) -> None:
        self.holders.append((holder, what))
        self.uses.held(holder)

    def changes(self) -> tuple[Edit, ...]:
        return (*self.uses.imports, *joined(self.uses.edits))


class _Channel:
    def __init__(self, context: FixContext, entry: channel.Entry, calls: Calls) -> None:
        sinks = {span: blocked.sink for span, blocked in calls.items()}
        self.uses = channel.ChannelUses(_anywhere(context), entry, sinks)
        self.holders: list[tuple[Holder, Any]] = []

    def made(self, holder: Holder, call: ast.Call) -> None:
        self.uses.made(holder, call)

    def held(self, holder: Holder, what: Any) -> None:
        raise AssertionError("a channel is used in one function only")

    def changes(self) -> tuple[Edit, ...]:
        return (*self.uses.imports, *joined(self.uses.edits))


class _Object:
    def __init__(self, context: FixContext) -> None:
        self.uses = Uses(_anywhere(context))

    @property
    def holders(self) -> list[tuple[Holder, Any]]:
        return self.uses.holders

    def made(self, holder: Holder, call: ast.Call) -> None:
        known = class_of(place_in(self.uses.site.context, span_of(call.func)), call)
        assert known is not None
        self.uses.made(call, known)

    def held(self, holder: Holder, what: ClassKnowledge) -> None:
        self.uses.held(holder, what)

    def changes(self) -> tuple[Edit, ...]:
        return (*self.uses.imports, *joined(self.uses.edits))


def _anywhere(context: FixContext) -> Site:
    """Some place of a file, to begin at."""
    return place_in(context, Span(1, 0, 1, 0))
