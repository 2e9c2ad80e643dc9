"""Containers: what they hold besides what their own type says, by what is put into them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from loopsafe.facts.ir import (
    Attr,
    Await,
    Call,
    Const,
    DictDisplay,
    Display,
    Expr,
    Filled,
    Name,
    Param,
    Starred,
    Subscript,
    last_name,
    root_name,
)
from loopsafe.facts.reach import encloses
from loopsafe.resolve.arguments import fitting
from loopsafe.resolve.callbacks import only_to_call
from loopsafe.resolve.names import Definition, definitions
from loopsafe.resolve.values import (
    ConstantValue,
    Frame,
    Instance,
    TupleValue,
    Value,
    Values,
    union,
)
from loopsafe.resolve.variables import followed, type_parameters

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


_CONTAINERS = (dict, list, set, str, bytes, tuple)


@cache
def container_methods() -> frozenset[str]:
    """The names of the methods of the built-in containers and texts."""
    return frozenset(name for kind in _CONTAINERS for name in dir(kind))


def filled(resolver: Resolver, containers: Values, element: Expr, frame: Frame) -> Values:
    """Containers with an element in them, where their own type does not say what they hold."""
    bare = [v for v in containers if isinstance(v, Instance) and _is_open(resolver, v)]
    held = _held(resolver, element, frame) if bare else ()
    found: list[Value] = []
    for value in bare if held else ():
        count = len(type_parameters(resolver, value.cls))
        if count in (1, 2) and resolver.attribute(value, "__iter__"):
            keys = (*value.cls.arguments[: count - 1], ())[: count - 1]
            found.append(Instance(value.cls._replace(arguments=(*keys, held))))
    return tuple(found)


def _is_open(resolver: Resolver, container: Instance) -> bool:
    """Whether a container's own type says at most that what it holds, or what containers in it
    hold, is to be called."""
    held = next(reversed(container.cls.arguments), ())
    return only_to_call(resolver, held) or all(
        isinstance(value, Instance)
        and value.cls.module == "builtins"
        and type_parameters(resolver, value.cls)
        and _is_open(resolver, value)
        for value in held
    )


def entry_values(resolver: Resolver, expr: Subscript, frame: Frame) -> Values:
    """What stands behind a literal key in a dict or list that is written out: `HANDLERS["csv"]`.

    Empty where its own text does not tell.
    """
    key = literal_key(resolver, expr.key, frame)
    if key is None:
        return ()
    if not isinstance(expr.value, Name):
        item = item_of(expr.value, key)
        return resolver.values(item, frame) if item is not None else ()
    found: list[Values] = []
    fillings: list[Definition] = []
    for definition in followed(resolver, expr.value, frame):
        value = definition.binding.value
        if isinstance(value, Filled):
            fillings.append(definition)
            continue
        item = item_of(value, key) if value is not None else None
        if item is not None:
            found.append(resolver.values(item, definition.frame))
        elif not isinstance(value, (DictDisplay, Display)) or not is_plain(value, key):
            return ()
    later, replaced = _put_behind(resolver, expr.value, key, frame, fillings)
    return union(later if replaced else [*found, *later])


Key: TypeAlias = Const | str
"""A literal, or the name of what a class has: `Mode.FAST`."""


def literal_key(resolver: Resolver, key: Expr, frame: Frame) -> Key | None:
    """A key that is written out, that a name stands for, or that a class has under a name."""
    if isinstance(key, Const):
        return key
    if isinstance(key, Attr):
        return _of_class(key) or None
    if not isinstance(key, Name):
        return None
    if any(isinstance(d.binding.value, Param) for d in definitions(resolver, key, frame)):
        return None  # Its default is not all that it may be.
    values = resolver.values(key, frame)
    only = values[0] if len(values) == 1 else None
    return Const(only.value) if isinstance(only, ConstantValue) else None


def _of_class(key: Expr | None) -> str:
    """`Mode.FAST` of `modes.Mode.FAST`; empty for what is no such name."""
    owner = last_name(key.value) if isinstance(key, Attr) else ""
    return f"{owner}.{key.name}" if isinstance(key, Attr) and owner[:1].isupper() else ""


def _is_key(known: Expr | None, key: Key) -> bool:
    """Whether an expression is a key, as it is written."""
    if isinstance(key, str):
        return _of_class(known) == key
    return isinstance(known, Const) and known == key


def _is_another(known: Expr | None, key: Key) -> bool:
    """Whether an expression is surely another key."""
    if isinstance(key, str):
        return bool(_of_class(known)) and _of_class(known) != key
    return isinstance(known, Const) and known != key


def _put_behind(
    resolver: Resolver, name: Name, key: Key, frame: Frame, fillings: list[Definition]
) -> tuple[list[Values], bool]:
    """What is put behind a key later on, and whether that surely hides what stood there first."""
    module = resolver.table.get(frame.module)
    blocks = module.facts.scopes[frame.scope].blocks if module else ()
    last = -1
    chosen: list[Definition] = []
    for definition in fillings:
        binding = definition.binding
        if not isinstance(binding.value, Filled):
            continue
        if _is_another(binding.value.key, key):
            continue
        chosen.append(definition)
        is_before = binding.scope == frame.scope and binding.order < name.order
        if _is_key(binding.value.key, key) and is_before:
            surely = encloses(blocks, binding.value.block, name.block)
            last = max(last, binding.order) if surely else last
    found: list[Values] = []
    for definition in chosen:
        binding = definition.binding
        if isinstance(binding.value, Filled) and (
            binding.scope != frame.scope or binding.order >= last
        ):
            found.append(_held(resolver, binding.value.element, definition.frame))
    return found, last >= 0


def item_of(display: Expr | None, key: Key) -> Expr | None:
    """The element of a display behind a key or at an index."""
    if isinstance(display, DictDisplay):
        behind = [item for known, item in display.items if _is_key(known, key)]
        return behind[-1] if behind and is_plain(display, key) else None
    if isinstance(key, str):
        return None
    if isinstance(display, Display) and isinstance(key.value, int) and is_plain(display):
        at = int(key.value)
        return display.items[at] if -len(display.items) <= at < len(display.items) else None
    return None


def is_plain(display: DictDisplay | Display, key: Key | None = None) -> bool:
    """Whether a display's keys, where a key is told, all of its kind, and length can be read off
    it."""
    if isinstance(display, DictDisplay):
        if isinstance(key, str):
            return all(_of_class(known) for known, _ in display.items)
        return all(isinstance(known, Const) for known, _ in display.items)
    return not any(isinstance(item, Starred) for item in display.items)


def filling_of(resolver: Resolver, filling: Filled, key: Key, frame: Frame) -> Values:
    """What a filling puts behind a key; nothing where it is for another one."""
    return () if _is_another(filling.key, key) else _held(resolver, filling.element, frame)


def _held(resolver: Resolver, element: Expr, frame: Frame) -> Values:
    """What is put into a container, read so that containers filled from each other end."""
    if isinstance(element, Await):
        return resolver.awaited(_held(resolver, element.value, frame))
    if isinstance(element, Call):
        callees = fitting(resolver, _held(resolver, element.func, frame), element, None)
        return union(resolver.called(callee) for callee in callees)
    if isinstance(element, Display) and element.kind == "tuple" and is_plain(element):
        return (TupleValue(tuple(_held(resolver, item, frame) for item in element.items)),)
    if isinstance(element, Display) and len(element.items) == 1 and is_plain(element):
        return resolver.builtin(element.kind, _held(resolver, element.items[0], frame))
    if isinstance(element, DictDisplay) and len(element.items) == 1:
        return resolver.builtin("dict", (), _held(resolver, element.items[0][1], frame))
    module = resolver.table.get(frame.module)
    bindings = module.facts.scopes[frame.scope].bindings if module else {}
    root = bindings.get(root_name(element) or "", ())
    if any(isinstance(binding.value, Filled) for binding in root):
        return ()
    return resolver.told(element, frame)
