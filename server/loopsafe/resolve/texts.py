"""What methods of literal texts give where names are made of it: `path.rpartition(".")`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Attr, Call
from loopsafe.resolve.values import ConstantValue, Frame, TupleValue, Values

if TYPE_CHECKING:
    from loopsafe.resolve.resolver import Resolver


def spelled(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    """`verb.lower()` of literals is those in small letters; of anything else, a text."""
    if not isinstance(call.func, Attr) or call.args:
        return None
    change = _SPELLINGS[call.func.name]
    made = (change(text) for text in _texts(resolver, call, frame))
    return tuple(dict.fromkeys(map(ConstantValue, made))) or None


def put_together(parts: Sequence[Values]) -> Values:
    """Literals in one: `__package__ + "." + name`, `f"acme.{version}"`."""
    text = ""
    for values in parts:
        part = values[0] if len(values) == 1 else None
        if not isinstance(part, ConstantValue) or not isinstance(part.value, (str, int)):
            return ()
        text += str(part.value)
    return (ConstantValue(text),) if parts and len(text) <= LONGEST_TEXT else ()


def interpolated(left: Values, right: Values) -> Values:
    """`"acme.v%s" % version`, where both are literals."""
    text = left[0].value if len(left) == 1 and isinstance(left[0], ConstantValue) else None
    given = right[0] if len(right) == 1 else None
    each = given.items if isinstance(given, TupleValue) else (right,)
    if not isinstance(text, str) or any(len(v) != 1 for v in each):
        return ()
    told = [value.value for values in each for value in values if isinstance(value, ConstantValue)]
    if len(told) != len(each) or len(_CONVERSION.findall(text)) != len(told):
        return ()
    return _written(_CONVERSION, text, told, {}, "%")


def formatted(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    """`"acme.{}.client".format(version)`, where all are literals."""
    told: dict[str, object] = {}
    for name, argument in (*((str(n), a) for n, a in enumerate(call.args)), *call.keywords):
        values = resolver.values(argument, frame)
        value = values[0] if len(values) == 1 else None
        if name is None or not isinstance(value, ConstantValue):
            return None
        told[name] = value.value
    texts = _texts(resolver, call, frame)
    placed = [told[str(number)] for number in range(len(call.args))]
    return (_written(_FIELD, texts[0], placed, told, "{}") if len(texts) == 1 else ()) or None


def _written(
    field: re.Pattern[str],
    text: str,
    placed: Sequence[object],
    named: Mapping[str, object],
    marks: str,
) -> Values:
    """A text with something in the place of each of its fields; nothing where a mark is left that
    says more than where, such as `%5d`."""
    pieces = field.split(text)
    between, names = pieces[:: 1 + field.groups], pieces[1::2] if field.groups else ()
    line = iter(placed)
    asked = names or [""] * (len(between) - 1)
    found = [named.get(name) if name else next(line, None) for name in asked]
    is_told = all(isinstance(one, (str, int)) for one in found)
    if not is_told or any(mark in piece for piece in between for mark in marks):
        return ()
    following = zip(found, between[1:], strict=True)
    whole = between[0] + "".join(f"{one}{rest}" for one, rest in following)
    return (ConstantValue(whole),) if len(whole) <= LONGEST_TEXT else ()


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


LONGEST_TEXT = 100
"""Letters of a literal that is put together: the name of a module or a method."""

_CONVERSION = re.compile("%[sd]")
_FIELD = re.compile(r"\{(\w*)\}")

_SPELLINGS = {
    "lower": str.lower,
    "upper": str.upper,
    "capitalize": str.capitalize,
    "title": str.title,
}

_MOST = 8
"""Literals that are taken apart; of a longer table, nobody knows which one is meant."""
