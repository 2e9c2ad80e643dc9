"""Type variables: which a class has, and what one stands for in a class or a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Binary, Call, Display, Expr, Imported, Name, Subscript, key_parts
from loopsafe.resolve.names import Definition, definitions, module_definitions, qualified
from loopsafe.resolve.values import (
    ClassValue,
    External,
    Frame,
    FunctionValue,
    Instance,
    TupleValue,
    Values,
    as_instance,
    union,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def type_parameters(resolver: Resolver, cls: ClassValue) -> tuple[str, ...]:
    """The names of a generic class's type variables, in order."""
    return resolver.remember(
        ("parameters", cls.module, cls.number),
        cls.module,
        lambda: _type_parameters(resolver, cls),
    )


def type_variable(resolver: Resolver, expr: Expr, frame: Frame) -> str | None:
    """The name of the type variable that an expression is, if it is one."""
    if not isinstance(expr, Name):
        return None
    is_variable = resolver.remember(
        ("variable", id(expr), frame.scope),
        frame.module,
        lambda: _is_type_variable(resolver, expr, frame),
    )
    return expr.id if is_variable else None


def followed(resolver: Resolver, expr: Name, frame: Frame) -> tuple[Definition, ...]:
    """The definitions of a name, through imports from modules that have source."""
    found: list[Definition] = []
    for definition in definitions(resolver, expr, frame):
        value = definition.binding.value
        module = resolver.table.get(definition.frame.module)
        if isinstance(value, Imported) and value.name is not None and module is not None:
            source = resolver.table.imported(module, value.module, value.level)
            further = module_definitions(resolver, source, value.name)
            found.extend(further or (definition,))
        else:
            found.append(definition)
    return tuple(found)


def substituted(resolver: Resolver, variable: str, expr: Name, frame: Frame) -> Values:
    """What a type variable stands for here: the class's argument, this call's, or its bound."""
    here: Frame | None = frame
    while here is not None:
        cls = here.receiver
        if cls is not None:
            found = argument_of(resolver, cls, variable)
            if found:
                return found
        if here.arguments:
            found = from_arguments(resolver, variable, here)
            if found:
                return found
        here = here.outer
    for definition in followed(resolver, expr, frame):
        value = definition.binding.value
        if isinstance(value, Call):
            for keyword, bound in value.keywords:
                if keyword == "bound":
                    return resolver.instances(bound, definition.frame)
    return ()


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


def generic_parameters(resolver: Resolver, function: FunctionValue) -> frozenset[int]:
    """The parameters of a function whose annotations have a type variable in them."""
    return (
        resolver.remember(
            ("generic", function.module, function.number),
            function.module,
            lambda: frozenset(_generic_parameters(resolver, function)),
        )
        or frozenset()
    )


def passes_on_plainly(resolver: Resolver, cls: ClassValue) -> bool:
    """Whether a class gives its type variables to its bases only as they are: `Sequence[T]`."""
    module = resolver.table.get(cls.module)
    if module is None:
        return False
    facts = module.facts.classes[cls.number]
    frame = resolver.frame(cls.module, facts.outer)
    return all(
        isinstance(part, Name) or not _variables_in(resolver, part, frame)
        for base in facts.bases
        if isinstance(base, Subscript)
        for part in key_parts(base)
    )


def argument_of(resolver: Resolver, cls: ClassValue, variable: str) -> Values:
    """What a class, or one of its generic bases, is given for a type variable."""
    own = _own_argument(resolver, cls, variable)
    # The bases' arguments may be the class's own: these have to be known without the bases.
    if own is not None:
        return own
    others = (_own_argument(resolver, owner, variable) for owner in resolver.mro(cls)[1:])
    return next((found for found in others if found is not None), ())


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
    for position, part in enumerate(parts):
        if variable in _variables_in(resolver, part, frame):
            inner = _part(resolver, annotation.value, given, (position, len(parts)), frame)
            found = _unified(resolver, part, inner, variable, frame)
            if found:
                return found
    return ()


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


def _own_argument(resolver: Resolver, cls: ClassValue | External, variable: str) -> Values | None:
    if not isinstance(cls, ClassValue) or not cls.arguments:
        return None
    names = type_parameters(resolver, cls)
    if variable not in names or names.index(variable) >= len(cls.arguments):
        return None
    return cls.arguments[names.index(variable)]


def _generic_parameters(resolver: Resolver, function: FunctionValue) -> Iterator[int]:
    module = resolver.table.get(function.module)
    if module is None:
        return
    facts = module.facts.functions[function.number]
    frame = resolver.frame(function.module, facts.outer)
    for index, parameter in enumerate(facts.parameters):
        if parameter.annotation is not None and _mentions_one(
            resolver, parameter.annotation, frame
        ):
            yield index


def _mentions_one(resolver: Resolver, annotation: Expr, frame: Frame) -> bool:
    """Whether a type expression has a type variable in it."""
    if isinstance(annotation, Binary):
        return _mentions_one(resolver, annotation.left, frame) or _mentions_one(
            resolver, annotation.right, frame
        )
    return bool(_variables_in(resolver, annotation, frame))


def _is_type_variable(resolver: Resolver, expr: Name, frame: Frame) -> bool:
    for found in followed(resolver, expr, frame):
        value = found.binding.value
        if isinstance(value, Call):
            name = qualified(resolver, value.func, found.frame)
            if name is not None and name.rpartition(".")[2] in ("TypeVar", "ParamSpec"):
                return True
    return False


def _type_parameters(resolver: Resolver, cls: ClassValue) -> tuple[str, ...]:
    module = resolver.table.get(cls.module)
    if module is None:
        return ()
    facts = module.facts.classes[cls.number]
    frame = resolver.frame(cls.module, facts.outer)
    explicit: list[str] = []
    implied: list[str] = []
    for base in facts.bases:
        if not isinstance(base, Subscript):
            continue
        names = [n for part in key_parts(base) for n in _variables_in(resolver, part, frame)]
        base_name = qualified(resolver, base.value, frame) or ""
        if base_name.rpartition(".")[2] in ("Generic", "Protocol"):
            explicit.extend(names)
        implied.extend(names)
    return tuple(dict.fromkeys(explicit or implied))


def _variables_in(resolver: Resolver, expr: Expr, frame: Frame) -> list[str]:
    if isinstance(expr, Subscript):
        return _variables_in(resolver, expr.key, frame)
    if isinstance(expr, Display):
        return [name for part in expr.items for name in _variables_in(resolver, part, frame)]
    found = type_variable(resolver, expr, frame)
    return [found] if found else []


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
