"""What comparisons say of a value: `client is None`, `jobs.qsize() > 0`, `mode == "r"`,
`"://" in path`, `key in table`."""

from __future__ import annotations

import ast

from loopsafe.facts.ir import Attr, Call, Compared, Const, Expr, Has, HasKey, Name, Same, Test


def asked(node: ast.Compare, left: Expr, last: Expr) -> Expr | None:
    """What a comparison asks of its left side, or of its right, where it is one of those."""
    if len(node.ops) > 1:
        return None
    return _of_value(node, left, last) or _key_test(node.ops[0], last)


def _of_value(node: ast.Compare, left: Expr, last: Expr) -> Expr | None:
    operator, right = node.ops[0], node.comparators[0]
    if isinstance(right, ast.Constant) and right.value is None:
        return _none_test(operator, left)
    if isinstance(right, ast.Constant) and isinstance(operator, (ast.Is, ast.IsNot)):
        return _bool_test(operator, left, right.value)
    if isinstance(left, Call):
        # Of other numbers than a count nobody knows that they are not below zero.
        found = _literal_test(operator, left, right) if _is_text(right) else None
        found = found or _count_test(operator, left, right)
        return found or _same_test(operator, left, last)
    if isinstance(last, Call):
        return _same_test(operator, last, left)
    if isinstance(left, Const):
        return _part_test(operator, left, last)
    return _literal_test(operator, left, right) if isinstance(left, (Name, Attr)) else None


def _none_test(operator: ast.cmpop, left: Expr) -> Expr | None:
    if isinstance(operator, ast.Is):
        return Test("is none", left)
    return Test("not", Test("is none", left)) if isinstance(operator, ast.IsNot) else None


def _bool_test(operator: ast.cmpop, left: Expr, right: object) -> Expr | None:
    if not isinstance(right, bool) or not isinstance(left, (Name, Attr)):
        return None
    found = Compared(left, (right,))
    return found if isinstance(operator, ast.Is) else Test("not", found)


def _count_test(operator: ast.cmpop, left: Expr, right: ast.expr) -> Expr | None:
    number = right.value if isinstance(right, ast.Constant) else None
    if type(number) is not int:
        return None
    answer = _COUNTS.get((type(operator), number))
    nothing = Test("not", left)
    return None if answer is None else Test("not", nothing) if answer else nothing


def _part_test(operator: ast.cmpop, part: Const, whole: Expr) -> Expr | None:
    if not isinstance(operator, (ast.In, ast.NotIn)) or not isinstance(whole, (Name, Attr)):
        return None
    found = Has(whole, part.value)
    return found if isinstance(operator, ast.In) else Test("not", found)


def _key_test(operator: ast.cmpop, table: Expr) -> Expr | None:
    if not isinstance(operator, (ast.In, ast.NotIn)) or not isinstance(table, (Name, Attr)):
        return None
    found = HasKey(table)
    return found if isinstance(operator, ast.In) else Test("not", found)


def _literal_test(operator: ast.cmpop, left: Expr, right: ast.expr) -> Expr | None:
    several = isinstance(operator, (ast.In, ast.NotIn))
    if not several and not isinstance(operator, (ast.Eq, ast.NotEq)):
        return None
    options = [right]
    if several:
        options = right.elts if isinstance(right, (ast.Tuple, ast.List, ast.Set)) else []
    literals = [part.value for part in options if isinstance(part, ast.Constant)]
    if not literals or len(literals) < len(options):
        return None
    found = Compared(left, tuple(literal for literal in literals if literal is not ...))
    return found if isinstance(operator, (ast.Eq, ast.In)) else Test("not", found)


def _is_text(right: ast.expr) -> bool:
    parts = right.elts if isinstance(right, (ast.Tuple, ast.List, ast.Set)) else [right]
    return all(isinstance(part, ast.Constant) and type(part.value) is str for part in parts)


def _same_test(operator: ast.cmpop, call: Call, other: Expr) -> Expr | None:
    found = Same(call, other)
    if isinstance(operator, (ast.Is, ast.Eq)):
        return found
    return Test("not", found) if isinstance(operator, (ast.IsNot, ast.NotEq)) else None


_COUNTS: dict[tuple[type, int], bool] = {
    (ast.Gt, 0): True,
    (ast.GtE, 1): True,
    (ast.NotEq, 0): True,
    (ast.Eq, 0): False,
    (ast.LtE, 0): False,
    (ast.Lt, 1): False,
}
"""Comparisons of a count, and whether they hold where there is something."""
