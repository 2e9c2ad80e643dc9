"""Reads broken source block by block and keeps every statement that parses.

A block is split where its indentation says that statements start. A piece that does not parse is
a compound statement, of which the header is kept or mended and the bodies are read in the same
way, or a simple statement, which alone is lost.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from loopsafe.facts.headers import Header, Mended, clause_word, is_case, mend, read_header
from loopsafe.facts.syntax import FAILURES, SyntaxProblem, parse_text, problem_of, split_lines
from loopsafe.facts.tokens import HARD_KEYWORDS, scan

_INDENT = re.compile(r"[ \t\f]*")
_CODE = re.compile(
    r"[ \t]*(?:@|(?:async|def|class|return|if|for|while|with|try|raise|import|from|await|yield"
    r"|else|elif|except|finally|del|assert|pass|break|continue|global|nonlocal|match|case)\b"
    r"|[\w.]+(?:: [^=]+)? = )"
)
_DEFINITION = re.compile(r"[ \t]*(?:@\w|(?:async[ \t]+)?def\b|class\b)")
_CALL = re.compile(r"[\w\])]\(")
_FIELDS = ("body", "cases", "handlers", "orelse", "finalbody")
_MAX_DEPTH = 90
_MAX_PROBLEMS = 200
_BIG = 40


class _Piece(NamedTuple):
    """A piece of a block while it is read, and how much there was before it."""

    start: int
    kept: int
    problems: int


class Salvage:
    """One reading of a broken text. Line numbers in here count from 0, ends are excluded."""

    def __init__(self, text: str) -> None:
        self.problems: list[SyntaxProblem] = []
        # A form feed before a statement is not part of its indentation.
        self._lines = [line.removeprefix("\f") for line in split_lines(text)]
        self._indents = [line[: len(line) - len(line.lstrip(" \t\f"))] for line in self._lines]
        self._empty = [line.strip()[:1] in ("", "#") for line in self._lines]
        self._suspect = -1
        self._depth = 0

    def tree(self, failure: BaseException) -> ast.Module:
        """All statements that parse; `failure` is what parsing the whole text raised."""
        if isinstance(failure, SyntaxError) and failure.lineno is not None:
            self._suspect = failure.lineno - 1
        body = self._block(0, len(self._lines), "")
        if not self.problems:
            self.problems.append(problem_of(failure, 1, self._lines))
        self.problems = sorted(dict.fromkeys(self.problems), key=lambda p: p.line)
        return ast.Module(body, [])

    def _block(self, start: int, stop: int, indent: str) -> list[ast.stmt]:
        """The statements between two lines that are indented like this."""
        starts = [*self._starts(start, stop, indent), stop]
        found = self._indented(start, starts[0])
        if self._depth > _MAX_DEPTH:
            return found
        self._depth += 1
        index = 0
        before: _Piece | None = None
        while index < len(starts) - 1:
            if len(self.problems) > _MAX_PROBLEMS and not self._is_code(starts[index]):
                # This is data or no Python at all; only what looks like code is still tried.
                index += 1
                continue
            piece = _Piece(starts[index], len(found), len(self.problems))
            last = starts[index + 1]
            statements, failure = self._try(piece.start, last, indent, stop - start)
            if statements is None:
                last, statements = self._joined(starts, index, indent)
            if statements is None and before is not None:
                statements = self._without(piece.start, last, indent, before, failure)
                if statements is not None:
                    piece = before
                    del found[piece.kept :]
            if statements is None:
                statements = self._broken(piece.start, last, indent, failure)
            found += statements
            before = piece
            index = starts.index(last, index)
        self._depth -= 1
        return found

    def _starts(self, start: int, stop: int, indent: str) -> Iterator[int]:
        """Lines where statements of the block start; a decorator starts what it decorates."""
        decorated, first = False, True
        for line in range(start, stop):
            if self._empty[line] or self._indents[line] != indent:
                continue
            content = self._lines[line][len(indent) :]
            if content[0] in ")]}" or (clause_word(content) and not first):
                continue
            if not decorated:
                yield line
            first, decorated = False, content[0] == "@"

    def _try(
        self, start: int, stop: int, indent: str, around: int = 0
    ) -> tuple[list[ast.stmt] | None, BaseException | None]:
        """The statements, if they parse as they are."""
        size = stop - start
        if start <= self._suspect < stop and size > _BIG and 2 * size > around > 0:
            # Most likely this is what broke the whole: another try would be for nothing.
            return None, None
        try:
            return self._parse("".join(self._lines[start:stop]), start, indent), None
        except FAILURES as failure:
            return None, failure

    def _parse(self, text: str, start: int, indent: str) -> list[ast.stmt]:
        """Parses text that starts at a line with this indentation. Raises FAILURES."""
        if not indent:
            return parse_text(text, start + 1).body
        tree = parse_text("if _:\n" + text, max(start, 1))
        if not start:
            ast.increment_lineno(tree, -1)
        outer = tree.body[0]
        return [*outer.body, *tree.body[1:]] if isinstance(outer, ast.If) else tree.body

    def _joined(
        self, starts: list[int], index: int, indent: str
    ) -> tuple[int, list[ast.stmt] | None]:
        """A piece together with the next ones, if an open string or bracket reaches into them."""
        first, last = starts[index], starts[index + 1]
        if last == starts[-1] or self._defines(last):
            return last, None
        reach = self._reach(first, last, starts[-1])
        # Where definitions lie in between, the opening is a typing mistake, not theirs.
        if reach <= last or any(map(self._defines, range(last, reach))):
            return last, None
        end = next(s for s in starts if s >= reach)
        return end, self._try(first, end, indent, end - first)[0]

    def _reach(self, start: int, stop: int, limit: int) -> int:
        """The line, from `stop` on, before which all is closed again that was opened; else -1."""
        text = "".join(self._lines[start:limit])
        level, line = 0, start
        for token in scan(text):
            part = text[token.start : token.end]
            if token.kind == "newline":
                line += 1
                if level == 0 and line >= stop:
                    return line
            elif token.kind in ("space", "string", "interpolated"):
                line += len(split_lines(part + "x")) - 1
            elif token.kind == "unclosed" and token.end == len(text):
                return -1
            elif level and part in HARD_KEYWORDS:
                # A bracket was left open above; what it holds is not known, but it ends here.
                if line >= stop:
                    return -1
                level = 0
            else:
                level = max(level + (token.kind == "open") - (token.kind == "close"), 0)
        return limit if level == 0 else -1

    def _without(
        self, start: int, stop: int, indent: str, before: _Piece, failure: BaseException | None
    ) -> list[ast.stmt] | None:
        """The previous piece continued after a stray line, as when one was typed at the margin."""
        header = read_header(self._lines, start, stop, indent)
        following = next((n for n in range(header.end, stop) if not self._empty[n]), None)
        if following is None or len(self._indents[following]) <= len(indent):
            return None
        if header.word in ("def", "class") and header.head != header.word:
            return None
        if header.has_colon and header.head.strip() != ":":
            return None
        if not any(map(self._is_code, range(header.end, stop))):
            return None
        if self._try(start, header.end, indent)[0] is not None:
            return None
        del self.problems[before.problems :]
        self._lose(start, failure)
        for line in range(start, header.end):
            self._lines[line], self._empty[line] = "\n", True
        statements, failure = self._try(before.start, stop, indent)
        if statements is None:
            statements = self._broken(before.start, stop, indent, failure)
        return statements

    def _broken(
        self, start: int, stop: int, indent: str, failure: BaseException | None
    ) -> list[ast.stmt]:
        """What can be kept of a piece that does not parse as a whole."""
        if self._lines[start].startswith("@", len(indent)):
            return self._decorated(start, stop, indent)
        headers, ends = self._headers(start, stop, indent)
        if headers[0].word:
            return self._compound(headers, ends)
        found = self._simple(headers[0], ends[0], failure)
        return found + (self._compound(headers[1:], ends[1:]) if headers[1:] else [])

    def _headers(self, start: int, stop: int, indent: str) -> tuple[list[Header], list[int]]:
        """The headers of a statement and its clauses, and the lines where their bodies end."""
        first = read_header(self._lines, start, stop, indent)
        inner, is_clause = indent, clause_word
        if first.word == "match":
            body = (n for n in range(first.end, stop) if not self._empty[n])
            inner, is_clause = self._indents[next(body, start)], is_case
        heads = [
            line
            for line in range(first.end, stop)
            if self._indents[line] == inner and is_clause(self._lines[line][len(inner) :])
        ]
        ends = [*heads, stop]
        clauses = [
            read_header(self._lines, head, end, inner, first.word == "match")
            for head, end in zip(heads, ends[1:], strict=True)
        ]
        return [first, *clauses], ends

    def _simple(self, header: Header, stop: int, failure: BaseException | None) -> list[ast.stmt]:
        """A simple statement, then lines that are indented as if it had a body."""
        statements, own = self._try(header.start, header.end, header.indent)
        if statements is not None:
            return statements + self._indented(header.end, stop)
        self._lose(header.start, own or failure)
        rest = range(header.end, stop)
        if any(map(self._is_code, rest)):
            inner = self._indented(header.end, stop)
        elif any(_CALL.search(self._lines[line]) for line in rest):
            # Not a block but arguments of the lost call; of those, calls are worth keeping.
            problems = len(self.problems)
            inner = [s for s in self._indented(header.end, stop) if isinstance(s, ast.Expr)]
            del self.problems[problems:]
        else:
            inner = []
        # Perhaps it was the header of a block: under which condition that runs is not known.
        return [_wrapper(header, inner)] if inner else []

    def _compound(self, headers: list[Header], ends: list[int]) -> list[ast.stmt]:
        """A compound statement: its headers, mended, with what can be read of their bodies."""
        mends = [mend(header) for header in headers]
        for header, mended in zip(headers, mends, strict=True):
            if mended.failure is not None:
                self._lose(header.start, mended.failure)
        statements = self._skeleton(headers, mends)
        bodies = [
            self._indented(header.end, end) for header, end in zip(headers, ends, strict=True)
        ]
        if statements is None:
            # Clauses that do not belong together; each body runs under some condition.
            return [
                _wrapper(header, body) for header, body in zip(headers, bodies, strict=True) if body
            ]
        places = {
            _place(header, mended): body
            for header, mended, body in zip(headers, mends, bodies, strict=True)
            if not mended.is_whole
        }
        loose = [b for m, b in zip(mends, bodies, strict=True) if m.is_whole for b in b]
        _fill(statements, places)
        return statements + loose

    def _skeleton(self, headers: list[Header], mends: list[Mended]) -> list[ast.stmt] | None:
        """The statement with `pass` for every body that is not on its header's line."""
        start, indent = headers[0].start, headers[0].indent
        lines: list[str] = []
        for header, mended in zip(headers, mends, strict=True):
            lines += ["\n"] * (header.start - start - len(lines))
            text = header.indent + mended.text + ("" if mended.is_whole else " pass")
            lines += split_lines(text.rstrip("\r\n") + "\n")
        words = [header.word for header in headers]
        alone = words[0] == "try" and not {"except", "finally"} & set(words)
        if alone:
            lines.append(indent + "finally: pass\n")
        try:
            statements = self._parse("".join(lines), start, indent)
        except FAILURES:
            return None
        if alone and isinstance(statements[0], ast.Try):
            statements[0].finalbody = []
        return statements

    def _decorated(self, start: int, stop: int, indent: str) -> list[ast.stmt]:
        """Decorators, of which each may be broken, and what they decorate, likewise."""
        decorators: list[ast.expr] = []
        line = start
        while line < stop and (self._empty[line] or self._lines[line].startswith("@", len(indent))):
            if self._empty[line]:
                line += 1
                continue
            end = read_header(self._lines, line, stop, indent).end
            text = "".join(self._lines[line:end]) + f"\n{indent}def _(): pass\n"
            try:
                carrier = self._parse(text, line, indent)[0]
            except FAILURES as failure:
                self._lose(line, failure)
            else:
                decorators += getattr(carrier, "decorator_list", [])
            line = end
        found = self._block(line, stop, indent) if line < stop else []
        if not found:
            self.problems.append(SyntaxProblem(start + 1, None, "a decorator decorates nothing"))
        for statement in found[:1]:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                statement.decorator_list[:0] = decorators
        return found

    def _indented(self, start: int, stop: int) -> list[ast.stmt]:
        """The statements of some lines, whatever their indentation is."""
        for line in range(start, stop):
            if not self._empty[line] and self._lines[line].lstrip()[0] not in ")]}":
                return self._block(line, stop, self._indents[line])
        return []

    def _defines(self, line: int) -> bool:
        return _DEFINITION.match(self._lines[line]) is not None

    def _is_code(self, line: int) -> bool:
        return _CODE.match(self._lines[line]) is not None

    def _lose(self, line: int, failure: BaseException | None) -> None:
        """Notes that what starts at a line is left out."""
        if failure is None:
            failure = SyntaxError("invalid syntax")
        self.problems.append(problem_of(failure, line + 1, self._lines))


def _wrapper(header: Header, body: list[ast.stmt]) -> ast.If:
    """A block whose header is lost; under which condition it runs is not known."""
    line, column = header.start + 1, len(header.indent.encode())
    test = ast.Name(
        "_", ast.Load(), lineno=line, col_offset=column, end_lineno=line, end_col_offset=column
    )
    end, end_column = body[-1].end_lineno, body[-1].end_col_offset
    return ast.If(
        test, body, [], lineno=line, col_offset=column, end_lineno=end, end_col_offset=end_column
    )


def _place(header: Header, mended: Mended) -> tuple[int, int]:
    """Where the `pass` of a header's skeleton is."""
    lines = split_lines(header.indent + mended.text)
    return header.start + len(lines), len(lines[-1].encode()) + 1


def _fill(statements: list[ast.stmt], places: dict[tuple[int, int], list[ast.stmt]]) -> None:
    """Puts bodies where their `pass` is, and moves the ends of what holds them."""
    nodes = [node for statement in statements for node in ast.walk(statement)]
    for node in nodes:
        for name in _FIELDS:
            body = getattr(node, name, None)
            if isinstance(body, list) and len(body) == 1 and isinstance(body[0], ast.Pass):
                inner = places.get((body[0].lineno, body[0].col_offset))
                if inner:
                    setattr(node, name, inner)
    for node in reversed(nodes):
        if isinstance(node, (ast.stmt, ast.excepthandler)):
            last = [s for name in _FIELDS for s in _statements(node, name)[-1:]]
            last = [s.body[-1] if isinstance(s, ast.match_case) else s for s in last]
            if last:
                node.end_lineno = last[-1].end_lineno
                node.end_col_offset = last[-1].end_col_offset


def _statements(node: ast.AST, name: str) -> list[ast.stmt]:
    body = getattr(node, name, None)
    return body if isinstance(body, list) else []
