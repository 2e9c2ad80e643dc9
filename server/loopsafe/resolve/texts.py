"""What methods of literal texts give where names are made of it: `path.rpartition(".")`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.facts.ir import Attr, Call
from loopsafe.resolve.values import ConstantValue, Frame, TupleValue, Values

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def spelled(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    """`verb.lower()` of literals is those in small letters; of anything else, a text."""
    if not isinstance(call.func, Attr) or call.args:
        return None
    texts = _texts(resolver, call, frame)
    made = (text.lower() if call.func.name == "lower" else text.upper() for text in texts)
    return tuple(dict.fromkeys(map(ConstantValue, made))) or None


def split(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    """The parts of literals: `"acme.Client".rsplit(".", 1)` is `"acme"` and `"Client"`."""
    given = [resolver.values(argument, frame) for argument in call.args]
    if call.keywords or not given or any(len(values) != 1 for values in given):
        return None
    arguments = [v.value for values in given for v in values if isinstance(v, ConstantValue)]
    if not isinstance(call.func, Attr) or len(arguments) != len(given):
        return None
    separator, most = (*arguments, -1)[:2]
    if not isinstance(separator, str) or not separator or not isinstance(most, int):
        return None
    found: list[TupleValue] = []
    for text in _texts(resolver, call, frame)[:_MOST]:
        parts = _parts(text, call.func.name, separator, most)
        found.append(TupleValue(tuple((ConstantValue(part),) for part in parts)))
    return tuple(found) or None


def _parts(text: str, method: str, separator: str, most: int) -> tuple[str, ...]:
    if method == "partition":
        return text.partition(separator)
    if method == "rpartition":
        return text.rpartition(separator)
    if method == "rsplit":
        return tuple(text.rsplit(separator, most))
    return tuple(text.split(separator, most))


def _texts(resolver: Resolver, call: Call, frame: Frame) -> tuple[str, ...]:
    """The literals that a method is called on; none where it may be called on anything else."""
    values = resolver.values(call.func.value, frame) if isinstance(call.func, Attr) else ()
    texts = [v.value for v in values if isinstance(v, ConstantValue) and isinstance(v.value, str)]
    return tuple(texts) if len(texts) == len(values) else ()


_MOST = 8
"""Literals that are taken apart; of a longer table, nobody knows which one is meant."""
