"""Makes a session of a blocking HTTP library that is kept an async client, with all its requests.

session = requests.Session()        session = httpx.AsyncClient(timeout=None, follow_redirects=True)

async def load(url):                async def load(url):
    return session.get(url).text        return (await session.get(url)).text
"""

from __future__ import annotations

import ast

from loopsafe.fixes.async_client import arguments
from loopsafe.fixes.async_session import request
from loopsafe.fixes.clients import Pair, pairs, spell_client
from loopsafe.fixes.everywhere import Stuck
from loopsafe.fixes.holders import Holder, reads
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import opening_await
from loopsafe.fixes.site import Site, site_at
from loopsafe.model import Edit

_CLOSE = "close"


def pair_of(site: Site, made: ast.Call) -> Pair | None:
    """The libraries' entry, where a call makes a session that has its twin in another library."""
    full = site.full_name(made.func)
    return next((p for p in pairs() if p.attributes is not None and full in p.sessions), None)


class SessionUses:
    """The uses of one session in one file. Raises Stuck where one has no async way."""

    def __init__(self, site: Site, pair: Pair) -> None:
        self.site = site
        self.pair = pair
        self.edits: list[Edit] = []
        self.imports: list[Edit] = []
        self.holders: list[Holder] = []

    def made(self, holder: Holder, call: ast.Call) -> None:
        """The session is the async client, with all its uses."""
        client = spell_client(site_at(self.site, call.func), self.pair)
        if client is None:
            raise Stuck(f"none of {', '.join(self.pair.clients)} is installed")
        if call.args or call.keywords:
            raise Stuck(f"`{holder.name}` is made with arguments")
        draft = self.site.draft
        text = f"{client[1].text}({arguments(self.pair.defaults)})"
        self.imports += client[1].edits
        self.edits.append(draft.replace(draft.start(call), draft.stop(call), text))
        self.held(holder)

    def held(self, holder: Holder) -> None:
        """All uses of a variable or attribute that holds it."""
        self.holders.append(holder)
        for node in reads(holder):
            self._used(site_at(self.site, node), node, holder)

    def _used(self, here: Site, node: ast.expr, holder: Holder) -> None:
        stuck = Stuck(f"what is done with `{holder.name}` in line {node.lineno} has no async way")
        held = here.parent(node)
        if not isinstance(held, ast.Attribute):
            raise stuck
        if held.attr in self.pair.session_attributes or self._is_setting(here, held):
            return
        there = site_at(self.site, held)
        if there.call is None:
            raise stuck
        if there.function is None or not may_await(there):
            raise Stuck(f"`await` may not stand in line {node.lineno}")
        if held.attr == _CLOSE:
            self._closed(there, there.call, held)
            return
        client = spell_client(there, self.pair)
        found = None
        if client is not None:
            found = request(there, self.pair, client[0], there.function, there.call)
        if found is None:
            raise stuck
        self.edits += [self.site.draft.replace(*change) for change in found[0]]
        self.edits += [edit for edit in found[1] if edit not in self.edits]

    def _is_setting(self, here: Site, held: ast.Attribute) -> bool:
        """Whether an attribute is set that the async client takes as well."""
        statement = here.parent(held)
        if not isinstance(statement, ast.Assign) or held.attr not in self.pair.session_settings:
            return False
        return type(statement.value).__name__ in self.pair.literal.get(held.attr, ())

    def _closed(self, there: Site, call: ast.Call, held: ast.Attribute) -> None:
        before, after = opening_await(there, call)
        draft = self.site.draft
        stop = draft.stop(held)
        self.edits += (
            draft.insert(draft.start(call), before),
            draft.replace(stop - len(_CLOSE), stop, f"a{_CLOSE}"),
        )
        if after:
            self.edits.append(draft.insert(draft.stop(call), after))
