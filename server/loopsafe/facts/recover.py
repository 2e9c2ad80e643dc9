"""Parses a module, half-typed or newer than the running interpreter as it may be.

Good source gives exactly what `ast.parse` gives. Otherwise newer syntax is rewritten, and what
still does not parse is left out statement by statement, everything around it kept in its place.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from loopsafe.facts.salvage import Salvage
from loopsafe.facts.syntax import FAILURES, SyntaxProblem, parse_newer, parse_plain, split_lines

__all__ = ["Parsed", "SyntaxProblem", "parse"]

_BOM = "\ufeff"
_UNREADABLE = re.compile("[\0\ud800-\udfff]")
_CONFLICT = re.compile(r"^<{7} ", re.MULTILINE)
_MERGE = re.compile(r"^(?:(?:<{7}|\|{7}|>{7})(?: [^\r\n]*)?|={7})(?=\r?$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What could be read of a module, and the places that could not."""

    tree: ast.Module
    problems: tuple[SyntaxProblem, ...] = ()


def parse(source: str) -> Parsed:
    """The tree of all statements that parse, at their places in the source; never raises."""
    problems: list[SyntaxProblem] = []
    text = source
    if (bad := _UNREADABLE.search(source)) is not None:
        line = len(split_lines(source[: bad.start()] + "x"))
        what = "null byte" if bad[0] == "\0" else "lone surrogate"
        problems.append(SyntaxProblem(line, None, f"source contains a {what}"))
        # The stand-ins are as wide as what they stand for, so that positions hold.
        text = _UNREADABLE.sub(lambda m: " " if m[0] == "\0" else "\ufffd", source)
    text = text.removeprefix(_BOM)
    tree, found = _parse(text)
    if found and (conflict := _CONFLICT.search(text)) is not None:
        # Either side may be the one that stays.
        line = len(split_lines(text[: conflict.start()] + "x"))
        problems.append(SyntaxProblem(line, 0, "unresolved merge conflict"))
        tree, found = _parse(_MERGE.sub("", text))
    problems += found
    if source.startswith(_BOM):
        _shift_first_line(tree)
    return Parsed(tree, tuple(problems))


def _parse(text: str) -> tuple[ast.Module, list[SyntaxProblem]]:
    is_newer = False
    try:
        return parse_plain(text), []
    except SyntaxError as failure:
        tree, is_newer = parse_newer(text, failure)
        if tree is not None:
            return tree, []
        reason: BaseException = failure
    except FAILURES as failure:
        reason = failure
    salvage = Salvage(text, is_newer)
    tree = salvage.tree(reason)
    return tree, salvage.problems


def _shift_first_line(tree: ast.Module) -> None:
    width = len(_BOM.encode())
    for statement in tree.body:
        if statement.lineno > 1:
            return
        for node in ast.walk(statement):
            if getattr(node, "lineno", 0) == 1:
                node.col_offset += width  # type: ignore[attr-defined]
            if getattr(node, "end_lineno", 0) == 1:
                node.end_col_offset += width  # type: ignore[attr-defined]
