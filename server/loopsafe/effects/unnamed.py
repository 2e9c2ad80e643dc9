"""Whom a call in a package means whose name is only known when it runs: `getattr(session, verb)`.

It is one of the object's methods that take what the call gives. Where these are few and half of
them wait, the call does: all verbs of an HTTP client are of one kind.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects.sources import facts_of
from loopsafe.facts.ir import Call, Const, Expr, Name, Site
from loopsafe.resolve.arguments import fits
from loopsafe.resolve.names import definitions, qualified
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    Frame,
    FunctionValue,
    Instance,
    ModuleValue,
    Value,
    Values,
)


def unnamed(resolver: Resolver, site: Site, frame: Frame, most: int) -> Values:
    """The methods that a call may mean by a name that nobody tells; more than some say nothing."""
    call = site.expr
    if site.kind != "call" or not isinstance(call, Call):
        return ()
    read, home = _read(resolver, call.func, frame)
    if read is None or not (call.args or call.keywords):
        return ()
    owners = resolver.known(resolver.values(read.args[0], home))
    if len(owners) != 1:
        return ()
    found: list[FunctionValue] = []
    for name in _names(resolver, owners[0]):
        values = [v for v in resolver.attribute(owners[0], name) if isinstance(v, FunctionValue)]
        if any(_takes(resolver, value, call, site.awaited) for value in values):
            found += values
    different = {value.definition for value in found}
    return tuple(found) if len(different) <= most else ()


def _read(resolver: Resolver, callee: Expr, frame: Frame) -> tuple[Call | None, Frame]:
    """The `getattr` with a name that is no literal by which a call finds what it calls."""
    if isinstance(callee, Name):
        found = definitions(resolver, callee, frame)
        if len(found) != 1 or found[0].binding.value is None:
            return None, frame
        callee, frame = found[0].binding.value, found[0].frame
    if not isinstance(callee, Call) or len(callee.args) < 2 or isinstance(callee.args[1], Const):
        return None, frame
    is_read = qualified(resolver, callee.func, frame) == "builtins.getattr"
    return (callee if is_read else None), frame


def _names(resolver: Resolver, owner: Value) -> Iterator[str]:
    """The public names in a module, or in an object's class and its bases."""
    if isinstance(owner, ModuleValue):
        homes = [(owner.name, 0)]
    else:
        lineage = resolver.mro(owner.cls) if isinstance(owner, Instance) else ()
        classes = [cls for cls in lineage if isinstance(cls, ClassValue)]
        modules = [(cls, resolver.table.get(cls.module)) for cls in classes]
        homes = [(c.module, m.facts.classes[c.number].scope) for c, m in modules if m is not None]
    seen: set[str] = set()
    for key, scope in homes:
        module = resolver.table.get(key)
        if module is None or module.is_project:
            continue
        new = [name for name in module.facts.scopes[scope].bindings if name not in seen]
        seen.update(new)
        yield from (name for name in new if not name.startswith("_"))


def _takes(resolver: Resolver, value: FunctionValue, call: Call, is_awaited: bool) -> bool:
    """Whether a function is of the kind that a call asks for, and takes what it gives."""
    facts = facts_of(resolver, value)
    return facts is not None and facts.is_async is is_awaited and fits(resolver, value, call)
