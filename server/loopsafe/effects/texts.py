"""What methods of texts say and give, where the text is a literal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from loopsafe.facts.ir import Attr, Call, Const, Display, Expr, Literal
from loopsafe.resolve.values import ConstantValue, Values

_ASKING: dict[str, Callable[[str, tuple[str, ...]], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
}
_CHANGING: dict[str, Callable[..., str]] = {
    "casefold": str.casefold,
    "lower": str.lower,
    "lstrip": str.lstrip,
    "removeprefix": str.removeprefix,
    "removesuffix": str.removesuffix,
    "replace": str.replace,
    "rstrip": str.rstrip,
    "strip": str.strip,
    "upper": str.upper,
}


def asked(test: Call) -> tuple[Expr, Callable[[str], bool]] | None:
    """The text that a condition asks how it begins or ends, and the question:
    `path.startswith("http")`."""
    part = test.args[0] if len(test.args) == 1 and not test.keywords else None
    ask = _ASKING.get(test.func.name) if isinstance(test.func, Attr) else None
    options = part.items if isinstance(part, Display) else (part,)
    wanted = tuple(o.value for o in options if isinstance(o, Const) and isinstance(o.value, str))
    if ask is None or len(wanted) < len(options) or not isinstance(test.func, Attr):
        return None
    return test.func.value, lambda text: ask(text, wanted)


def begins_or_ends(text: str, name: str, parts: Iterable[object]) -> bool | None:
    """What a method says of how a text begins or ends; None where it is another one."""
    ask, wanted = _ASKING.get(name), tuple(parts)
    if ask is None or not all(isinstance(part, str) for part in wanted):
        return None
    return ask(text, tuple(part for part in wanted if isinstance(part, str)))


def changed(call: Call) -> tuple[Expr, Callable[[Values], Values]] | None:
    """The text of which a call makes another one, and what it makes of literals; of all else
    nothing is known: `name.strip()`."""
    name = call.func.name if isinstance(call.func, Attr) else ""
    given = [a.value for a in call.args if isinstance(a, Const) and isinstance(a.value, str)]
    if name not in _CHANGING or len(given) < len(call.args) or call.keywords:
        return None
    if not isinstance(call.func, Attr):
        return None
    return call.func.value, lambda values: _each(name, values, given)


def _each(name: str, values: Values, given: Iterable[str]) -> tuple[ConstantValue, ...]:
    texts = [v.value for v in values if isinstance(v, ConstantValue) and isinstance(v.value, str)]
    made = [text for text in (made_of(text, name, given) for text in texts) if text is not None]
    return tuple(map(ConstantValue, made)) if len(made) == len(values) else ()


def made_of(text: str, name: str, given: Iterable[str] = ()) -> str | None:
    """What a method makes of a text; None where it is none that makes a text of it."""
    change = _CHANGING.get(name)
    try:
        return change(text, *given) if change is not None else None
    except TypeError:
        return None  # That many arguments it does not take.


def split_address(name: str, text: str) -> dict[str, str]:
    """The parts that a function of `urllib.parse` makes of a text, by the function's name."""
    try:
        parts = urlsplit(text) if name in ("urlparse", "urlsplit") else None
    except ValueError:
        return {}
    return {} if parts is None else {k: v for k, v in parts._asdict().items() if k != "path"}


def has(whole: Literal, part: Literal) -> bool:
    """Whether a text, or bytes, has another one in it."""
    if isinstance(whole, str):
        return isinstance(part, str) and part in whole
    return isinstance(whole, bytes) and isinstance(part, bytes) and part in whole
