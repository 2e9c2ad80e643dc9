"""How calls and findings are named: the same words in editor, terminal and CI."""

from __future__ import annotations

import re

from loopsafe.facts.ir import Attr, Await, Call, Expr, Name, Site, Subscript
from loopsafe.knowledge.schema import Blocking

_SINKS = {
    "__iter__": "iterating over {}",
    "__next__": "iterating over {}",
    "__get__": "reading a {}",
    "__len__": "len() of {}",
    "__bool__": "bool() of {}",
    "__getitem__": "{}[...]",
}
"""Methods that a statement or a function of the language calls."""

_OPERATORS = {
    "__getitem__": "{}[...]",
    "__setitem__": "{}[...] = ...",
    "__delitem__": "del {}[...]",
    "__contains__": "... in {}",
    "__bool__": "bool({})",
    "__format__": "str({})",
    "__repr__": "repr({})",
    "__eq__": "{} == ...",
    "__ne__": "{} != ...",
    "__lt__": "{} < ...",
    "__le__": "{} <= ...",
    "__gt__": "{} > ...",
    "__ge__": "{} >= ...",
    "__add__": "{} + ...",
    "__sub__": "{} - ...",
    "__mul__": "{} * ...",
    "__truediv__": "{} / ...",
    "__floordiv__": "{} // ...",
    "__mod__": "{} % ...",
    "__lshift__": "{} << ...",
    "__rshift__": "{} >> ...",
    "__and__": "{} & ...",
    "__or__": "{} | ...",
    "__iadd__": "{} += ...",
    "__isub__": "{} -= ...",
    "__ior__": "{} |= ...",
}
"""An operator's method, and how an expression that runs it is written."""

LONGEST = 80
"""A message longer than this loses the chain's end."""


def call_label(site: Site) -> str:
    """A site as a reader would name it: `load_user()`, `with lock`."""
    expr = site.expr
    if site.kind == "call" and isinstance(expr, Call):
        return f"{spelled(expr.func)}()"
    if site.kind == "operator" and isinstance(expr, Call) and isinstance(expr.func, Attr):
        return _OPERATORS.get(expr.func.name, "{}").format(spelled(expr.func.value))
    if site.kind == "decorate" and isinstance(expr, Call):
        return f"@{spelled(expr.func)}"
    text = spelled(expr)
    if site.kind == "set":
        return f"{text} = ..."
    if site.kind in ("enter", "exit"):
        return f"with {text}"
    if site.kind == "iterate":
        return f"iterating over {text}"
    return text


def sink_label(blocking: Blocking) -> str:
    """A blocking callable as a reader would name it: `requests.get()`, `with threading.Lock`."""
    owner, _, method = blocking.name.removeprefix("builtins.").rpartition(".")
    if blocking.is_property:
        return f"reading {owner}.{method}"
    if method in ("__enter__", "__exit__"):
        return f"with {owner}"
    if method in _SINKS:
        return _SINKS[method].format(owner)
    if method in ("__init__", "__new__", "__call__"):
        return f"{owner}()"
    if method.startswith("__"):
        return f"{owner} {method}"
    called = f"{owner}.{method}()" if owner else f"{method}()"
    return f"iterating over {called}" if blocking.lazy else called


def message(site: Site, blocking: Blocking, hops: int) -> str:
    """The first sentence of a finding, without a full stop."""
    sink = sink_label(blocking)
    if hops <= 1:
        return f"{sink} blocks the event loop"
    down = "1 call" if hops == 2 else f"{hops - 1} calls"
    text = f"{call_label(site)} blocks the event loop {_through(sink)}, {down} down"
    if len(text) <= LONGEST:
        return text
    shorter = f"{_tail(call_label(site))} blocks the event loop {_through(sink)}, {down} down"
    if len(shorter) <= LONGEST:
        return shorter
    label = _tail(call_label(site))
    return f"{label} blocks the event loop {_through(_tail(sink))}, {down} down"


def decorated_message(site: Site, blocking: Blocking) -> str:
    """The first sentence where a decorator makes a call block."""
    return f"{call_label(site)} blocks the event loop through @{blocking.name}"


def spelled(expr: Expr) -> str:
    """An expression in short: names and attributes whole, arguments left out."""
    if isinstance(expr, Name):
        return expr.id
    if isinstance(expr, Attr):
        return f"{spelled(expr.value)}.{expr.name}"
    if isinstance(expr, Call):
        return f"{spelled(expr.func)}()"
    if isinstance(expr, Subscript):
        return f"{spelled(expr.value)}[...]"
    if isinstance(expr, Await):
        return f"(await {spelled(expr.value)})"
    return "(...)"


def _through(sink: str) -> str:
    """How a chain ends, for what is called and for what is entered or iterated over."""
    if sink.startswith("with "):
        return f"in a with over {sink.removeprefix('with ')}"
    return f"by {sink}" if sink.startswith("iterating ") else f"through {sink}"


def _tail(label: str) -> str:
    """A label with the last two parts of each dotted name in it."""
    return _LEADING.sub("", label.replace("...", "…")).replace("…", "...")


_PART = r"\w+(?:\(\)|\[…\])*\."
_LEADING = re.compile(rf"(?:{_PART})+(?={_PART}\w)")
