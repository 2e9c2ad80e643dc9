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
    Expr,
    Name,
    Subscript,
    key_parts,
)
from loopsafe.resolve.names import Definition, module_definitions, qualified
from loopsafe.resolve.substitution import substituted
from loopsafe.resolve.values import (
    ClassValue,
    ConstantValue,
    CoroutineValue,
    External,
    ExternalInstance,
    Frame,
    Instance,
    ModuleValue,
    ReturningValue,
    TupleValue,
    Value,
    Values,
    as_instance,
    union,
    without_none,
)
from loopsafe.resolve.variables import followed, type_variable

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def instances(resolver: Resolver, expr: Expr, frame: Frame) -> Values:
    """What a value annotated with this expression may be; empty where it says nothing."""
    if isinstance(expr, (Name, Attr)):
        found = _named(resolver, expr, frame)
        return tuple(value for value in found if not _is_meaningless(resolver, value))
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


def _is_meaningless(resolver: Resolver, value: Value) -> bool:
    """Whether a value is of `Any` or `object`, under whatever name."""
    if not isinstance(value, Instance) or value.cls.module not in _TYPING:
        return False
    module = resolver.table.get(value.cls.module)
    return module is not None and module.facts.classes[value.cls.number].name in _MEANINGLESS


def _named(resolver: Resolver, expr: Name | Attr, frame: Frame) -> Values:
    form = _form(resolver, expr, frame)
    if form in _MEANINGLESS:
        return ()
    if form == "Self":
        return (Instance(frame.receiver),) if frame.receiver else ()
    if form in _RENAMED:
        return resolver.instance_of(_RENAMED[form])
    if isinstance(expr, Attr):
        return _attribute(resolver, expr, frame)
    variable = type_variable(resolver, expr, frame)
    if variable is not None:
        return substituted(resolver, variable, expr, frame)
    found = followed(resolver, expr, frame)
    if not found:
        return tuple(as_instance(value) for value in resolver.values(expr, frame))
    return union(_aliased(resolver, definition, expr, frame) for definition in found)


def _form(resolver: Resolver, expr: Expr, frame: Frame) -> str:
    """The name that `typing` has for a type expression, also where it comes by other modules."""
    home, _, short = (qualified(resolver, expr, frame) or "").rpartition(".")
    if home.partition(".")[0] in _TYPING:
        return short
    if not home or short not in _FORMS:
        return ""
    found = module_definitions(resolver, home, short)
    return short if any(definition.frame.module in _TYPING for definition in found) else ""


def _attribute(resolver: Resolver, expr: Attr, frame: Frame) -> Values:
    """`module.Class`, or a type alias in another module."""
    found: list[Values] = []
    for base in resolver.values(expr.value, frame):
        if isinstance(base, ModuleValue):
            definitions = module_definitions(resolver, base.name, expr.name)
            if definitions:
                found.extend(_aliased(resolver, d, None, frame) for d in definitions)
                continue
        found.append(tuple(as_instance(v) for v in resolver.attribute(base, expr.name)))
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
    return tuple(as_instance(v) for v in resolver.bound(definition.binding, home))


def _subscript(resolver: Resolver, expr: Subscript, frame: Frame) -> Values:
    parts = key_parts(expr)
    if not parts:
        return ()
    special = _SPECIAL.get(_form(resolver, expr.value, frame))
    if special is not None:
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


def _callable(resolver: Resolver, parts: tuple[Expr, ...], frame: Frame) -> Values:
    result = resolver.instances(parts[-1], frame) if len(parts) > 1 else ()
    return (ReturningValue(result),) if without_none(result) else ()


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
    "TypedDict": "typing._TypedDict",
}
"""Names of `typing` that stand for classes elsewhere, which its stub does not say."""


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
    "Callable": _callable,
    "Concatenate": _nothing,
}

_FORMS = frozenset({*_MEANINGLESS, *_RENAMED, *_SPECIAL, "Self"})
