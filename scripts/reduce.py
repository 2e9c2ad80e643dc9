"""What of a module's text matters to Loopsafe, line by line where it was.

Comments, docstrings and long texts go, and the bodies of functions that somebody names; nothing
moves.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Container, Iterator

Functions = (ast.FunctionDef, ast.AsyncFunctionDef)
LONG = 100
"""A text with more characters decides nothing."""
NOTHING = "()"
"""Instead of a body: unlike `...` it is not what an abstract method has."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def reduced(text: str, dropped: Container[int]) -> str:
    """The text without what says nothing, and without the bodies of functions on these lines.

    A text that would not parse any more stays as it is. Raises SyntaxError.
    """
    for longest in (LONG, len(text)):
        after = _wiped(text, dropped, longest)
        try:
            ast.parse(after)
        except SyntaxError:
            continue  # A long text may have held the lines of an expression together.
        return after
    return text


def _wiped(text: str, dropped: Container[int], longest: int) -> str:
    sheet = _Sheet(text)
    inside: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (*Functions, ast.ClassDef, ast.Module)):
            sheet.wipe_docstring(node)
        if isinstance(node, Functions) and node.lineno in dropped:
            sheet.wipe(node.body[0], node.body[-1], NOTHING)
        if isinstance(node, ast.JoinedStr):
            inside.update(map(id, ast.walk(node)))
        elif isinstance(node, ast.Constant) and id(node) not in inside:
            sheet.wipe_text(node, longest)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            sheet.wipe_comment(token)
    return sheet.text()


def says_more(function: Function) -> bool:
    """Whether a body tells types that the signature does not: results, attributes of `self`."""
    if function.decorator_list and function.returns is None:
        return True
    for node in _inside(function):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            return True
        if function.returns is None and (
            isinstance(node, (ast.Yield, ast.YieldFrom))
            or (isinstance(node, ast.Return) and node.value is not None)
        ):
            return True
    # A generator runs where it is iterated, so it must stay one.
    return any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in _inside(function))


def _inside(function: Function) -> Iterator[ast.AST]:
    """The nodes of a body, without those of functions and classes in it."""
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, (*Functions, ast.ClassDef, ast.Lambda)):
            todo.extend(ast.iter_child_nodes(node))


class _Sheet:
    """A text whose parts can be wiped out; columns count bytes, as in `ast`."""

    def __init__(self, text: str) -> None:
        self._lines = [bytearray(line.encode()) for line in text.split("\n")]

    def text(self) -> str:
        lines = [line.decode().rstrip() for line in self._lines]
        return "\n".join(lines).rstrip("\n") + "\n"

    def wipe(self, first: ast.stmt, last: ast.stmt, instead: str = "") -> None:
        end = (last.end_lineno or last.lineno, last.end_col_offset or 0)
        if isinstance(first, (*Functions, ast.ClassDef)) and first.decorator_list:
            decorator = first.decorator_list[0]
            start = (decorator.lineno, decorator.col_offset - 1)
        else:
            start = (first.lineno, first.col_offset)
        self._wipe(start, end, instead)

    def wipe_docstring(self, node: Function | ast.ClassDef | ast.Module) -> None:
        if ast.get_docstring(node, clean=False) is not None:
            first = node.body[0]
            is_alone = len(node.body) == 1 and not isinstance(node, ast.Module)
            self.wipe(first, first, "..." if is_alone else "")

    def wipe_comment(self, token: tokenize.TokenInfo) -> None:
        line = self._lines[token.start[0] - 1]
        start = len(line.decode()[: token.start[1]].encode())
        if line[start : start + 1] == b"#":
            del line[start:]

    def wipe_text(self, node: ast.Constant, longest: int) -> None:
        if isinstance(node.value, (str, bytes)) and len(node.value) > longest:
            end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
            self._wipe((node.lineno, node.col_offset), end, repr(node.value[:0]))

    def _wipe(self, start: tuple[int, int], end: tuple[int, int], instead: str) -> None:
        for number in range(start[0], end[0] + 1):
            line = self._lines[number - 1]
            first = start[1] if number == start[0] else 0
            last = end[1] if number == end[0] else len(line)
            line[first:last] = b" " * (last - first)
        self._lines[start[0] - 1][start[1] : start[1] + len(instead)] = instead.encode()
