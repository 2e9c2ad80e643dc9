"""What runs when an object of a class is made or written out: validators, factories, serializers.

Which decorators, markers and methods do so is knowledge; a class has them in its body, in the
annotations of its fields, or by a name that its library calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from loopsafe.effects.implicit import functions
from loopsafe.effects.runners import runners_of
from loopsafe.facts.ir import (
    Attr,
    Binary,
    Binding,
    Call,
    Expr,
    FunctionRef,
    Name,
    Subscript,
    key_parts,
)
from loopsafe.resolve.arguments import argument_at, metadata
from loopsafe.resolve.names import Definition, module_definitions
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import (
    ClassValue,
    Frame,
    FunctionValue,
    Instance,
    ModuleValue,
    TupleValue,
    Value,
    Values,
    union,
)
from loopsafe.resolve.variables import followed

MAKING, WRITING = "making", "writing"

_DEEPEST = 6
"""Types nested deeper than this are left alone: `list[dict[str, Item]]` is two deep."""


class Part(NamedTuple):
    """Something that runs while an object is made or written."""

    value: Value
    default_of: str = ""
    """The field that it gives a value to, where nobody else does."""


def running(resolver: Resolver, cls: ClassValue, during: str) -> tuple[Part, ...]:
    """What runs when an object of a class is made, or written out, besides its `__init__`."""
    bare = cls._replace(arguments=())
    return resolver.remember(
        ("during", during, bare), cls.module, lambda: tuple(_running(resolver, bare, during))
    )


def running_in(resolver: Resolver, values: Values, during: str) -> tuple[Part, ...]:
    """The same for all models in values and in the fields of these: `list[Order]`."""
    parts = (running(resolver, cls, during) for cls in models_in(resolver, values))
    return tuple(dict.fromkeys(part for some in parts for part in some))


def models_in(resolver: Resolver, values: Values) -> tuple[ClassValue, ...]:
    """Classes that a library makes of data, among values, their type arguments, and fields."""
    found: dict[ClassValue, None] = {}
    todo = [(value, 0) for value in values]
    while todo:
        value, depth = todo.pop()
        cls = value.cls if isinstance(value, Instance) else value
        inner: Values = ()
        if isinstance(value, TupleValue):
            inner = union(value.items)
        elif isinstance(cls, ClassValue):
            inner = union(cls.arguments)
            bare = cls._replace(arguments=())
            if bare not in found and is_model(resolver, bare):
                found[bare] = None
                inner = (*inner, *_field_values(resolver, bare))
        if depth < _DEEPEST:
            todo.extend((part, depth + 1) for part in inner)
    return tuple(found)


def is_model(resolver: Resolver, cls: ClassValue) -> bool:
    """Whether a project's class is one that a library makes of data."""
    if not _is_project(resolver, cls.module):
        return False
    known = (resolver.knowledge(owner) for owner in resolver.mro(cls))
    return any(entry is not None and entry.makers for entry in known)


def model_call(resolver: Resolver, call: Call, frame: Frame) -> tuple[Part, ...]:
    """What runs when a method of a model makes or writes one: `Order.model_validate(data)`."""
    func = call.func
    if not isinstance(func, Attr) or func.name not in resolver.catalogue.words.making:
        return ()
    found: dict[Part, None] = {}
    for value in resolver.values(func.value, frame):
        cls = value.cls if isinstance(value, Instance) else value
        if not isinstance(cls, ClassValue) or not is_model(resolver, cls):
            continue
        if any(_is_project(resolver, f.module) for f in functions(resolver, cls, func.name)):
            continue
        for owner in resolver.mro(cls):
            known = resolver.knowledge(owner)
            if known is not None and func.name in known.makers:
                found.update(dict.fromkeys(running_in(resolver, (cls,), MAKING)))
            if known is not None and func.name in known.writers:
                found.update(dict.fromkeys(running_in(resolver, (cls,), WRITING)))
    return tuple(found)


def _running(resolver: Resolver, cls: ClassValue, during: str) -> Iterator[Part]:
    called: set[str] = set()
    follow = is_model(resolver, cls)
    for owner in resolver.mro(cls):
        known = resolver.knowledge(owner)
        if known is not None and during == MAKING:
            called |= known.made
        module = resolver.table.get(owner.module) if isinstance(owner, ClassValue) else None
        if not isinstance(owner, ClassValue) or module is None or not module.is_project:
            continue
        tells = bool(resolver.catalogue.words.during & module.facts.words)
        if tells or follow:
            for name, binding, frame in _body(resolver, owner):
                if tells:
                    yield from _direct(resolver, cls, name, binding, frame, during)
                if follow and binding.annotation is not None:
                    for marker, where in annotation_markers(resolver, binding.annotation, frame):
                        yield from _marked(resolver, marker, where, during, "")
    for method in sorted(called):
        yield from (Part(function) for function in functions(resolver, cls, method))


def _body(resolver: Resolver, cls: ClassValue) -> Iterator[tuple[str, Binding, Frame]]:
    """The bindings of a class's own body."""
    module = resolver.table.get(cls.module)
    if module is None:
        return
    scope = module.facts.classes[cls.number].scope
    frame = resolver.frame(cls.module, scope, cls)
    for name, bindings in module.facts.scopes[scope].bindings.items():
        yield from ((name, binding, frame) for binding in bindings)


def _direct(
    resolver: Resolver, cls: ClassValue, name: str, binding: Binding, frame: Frame, during: str
) -> Iterator[Part]:
    """A decorated method, or the default of a field: `Field(default_factory=f)`."""
    if not isinstance(binding.value, FunctionRef):
        yield from _marked(resolver, binding.value, frame, during, name)
        return
    number = binding.value.number
    module = resolver.table.get(frame.module)
    for decorator in module.facts.functions[number].decorators if module else ():
        callee = decorator.func if isinstance(decorator, Call) else decorator
        if any(r.decorated and r.during == during for r in runners_of(resolver, callee, frame)):
            yield Part(FunctionValue(frame.module, number, cls, True))


def _marked(
    resolver: Resolver, marker: Expr | None, frame: Frame, during: str, default_of: str
) -> Iterator[Part]:
    """The callable that a field's default or annotation hands over."""
    if not isinstance(marker, Call):
        return
    for runner in runners_of(resolver, marker.func, frame):
        argument = argument_at(marker, runner.position, runner.argument)
        if runner.during == during and argument is not None and not runner.decorated:
            yield from (Part(value, default_of) for value in resolver.values(argument, frame))


def annotation_markers(
    resolver: Resolver, annotation: Expr, frame: Frame, depth: int = 0
) -> Iterator[tuple[Expr, Frame]]:
    """What the `Annotated[...]` in an annotation carry, through aliases, with where it is read."""
    if depth > _DEEPEST:
        return
    if isinstance(annotation, Subscript):
        yield from ((marker, frame) for marker in metadata(annotation))
        for part in key_parts(annotation):
            yield from annotation_markers(resolver, part, frame, depth + 1)
    elif isinstance(annotation, Binary):
        for part in (annotation.left, annotation.right):
            yield from annotation_markers(resolver, part, frame, depth + 1)
    elif isinstance(annotation, (Name, Attr)):
        for definition in _aliases(resolver, annotation, frame):
            value = definition.binding.value
            if isinstance(value, (Subscript, Name, Attr)):
                yield from annotation_markers(resolver, value, definition.frame, depth + 1)


def _aliases(resolver: Resolver, expr: Name | Attr, frame: Frame) -> Iterable[Definition]:
    if isinstance(expr, Name):
        return followed(resolver, expr, frame)
    return [
        definition
        for base in resolver.values(expr.value, frame)
        if isinstance(base, ModuleValue)
        for definition in module_definitions(resolver, base.name, expr.name)
    ]


def _field_values(resolver: Resolver, cls: ClassValue) -> Values:
    """What the annotated fields of a class and of its bases hold."""
    found: dict[Value, None] = {}
    for owner in resolver.mro(cls):
        if not isinstance(owner, ClassValue) or not _is_project(resolver, owner.module):
            continue
        for _, binding, frame in _body(resolver, owner):
            if binding.annotation is not None:
                found.update(dict.fromkeys(resolver.instances(binding.annotation, frame)))
    return tuple(found)


def _is_project(resolver: Resolver, name: str) -> bool:
    module = resolver.table.get(name)
    return module is not None and module.is_project
