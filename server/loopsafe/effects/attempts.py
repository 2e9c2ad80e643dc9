"""Loops that end with the first attempt that succeeds, over what waits between two of them.

`for _ in pauses(): try: lock() ... break`: where nobody else holds the lock, the generator is asked
once, and what it does behind its first `yield` never runs. Who hands over what is to be tried
expects that it fails: that is what `retry(load)` is for.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from loopsafe.facts.endings import pauses


def is_attempt(function: ast.AST, parent: ast.AST, child: ast.AST) -> bool:
    """Whether a node is what a loop goes over that only an exception brings to a second round."""
    if not isinstance(parent, (ast.For, ast.AsyncFor)) or child is not parent.iter:
        return False
    attempts = [part for part in parent.body if isinstance(part, ast.Try) and _succeeds(part)]
    return bool(attempts) and not any(_runs_given(function, attempt) for attempt in attempts)


def is_behind_yield(before: Iterable[Sequence[ast.stmt]]) -> bool:
    """Whether a generator gives something in one of the statements that come before a place."""
    return any(pauses(part) for statements in before for part in statements)


def _succeeds(attempt: ast.Try) -> bool:
    """Whether what ends the loop comes last in an attempt, whatever the attempt gave."""
    last = (attempt.orelse or attempt.body)[-1]
    return isinstance(last, (ast.Break, ast.Return))


def _runs_given(function: ast.AST, attempt: ast.Try) -> bool:
    """Whether an attempt calls a parameter, or hands on all arguments as a wrapper does."""
    arguments = getattr(function, "args", None)
    if not isinstance(arguments, ast.arguments):
        return False
    own = {arg.arg for arg in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    gathered = arguments.vararg.arg if arguments.vararg is not None else None
    return any(
        isinstance(node, ast.Call)
        and (_name(node.func) in own or any(_name(a) == gathered for a in _starred(node)))
        for part in attempt.body
        for node in ast.walk(part)
    )


def _starred(call: ast.Call) -> Iterable[ast.expr]:
    return (arg.value for arg in call.args if isinstance(arg, ast.Starred))


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""
