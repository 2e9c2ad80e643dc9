"""What a condition tells of the classes of names: `isinstance(name, Class)`, and its absence."""

from __future__ import annotations

import ast
from typing import NamedTuple


class Test(NamedTuple):
    """A name that is, or is not, an instance of a class."""

    name: ast.Name
    type: ast.expr
    holds: bool


def instance_tests(condition: ast.expr, holds: bool) -> list[Test]:
    """What is known of names where a condition holds or, with `holds` false, where it fails."""
    if isinstance(condition, ast.UnaryOp) and isinstance(condition.op, ast.Not):
        return instance_tests(condition.operand, not holds)
    if isinstance(condition, ast.BoolOp):
        certain = isinstance(condition.op, ast.And if holds else ast.Or)
        parts = condition.values if certain else []
        return [found for part in parts for found in instance_tests(part, holds)]
    if (
        isinstance(condition, ast.Call)
        and isinstance(condition.func, ast.Name)
        and condition.func.id == "isinstance"
        and len(condition.args) == 2
        and isinstance(condition.args[0], ast.Name)
    ):
        return [Test(condition.args[0], condition.args[1], holds)]
    return []
