"""What objects hold by key: `app["db"]`, `hass.data[DOMAIN][entry_id]`."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.facts.ir import Attr, Call, Const, Expr, Subscript, last_name


def keyed(expr: Expr) -> Iterator[tuple[Expr, str]]:
    """The object in which a lookup begins, and under which name it is found there.

    The name tells the first key, as it is spelled, and how many follow, as those are mostly known
    when the program runs: `hass.data[DOMAIN][x]` is `data[DOMAIN]2` of `hass`. What begins with an
    attribute may be found in its value as well: `request.app["db"]` is `[db]1` of `request.app`.
    """
    depth, key = 0, None
    while True:
        if isinstance(expr, Subscript):
            expr, key = expr.value, expr.key
        elif isinstance(expr, Call) and isinstance(expr.func, Attr) and _is_default(expr):
            expr, key = expr.func.value, expr.args[0]
        else:
            break
        depth += 1
    spelled = key.value if isinstance(key, Const) else last_name(key) if key is not None else ""
    if not isinstance(spelled, str) or not spelled:
        return
    yield expr, f"[{spelled}]{depth}"
    if isinstance(expr, Attr):
        yield expr.value, f"{expr.name}[{spelled}]{depth}"


def _is_default(call: Call) -> bool:
    """Whether a call looks something up, or puts a table there: `.setdefault(DOMAIN, {})`."""
    return bool(call.args) and last_name(call.func) in ("setdefault", "get")
