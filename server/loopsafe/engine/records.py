"""Records as lists, words and numbers, and back: for files that anything may have happened to."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable
from enum import Enum
from functools import cache
from typing import Any


def plain(value: Any) -> Any:
    """Records and enumerations as lists and words."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value):
        return [plain(getattr(value, field.name)) for field in dataclasses.fields(value)]
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def made(kind: Any, value: Any) -> Any:
    """The value of a type that `plain` took apart."""
    base = typing.get_origin(kind)
    if base in (typing.Union, types.UnionType):
        own = [k for k in typing.get_args(kind) if k is not type(None)]
        if value is None or len(own) > 1:
            return _literal(value, typing.get_args(kind))
        return made(own[0], value)
    if base is tuple:
        kinds = typing.get_args(kind)
        if len(kinds) == 2 and kinds[1] is ...:
            return tuple([made(kinds[0], item) for item in value])
        return tuple([made(k, item) for k, item in zip(kinds, value, strict=True)])
    if kind in (str, int, bool):
        return _literal(value, (kind,))
    if issubclass(kind, Enum):
        return kind(value)
    parts: Iterable[Any] = zip(_fields(kind), value, strict=True)
    return kind(*[made(part, item) for part, item in parts])


def _literal(value: Any, kinds: tuple[Any, ...]) -> Any:
    if type(value) not in kinds:
        raise TypeError(kinds)
    return value


@cache
def _fields(kind: type[Any]) -> tuple[Any, ...]:
    return tuple(typing.get_type_hints(kind).values())
