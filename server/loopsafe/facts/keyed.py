"""What objects hold by key: `app["db"]`, `hass.data[DOMAIN][entry_id]`."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.facts.ir import Attr, Call, Const, Expr, Subscript, last_name


def keyed(expr: Expr) -> Iterator[tuple[Expr, str]]:
    """The object in which a lookup begins, and under which name it is found there.

    The name tells the first key, as it is spelled, and how many follow, as those are mostly known
    when the program runs: `hass.data[DOMAIN][x]` is `data[DOMAIN]2` of `hass`. Where the last is a
    constant, a more exact name goes before: `hass.data[DOMAIN][x]["api"]` is `data[DOMAIN]3:api`.
    What begins with an attribute may be found in its value as well: `request.app["db"]` is `[db]1`
    of `request.app`.
    """
    keys: list[Expr] = []
    while (step := _step(expr)) is not None:
        expr, key = step
        keys.append(key)
    spelled = _spelled(keys[-1]) if keys else ""
    if not spelled:
        return
    name = f"[{spelled}]{len(keys)}"
    last = _spelled(keys[0]) if len(keys) > 1 else ""
    is_constant = isinstance(keys[0], Const) or last.isupper()
    for exact in (f"{name}:{last}", name) if last and is_constant else (name,):
        yield expr, exact
        if isinstance(expr, Attr):
            yield expr.value, f"{expr.name}{exact}"


def _spelled(key: Expr) -> str:
    spelled = key.value if isinstance(key, Const) else last_name(key)
    return spelled if isinstance(spelled, str) else ""


def any_key(name: str) -> str:
    """The name of all entries of the table in which one is, if it is the attribute of an object."""
    attribute, bracket, _ = name.partition("[")
    return f"{attribute}[]1" if attribute and bracket and name.endswith("]1") else ""


def _step(expr: Expr) -> tuple[Expr, Expr] | None:
    """What a lookup looks into, and the key: also of one that puts a table there where none is."""
    if isinstance(expr, Subscript):
        return expr.value, expr.key
    func = expr.func if isinstance(expr, Call) and expr.args else None
    if isinstance(expr, Call) and isinstance(func, Attr) and func.name in _LOOKUPS:
        return func.value, expr.args[0]
    return None


_LOOKUPS = ("setdefault", "get")
