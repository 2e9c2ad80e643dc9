"""Annotations: what a value of a type expression may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from loopsafe.facts.ir import (
    Attr,
    Binary,
    Call,
    Choice,
    ClassRef,
    Const,
    Display,
    Expr,
    Imported,
    Name,
    Subscript,
)
from loopsafe.resolve.names import Definition, definitions, module_definitions, qualified
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    CoroutineValue,
    External,
    ExternalInstance,
    Frame,
    Instance,
    ModuleValue,
    TupleValue,
    Value,
    Values,
    union,
)

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def instances(resolver: Resolver, expr: Expr, frame: Frame) -> Values:
    """What a value annotated with this expression may be; empty where it says nothing."""
    if isinstance(expr, (Name, Attr)):
        return _named(resolver, expr, frame)
    if isinstance(expr, Subscript):
        return _subscript(resolver, expr, frame)
    if isinstance(expr, Binary):
        return union((resolver.instances(expr.left, frame), resolver.instances(expr.right, frame)))
    if isinstance(expr, Choice):
        return union(resolver.instances(option, frame) for option in expr.options)
    if isinstance(expr, Const):
        return (ConstantValue(None),) if expr.value is None else ()
    if isinstance(expr, Call):
        return tuple(as_instance(value) for value in resolver.values(expr, frame))
    return ()


def classes(resolver: Resolver, expr: Expr, frame: Frame) -> tuple[ClassValue | External, ...]:
    """The classes that a base-class or `type[...]` expression names, with their arguments."""
    found: list[ClassValue | External] = []
    for value in instances(resolver, expr, frame):
        if isinstance(value, Instance):
            found.append(value.cls)
        elif isinstance(value, ExternalInstance):
            found.append(External(value.name))
        elif isinstance(value, TupleValue):
            found.extend(c for c in resolver.named("builtins.tuple") if isinstance(c, ClassValue))
    return tuple(found)


def as_instance(value: Value) -> Value:
    """An object of a class; any other value as it is."""
    if isinstance(value, ClassValue):
        return Instance(value)
    return ExternalInstance(value.name) if isinstance(value, External) else value


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
    for found in _followed(resolver, expr, frame):
        value = found.binding.value
        if isinstance(value, Call):
            name = qualified(resolver, value.func, found.frame)
            if name is not None and name.rpartition(".")[2] in ("TypeVar", "ParamSpec"):
                return expr.id
    return None


def _named(resolver: Resolver, expr: Name | Attr, frame: Frame) -> Values:
    name = qualified(resolver, expr, frame)
    if name is not None:
        short = name.rpartition(".")[2]
        if short in _MEANINGLESS and name.partition(".")[0] in _TYPING:
            return ()
        if short == "Self" and name.partition(".")[0] in _TYPING:
            return (Instance(frame.receiver),) if frame.receiver else ()
        if short in _RENAMED and name.partition(".")[0] in _TYPING:
            return resolver.instance_of(_RENAMED[short])
    if isinstance(expr, Attr):
        return _attribute(resolver, expr, frame)
    variable = type_variable(resolver, expr, frame)
    if variable is not None:
        return _substituted(resolver, variable, expr, frame)
    found = _followed(resolver, expr, frame)
    if not found:
        return tuple(_instance_of(value) for value in resolver.values(expr, frame))
    return union(_aliased(resolver, definition, expr, frame) for definition in found)


def _attribute(resolver: Resolver, expr: Attr, frame: Frame) -> Values:
    """`module.Class`, or a type alias in another module."""
    found: list[Values] = []
    for base in resolver.values(expr.value, frame):
        if isinstance(base, ModuleValue):
            definitions = module_definitions(resolver, base.name, expr.name)
            if definitions:
                found.extend(_aliased(resolver, d, None, frame) for d in definitions)
                continue
        found.append(tuple(_instance_of(v) for v in resolver.attribute(base, expr.name)))
    return union(found)


def _aliased(resolver: Resolver, definition: Definition, expr: Name | None, frame: Frame) -> Values:
    """What the definition behind a type name makes of a value: a class, or an alias' target."""
    value, home = definition.binding.value, definition.frame
    if isinstance(value, (Subscript, Binary, Name, Attr)):
        if home is frame and isinstance(value, Name) and expr is not None and value.id == expr.id:
            return ()
        return resolver.instances(value, home)
    if isinstance(value, Call) and len(value.args) == 2:
        # NewType("UserId", int): an object of the second argument.
        name = qualified(resolver, value.func, home) or ""
        if name.rpartition(".")[2] == "NewType":
            return resolver.instances(value.args[1], home)
    if isinstance(value, ClassRef) and home.module == frame.module:
        return (Instance(ClassValue(home.module, value.number)),)
    return tuple(_instance_of(v) for v in resolver.bound(definition.binding, home))


def _followed(resolver: Resolver, expr: Name, frame: Frame) -> tuple[Definition, ...]:
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


def _instance_of(value: Value) -> Value:
    return as_instance(value)


def _substituted(resolver: Resolver, variable: str, expr: Name, frame: Frame) -> Values:
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
    for definition in _followed(resolver, expr, frame):
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
    index = annotation.key
    parts = index.items if isinstance(index, Display) else (index,)
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


def mentions_variable(resolver: Resolver, annotation: Expr, frame: Frame) -> bool:
    """Whether a type expression has a type variable in it."""
    if isinstance(annotation, Binary):
        return mentions_variable(resolver, annotation.left, frame) or mentions_variable(
            resolver, annotation.right, frame
        )
    return bool(_variables_in(resolver, annotation, frame))


def argument_of(resolver: Resolver, cls: ClassValue, variable: str) -> Values:
    """What a class, or one of its generic bases, is given for a type variable."""
    own = _own_argument(resolver, cls, variable)
    # The bases' arguments may be the class's own: these have to be known without the bases.
    if own is not None:
        return own
    others = (_own_argument(resolver, owner, variable) for owner in resolver.mro(cls)[1:])
    return next((found for found in others if found is not None), ())


def _own_argument(resolver: Resolver, cls: ClassValue | External, variable: str) -> Values | None:
    if not isinstance(cls, ClassValue) or not cls.arguments:
        return None
    names = type_parameters(resolver, cls)
    if variable not in names or names.index(variable) >= len(cls.arguments):
        return None
    return cls.arguments[names.index(variable)]


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
        parts = base.key.items if isinstance(base.key, Display) else (base.key,)
        names = [n for part in parts for n in _variables_in(resolver, part, frame)]
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


def _subscript(resolver: Resolver, expr: Subscript, frame: Frame) -> Values:
    name = qualified(resolver, expr.value, frame) or ""
    parts = expr.key.items if isinstance(expr.key, Display) else (expr.key,)
    if not parts:
        return ()
    special = _SPECIAL.get(name.rpartition(".")[2])
    if special is not None and name.partition(".")[0] in _TYPING:
        return special(resolver, parts, frame)
    arguments = tuple(resolver.instances(part, frame) for part in parts)
    found: list[Value] = []
    for value in resolver.instances(expr.value, frame):
        if isinstance(value, Instance):
            value = Instance(value.cls._replace(arguments=arguments))
        found.append(value)
    return tuple(found)


def _first(resolver: Resolver, parts: tuple[Expr, ...], frame: Frame) -> Values:
    return resolver.instances(parts[0], frame)


def _optional(resolver: Resolver, parts: tuple[Expr, ...], frame: Frame) -> Values:
    return (*resolver.instances(parts[0], frame), ConstantValue(None))


def _union(resolver: Resolver, parts: tuple[Expr, ...], frame: Frame) -> Values:
    return union(resolver.instances(part, frame) for part in parts)


def _type(resolver: Resolver, parts: tuple[Expr, ...], frame: Frame) -> Values:
    return classes(resolver, parts[0], frame)


def _awaitable(resolver: Resolver, parts: tuple[Expr, ...], frame: Frame) -> Values:
    return (CoroutineValue(resolver.instances(parts[-1], frame)),)


def _literal(resolver: Resolver, parts: tuple[Expr, ...], frame: Frame) -> Values:
    return tuple(ConstantValue(part.value) for part in parts if isinstance(part, Const))


def _tuple(resolver: Resolver, parts: tuple[Expr, ...], frame: Frame) -> Values:
    items = tuple(resolver.instances(part, frame) for part in parts)
    if len(parts) == 2 and not isinstance(parts[1], (Name, Attr, Subscript, Binary, Const)):
        return resolver.builtin("tuple", items[0])
    return (TupleValue(items),)


def _nothing(resolver: Resolver, parts: tuple[Expr, ...], frame: Frame) -> Values:
    return ()


_TYPING = frozenset({"typing", "typing_extensions", "builtins", "collections", "_typeshed"})

_MEANINGLESS = frozenset({"Any", "object", "Callable", "Incomplete", "Never", "NoReturn"})
"""Type names that say nothing of what a value can do."""

_RENAMED = {
    "List": "builtins.list",
    "Dict": "builtins.dict",
    "Set": "builtins.set",
    "FrozenSet": "builtins.frozenset",
    "Tuple": "builtins.tuple",
    "DefaultDict": "collections.defaultdict",
    "OrderedDict": "collections.OrderedDict",
    "Counter": "collections.Counter",
    "ChainMap": "collections.ChainMap",
    "Deque": "collections.deque",
}
"""Names of `typing` that stand for classes elsewhere, which its stub does not say."""

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

_SPECIAL: dict[str, Callable[[Resolver, tuple[Expr, ...], Frame], Values]] = {
    "Annotated": _first,
    "ClassVar": _first,
    "Final": _first,
    "Required": _first,
    "NotRequired": _first,
    "ReadOnly": _first,
    "Optional": _optional,
    "Union": _union,
    "Type": _type,
    "type": _type,
    "Awaitable": _awaitable,
    "Coroutine": _awaitable,
    "Literal": _literal,
    "Tuple": _tuple,
    "tuple": _tuple,
    "Callable": _nothing,
    "Concatenate": _nothing,
}
