"""What a type variable stands for: by the class, by what a call passes, or by its own word."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Binary, Call, Expr, Name, Subscript, key_parts
from loopsafe.resolve.names import Definition, qualified
from loopsafe.resolve.values import (
    ClassValue,
    Frame,
    Instance,
    TupleValue,
    Values,
    as_instance,
    union,
)
from loopsafe.resolve.variables import argument_of, followed, type_variable, variables_in

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def substituted(resolver: Resolver, variable: str, expr: Name, frame: Frame) -> Values:
    """What a type variable stands for here: the class's argument, this call's, or its bound."""
    here: Frame | None = frame
    while here is not None:
        cls = here.receiver
        if cls is not None:
            found = argument_of(resolver, cls, variable) or _itself(resolver, variable, here, cls)
            if found:
                return found
        if here.arguments:
            found = from_arguments(resolver, variable, here)
            if found:
                return found
        here = here.outer
    for definition in followed(resolver, expr, frame):
        value = definition.binding.value
        told = dict(value.keywords) if isinstance(value, Call) else {}
        default, bound = told.get("default"), told.get("bound")
        found = _by_default(resolver, variable, default, definition.frame, frame) if default else ()
        if found or bound is not None:
            return found or (resolver.instances(bound, definition.frame) if bound else ())
    return ()


def _by_default(
    resolver: Resolver, variable: str, default: Expr, home: Frame, frame: Frame
) -> Values:
    """What a type variable stands for where nothing is given for it: often for another one."""
    other = type_variable(resolver, default, home)
    if other is not None and isinstance(default, Name):
        if other == variable:
            return ()
        return substituted(resolver, other, default, frame)
    return resolver.instances(default, home)


def _itself(resolver: Resolver, variable: str, frame: Frame, cls: ClassValue) -> Values:
    """The object of a method that names its own class so: `def all(self: T) -> T`."""
    module = resolver.table.get(frame.module)
    scope = module.facts.scopes[frame.scope] if module is not None else None
    if module is None or scope is None or scope.kind != "function":
        return ()
    function = module.facts.functions[scope.owner]
    annotation = function.parameters[0].annotation if function.parameters else None
    if isinstance(annotation, Subscript):
        annotation = annotation.key  # `cls: type[T]`.
    is_own = isinstance(annotation, Name) and annotation.id == variable
    return (Instance(cls),) if is_own and function.owner >= 0 else ()


def from_arguments(resolver: Resolver, variable: str, frame: Frame) -> Values:
    """What this call's arguments say of a function's own type variable."""
    module = resolver.table.get(frame.module)
    if module is None:
        return ()
    owner = module.facts.scopes[frame.scope].owner
    parameters = module.facts.functions[owner].parameters
    outer = resolver.frame(frame.module, module.facts.functions[owner].outer)
    for index, given in frame.arguments:
        annotation = parameters[index].annotation if index < len(parameters) else None
        if annotation is not None:
            found = _unified(resolver, annotation, given, variable, outer)
            if found:
                return found
    return ()


def _unified(
    resolver: Resolver, annotation: Expr, given: Values, variable: str, frame: Frame
) -> Values:
    """The variable's values, where `given` is passed for a parameter annotated so."""
    if isinstance(annotation, Name):
        return given if annotation.id == variable else ()
    if isinstance(annotation, Binary):
        return _unified(resolver, annotation.left, given, variable, frame) or _unified(
            resolver, annotation.right, given, variable, frame
        )
    if not isinstance(annotation, Subscript):
        return ()
    parts = key_parts(annotation)
    aliased = _alias(resolver, annotation.value, frame)
    for position, part in enumerate(parts):
        if aliased is not None and variable in variables_in(resolver, part, frame):
            inner = _by_alias(resolver, aliased, given, position)
            return _unified(resolver, part, inner, variable, frame)
        if variable in variables_in(resolver, part, frame):
            inner = _part(resolver, annotation.value, given, (position, len(parts)), frame)
            found = _unified(resolver, part, inner, variable, frame)
            if found:
                return found
    return ()


def _alias(resolver: Resolver, generic: Expr, frame: Frame) -> tuple[Definition, ...] | None:
    """The definitions of another name for types: `FutureLike = Future[T] | Awaitable[T]`."""
    if not isinstance(generic, Name):
        return None
    found = followed(resolver, generic, frame)
    targets = tuple(d for d in found if isinstance(d.binding.value, (Subscript, Binary)))
    return targets or None


def _by_alias(
    resolver: Resolver, aliased: tuple[Definition, ...], given: Values, position: int
) -> Values:
    """What `given` has for a type argument of an alias."""
    for definition in aliased:
        target = definition.binding.value
        names = list(dict.fromkeys(_named_in(resolver, target, definition.frame)))
        if target is not None and position < len(names):
            found = _unified(resolver, target, given, names[position], definition.frame)
            if found:
                return found
    return ()


def _named_in(resolver: Resolver, target: Expr | None, frame: Frame) -> list[str]:
    """The type variables of an alias, in order."""
    if isinstance(target, Binary):
        return [
            *_named_in(resolver, target.left, frame),
            *_named_in(resolver, target.right, frame),
        ]
    return variables_in(resolver, target, frame) if target is not None else []


def _part(
    resolver: Resolver, generic: Expr, given: Values, place: tuple[int, int], frame: Frame
) -> Values:
    """What `given` has for one argument of a generic type: the `T` of `Iterable[T]`."""
    position, count = place
    name = qualified(resolver, generic, frame) or ""
    declared = union(
        owner.arguments[position]
        for value in given
        if isinstance(value, Instance)
        for owner in resolver.mro(value.cls)
        if isinstance(owner, ClassValue)
        and position < len(owner.arguments)
        and _class_name(resolver, owner) == name
    )
    if declared:
        return declared
    short = name.rpartition(".")[2]
    known = _PARTS.get(short)
    if known is not None:
        return known(resolver, given, place)
    if count == 2 and position == 1:
        getters = (resolver.attribute(value, "__getitem__") for value in given)
        return union(resolver.called(getter) for found in getters for getter in found)
    return resolver.elements(given)


def _class_name(resolver: Resolver, cls: ClassValue) -> str:
    module = resolver.table.get(cls.module)
    return f"{module.dotted}.{module.facts.classes[cls.number].qualname}" if module else ""


def _same(resolver: Resolver, given: Values, place: tuple[int, int]) -> Values:
    return given


def _part_of_class(resolver: Resolver, given: Values, place: tuple[int, int]) -> Values:
    return tuple(as_instance(value) for value in given)


def _part_of_callable(resolver: Resolver, given: Values, place: tuple[int, int]) -> Values:
    is_result = place[0] == place[1] - 1
    return union(resolver.called(value) for value in given) if is_result else ()


def _part_of_awaitable(resolver: Resolver, given: Values, place: tuple[int, int]) -> Values:
    return resolver.awaited(given) if place[0] == place[1] - 1 else ()


def _part_of_tuple(resolver: Resolver, given: Values, place: tuple[int, int]) -> Values:
    return union(
        value.items[place[0]]
        if isinstance(value, TupleValue) and place[0] < len(value.items)
        else resolver.elements((value,))
        for value in given
    )


def _part_of_manager(resolver: Resolver, given: Values, place: tuple[int, int]) -> Values:
    return resolver.entered(given, False) if place[0] == 0 else ()


def _part_of_async_manager(resolver: Resolver, given: Values, place: tuple[int, int]) -> Values:
    return resolver.entered(given, True) if place[0] == 0 else ()


def _part_of_async_iterable(resolver: Resolver, given: Values, place: tuple[int, int]) -> Values:
    return resolver.elements(given, True) if place[0] == 0 else ()


_PARTS: dict[str, Callable[[Resolver, Values, tuple[int, int]], Values]] = {
    "type": _part_of_class,
    "Type": _part_of_class,
    "Callable": _part_of_callable,
    "Awaitable": _part_of_awaitable,
    "Coroutine": _part_of_awaitable,
    "Future": _part_of_awaitable,
    "Task": _part_of_awaitable,
    "tuple": _part_of_tuple,
    "Tuple": _part_of_tuple,
    "Optional": _same,
    "Union": _same,
    "Annotated": _same,
    "AbstractContextManager": _part_of_manager,
    "ContextManager": _part_of_manager,
    "AbstractAsyncContextManager": _part_of_async_manager,
    "AsyncContextManager": _part_of_async_manager,
    "AsyncIterable": _part_of_async_iterable,
    "AsyncIterator": _part_of_async_iterable,
    "AsyncGenerator": _part_of_async_iterable,
}
"""What an argument of a type from `typing` means for a value, by the type's own name."""
