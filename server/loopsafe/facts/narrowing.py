"""What a condition tells of the classes of names, and of attributes of names: `isinstance(name,
Class)`, `type(self.part) is Class`, and their absence."""

from __future__ import annotations

import ast
from typing import NamedTuple


class Test(NamedTuple):
    """A name, or an attribute of one, that is, or is not, an instance of a class."""

    name: ast.Name | ast.Attribute
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
    if isinstance(condition, ast.Compare) and holds:
        return _exactly(condition)
    if (
        isinstance(condition, ast.Call)
        and isinstance(condition.func, ast.Name)
        and condition.func.id == "isinstance"
        and len(condition.args) == 2
        and (subject := _subject(condition.args[0])) is not None
    ):
        return [Test(subject, condition.args[1], holds)]
    return []


def _exactly(condition: ast.Compare) -> list[Test]:
    """`type(name) is Class`, which says nothing where it fails: there may be subclasses."""
    left, operator, right = condition.left, condition.ops[0], condition.comparators[0]
    is_same = len(condition.ops) == 1 and isinstance(operator, (ast.Is, ast.Eq))
    if not is_same or not isinstance(left, ast.Call) or len(left.args) != 1:
        return []
    is_type = isinstance(left.func, ast.Name) and left.func.id == "type"
    subject = _subject(left.args[0]) if is_type else None
    return [Test(subject, right, True)] if subject is not None else []


def _subject(node: ast.expr) -> ast.Name | ast.Attribute | None:
    if isinstance(node, ast.Attribute):
        return node if isinstance(node.value, ast.Name) else None
    return node if isinstance(node, ast.Name) else None
