"""Branches of a package that are taken only by who asks for them: options that are deprecated,
what a variable of the environment switches on, and what a package tells of itself.

A program that means such a branch says so; nothing of the kind is known where the condition is
open.
"""

from __future__ import annotations

import ast

from loopsafe.effects.bounds import bounds
from loopsafe.effects.texts import made_of
from loopsafe.effects.truth import by_parts, last_name


def is_unasked(test: ast.expr, wanted: bool, before: list[ast.stmt]) -> bool:
    """Whether a branch is one that nobody takes who does not ask for it.

    `before` is what the branch does first.
    """
    return _unset(test) is (not wanted) or any(map(_warns_of_deprecation, before))


def _warns_of_deprecation(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or last_name(call.func) != "warn":
        return False
    given = (*call.args, *(keyword.value for keyword in call.keywords))
    return any(last_name(value).endswith("DeprecationWarning") for value in given)


def _unset(test: ast.expr) -> bool | None:
    """What a condition comes to where no variable is set that it compares with something, and no
    option that makes a package talk.

    A variable that is only asked for, as a key of a service is, may well be there.
    """
    return by_parts(test, _unset, _of_switch)


def _of_switch(test: ast.expr) -> bool | None:
    return False if _asked_option(test) in bounds().talk else _compared(test)


def _asked_option(test: ast.expr) -> str:
    """The option that a condition asks for: `self.verbose`, `options["verbose"]`,
    `options.get("verbose")`."""
    key: ast.expr | None = None
    if isinstance(test, ast.Subscript):
        key = test.slice
    elif isinstance(test, ast.Call) and last_name(test.func) == "get" and len(test.args) == 1:
        key = test.args[0]
    if isinstance(key, ast.Constant):
        return str(key.value)
    return last_name(test) if isinstance(test, (ast.Name, ast.Attribute)) else ""


def _compared(test: ast.expr) -> bool | None:
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    compared = test.ops[0]
    is_variable, value = _variable(test.left)
    options = _options(test.comparators[0])
    if not is_variable or not options or not isinstance(compared, _EQUAL + _OTHER):
        return None
    return (value in options) is isinstance(compared, _EQUAL)


_EQUAL = (ast.Eq, ast.In)
_OTHER = (ast.NotEq, ast.NotIn)


def _variable(node: ast.expr) -> tuple[bool, object]:
    """Whether something is read from the environment, and what it is without the variable."""
    if not isinstance(node, ast.Call):
        return False, None
    func = node.func
    if isinstance(func, ast.Attribute) and not node.args:
        is_variable, value = _variable(func.value)
        changed = made_of(value, func.attr) if isinstance(value, str) else None
        return is_variable and changed is not None, changed
    of_environment = isinstance(func, ast.Attribute) and last_name(func.value) == "environ"
    is_read = of_environment and last_name(func) == "get"
    if not is_read and last_name(func) != "getenv":
        return False, None
    default = node.args[1] if len(node.args) == 2 else ast.Constant(None)
    return isinstance(default, ast.Constant), getattr(default, "value", None)


def _options(node: ast.expr) -> tuple[object, ...]:
    """The texts that something is compared with; none where they are not all written there."""
    nodes = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else [node]
    texts = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return tuple(texts) if len(texts) == len(nodes) else ()
