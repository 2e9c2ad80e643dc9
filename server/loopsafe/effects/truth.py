"""What a condition comes to where some names are known."""

from __future__ import annotations

import ast
import builtins
import numbers
import operator
from collections import abc
from collections.abc import Callable, Iterator, Mapping

from loopsafe.effects.knowns import Choice, Gathered, Given, Known, Small, Symbol
from loopsafe.effects.texts import begins_or_ends, made_of, split_address
from loopsafe.facts.ir import Literal

_ORDERS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}

_CLASSES = frozenset(name for name, value in vars(builtins).items() if isinstance(value, type))

_WIDE = frozenset({*abc.__all__, *numbers.__all__, "Text", "AnyStr"})
"""Classes that a literal may be an instance of although its own bases do not say so."""


def truth(test: ast.expr, known: Mapping[str, Known]) -> bool | None:
    """Whether a condition holds, as far as the known names tell.

    Of a name that holds one of several values, each is tried.
    """
    for name in _names(test):
        choice = known.get(name)
        if isinstance(choice, Choice):
            outcomes = {truth(test, {**known, name: option}) for option in choice.options}
            return outcomes.pop() if len(outcomes) == 1 else None
    return by_parts(test, lambda part: truth(part, known), lambda whole: _told(whole, known))


def _names(test: ast.expr) -> Iterator[str]:
    """The names in a condition, and the attributes of names."""
    for node in ast.walk(test):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def by_parts(
    test: ast.expr,
    ask: Callable[[ast.expr], bool | None],
    ask_other: Callable[[ast.expr], bool | None],
) -> bool | None:
    """What `not`, `and` and `or` make of what their parts come to; any other condition is asked
    as a whole."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = ask(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        parts = [ask(part) for part in test.values]
        decisive = isinstance(test.op, ast.Or)
        if decisive in parts:
            return decisive
        return None if None in parts else not decisive
    return ask_other(test)


def _told(test: ast.expr, known: Mapping[str, Known]) -> bool | None:
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _compared(test.left, test.ops[0], test.comparators[0], known)
    if isinstance(test, ast.Call) and isinstance(test.func, ast.Name) and test.func.id == "bool":
        return truth(test.args[0], known) if len(test.args) == 1 else None
    if isinstance(test, ast.Call) and isinstance(test.func, ast.Name):
        ask = _ABOUT_OBJECTS.get(test.func.id)
        if ask is not None:
            return ask(test, known)
        if test.func.id in _QUANTIFIERS:
            return _of_each(test, _QUANTIFIERS[test.func.id], known)
    if isinstance(test, ast.Call) and isinstance(test.func, ast.Attribute):
        holds = _asked_text(test.func, test.args, known)
        if holds is not None or test.func.attr in _ASKING:
            return holds
    found, value = value_of(test, known)
    if isinstance(value, Given) and value.is_object:
        return True
    if not found or isinstance(value, (Symbol, Given, Choice, Small)):
        return None
    if isinstance(value, Gathered) and value.is_open:
        return None
    return bool(value.items or value.placed if isinstance(value, Gathered) else value)


def _of_each(test: ast.Call, decisive: bool, known: Mapping[str, Known]) -> bool | None:
    """What `any()` or `all()` comes to of literals that are gone through in their brackets."""
    row = test.args[0] if len(test.args) == 1 else None
    if not isinstance(row, (ast.GeneratorExp, ast.ListComp)) or len(row.generators) != 1:
        return None
    loop = row.generators[0]
    options = _options(loop.iter)
    if options is None or loop.ifs or not isinstance(loop.target, ast.Name):
        return None
    outcomes = [truth(row.elt, {**known, loop.target.id: option}) for option in options]
    if decisive in outcomes:
        return decisive
    return None if None in outcomes else not decisive


def _asked_text(
    method: ast.Attribute, given: list[ast.expr], known: Mapping[str, Known]
) -> bool | None:
    """How a known text begins or ends: `url.startswith(("http:", "https:"))`."""
    _, text = value_of(method.value, known)
    if not isinstance(text, str) or len(given) != 1:
        return None
    options = given[0].elts if isinstance(given[0], ast.Tuple) else given
    wanted = [value_of(option, known)[1] for option in options]
    return begins_or_ends(text, method.attr, wanted)


def value_of(node: ast.expr, known: Mapping[str, Known]) -> tuple[bool, Known]:
    """Whether a value is known, and what it is."""
    if isinstance(node, ast.Constant) and node.value is not ...:
        return True, node.value
    if isinstance(node, ast.Name) and node.id in known:
        return True, known[node.id]
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        name = f"{node.value.id}.{node.attr}"
        return (True, known[name]) if name in known else (False, None)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Call):
        parts = address_parts(node.value, known)
        return node.attr in parts, parts.get(node.attr)
    if _is_condition(node):
        holds = truth(node, known)
        return holds is not None, holds
    if isinstance(node, ast.Call):
        return _looked_up(node, known)
    if isinstance(node, ast.BoolOp):
        return _chosen(node, known)
    return False, None


def address_parts(call: ast.Call, known: Mapping[str, Known]) -> dict[str, str]:
    """The parts of an address that is known: `urlparse(address)`."""
    _, text = value_of(call.args[0], known) if len(call.args) == 1 else (False, None)
    return split_address(last_name(call.func), text) if isinstance(text, str) else {}


def _is_condition(node: ast.expr) -> bool:
    """Whether something gives True or False: `blocking = timeout > 0`, `quick = bool(given)`."""
    if isinstance(node, ast.Call):
        about = ("bool", *_ABOUT_OBJECTS, *_QUANTIFIERS)
        if isinstance(node.func, ast.Attribute):
            return node.func.attr in _ASKING
        return isinstance(node.func, ast.Name) and node.func.id in about
    if isinstance(node, ast.Compare):
        return len(node.ops) == 1
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _chosen(node: ast.BoolOp, known: Mapping[str, Known]) -> tuple[bool, Known]:
    """What `given or default` comes to."""
    for value in node.values[:-1]:
        holds = truth(value, known)
        if holds is None:
            return False, None
        if holds is isinstance(node.op, ast.Or):
            return value_of(value, known)
    return value_of(node.values[-1], known)


def _looked_up(call: ast.Call, known: Mapping[str, Known]) -> tuple[bool, Known]:
    """What `keywords.get("name", default)` gives, by what is gathered."""
    func, arguments = call.func, call.args
    asked = f"{_spelled(func)}()"
    if not arguments and not call.keywords and asked in known:
        return True, known[asked]
    if isinstance(func, ast.Name) and func.id == "str" and len(arguments) == 1:
        _, text = value_of(arguments[0], known)
        return isinstance(text, str), text
    small = known.get(func.id) if isinstance(func, ast.Name) else None
    if isinstance(small, Small) and not call.keywords:
        given = (value_of(argument, known) for argument in arguments)
        return small.gives(tuple((value,) if found else () for found, value in given))
    if isinstance(func, ast.Attribute):
        _, text = value_of(func.value, known)
        made = made_of(text, func.attr) if isinstance(text, str) and not arguments else None
        if made is not None:
            return True, made
    if not isinstance(func, ast.Attribute) or not isinstance(func.value, ast.Name):
        return False, None
    gathered = known.get(func.value.id)
    if not isinstance(gathered, Gathered) or func.attr not in ("get", "pop") or not arguments:
        return False, None
    if call.keywords or not isinstance(arguments[0], ast.Constant):
        return False, None
    for name, values in gathered.items:
        if name == arguments[0].value:
            return (True, values[0]) if values else (False, None)
    found, default = value_of(arguments[1], known) if len(arguments) > 1 else (True, None)
    # Nobody says that a mapping which is not seen switches something on.
    return (found and (default is False or not gathered.is_open)), default


def _spelled(node: ast.expr) -> str:
    """A name, or an attribute of a name, as it is written."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _compared(
    left: ast.expr, compared: ast.cmpop, right: ast.expr, known: Mapping[str, Known]
) -> bool | None:
    here, a = value_of(left, known)
    there, b = value_of(right, known)
    if isinstance(compared, (ast.In, ast.NotIn)) and isinstance(b, Gathered) and here:
        if b.placed or b.is_open:
            return None
        return any(a == name for name, _ in b.items) is isinstance(compared, ast.In)
    if isinstance(a, (Gathered, Small)) or isinstance(b, (Gathered, Small)):
        return None
    if isinstance(right, ast.Name) and isinstance(a, Symbol) and not there:
        there, b = True, Symbol(right.id)
    if (
        isinstance(compared, (ast.In, ast.NotIn))
        and here
        and not isinstance(a, (Symbol, Given, Choice))
    ):
        options = _options(right)
        if options is not None:
            return (a in options) is isinstance(compared, ast.In)
        if isinstance(a, str) and isinstance(b, str):
            return (a in b) is isinstance(compared, ast.In)
    if not here or not there:
        return None
    if type(compared) in _ORDERS:
        return _ordered(compared, a, b)
    if isinstance(a, Given) or isinstance(b, Given):
        # What is passed on purpose is hardly the marker for "nothing", and not more is known.
        other = b if isinstance(a, Given) else a
        if other is not None and not isinstance(other, Symbol):
            return None
        same = False
    else:
        same = a == b and type(a) is type(b)
    if isinstance(compared, (ast.Is, ast.Eq)):
        return same
    if isinstance(compared, (ast.IsNot, ast.NotEq)):
        return not same
    return None


def _ordered(compared: ast.cmpop, a: Known, b: Known) -> bool | None:
    """Of numbers only."""
    if not isinstance(a, (int, float)) or not isinstance(b, (int, float)):
        return None
    return _ORDERS[type(compared)](a, b)


def _options(node: ast.expr) -> list[Known] | None:
    if not isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return None
    if not all(isinstance(item, ast.Constant) for item in node.elts):
        return None
    return [item.value for item in node.elts if isinstance(item, ast.Constant)]  # type: ignore[misc]


def _is_instance(test: ast.Call, known: Mapping[str, Known]) -> bool | None:
    """Of a literal only. `str_types` may be anything; a `Path`, of which it is none, is told by
    the capital letter."""
    found, value = value_of(test.args[0], known) if len(test.args) == 2 else (False, None)
    if not found or isinstance(value, (Symbol, Given, Gathered, Choice, Small)):
        return None
    wanted = test.args[1]
    options = wanted.elts if isinstance(wanted, ast.Tuple) else [wanted]
    names = [last_name(option) for option in options]
    if any(cls.__name__ in names for cls in type(value).__mro__):
        return True
    return False if all(name and _is_other(name, value) for name in names) else None


def _is_callable(test: ast.Call, known: Mapping[str, Known]) -> bool | None:
    """No literal is, whatever else may be."""
    found, value = value_of(test.args[0], known) if len(test.args) == 1 else (False, None)
    is_literal = found and not isinstance(value, (Symbol, Given, Gathered, Choice, Small))
    return False if is_literal else None


_ASKING = ("startswith", "endswith")
_QUANTIFIERS = {"any": True, "all": False}
_ABOUT_OBJECTS = {"isinstance": _is_instance, "callable": _is_callable}


def last_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _is_other(name: str, value: Literal) -> bool:
    """Whether a class of a name is certainly not that of a literal."""
    if value is None or name in _CLASSES:
        return name != "NoneType"
    return name[:1].isupper() and not name.endswith(("Type", "Types")) and name not in _WIDE
