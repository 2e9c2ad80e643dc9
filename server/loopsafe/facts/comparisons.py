"""Comparisons that ask whether there is something: `client is None`, `jobs.qsize() > 0`."""

from __future__ import annotations

import ast

from loopsafe.facts.ir import Call, Expr, Test


def asked(node: ast.Compare, left: Expr) -> Expr | None:
    """What a comparison asks of its left side, where it is one of those."""
    right = node.comparators[0]
    if len(node.ops) > 1 or not isinstance(right, ast.Constant):
        return None
    if right.value is None:
        return _none_test(node.ops[0], left)
    # Of other numbers than a count nobody knows that they are not below zero.
    if type(right.value) is not int or not isinstance(left, Call):
        return None
    answer = _COUNTS.get((type(node.ops[0]), right.value))
    nothing = Test("not", left)
    return None if answer is None else Test("not", nothing) if answer else nothing


def _none_test(operator: ast.cmpop, left: Expr) -> Expr | None:
    if isinstance(operator, ast.Is):
        return Test("is none", left)
    return Test("not", Test("is none", left)) if isinstance(operator, ast.IsNot) else None


_COUNTS: dict[tuple[type, int], bool] = {
    (ast.Gt, 0): True,
    (ast.GtE, 1): True,
    (ast.NotEq, 0): True,
    (ast.Eq, 0): False,
    (ast.LtE, 0): False,
    (ast.Lt, 1): False,
}
"""Comparisons of a count, and whether they hold where there is something."""
