"""What is known of the values that a package's functions are given: literals, and what is less."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from loopsafe.facts.ir import Literal
from loopsafe.record import Record

_MOST_OPTIONS = 4
"""Values that a name may have, to be tried one by one."""


class Symbol(NamedTuple):
    """A default that is no literal, by its name: a marker for "not given"."""

    name: str


class Given(NamedTuple):
    """What a caller passes, whatever it is: something on purpose."""

    is_object: bool = False
    """It is an object that counts as true."""


class Small(NamedTuple):
    """A short function of a package, which gives what its text says of known arguments."""

    gives: Callable[[tuple[tuple[Known, ...], ...]], tuple[bool, Known]]
    """Whether what it gives is known, and what it is; nothing is known of an empty argument."""


class Gathered(Record):
    """What `**keywords` gathers of a call, by name, or `*arguments` in order.

    Nothing is known of an empty value.
    """

    items: tuple[tuple[str, tuple[Known, ...]], ...] = ()
    placed: tuple[tuple[Known, ...], ...] = ()
    is_open: bool = False
    """There may be more, which nobody sees."""


class Choice(NamedTuple):
    """One of a few values, whichever: all that is ever assigned are these."""

    options: tuple[Literal, ...]


Known: TypeAlias = "Literal | Symbol | Given | Gathered | Choice | Small"
"""What is known of a name's value."""


def choice(values: Iterable[Known]) -> tuple[Known, ...]:
    """What is known of a name that has one of some values; nothing where they are too many."""
    different = tuple({(type(value), value): value for value in values}.values())
    if len(different) == 1:
        return different
    options: list[Literal] = []
    for value in different:
        if isinstance(value, (Symbol, Given, Gathered, Small)):
            return ()
        options += value.options if isinstance(value, Choice) else (value,)
    unique = tuple({(type(option), option): option for option in options}.values())
    return (Choice(unique),) if 0 < len(unique) <= _MOST_OPTIONS else ()
