"""Texts that spell the path of a file, where a condition asks whether they are addresses:
`str(path).startswith("http")`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from loopsafe.facts.ir import Attr, Call, Choice, Const, Display, Expr, Name
from loopsafe.resolve.names import definitions
from loopsafe.resolve.naming import dotted_name
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame, Instance, PathText, Values

_SPELLING = frozenset({"str", "fspath"})
_MADE_ABSOLUTE = frozenset({"os.path.abspath", "os.path.realpath"})
_OF_PATHS = "pathlib.PurePath"
_SCHEME = re.compile(r"(https?|ftp|www\.|[a-z][a-z0-9+-]+:.*)", re.IGNORECASE)
"""A single letter before the colon is a drive."""


def spells_path(resolver: Resolver, expr: Expr, frame: Frame) -> bool:
    """Whether an expression makes the text of a path: `str(path)`, `path.as_posix()`,
    `os.path.abspath(name)`."""
    if not isinstance(expr, Call) or expr.keywords:
        return False
    func = expr.func
    name = func.name if isinstance(func, Attr) else func.id if isinstance(func, Name) else ""
    if name == "as_posix" and isinstance(func, Attr) and not expr.args:
        return _is_path(resolver, func.value, frame)
    if len(expr.args) != 1:
        return False
    if name in _SPELLING:
        return _is_path(resolver, expr.args[0], frame)
    callees = resolver.values(func, frame) if name in ("abspath", "realpath") else ()
    names = {
        (dotted_name(resolver, callee) or "").replace("posixpath", "os.path") for callee in callees
    }
    return bool(names) and names <= _MADE_ABSOLUTE


def asks_for_address(test: Call) -> bool:
    """Whether a condition asks if a text begins as addresses do: `text.startswith("https://")`."""
    if not isinstance(test.func, Attr) or test.func.name != "startswith" or len(test.args) != 1:
        return False
    part = test.args[0]
    options = part.items if isinstance(part, Display) else (part,)
    wanted = [o.value for o in options if isinstance(o, Const) and isinstance(o.value, str)]
    return len(wanted) == len(options) > 0 and all(map(_SCHEME.fullmatch, wanted))


def are_paths(given: Iterable[Values]) -> bool:
    """Whether all that a call passes are texts of paths."""
    found = [value for values in given for value in values or (None,)]
    return bool(found) and all(isinstance(value, PathText) for value in found)


def _is_path(resolver: Resolver, expr: Expr, frame: Frame) -> bool:
    """Whether an expression is a path, whichever way it is come to."""
    if isinstance(expr, Choice):
        return all(_is_path(resolver, option, frame) for option in expr.options)
    found = definitions(resolver, expr, frame) if isinstance(expr, Name) else ()
    told = [resolver.bound(one.binding, one.frame) for one in found]
    return all(_are_of_paths(resolver, values) for values in told or [resolver.values(expr, frame)])


def _are_of_paths(resolver: Resolver, values: Values) -> bool:
    return bool(values) and all(
        isinstance(value, Instance)
        and any(dotted_name(resolver, cls) == _OF_PATHS for cls in resolver.mro(value.cls))
        for value in values
    )
