"""What methods of literal texts give where names are made of it: `path.rpartition(".")`, and texts
that are put together of literals: `"acme.v%s" % version`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING

from loopsafe.facts.ir import Attr, Call, Expr
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


def interpolated(resolver: Resolver, text: str, right: Values, frame: Frame) -> Values:
    """`"acme.v%s" % version` of a literal."""
    given = right[0] if len(right) == 1 else None
    each = given.items if isinstance(given, TupleValue) else (right,)
    between = _CONVERSION.split(text)
    if len(between) != len(each) + 1 or any("%" in piece for piece in between):
        return ()
    return _filled(resolver, between, each, frame)


def formatted(resolver: Resolver, call: Call, frame: Frame) -> Values | None:
    """`"acme.{}.client".format(version)` of a literal."""
    texts = _texts(resolver, call, frame)
    pieces = _FIELD.split(texts[0]) if len(texts) == 1 else []
    between, fields = pieces[::2], pieces[1::2]
    if not between or any(m in piece for piece in between for m in "{}"):
        return None
    given: dict[str | None, Expr] = {str(n): one for n, one in enumerate(call.args)}
    given.update(call.keywords)
    numbers = count()
    chosen = [given.get(field or str(next(numbers))) for field in fields]
    each = [resolver.values(argument, frame) for argument in chosen if argument is not None]
    return _filled(resolver, between, each, frame) or None if None not in chosen else None


def put_together(resolver: Resolver, parts: Sequence[Values], frame: Frame) -> Values:
    """Literals in one: `__package__ + "." + name`, `f"acme.{version}"`.

    Where nobody tells one of them, a name in the package itself is that of each module that fits.
    """
    texts = [_told(values) for values in parts]
    if texts.count(None) == 1 and len(texts) > 1:
        hole = texts.index(None)
        before, after = ("".join(t or "" for t in part) for part in (texts[:hole], texts[hole:]))
        return tuple(map(ConstantValue, _fitting(resolver, before, after, frame)))
    whole = "".join(text or "" for text in texts)
    is_told = None not in texts and bool(texts) and len(whole) <= _LONGEST
    return (ConstantValue(whole),) if is_told else ()


def _filled(
    resolver: Resolver, between: Sequence[str], each: Sequence[Values], frame: Frame
) -> Values:
    following = zip(each, between[1:], strict=True)
    parts = (part for values, text in following for part in (values, (ConstantValue(text),)))
    return put_together(resolver, [(ConstantValue(between[0]),), *parts], frame)


def _told(values: Values) -> str | None:
    value = values[0] if len(values) == 1 else None
    if not isinstance(value, ConstantValue) or not isinstance(value.value, (str, int)):
        return None
    return str(value.value)


def _fitting(resolver: Resolver, before: str, after: str, frame: Frame) -> list[str]:
    """The names that a text may be with one part more, where these are modules of the package that
    it is written in: `f"acme.{kind}.client"`."""
    here = resolver.table.get(frame.module)
    bare = before.lstrip(".")
    if here is None or here.is_project or "." not in before:
        return []
    folder, _, begins = bare.rpartition(".")
    package = here.absolute(folder, len(before) - len(bare))
    if package.partition(".")[0] != here.dotted.partition(".")[0]:
        return []
    ends, _, rest = after.partition(".")
    names = (
        name
        for name in sorted(resolver.table.finder.submodules(package))
        if name.startswith(begins) and name.endswith(ends) and not name.startswith("test")
    )
    fitting = [n for n in names if _has(resolver, f"{package}.{n}", rest.partition(".")[0])]
    start = before.removesuffix(begins)
    return [f"{start}{name}{after[len(ends) :]}" for name in fitting[:_MOST]]


def _has(resolver: Resolver, package: str, name: str) -> bool:
    """Whether a name may be one of a package's modules; a module may have any."""
    inside = resolver.table.finder.submodules(package) if name else ()
    return not inside or name in inside


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
"""Literals that are taken apart or put together; of more, nobody knows which one is meant."""

_LONGEST = 100
"""Letters of a literal that is put together: the name of a module or a method."""

_CONVERSION = re.compile("%[sd]")
_FIELD = re.compile(r"\{(\w*)\}")

_SPELLINGS = {
    "lower": str.lower,
    "upper": str.upper,
    "capitalize": str.capitalize,
    "title": str.title,
}
