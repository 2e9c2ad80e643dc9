"""Makes a channel for remote calls an async one, and awaits the calls of the stubs on it.

with grpc.insecure_channel(at) as channel:      async with grpc.aio.insecure_channel(at) as channel:
    stub = GreeterStub(channel)                     stub = GreeterStub(channel)
    print(stub.SayHello(request))                   print(await stub.SayHello(request))
    for item in stub.List(request):                 async for item in stub.List(request):
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from loopsafe.fixes.data import table
from loopsafe.fixes.edits import span_of
from loopsafe.fixes.everywhere import Stuck
from loopsafe.fixes.holders import Holder, assigned, holder_of, reads
from loopsafe.fixes.imports import spell
from loopsafe.fixes.names import dotted, survey
from loopsafe.fixes.place import may_await
from loopsafe.fixes.rewrite import async_loop, async_with, opening_await
from loopsafe.fixes.site import Site, site_at
from loopsafe.model import Edit, Span

Entry = dict[str, Any]


def entry_of(site: Site, made: ast.Call) -> Entry | None:
    """What is known of the channel that a call makes."""
    full = site.full_name(made.func)
    return next((entry for entry in table("channel")["channel"] if full in entry["made"]), None)


class ChannelUses:
    """The uses of a channel that a function makes. Raises Stuck where one has no async way."""

    def __init__(self, site: Site, entry: Entry, sinks: Mapping[Span, str]) -> None:
        """With the callables that block at places of the file, by the spans of callees."""
        self.site = site
        self.entry = entry
        self.sinks = sinks
        self.edits: list[Edit] = []
        self.imports: list[Edit] = []

    def made(self, holder: Holder, call: ast.Call) -> None:
        """The channel is made on the loop, and all that goes through it is awaited."""
        if not isinstance(holder.scope, ast.AsyncFunctionDef):
            raise Stuck(f"`{holder.name}` would belong to the loop that runs where it is made")
        refused = [k.arg for k in call.keywords if k.arg not in self.entry["keywords"]]
        if refused:
            raise Stuck(f"`{holder.name}` is made with `{refused[0] or '**'}`")
        here, draft = site_at(self.site, call.func), self.site.draft
        text = self._spelled(here, call.func)
        self.edits.append(draft.replace(draft.start(call), draft.callee_stop(call), text))
        parent = here.parent(call)
        if isinstance(parent, ast.withitem):
            self._entered(here, parent)
        for node in reads(holder):
            self._used(site_at(self.site, node), node, holder)

    def _spelled(self, here: Site, written: ast.expr) -> str:
        module, name = self.entry["by"], dotted(written).rpartition(".")[2]
        package = module.partition(".")[0]
        loads = package in survey(self.site.context.tree).imported
        if loads and dotted(written) == f"{package}.{name}":
            return f"{module}.{name}"  # `import grpc` loads `grpc.aio` as well.
        spelling = spell(here, module, name, by_name=isinstance(written, ast.Name))
        if spelling is None:
            raise Stuck(f"`{name}` is another thing here")
        self.imports += spelling.edits
        return spelling.text

    def _entered(self, here: Site, item: ast.withitem) -> None:
        edit = async_with(self.site, here.parent(item))
        if edit is None:
            raise Stuck(f"line {here.finding.span.line} enters something else as well")
        self.edits.append(edit)

    def _used(self, here: Site, node: ast.expr, holder: Holder) -> None:
        parent = here.parent(node)
        if isinstance(parent, ast.Call) and parent.args == [node] and not parent.keywords:
            self._stub(here, parent)
        elif isinstance(parent, ast.Attribute) and parent.attr in self.entry["closed"]:
            self._await(site_at(self.site, parent))
        else:
            raise Stuck(f"`{holder.name}` goes somewhere in line {node.lineno}")

    def _stub(self, here: Site, made: ast.Call) -> None:
        """What a class makes of nothing but the channel: its methods are remote calls."""
        parent = here.parent(made)
        if isinstance(parent, ast.Attribute):
            self._called(here, parent)
            return
        target = parent.targets[0] if isinstance(parent, ast.Assign) else None
        holder = holder_of(site_at(self.site, target), target) if target is not None else None
        if holder is None or assigned(holder) is not made:
            raise Stuck(f"what is made of the channel in line {made.lineno} is kept elsewhere")
        if not isinstance(holder.scope, ast.AsyncFunctionDef):
            raise Stuck(f"`{holder.name}` outlives the channel")
        for node in reads(holder):
            held = site_at(self.site, node).parent(node)
            if not isinstance(held, ast.Attribute):
                raise Stuck(f"`{holder.name}` goes somewhere in line {node.lineno}")
            self._called(site_at(self.site, held), held)

    def _called(self, here: Site, method: ast.Attribute) -> None:
        if self.sinks.get(span_of(method)) in self.entry["awaited"]:
            self._await(site_at(self.site, method))
            return
        call = site_at(self.site, method).call
        parent = here.parent(call) if call is not None else None
        answers: list[ast.expr] = [call] if call is not None else []
        target = parent.targets[0] if isinstance(parent, ast.Assign) else None
        if isinstance(target, ast.Name):
            holder = holder_of(site_at(self.site, target), target)
            is_only = holder is not None and assigned(holder) is call
            answers = list(reads(holder)) if holder is not None and is_only else []
        if not answers or not all(map(self._gone_through, answers)):
            raise Stuck(f"`{method.attr}` in line {method.lineno} has no async way")

    def _gone_through(self, answers: ast.expr) -> bool:
        """`for answer in answers` of a call that gives one after the other."""
        here = site_at(self.site, answers)
        loop = here.parent(answers)
        if not isinstance(loop, (ast.For, ast.comprehension)) or loop.iter is not answers:
            return False
        edit = async_loop(here, loop, here.parent(loop))
        if edit is None or self.sinks.get(span_of(answers)) not in self.entry["iterated"]:
            return False
        self.edits.append(edit)
        return True

    def _await(self, here: Site) -> None:
        call, draft = here.call, self.site.draft
        if call is None or not may_await(here) or not draft.faithful(call):
            raise Stuck(f"`await` may not stand in line {here.finding.span.line}")
        before, after = opening_await(here, call)
        self.edits.append(draft.insert(draft.start(call), before))
        if after:
            self.edits.append(draft.insert(draft.stop(call), after))
