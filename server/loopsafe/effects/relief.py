"""Calls that do not happen every time: what is kept blocks its first caller only."""

from __future__ import annotations

from enum import Enum

from loopsafe.effects.implicit import functions
from loopsafe.facts.ir import (
    Attr,
    Call,
    Choice,
    Expr,
    Function,
    Has,
    HasKey,
    Name,
    Scope,
    Test,
    last_name,
)
from loopsafe.facts.reach import parts_of
from loopsafe.model import COSTS, Cost
from loopsafe.resolve.names import qualified
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    External,
    ExternalInstance,
    Frame,
    Instance,
    Value,
)

_BRANCHES = frozenset({"if", "else", "once", "own", "lazy"})

_KEPT_BY_PROCESS = frozenset({"cache", "lru_cache", "cached", "memoize", "alru_cache"})
"""Decorators, by the last part of their names, that call a function once and keep its result."""
_KEPT_BY_OBJECT = ("cached_property", "lazy_property", "reify")
"""How the names of those end that keep it in the object: `threaded_cached_property` too."""


_OF_THREADS = frozenset({"lock", "future"})
"""The categories of what waits for another thread."""


class Relief(Enum):
    """How often a call happens."""

    NONE = 0
    OBJECT = 1
    """Once for each object that keeps the result: what is brief is one level milder."""
    OWN = 3
    """The same, kept by the object whose method it is: where that lives as long as the process,
    so does the result."""
    PROCESS = 2
    """Once in the life of the process: a stall is milder, what is brief is no stall at all."""
    STARTED = 4
    """Once in the life of what is kept by the process until it has ended by itself."""

    def where(self, category: str) -> Relief:
        """The same for a way to a category: who waits for a thread where something is started
        waits for its start. A connection may be lost as often as not."""
        if self is not Relief.STARTED:
            return self
        return Relief.PROCESS if category in _OF_THREADS else Relief.OBJECT

    def eased(self, rank: int) -> int | None:
        """The rank of a cost after relief; None where nothing is left to report."""
        is_stall = rank == COSTS.index(Cost.STALL)
        if self is Relief.NONE or (self is not Relief.PROCESS and is_stall):
            # The object that keeps a result may live for one request only.
            return rank
        if self is Relief.PROCESS and not is_stall:
            return None
        return min(rank + 1, len(COSTS) - 1)


def block_relief(scope: Scope, block: int) -> Relief:
    """Whether a block runs only while its result is missing."""
    found = Relief.NONE
    while block > 0:
        kind = scope.blocks[block].kind
        if kind == "once":
            return Relief.PROCESS
        if kind == "own":
            found = Relief.OWN
        elif kind == "lazy" and found is Relief.NONE:
            is_started = missing_or_ended(scope.blocks[block].test) is not None
            found = Relief.STARTED if is_started else Relief.OBJECT
        block = scope.blocks[block].parent
    return found


def idle_relief(resolver: Resolver, scope: Scope, block: int, frame: Frame) -> Relief:
    """Whether a block runs only while a thread does not that otherwise always does."""
    while block > 0:
        found = scope.blocks[block]
        if found.test is not None and found.kind in _BRANCHES:
            for asked, holds in parts_of(found.test, found.kind != "else"):
                if not holds and _asks_whether_it_runs(resolver, asked, frame):
                    return Relief.PROCESS
        block = found.parent
    return Relief.NONE


def missing(asked: Expr, holds: bool) -> Attr | Name | None:
    """What is not there where a condition holds, or fails."""
    if isinstance(asked, Test) and asked.kind == "is none" and holds:
        asked, holds = asked.value, False
    return asked if isinstance(asked, (Attr, Name)) and not holds else None


def lacking(asked: Expr, holds: bool) -> Attr | Name | None:
    """The table that has no such key where a condition holds, or fails: `key not in table`."""
    return asked.value if isinstance(asked, (Has, HasKey)) and not holds else None


def missing_or_ended(test: Expr | None) -> Name | None:
    """The name of what is not there or has ended where a condition holds that asks nothing else:
    `worker is None or not worker.is_alive()`."""
    if not isinstance(test, Choice) or test.op != "or":
        return None
    absent = [name for part in test.options if isinstance(name := missing(part, True), Name)]
    is_all = bool(absent) and all(_asked_of(part) == absent[0].id for part in test.options)
    return absent[0] if is_all else None


def _asked_of(test: Expr) -> str:
    """The name of the object that a condition is about, and nothing besides."""
    while not isinstance(test, Name):
        if isinstance(test, (Attr, Test)):
            test = test.value
        elif isinstance(test, Call) and not test.args and not test.keywords:
            test = test.func
        else:
            return ""
    return test.id


def _asks_whether_it_runs(resolver: Resolver, test: Expr, frame: Frame) -> bool:
    callee = test.func if isinstance(test, Call) else None
    if not isinstance(callee, Attr) or callee.name not in resolver.catalogue.words.running:
        return False
    return any(
        (known := resolver.knowledge(cls)) is not None and callee.name in known.running
        for value in resolver.values(callee.value, frame)
        for cls in _classes_of(resolver, value)
    )


def _classes_of(resolver: Resolver, value: Value) -> tuple[ClassValue | External, ...]:
    if isinstance(value, ExternalInstance):
        return (External(value.name),)
    return resolver.mro(value.cls) if isinstance(value, Instance) else ()


def lasting(resolver: Resolver, relief: Relief, frame: Frame) -> Relief:
    """What an object keeps, where it is the only one of its class."""
    cls = frame.receiver
    if relief is not Relief.OWN or cls is None:
        return relief
    is_only_one = resolver.remember(
        ("only one", cls.number), cls.module, lambda: (_is_only_one(resolver, cls),)
    )
    return Relief.PROCESS if is_only_one and is_only_one[0] else relief


def _is_only_one(resolver: Resolver, cls: ClassValue) -> bool:
    """Whether `__new__`, or the metaclass, makes an object of a class only where it has none."""
    return _makes_once(resolver, cls, "__new__") or class_relief(resolver, cls) is Relief.PROCESS


def class_relief(resolver: Resolver, cls: ClassValue) -> Relief:
    """Whether a metaclass of the project keeps the objects of a class: a singleton is made once."""
    return (
        resolver.remember(
            ("kept objects", cls.number),
            cls.module,
            lambda: Relief.PROCESS if _is_singleton(resolver, cls) else Relief.NONE,
        )
        or Relief.NONE
    )


def _is_singleton(resolver: Resolver, cls: ClassValue) -> bool:
    for owner in resolver.mro(cls):
        module = resolver.table.get(owner.module) if isinstance(owner, ClassValue) else None
        if module is None or not module.is_project or not isinstance(owner, ClassValue):
            continue
        frame = resolver.frame(owner.module, module.facts.classes[owner.number].outer)
        for name, expr in module.facts.classes[owner.number].keywords:
            if name == "metaclass":
                metaclasses = resolver.values(expr, frame)
                return any(_keeps_objects(resolver, meta) for meta in metaclasses)
    return False


def _keeps_objects(resolver: Resolver, metaclass: Value) -> bool:
    """Whether a metaclass makes an object only where it has none yet."""
    return isinstance(metaclass, ClassValue) and _makes_once(resolver, metaclass, "__call__")


def _makes_once(resolver: Resolver, cls: ClassValue, name: str) -> bool:
    """Whether a method that makes objects hands on to its base only where there is none yet."""
    for function in functions(resolver, cls, name):
        module = resolver.table.get(function.module)
        if module is None or not module.is_project:
            continue
        resolver.table.trace |= module.text_bit
        sites = module.facts.functions[function.number].sites
        making = [s for s in sites if isinstance(s.expr, Call) and last_name(s.expr.func) == name]
        return bool(making) and all(
            block_relief(module.facts.scopes[site.scope], site.block) is not Relief.NONE
            for site in making
        )
    return False


def function_relief(resolver: Resolver, function: Function, module: str) -> Relief:
    """Whether a function's decorators keep its result."""
    if not function.decorators:
        return Relief.NONE
    frame = resolver.frame(module, function.outer)
    for decorator in function.decorators:
        callee = decorator.func if isinstance(decorator, Call) else decorator
        last = (qualified(resolver, callee, frame) or "").rpartition(".")[2]
        if last in _KEPT_BY_PROCESS:
            return Relief.PROCESS
        if last.endswith(_KEPT_BY_OBJECT):
            return Relief.OWN
    return Relief.NONE
