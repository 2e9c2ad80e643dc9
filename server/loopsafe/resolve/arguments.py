"""The shape of calls: which parameter gets which argument, and which overload takes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Attr, Call, Const, Expr, Function, Name, Starred, last_name
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    External,
    Frame,
    FunctionValue,
    GeneratorValue,
    Instance,
    ManagerFactory,
    OffloadingValue,
    PartialValue,
    TupleValue,
    Value,
    Values,
    is_same_class,
    union,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def matched(facts: Function, call: Call, bound: bool) -> list[tuple[int, Expr]]:
    """The call's arguments by parameter index; those behind a `*` cannot be placed."""
    parameters = facts.parameters
    if not call.args and not call.keywords:
        return []
    positions = [i for i, p in enumerate(parameters) if p.kind == "positional"]
    if bound and positions:
        positions = positions[1:]
    others = {p.kind: i for i, p in enumerate(parameters) if p.kind in ("args", "kwargs")}
    found: list[tuple[int, Expr]] = []
    for position, expr in enumerate(call.args):
        index = positions[position] if position < len(positions) else others.get("args")
        if isinstance(expr, Starred) or index is None:
            break
        found.append((index, expr))
    names = {p.name: i for i, p in enumerate(parameters) if p.kind in ("positional", "keyword")}
    for name, expr in call.keywords:
        index = names.get(name, others.get("kwargs")) if name is not None else None
        if index is not None:
            found.append((index, expr))
    return found


def fitting(resolver: Resolver, callees: Values, call: Call, frame: Frame | None) -> Values:
    """Of a function's overloads those that take the call's arguments; all where none does."""
    if len(callees) < 2 or any(isinstance(arg, Starred) for arg in call.args):
        return callees
    taken = [v for v in callees if not isinstance(v, FunctionValue) or fits(resolver, v, call)]
    named = [v for v in taken if isinstance(v, FunctionValue) and _names(resolver, v, call)]
    found = named or taken
    # Where overloads take it, what implements them all says less.
    found = [v for v in found if _is_overload(resolver, v)] or found
    if frame is not None and found[1:]:
        found = [v for v in found if _takes_objects(resolver, v, call, frame)] or found
    # What has a place for each argument comes before what takes any number of them.
    placed = [v for v in found if not _gathers(resolver, v, call)] if found[1:] else ()
    return tuple(placed or found) or callees


def _gathers(resolver: Resolver, value: Value, call: Call) -> bool:
    """Whether a function takes arguments of a call in its `*args`."""
    module = resolver.table.get(value.module) if isinstance(value, FunctionValue) else None
    if module is None or not isinstance(value, FunctionValue):
        return False
    facts = module.facts.functions[value.number]
    given = matched(facts, call, value.bound)
    return any(facts.parameters[index].kind == "args" for index, _ in given)


def _is_overload(resolver: Resolver, value: Value) -> bool:
    module = resolver.table.get(value.module) if isinstance(value, FunctionValue) else None
    if module is None or not isinstance(value, FunctionValue):
        return False
    decorators = module.facts.functions[value.number].decorators
    return any(last_name(decorator) == "overload" for decorator in decorators)


def _takes_objects(resolver: Resolver, value: Value, call: Call, frame: Frame) -> bool:
    """Whether objects that a call passes are of the classes that an overload asks for.

    Only a parameter that names one class is looked at, and only what is an object of a class with
    known bases: `def wrap(client: AsyncClient) -> AsyncWrapper`.
    """
    module = resolver.table.get(value.module) if isinstance(value, FunctionValue) else None
    if module is None or not isinstance(value, FunctionValue):
        return True
    facts = module.facts.functions[value.number]
    outer = resolver.frame(value.module, facts.outer)
    for index, expr in matched(facts, call, value.bound):
        annotation = facts.parameters[index].annotation
        if not isinstance(annotation, (Name, Attr)):
            continue
        wanted = resolver.instances(annotation, outer)
        if len(wanted) != 1 or not isinstance(wanted[0], Instance):
            continue
        home = resolver.table.get(wanted[0].cls.module)
        given = resolver.values(expr, frame) if home is not None and not home.is_stub else ()
        if given and not any(_may_be(resolver, v, wanted[0].cls) for v in given):
            return False
    return True


def _may_be(resolver: Resolver, value: Value, cls: ClassValue) -> bool:
    """Whether a value may be an object of a class."""
    if not isinstance(value, Instance):
        return not isinstance(value, ConstantValue)
    lineage = resolver.mro(value.cls)
    return any(isinstance(base, External) or is_same_class(base, cls) for base in lineage)


def argument_at(call: Call, position: int, name: str) -> Expr | None:
    """The argument of a call at a position or under a keyword."""
    for keyword, value in call.keywords:
        if name and keyword == name:
            return value
    if 0 <= position < len(call.args):
        found = call.args[position]
        return None if isinstance(found, Starred) else found
    return None


def metadata(annotation: Expr | None) -> Iterable[Expr]:
    """What `Annotated[T, ...]` carries besides the type."""
    index = getattr(annotation, "key", None)
    items = getattr(index, "items", ())
    return items[1:] if isinstance(items, tuple) else ()


def is_callable(value: Value) -> bool:
    """Whether a value is there to be called."""
    return isinstance(
        value,
        (
            FunctionValue,
            ClassValue,
            PartialValue,
            OffloadingValue,
            ManagerFactory,
            External,
        ),
    )


def says_what_runs(value: Value) -> bool:
    """Whether a value is there to be called, or to have its methods called."""
    is_object = isinstance(value, Instance) and value.cls.module != "builtins"
    return is_object or is_callable(value)


def has_callables(value: Value) -> bool:
    """Whether a value is a container of functions: `[load, save]`."""
    if isinstance(value, TupleValue):
        parts = union(value.items)
    else:
        arguments = value.cls.arguments if isinstance(value, Instance) else ()
        parts = arguments[-1] if arguments else ()
    return bool(parts) and all(isinstance(part, (FunctionValue, PartialValue)) for part in parts)


def is_to_run(value: Value) -> bool:
    """Whether a value is there to be called or iterated, and not to be made an object of."""
    return isinstance(value, (FunctionValue, PartialValue, GeneratorValue))


def fits(resolver: Resolver, function: FunctionValue, call: Call) -> bool:
    """Whether a call gives a function all it requires, and nothing it does not take."""
    module = resolver.table.get(function.module)
    if module is None:
        return False
    facts = module.facts.functions[function.number]
    given = matched(facts, call, function.bound)
    if any(_is_listed(resolver, function, index, expr) is False for index, expr in given):
        return False
    placed = [index for index, _ in given]
    if len(placed) < len(call.args) + sum(name is not None for name, _ in call.keywords):
        return False
    if any(isinstance(arg, Starred) for arg in call.args) or (None in dict(call.keywords)):
        return True
    first = 1 if function.bound else 0
    return all(
        index in placed or parameter.default is not None
        for index, parameter in enumerate(facts.parameters)
        if index >= first and parameter.kind in ("positional", "keyword")
    )


def _names(resolver: Resolver, function: FunctionValue, call: Call) -> bool:
    """Whether an overload is written for a literal of the call: `mode: Literal["rb"]`."""
    module = resolver.table.get(function.module)
    facts = module.facts.functions[function.number] if module else None
    given = matched(facts, call, function.bound) if facts else ()
    return any(_is_listed(resolver, function, index, expr) for index, expr in given)


def _is_listed(resolver: Resolver, function: FunctionValue, index: int, given: Expr) -> bool | None:
    """Whether a literal is one of those that a parameter takes; None where it takes others too."""
    module = resolver.table.get(function.module)
    if module is None or not isinstance(given, Const):
        return None
    facts = module.facts.functions[function.number]
    annotation = facts.parameters[index].annotation
    if annotation is None:
        return None
    allowed = resolver.instances(annotation, resolver.frame(function.module, facts.outer))
    if not allowed or not all(isinstance(value, ConstantValue) for value in allowed):
        return None
    return ConstantValue(given.value) in allowed
