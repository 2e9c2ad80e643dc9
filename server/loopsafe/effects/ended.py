"""Where the tasks that a function starts have ended: awaited one by one, together, or with their
group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from loopsafe.facts.ir import (
    Attr,
    Await,
    Block,
    Call,
    Choice,
    Comprehension,
    DictDisplay,
    Display,
    Element,
    Entered,
    Expr,
    Filled,
    Function,
    Item,
    Name,
    Scope,
    Site,
    Starred,
    Test,
)
from loopsafe.facts.reach import encloses
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import ClassValue, Frame, FunctionValue

_ROUNDS = 3
"""Names that a task is given one after the other."""
_SURE = frozenset({"body", "loop", "try", "finally", "comprehension"})
"""Blocks that run wherever the tasks were started: a loop over them leaves none out."""
_EARLY = frozenset({"return_when", "timeout"})
"""Keywords by which waiting for several may end before they do."""


def end_of(resolver: Resolver, frame: Frame, function: Function, start: int) -> int:
    """The number of the site with which what one starts has ended; that of all sites where
    nobody sees it end."""
    never = len(function.sites)
    module, call = resolver.table.get(frame.module), function.sites[start].expr
    if module is None or not isinstance(call, Call) or function.sites[start].scope != frame.scope:
        return never
    scope = module.facts.scopes[frame.scope]
    return _Started(resolver, frame, function, scope, call, start).end()


def is_standard(resolver: Resolver, call: Call, frame: Frame) -> bool:
    """Whether a call is of a function of the standard library."""
    modules = [
        resolver.table.get(value.module) if isinstance(value, FunctionValue) else None
        for value in resolver.values(call.func, frame)
    ]
    return bool(modules) and all(module is not None and module.is_stub for module in modules)


class _Started(NamedTuple):
    """A task, or a coroutine that becomes one."""

    resolver: Resolver
    frame: Frame
    function: Function
    scope: Scope
    call: Call
    start: int

    def end(self) -> int:
        """The first site with which it has ended for sure."""
        names = self._names()
        for number in range(self.start + 1, len(self.function.sites)):
            site = self.function.sites[number]
            if site.scope == self.frame.scope and self._ends(site, names):
                loop = self._loops_over(site, names)
                if loop >= 0:
                    return self._last_in(loop) if loop > 0 else number
        return len(self.function.sites)

    def _names(self) -> dict[str, bool]:
        """The names that hold it, and whether they hold the others of its loop as well."""
        held: dict[str, bool] = {}
        for _ in range(_ROUNDS):
            before = len(held)
            for name, bindings in self.scope.bindings.items():
                values = [b.value for b in bindings if b.value is not None]
                holding = [value for value in values if self._holds(value, held)]
                if holding and name not in held:
                    held[name] = any(self._holds_all(value, held) for value in holding)
            if len(held) == before:
                break
        return held

    def _holds(self, expr: Expr, held: dict[str, bool]) -> bool:
        """Whether a value is the task, or has it among others."""
        return any(
            part is self.call or (isinstance(part, Name) and part.id in held)
            for part in self._parts(expr)
        )

    def _parts(self, expr: Expr) -> Iterator[Expr]:
        """What a value is made of, as far as it is still the same tasks."""
        todo = [expr]
        while todo:
            part = todo.pop()
            yield part
            if isinstance(part, Call) and part is not self.call:
                if isinstance(part.func, Attr):
                    todo.append(part.func.value)  # `tasks.values()`
                if self._passes_on(part):
                    todo.extend(part.args)
            elif isinstance(part, (Comprehension, Filled)):
                todo.append(part.element)
            elif isinstance(part, (Display, Choice)):
                todo.extend(part.items if isinstance(part, Display) else part.options)
            elif isinstance(part, DictDisplay):
                todo.extend(value for _, value in part.items)
            elif isinstance(part, (Element, Item, Starred)):
                todo.append(part.value)
            elif isinstance(part, Await) and isinstance(part.value, Call):
                todo.append(part.value)  # `done, pending = await wait(pending)`

    def _passes_on(self, call: Call) -> bool:
        return self._makes_container(call) or is_standard(self.resolver, call, self.frame)

    def _makes_container(self, call: Call) -> bool:
        values = self.resolver.values(call.func, self.frame)
        return bool(values) and all(
            isinstance(value, ClassValue) and value.module == "builtins" for value in values
        )

    def _holds_all(self, value: Expr, held: dict[str, bool]) -> bool:
        """Whether what a loop starts round by round is kept: in a list, not in a plain name."""
        return isinstance(value, Filled) or any(
            isinstance(part, Name) and held.get(part.id, False) for part in self._parts(value)
        )

    def _ends(self, site: Site, names: dict[str, bool]) -> bool:
        """Whether a site waits until what the names hold has ended."""
        if site.kind == "await":
            return isinstance(site.expr, Name) and site.expr.id in names
        if site.kind == "aexit":
            return self._is_group(site.expr)
        call = site.expr
        if site.kind != "call" or not site.awaited or not isinstance(call, Call):
            return False
        return (
            any(self._holds(part, names) for part in call.args)
            and is_standard(self.resolver, call, self.frame)
            and not (self._may_end_early(call) and not self._until_none(site, names))
        )

    def _is_group(self, manager: Expr) -> bool:
        """Whether the task was given to what an `async with` enters, which waits at its end."""
        return Entered(manager, True) in self._owners()

    def _owners(self) -> list[Expr | None]:
        """What the object is bound to whose method is given the task: `group.create_task(f())`."""
        calls = (site.expr for site in self.function.sites if isinstance(site.expr, Call))
        taking = (c for c in calls if c is self.call or any(arg is self.call for arg in c.args))
        owners = {
            c.func.value.id
            for c in taking
            if isinstance(c.func, Attr) and isinstance(c.func.value, Name)
        }
        return [b.value for owner in owners for b in self.scope.bindings.get(owner, ())]

    def _may_end_early(self, call: Call) -> bool:
        """`asyncio.wait(tasks, timeout=5)`, but not of a call in it, which waits for all."""
        is_early = any(name in _EARLY for name, _ in call.keywords)
        return is_early and any(self._is_container(arg) for arg in call.args)

    def _is_container(self, arg: Expr) -> bool:
        """Whether an argument is several tasks as they are, and not one, or a call for several."""
        bindings = self.scope.bindings.get(arg.id, ()) if isinstance(arg, Name) else ()
        values = [arg, *(binding.value for binding in bindings)]
        return any(
            isinstance(value, (Display, Comprehension, DictDisplay, Filled, Item))
            or (isinstance(value, Call) and self._makes_container(value))
            for value in values
        )

    def _until_none(self, site: Site, names: dict[str, bool]) -> bool:
        """Whether it is in a loop that goes on while any is left: `while pending:`."""
        block = site.block
        while block > 0:
            found = self.scope.blocks[block]
            if found.kind == "loop" and found.test is not None and _asks(found, names):
                return True
            block = found.parent
        return False

    def _loops_over(self, site: Site, names: dict[str, bool]) -> int:
        """The outermost loop between the start and a site that ends it, 0 where there is none; -1
        where the site may be passed over, or only ends the last one of a loop."""
        blocks, begun = self.scope.blocks, self.function.sites[self.start].block
        block, loop = site.block, 0
        while not encloses(blocks, block, begun):
            found = blocks[block]
            if found.kind not in _SURE and not _asks(found, names):
                return -1
            loop = block if found.kind == "loop" else loop
            block = found.parent
        around = begun
        while around != block:
            if blocks[around].kind == "loop" and not self._keeps_all(names):
                return -1
            around = blocks[around].parent
        return loop

    def _keeps_all(self, names: dict[str, bool]) -> bool:
        return any(names.values()) or any(isinstance(v, Entered) for v in self._owners())

    def _last_in(self, loop: int) -> int:
        """The number of the last site in a loop."""
        return max(
            number
            for number, site in enumerate(self.function.sites)
            if site.scope == self.frame.scope and encloses(self.scope.blocks, loop, site.block)
        )


def _asks(block: Block, names: dict[str, bool]) -> bool:
    """Whether a block runs where there is a task: `if task:`, `if task is not None:`."""
    todo: list[Expr | None] = (
        [block.test] if block.kind in ("if", "once", "own", "lazy", "loop") else []
    )
    asked = []
    while todo:
        part = todo.pop()
        if isinstance(part, Test):
            todo.append(part.value)
        elif isinstance(part, Choice):
            todo.extend(part.options)
        elif isinstance(part, Call) and isinstance(part.func, Attr):
            todo.append(part.func.value)  # `not task.done()`
        else:
            asked.append(part)
    return bool(asked) and all(isinstance(part, Name) and part.id in names for part in asked)
