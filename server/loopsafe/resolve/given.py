"""What calls pass: to parameters, and to the type parameters of a generic class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Call, Function, FunctionRef, Starred, last_name
from loopsafe.resolve.arguments import fits, has_callables, is_callable, is_to_run, matched
from loopsafe.resolve.finding import find
from loopsafe.resolve.substitution import from_arguments
from loopsafe.resolve.values import (
    LIMIT,
    ClassValue,
    ConstantValue,
    Frame,
    FunctionValue,
    Instance,
    TupleValue,
    Value,
    Values,
    union,
)
from loopsafe.resolve.variables import generic_parameters, type_parameters

if TYPE_CHECKING:
    from loopsafe.modules.module import Module
    from loopsafe.resolve.resolver import Resolver


Arguments = tuple[tuple[int, Values], ...]

_DEEPEST, _DEEPEST_IN_PACKAGES = 3, 4


def is_deep(module: Module, frame: Frame) -> bool:
    """Whether a call of a function of a module is behind so many others that what was passed along
    is no longer told apart by call site."""
    return frame.depth >= (_DEEPEST if module.is_project else _DEEPEST_IN_PACKAGES)


def given(
    resolver: Resolver, function: FunctionValue, call: Call | None, frame: Frame | None
) -> Arguments:
    """What a call passes to the parameters whose own annotation does not tell."""
    module = resolver.table.get(function.module)
    if module is None or call is None or frame is None or is_deep(module, frame):
        return ()
    facts = module.facts.functions[function.number]
    generic = generic_parameters(resolver, function)
    if module.is_stub and not generic:
        return ()
    passed = [
        (index, resolver.values(expr, frame))
        for index, expr in matched(facts, call, function.bound)
        if not module.is_stub or index in generic
    ]
    if any(isinstance(arg, Starred) for arg in call.args):
        passed += _unpacked(resolver, facts, call, function, frame)
    found: dict[int, Values] = {}
    gathered: list[Values] = []
    for index, values in passed:
        if index in generic:
            _add(found, index, values)
        elif facts.parameters[index].kind == "args":
            gathered.append(_telling(resolver, function, index, values))
        else:
            _add(found, index, _telling(resolver, function, index, values))
    if any(gathered):
        at = next(i for i, p in enumerate(facts.parameters) if p.kind == "args")
        found[at] = (TupleValue(tuple(gathered[:LIMIT])),)
    around = _same_function(function, facts, frame)
    if around is not None:
        # What it makes of what it got, and passes to itself, may grow without end.
        own = dict(around.arguments)
        return tuple((i, values) for i, values in found.items() if own.get(i) == values)
    return tuple(found.items())


def _same_function(function: FunctionValue, facts: Function, frame: Frame) -> Frame | None:
    """The frame in which a function calls itself, if that was given something already."""
    here: Frame | None = frame
    while here is not None:
        if here.scope == facts.scope and here.module == function.module:
            return here if here.arguments else None
        here = here.outer
    return None


def _add(found: dict[int, Values], index: int, values: Values) -> None:
    if values:
        found[index] = union((found.get(index, ()), values))


def _telling(resolver: Resolver, function: FunctionValue, index: int, values: Values) -> Values:
    """Of what is passed to a parameter, what tells more than its annotation does.

    Literals do so only where the function imports by a name.
    """
    if all(isinstance(v, ConstantValue) for v in values):
        return values if values and _imports_by_name(resolver, function) else ()
    is_open = index in _open_parameters(resolver, function)
    telling = values if is_open else tuple(v for v in values if _says_more(v))
    return () if all(isinstance(v, ConstantValue) for v in telling) else telling


def _says_more(value: Value) -> bool:
    """Whether a value says what runs, of which an annotation only says how it is called."""
    return is_to_run(value) or is_callable(value) or has_callables(value)


def _imports_by_name(resolver: Resolver, function: FunctionValue) -> bool:
    """Whether a function makes modules of texts: `import_string("acme.Client")`."""
    module = resolver.table.get(function.module)
    if module is None or module.is_stub:
        return False
    sites = module.facts.functions[function.number].sites
    calls = (site.expr.func for site in sites if isinstance(site.expr, Call))
    return any(last_name(func) in _IMPORTING for func in calls)


def _unpacked(
    resolver: Resolver, facts: Function, call: Call, function: FunctionValue, frame: Frame
) -> Iterator[tuple[int, Values]]:
    """What stands from the first `*` on, as far as its place is known: `func(*args)`."""
    places = [i for i, p in enumerate(facts.parameters) if p.kind == "positional"]
    places = places[1:] if function.bound else places
    rest = next((i for i, p in enumerate(facts.parameters) if p.kind == "args"), None)
    at = next(i for i, arg in enumerate(call.args) if isinstance(arg, Starred))
    for expr in call.args[at:]:
        inner = resolver.values(expr.value, frame) if isinstance(expr, Starred) else ()
        only = inner[0] if len(inner) == 1 else None
        items: tuple[Values, ...] = (resolver.values(expr, frame),)
        if isinstance(only, TupleValue):
            items = only.items
        elif isinstance(expr, Starred) and at < len(places):
            return  # Nobody knows how many these are.
        for values in items:
            index = places[at] if at < len(places) else rest
            if index is not None:
                yield index, values
            at += 1


def _open_parameters(resolver: Resolver, function: FunctionValue) -> frozenset[int]:
    """The parameters without an annotation, or with one that does not tell what they may be."""
    return (
        resolver.remember(
            ("open", function.module, function.number),
            function.module,
            lambda: _without_word(resolver, function),
        )
        or frozenset()
    )


def _without_word(resolver: Resolver, function: FunctionValue) -> frozenset[int]:
    module = resolver.table.get(function.module)
    facts = module.facts.functions[function.number] if module is not None else None
    if facts is None:
        return frozenset()
    frame = resolver.frame(function.module, facts.outer)
    return frozenset(
        index
        for index, parameter in enumerate(facts.parameters)
        if parameter.annotation is None
        or not resolver.tells(resolver.instances(parameter.annotation, frame))
    )


def instances_made(resolver: Resolver, cls: ClassValue, call: Call, frame: Frame) -> Values:
    """Objects of a generic class whose type arguments show in what its constructor is given."""
    names = type_parameters(resolver, cls)
    if not names or cls.arguments:
        return ()
    best: tuple[Values, ...] = ()
    for function in constructors(resolver, cls):
        arguments = given(resolver, function, call, frame)
        inner = resolver.function_frame(function, arguments)
        if inner is None or not arguments or not fits(resolver, function, call):
            continue
        declared = resolver.function_result(function, arguments)
        made = tuple(v for v in declared if isinstance(v, Instance) and any(v.cls.arguments))
        if made:
            return made
        known = tuple(from_arguments(resolver, name, inner) for name in names)
        best = max(best, known, key=lambda values: sum(map(bool, values)))
    return (Instance(cls._replace(arguments=best)),) if any(best) else ()


def constructors(resolver: Resolver, cls: ClassValue) -> Iterator[FunctionValue]:
    """What of a class's own runs when an object is made."""
    for name in ("__new__", "__init__"):
        member = find(resolver, cls, name)
        if member is None or not isinstance(member.owner, ClassValue):
            continue
        for binding in member.bindings:
            if isinstance(binding.value, FunctionRef):
                yield FunctionValue(member.owner.module, binding.value.number, cls, True)


_IMPORTING = frozenset({"import_module", "__import__"})
