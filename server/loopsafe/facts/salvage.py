"""Reads broken source block by block and keeps every statement that parses.

A block is split where its indentation says that statements start. A piece that does not parse is
a compound statement, of which the header is kept or mended and the bodies are read in the same
way, or a simple statement, which alone is lost.
"""

from __future__ import annotations

import ast
from typing import NamedTuple

from loopsafe.facts.assembly import fill, place_of, wrapper
from loopsafe.facts.headers import Header, Mended, clause_word, is_case, mend, read_header
from loopsafe.facts.lines import Lines
from loopsafe.facts.syntax import FAILURES, SyntaxProblem, parse_text, problem_of, split_lines

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

    def __init__(self, text: str, is_newer: bool) -> None:
        self.problems: list[SyntaxProblem] = []
        self.lost_nothing = False
        """Only the parser says that something is missing; where depends on what follows."""
        self._lines = Lines(text)
        self._is_newer = is_newer
        self._known: dict[tuple[int, int, str], Header] = {}
        self._suspect = -1
        self._depth = 0

    def tree(self, failure: BaseException) -> ast.Module:
        """All statements that parse; `failure` is what parsing the whole text raised."""
        if isinstance(failure, SyntaxError) and failure.lineno is not None:
            self._suspect = failure.lineno - 1
        body = self._block(0, len(self._lines.texts), "")
        self.lost_nothing = not self.problems
        if self.lost_nothing:
            self.problems.append(problem_of(failure, 1, self._lines.texts))
        self.problems = sorted(dict.fromkeys(self.problems), key=lambda p: p.line)
        return ast.Module(body, [])

    def _block(self, start: int, stop: int, indent: str) -> list[ast.stmt]:
        """The statements between two lines that are indented like this."""
        starts = [*self._lines.starts(start, stop, indent), stop]
        found = self._indented(start, starts[0], "")
        if self._depth > _MAX_DEPTH:
            return found
        self._depth += 1
        index = 0
        before: _Piece | None = None
        while index < len(starts) - 1:
            if len(self.problems) > _MAX_PROBLEMS and not self._lines.is_code(starts[index]):
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

    def _try(
        self, start: int, stop: int, indent: str, around: int = 0
    ) -> tuple[list[ast.stmt] | None, BaseException | None]:
        """The statements, if they parse as they are."""
        size = stop - start
        if start <= self._suspect < stop and size > _BIG and 2 * size > around > 0:
            # Most likely this is what broke the whole: another try would be for nothing.
            return None, None
        try:
            return self._parse(self._lines.between(start, stop), start, indent), None
        except FAILURES as failure:
            return None, failure

    def _parse(self, text: str, start: int, indent: str) -> list[ast.stmt]:
        """Parses text that starts at a line with this indentation. Raises FAILURES."""
        # In a small piece newer syntax may show that a stray quote hid in the whole.
        is_newer = self._is_newer or text.count("\n") < _BIG
        if not indent:
            return parse_text(text, start + 1, is_newer).body
        tree = parse_text("if _:\n" + text, max(start, 1), is_newer)
        if not start:
            ast.increment_lineno(tree, -1)
        outer = tree.body[0]
        return [*outer.body, *tree.body[1:]] if isinstance(outer, ast.If) else tree.body

    def _joined(
        self, starts: list[int], index: int, indent: str
    ) -> tuple[int, list[ast.stmt] | None]:
        """A piece together with the next ones, if an open string or bracket reaches into them."""
        first, last = starts[index], starts[index + 1]
        if last == starts[-1] or not self._lines.may_reach(first, last):
            return last, None
        end = self._lines.reach(first, starts[index + 1 :])
        return (last, None) if end <= last else (end, self._try(first, end, indent, end - first)[0])

    def _without(
        self, start: int, stop: int, indent: str, before: _Piece, failure: BaseException | None
    ) -> list[ast.stmt] | None:
        """The previous piece continued after a stray line, as when one was typed at the margin."""
        header = self._header(start, stop, indent)
        following = self._lines.first(header.end, stop)
        if following is None or len(self._lines.indents[following]) <= len(indent):
            return None
        if header.word in ("def", "class") and header.head != header.word:
            return None
        if header.has_colon and header.head.strip() != ":":
            return None
        if not any(map(self._lines.is_code, range(header.end, stop))):
            return None
        statements, own = self._try(start, header.end, indent)
        if statements is not None:
            return None
        del self.problems[before.problems :]
        self._lose(start, own or failure)
        self._lines.blank(start, header.end)
        self._known.clear()
        statements, failure = self._try(before.start, stop, indent)
        if statements is None:
            statements = self._broken(before.start, stop, indent, failure)
        return statements

    def _broken(
        self, start: int, stop: int, indent: str, failure: BaseException | None
    ) -> list[ast.stmt]:
        """What can be kept of a piece that does not parse as a whole."""
        if self._lines.texts[start].startswith("@", len(indent)):
            return self._decorated(start, stop, indent)
        headers, ends = self._headers(start, stop, indent)
        if headers[0].word:
            return self._compound(headers, ends)
        found = self._simple(headers[0], ends[0], failure)
        return found + (self._compound(headers[1:], ends[1:]) if headers[1:] else [])

    def _header(self, start: int, stop: int, indent: str) -> Header:
        key = (start, stop, indent)
        if key not in self._known:
            self._known[key] = read_header(self._lines.texts, start, stop, indent)
        return self._known[key]

    def _headers(self, start: int, stop: int, indent: str) -> tuple[list[Header], list[int]]:
        """The headers of a statement and its clauses, and the lines where their bodies end."""
        first = self._header(start, stop, indent)
        inner, is_clause = indent, clause_word
        if first.word == "match":
            body = self._lines.first(first.end, stop)
            inner, is_clause = self._lines.indents[start if body is None else body], is_case
        heads = [
            line
            for line in range(first.end, stop)
            if self._lines.indents[line] == inner
            and is_clause(self._lines.texts[line][len(inner) :])
        ]
        ends = [*heads, stop]
        clauses = [
            read_header(self._lines.texts, head, end, inner, first.word == "match")
            for head, end in zip(heads, ends[1:], strict=True)
        ]
        return [first, *clauses], ends

    def _simple(self, header: Header, stop: int, failure: BaseException | None) -> list[ast.stmt]:
        """A simple statement, then lines that are indented as if it had a body."""
        statements, own = self._try(header.start, header.end, header.indent)
        if statements is not None:
            return statements + self._indented(header.end, stop, header.indent)
        self._lose(header.start, own or failure)
        rest = range(header.end, stop)
        if any(map(self._lines.is_code, rest)):
            inner = self._indented(header.end, stop, header.indent)
        elif any(map(self._lines.has_call, rest)):
            # Not a block but arguments of the lost call; of those, calls are worth keeping.
            problems = len(self.problems)
            inner = [
                s
                for s in self._indented(header.end, stop, header.indent)
                if isinstance(s, ast.Expr)
            ]
            del self.problems[problems:]
        else:
            inner = []
        # Perhaps it was the header of a block: under which condition that runs is not known.
        return [wrapper(header, inner)] if inner else []

    def _compound(self, headers: list[Header], ends: list[int]) -> list[ast.stmt]:
        """A compound statement: its headers, mended, with what can be read of their bodies."""
        mends = [mend(header) for header in headers]
        for header, mended in zip(headers, mends, strict=True):
            if mended.failure is not None:
                self._lose(header.start, mended.failure)
        bodies = [
            self._indented(header.end, end, header.indent)
            for header, end in zip(headers, ends, strict=True)
        ]
        found: list[ast.stmt] = []
        while headers:
            whole, statements = self._skeleton(headers, mends)
            places = {
                place_of(header, mended): body
                for header, mended, body in zip(headers[:whole], mends, bodies, strict=False)
                if not mended.is_whole
            }
            fill(statements, places)
            found += statements
            for mended, body in zip(mends[:whole], bodies, strict=False):
                found += body if mended.is_whole else []
            if not whole:
                # A clause without its statement; under which condition it runs is not known.
                found += [wrapper(headers[0], bodies[0])] if bodies[0] else []
            rest = max(whole, 1)
            headers, mends, bodies = headers[rest:], mends[rest:], bodies[rest:]
        return found

    def _skeleton(self, headers: list[Header], mends: list[Mended]) -> tuple[int, list[ast.stmt]]:
        """The statement of as many of the headers as belong together, and how many these are.

        It has a `pass` for every body that is not on its header's line.
        """
        start, indent = headers[0].start, headers[0].indent
        for count in range(len(headers), 0, -1):
            lines: list[str] = []
            for header, mended in zip(headers[:count], mends, strict=False):
                lines += ["\n"] * (header.start - start - len(lines))
                text = header.indent + mended.text + ("" if mended.is_whole else " pass")
                lines += split_lines(text.rstrip("\r\n") + "\n")
            words = [header.word for header in headers[:count]]
            alone = words[0] == "try" and not {"except", "finally"} & set(words)
            if alone:
                lines.append(indent + "finally: pass\n")
            try:
                statements = self._parse("".join(lines), start, indent)
            except FAILURES:
                continue
            if alone and isinstance(statements[0], ast.Try):
                statements[0].finalbody = []
            return count, statements
        return 0, []

    def _decorated(self, start: int, stop: int, indent: str) -> list[ast.stmt]:
        """Decorators, of which each may be broken, and what they decorate, likewise."""
        decorators: list[ast.expr] = []
        line = start
        while line < stop and (
            self._lines.empty[line] or self._lines.texts[line].startswith("@", len(indent))
        ):
            if self._lines.empty[line]:
                line += 1
                continue
            end = self._header(line, stop, indent).end
            text = "".join(self._lines.texts[line:end]) + f"\n{indent}def _(): pass\n"
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

    def _indented(self, start: int, stop: int, outer: str) -> list[ast.stmt]:
        """The statements of some lines that are indented more than `outer`, evenly or not."""
        for line in range(start, stop):
            if not self._lines.empty[line] and self._lines.texts[line].lstrip()[0] not in ")]}":
                own = self._lines.indents[line]
                end = self._lines.dedent(line, stop, own, outer)
                found = self._block(line, end, own)
                return found + self._indented(end, stop, outer) if end < stop else found
        return []

    def _lose(self, line: int, failure: BaseException | None) -> None:
        """Notes that what starts at a line is left out."""
        if failure is None:
            failure = SyntaxError("invalid syntax")
        self.problems.append(problem_of(failure, line + 1, self._lines.texts))
