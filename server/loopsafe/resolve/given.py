"""What calls pass: to parameters, and to the type parameters of a generic class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Attr, Call, Function, FunctionRef, Name, Starred, last_name
from loopsafe.resolve.arguments import fits, is_callable, matched
from loopsafe.resolve.finding import find
from loopsafe.resolve.naming import annotated_names
from loopsafe.resolve.substitution import from_arguments
from loopsafe.resolve.values import (
    LIMIT,
    ClassValue,
    ConstantValue,
    Frame,
    FunctionValue,
    GeneratorValue,
    Instance,
    PartialValue,
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
    telling = values if is_open else tuple(v for v in values if _is_to_run(v) or is_callable(v))
    return () if all(isinstance(v, ConstantValue) for v in telling) else telling


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


def holding(resolver: Resolver, cls: ClassValue, call: Call, frame: Frame) -> ClassValue:
    """A class with what this call gives its object to keep.

    Only what no annotation tells: parameters without one, and callables. A package's objects are
    told apart only by who hands itself to them: `Expecter(self)`, in a class that others inherit;
    and where a package makes them, by what they are to run: `Pages(self.pages())`.
    """
    module = resolver.table.get(cls.module)
    if module is None or not (call.args or call.keywords):
        return cls
    kept = resolver.knowledge(cls)
    if kept is not None and kept.keeps_keywords:
        given_by_name = ((n, resolver.values(e, frame)) for n, e in call.keywords if n)
        return cls._replace(holds=tuple((n, _shallow(values)) for n, values in given_by_name))
    itself = None if module.is_project else _handed_itself(resolver, call, frame)
    if not module.is_project and itself is None and not _is_in_package(resolver, frame):
        return cls
    source = cls if module.is_project else resolver.source(cls)
    made_by = list(constructors(resolver, source)) if source is not None else []
    if made_by:
        held = _kept_arguments(resolver, made_by[-1], call, frame)
    else:
        held = _field_values(resolver, cls, call, frame) if module.is_project else {}
    if itself is not None:
        held = {name: values for name, values in held.items() if values == (itself,)}
    elif not module.is_project:
        held = {name: values for name, values in held.items() if all(map(_is_to_run, values))}
    if not held:
        return cls
    return cls._replace(holds=tuple((name, _shallow(values)) for name, values in held.items()))


def _is_in_package(resolver: Resolver, frame: Frame) -> bool:
    module = resolver.table.get(frame.module)
    return module is not None and not module.is_project


def _is_to_run(value: Value) -> bool:
    """Whether a value is there to be called or iterated, and not to be made an object of."""
    return isinstance(value, (FunctionValue, PartialValue, GeneratorValue))


def _handed_itself(resolver: Resolver, call: Call, frame: Frame) -> Instance | None:
    """The object whose method passes it on, where it is of a subclass."""
    module = resolver.table.get(frame.module)
    scope = module.facts.scopes[frame.scope] if module is not None else None
    if module is None or scope is None or scope.kind != "function" or frame.receiver is None:
        return None
    function = module.facts.functions[scope.owner]
    if function.owner < 0 or frame.receiver.definition == (frame.module, function.owner):
        return None
    own = function.parameters[0].name if function.parameters else ""
    is_handed = any(isinstance(arg, Name) and arg.id == own for arg in call.args)
    return Instance(frame.receiver) if is_handed else None


def _kept_arguments(
    resolver: Resolver, constructor: FunctionValue, call: Call, frame: Frame
) -> dict[str, Values]:
    """What an `__init__` stores as it gets it, `self.attribute = parameter`, or what that gives:
    `self.attribute = parameter.method()`.
    """
    module = resolver.table.get(constructor.module)
    facts = module.facts.functions[constructor.number] if module is not None else None
    if module is None or facts is None or module.is_stub or facts.owner < 0:
        return {}
    return _stored(resolver, constructor, dict(given(resolver, constructor, call, frame)))


def decorating(resolver: Resolver, cls: ClassValue, decorated: Value) -> ClassValue | None:
    """A class of the project with the function that its object keeps and stands for: `@Lazy`.

    None where the object does not keep it.
    """
    made_by = list(constructors(resolver, cls))
    module = resolver.table.get(made_by[-1].module) if made_by else None
    if module is None or not module.is_project:
        return None
    held = _stored(resolver, made_by[-1], {1: (decorated,)})
    if not any(decorated in values for values in held.values()):
        return None
    return cls._replace(holds=tuple(held.items()))


def _stored(
    resolver: Resolver, constructor: FunctionValue, passed: dict[int, Values]
) -> dict[str, Values]:
    """What a constructor's object keeps of its arguments, by attribute."""
    module = resolver.table.get(constructor.module)
    facts = module.facts.functions[constructor.number] if module is not None else None
    if module is None or facts is None or facts.owner < 0:
        return {}
    values = {
        p.name: passed[i]
        for i, p in enumerate(facts.parameters)
        if i in passed and p.kind != "kwargs"
    }
    stored = {
        name: _kept(resolver, binding.value, values)
        for name, bindings in module.facts.classes[facts.owner].attributes.items()
        for binding in bindings
        if binding.scope == facts.scope
    }
    return {name: kept for name, kept in stored.items() if kept is not None}


def _kept(resolver: Resolver, expr: object, values: dict[str, Values]) -> Values | None:
    """A parameter, or what a method of one gives; None for anything else."""
    if isinstance(expr, Name):
        return values.get(expr.id)
    if not isinstance(expr, Call) or not isinstance(expr.func, Attr):
        return None
    held = values.get(expr.func.value.id) if isinstance(expr.func.value, Name) else None
    if not held:
        return None
    methods = union(resolver.attribute(value, expr.func.name) for value in held)
    return union(resolver.called(method) for method in methods) or None


def _field_values(
    resolver: Resolver, cls: ClassValue, call: Call, frame: Frame
) -> dict[str, Values]:
    """Callables that a class without an `__init__`, such as a dataclass, takes as fields."""
    lines = [annotated_names(resolver, o) for o in resolver.mro(cls) if isinstance(o, ClassValue)]
    names = list(dict.fromkeys(name for line in reversed(lines) for name in line))
    placed = [*zip(names, call.args, strict=False), *call.keywords]
    found = {name: resolver.values(expr, frame) for name, expr in placed if name in names}
    return {
        str(name): tuple(v for v in values if is_callable(v))
        for name, values in found.items()
        if any(is_callable(v) for v in values)
    }


def _shallow(values: Values) -> Values:
    """Values without what they hold in their turn: objects that wrap each other have no end."""
    return tuple(
        Instance(value.cls._replace(holds=()))
        if isinstance(value, Instance)
        else value._replace(receiver=value.receiver._replace(holds=()))
        if isinstance(value, FunctionValue) and value.receiver is not None
        else value
        for value in values
    )


_IMPORTING = frozenset({"import_module", "__import__"})
