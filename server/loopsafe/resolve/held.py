"""What objects keep of the arguments that they are made with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.facts.ir import Attr, Call, Choice, Expr, FunctionRef, Name
from loopsafe.resolve.arguments import is_callable, is_to_run
from loopsafe.resolve.finding import find
from loopsafe.resolve.given import constructors, given
from loopsafe.resolve.kept_literals import literals_kept
from loopsafe.resolve.methods import method_of, own_object
from loopsafe.resolve.naming import annotated_names, of_project
from loopsafe.resolve.values import (
    ClassValue,
    Frame,
    FunctionValue,
    Instance,
    Value,
    Values,
    union,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def holding(resolver: Resolver, cls: ClassValue, call: Call, frame: Frame) -> ClassValue:
    """A class with what this call gives its object to keep: what no annotation tells, and the
    literals for which its methods' conditions ask."""
    told = literals_kept(resolver, cls, call)
    kept = _holding(resolver, cls, call, frame)
    return kept._replace(literals=told) if told else kept


def _holding(resolver: Resolver, cls: ClassValue, call: Call, frame: Frame) -> ClassValue:
    """Only parameters without an annotation, and callables. A package's objects are told apart
    only by who hands itself to them: `Expecter(self)`, in a class that others inherit; and where a
    package makes them, by what they are to run: `Pages(self.pages())`.
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
    held = _kept_arguments(resolver, made_by[-1], call, frame) if made_by else {}
    if module.is_project and not (made_by and of_project(resolver, made_by[-1])):
        held = held or _field_values(resolver, cls, call, frame)
    if itself is not None:
        held = {name: values for name, values in held.items() if values == (itself,)}
    elif not module.is_project:
        held = {name: values for name, values in held.items() if all(map(is_to_run, values))}
    if not held:
        return cls
    return cls._replace(holds=tuple((name, _shallow(values)) for name, values in held.items()))


def _is_in_package(resolver: Resolver, frame: Frame) -> bool:
    module = resolver.table.get(frame.module)
    return module is not None and not module.is_project


def _handed_itself(resolver: Resolver, call: Call, frame: Frame) -> Instance | None:
    """The object whose method passes it on, where it is of a subclass."""
    method = method_of(resolver.table.get(frame.module), frame)
    if method is None or frame.receiver is None:
        return None
    if frame.receiver.definition == (frame.module, method.owner):
        return None
    own = method.parameters[0].name
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
    """A class of the project with the function that its object keeps and stands for: `@Lazy`. One
    of a package only where the object calls it when the attribute is read: `@lazy_attribute`.

    None where the object does not keep it.
    """
    made_by = list(constructors(resolver, cls))
    module = resolver.table.get(made_by[-1].module) if made_by else None
    if module is None or module.is_stub:
        return None
    held = _stored(resolver, made_by[-1], {1: (decorated,)})
    names = {name for name, values in held.items() if decorated in values}
    if not names or not (module.is_project or _calls_when_read(resolver, cls, names)):
        return None
    return cls._replace(holds=tuple(held.items()))


def _calls_when_read(resolver: Resolver, cls: ClassValue, names: set[str]) -> bool:
    """Whether a descriptor calls one of the functions that it keeps when it is asked."""
    member = find(resolver, cls, "__get__")
    module = None
    if member is not None and isinstance(member.owner, ClassValue):
        module = resolver.table.get(member.owner.module)
    for binding in member.bindings if member is not None and module is not None else ():
        if module is None or not isinstance(binding.value, FunctionRef):
            continue
        facts = module.facts.functions[binding.value.number]
        asked = (site.expr.func for site in facts.sites if isinstance(site.expr, Call))
        if any(isinstance(f, Attr) and f.name in names and own_object(f, facts) for f in asked):
            return True
    return False


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
    """A parameter, also before a default (`hooks or []`), or what a method of one gives; None for
    anything else."""
    if isinstance(expr, Name):
        return values.get(expr.id)
    if isinstance(expr, Choice) and expr.op == "or":
        return _kept(resolver, expr.options[0], values)
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
    """Callables that a class without an `__init__` of the project's takes as fields."""
    found = {n: resolver.values(e, frame) for n, e in field_arguments(resolver, cls, call).items()}
    return {
        name: tuple(v for v in values if is_callable(v))
        for name, values in found.items()
        if any(is_callable(v) for v in values)
    }


def field_arguments(resolver: Resolver, cls: ClassValue, call: Call) -> dict[str, Expr]:
    """Which expression a call gives to which field of a dataclass, or of a `NamedTuple`."""
    owners = [o for o in resolver.mro(cls) if isinstance(o, ClassValue)]
    # What a stub annotates is no field of those that the project's class has.
    lines = [annotated_names(resolver, o) for o in owners if not _is_stub(resolver, o)]
    names = list(dict.fromkeys(name for line in reversed(lines) for name in line))
    placed = [*zip(names, call.args, strict=False), *call.keywords]
    return {name: expr for name, expr in placed if name is not None and name in names}


def _is_stub(resolver: Resolver, cls: ClassValue) -> bool:
    module = resolver.table.get(cls.module)
    return module is not None and module.is_stub


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
