"""Functions that are called only where what they store is missing: `if db is None: connect()`."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.effects.holding import Holder, holder
from loopsafe.effects.relief import Relief, lacking, missing, missing_or_ended
from loopsafe.facts.ir import (
    Attr,
    Binding,
    Call,
    Const,
    Expr,
    Function,
    FunctionRef,
    ModuleFacts,
    Name,
    Scope,
    Site,
    root_name,
)
from loopsafe.facts.reach import parts_of
from loopsafe.resolve.names import definitions
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame, FunctionValue, Value

_LONGEST = 4
"""Methods in a row that may hand on what one of them puts into a table."""


def fill_relief(resolver: Resolver, value: Value, site: Site, scope: Scope, frame: Frame) -> Relief:
    """Whether a function runs only while what it stores is missing: `if self.db is None:
    self.connect()`, `if client is None: connect()`."""
    call, block = site.expr, site.block
    if not isinstance(value, FunctionValue) or not isinstance(call, Call):
        return Relief.NONE
    while block > 0:
        found = scope.blocks[block]
        if found.test is not None and found.kind in ("if", "else"):
            for asked, holds in parts_of(found.test, found.kind == "if"):
                absent = missing(asked, holds)
                if absent is not None and _stores(resolver, value, call, absent, frame):
                    is_global = isinstance(absent, Name)
                    is_global |= holder(resolver, site, frame) is Holder.PROCESS
                    return Relief.PROCESS if is_global else Relief.OWN
                table = lacking(asked, holds)
                kept = _filled(resolver, value, call, table, frame) if table else Relief.NONE
                if kept is Relief.NONE:
                    kept = _table_relief(resolver, value, call, absent, frame)
                if kept is not Relief.NONE:
                    return kept
            ended = missing_or_ended(found.test) if found.kind == "if" else None
            kept = _table_relief(resolver, value, call, ended, frame)
            if kept is Relief.PROCESS:
                return Relief.STARTED
        block = found.parent
    return Relief.NONE


def _table_relief(
    resolver: Resolver, function: FunctionValue, call: Call, name: Attr | Name | None, frame: Frame
) -> Relief:
    """Whether a function that is called puts something into the table where a name was looked up:
    `found = cls.made.get(key)`, `if found is None: found = cls.make(key)`."""
    for definition in definitions(resolver, name, frame) if isinstance(name, Name) else ():
        table = _looked_into(definition.binding.value)
        if isinstance(table, (Attr, Name)):
            kept = _filled(resolver, function, call, table, definition.frame)
            if kept is not Relief.NONE:
                return kept
    return Relief.NONE


def _filled(
    resolver: Resolver, function: FunctionValue, call: Call, table: Attr | Name, frame: Frame
) -> Relief:
    """Whether a function that is called puts something into a table."""
    module = resolver.table.get(function.module)
    if module is None or not module.is_project:
        return Relief.NONE
    resolver.table.trace |= module.text_bit
    facts = module.facts.functions[function.number]
    if isinstance(table, Name):
        found = definitions(resolver, table, frame)
        is_shared = any((d.frame.module, d.frame.scope) == (function.module, 0) for d in found)
        is_put = is_shared and any(_is_put(site, "", table.id) for site in facts.sites)
        return Relief.PROCESS if is_put else Relief.NONE
    if _fills_own(module.facts, facts, call, table):
        return Relief.PROCESS if root_name(table.value) == "cls" else Relief.OWN
    return Relief.NONE


def _fills_own(module: ModuleFacts, facts: Function, call: Call, table: Attr) -> bool:
    """Whether a method that is called puts something into a table of the object it is called on,
    or another one does that it calls of its own class."""
    receiver = call.func.value if isinstance(call.func, Attr) else None
    if not isinstance(receiver, Name) or facts.owner < 0 or not facts.parameters:
        return False
    if receiver.id != root_name(table.value):
        return False
    own = facts.parameters[0].name
    return any(
        _is_put(site, own, table.name) for method in _chain(module, facts) for site in method.sites
    )


def _chain(module: ModuleFacts, method: Function) -> Iterator[Function]:
    """A method, and those that it calls of its own class, the nearest first."""
    todo, seen = [method], {method.scope}
    for _ in range(_LONGEST):
        yield from todo
        below = [f for found in todo for f in _methods_below(module, found) if f.scope not in seen]
        todo = list({f.scope: f for f in below}.values())
        seen.update(f.scope for f in todo)


def _looked_into(value: Expr | None) -> Expr | None:
    """The table of `table.get(key)`."""
    func = value.func if isinstance(value, Call) else None
    return func.value if isinstance(func, Attr) and func.name == "get" else None


def _is_put(site: Site, own: str, name: str) -> bool:
    """Whether a site puts something into a table: `table[key] = value`, `self.table[key] = ...`."""
    func = site.expr.func if site.kind == "operator" and isinstance(site.expr, Call) else None
    if not isinstance(func, Attr) or func.name != "__setitem__":
        return False
    table = func.value
    if isinstance(table, Name):
        return not own and table.id == name
    return isinstance(table, Attr) and table.name == name and root_name(table.value) == own


def _stores(
    resolver: Resolver, function: FunctionValue, call: Call, absent: Attr | Name, frame: Frame
) -> bool:
    """Whether a function that is called gives a value to what is absent."""
    module = resolver.table.get(function.module)
    if module is None or not module.is_project:
        return False
    facts = module.facts.functions[function.number]
    if isinstance(absent, Name):
        # What a function binds around itself is there for others to see.
        is_same = frame.module == function.module and frame.scope == facts.scope
        if is_same and absent.id not in module.facts.scopes[facts.scope].declared:
            return False  # It calls itself, and asks for what is its own.
        found = definitions(resolver, absent, frame)
        stored = tuple(d.binding for d in found if d.frame.module == function.module)
        return _fills(stored, facts.scope, 0)
    receiver = call.func.value if isinstance(call.func, Attr) else None
    if facts.owner < 0 or not isinstance(receiver, Name) or not isinstance(absent.value, Name):
        return False
    if receiver.id != absent.value.id:
        return False
    stored = module.facts.classes[facts.owner].attributes.get(absent.name, ())
    made = _scope_of_init(module.facts, facts.owner)
    if _fills(stored, facts.scope, made):
        return True
    resolver.table.trace |= module.text_bit
    below = _methods_below(module.facts, facts)
    return any(_fills(stored, method.scope, made) for method in below)


def _methods_below(module: ModuleFacts, method: Function) -> Iterator[Function]:
    """What a method calls of its own class: `run(self._load())` stores as well."""
    own = method.parameters[0].name if method.parameters else ""
    bindings = module.scopes[module.classes[method.owner].scope].bindings
    for site in method.sites:
        func = site.expr.func if isinstance(site.expr, Call) else None
        if isinstance(func, Attr) and isinstance(func.value, Name) and func.value.id == own:
            for binding in bindings.get(func.name, ()):
                if isinstance(binding.value, FunctionRef):
                    yield module.functions[binding.value.number]


def _scope_of_init(facts: ModuleFacts, owner: int) -> int:
    scopes = (f.scope for f in facts.functions if f.owner == owner and f.name == "__init__")
    return next(scopes, -1)


def _fills(stored: tuple[Binding, ...], scope: int, first: int) -> bool:
    """Whether one of the bindings, in a function's scope, is of a value; of a flag only if nobody
    takes it back: a connection is made again as often as it is lost."""
    given = [b.value for b in stored if b.scope == scope]
    if any(not isinstance(value, Const) for value in given):
        return True
    others = (b.value for b in stored if b.scope not in (scope, first))
    is_taken_back = any(not (isinstance(v, Const) and v.value) for v in others)
    return any(isinstance(v, Const) and v.value for v in given) and not is_taken_back
