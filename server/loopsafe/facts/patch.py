"""Facts after an edit inside one function, made of those before it: only that function is read.

Gives what reading the whole text anew would, words apart: those of the function as it was stay.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from loopsafe.facts.building import ClassBuilder, FunctionBuilder, ScopeBuilder
from loopsafe.facts.definitions import is_bare
from loopsafe.facts.extract import StatementReader
from loopsafe.facts.headers import read_header
from loopsafe.facts.hunks import Hunk, hunks
from loopsafe.facts.ir import (
    Class,
    ClassRef,
    Filled,
    Function,
    FunctionRef,
    ModuleFacts,
    Scope,
)
from loopsafe.facts.joining import Part, Patch, joined
from loopsafe.facts.lines import Lines, is_empty
from loopsafe.facts.salvage import Salvage
from loopsafe.facts.syntax import FAILURES, SyntaxProblem, parse_newer, parse_plain, problem_of

_ODD = re.compile("[\f\0\ufeff\ud800-\udfff]|\r(?!\n)")
"""What makes lines, or columns, of a text other than they seem."""


def patches(before: ModuleFacts, old: str, new: str) -> tuple[Patch, ...]:
    """The steps from the facts of one text to those of another, each inside one function.

    Empty where it takes more, or where nothing differs. What does not parse in the first text must
    have come in by such steps, else it may have kept more than its function from being read.
    """
    if _ODD.search(old) or _ODD.search(new):
        return ()
    lines, wanted = old.split("\n"), new.split("\n")
    steps: list[Patch] = []
    pending = hunks(lines, wanted)
    while pending:
        # What is mended comes first: no more than one function is broken at a time.
        hunk = next((h for h in pending if before.problems and _mends(before, lines, h)), None)
        hunk = hunk or pending[-1]
        fresh = wanted[hunk.start_after : hunk.end_after]
        step = _patched(before, lines, hunk, fresh)
        if step is None:
            return ()
        steps.append(step)
        before = step.facts
        lines[hunk.start : hunk.end] = fresh
        by = len(fresh) - (hunk.end - hunk.start)
        pending = [
            h._replace(start=h.start + by, end=h.end + by) if h.start > hunk.start else h
            for h in pending
            if h is not hunk
        ]
    return tuple(steps)


def _mends(facts: ModuleFacts, lines: list[str], hunk: Hunk) -> bool:
    """Whether a hunk lies in the function of which something is lost."""
    number = _enclosing(facts, lines, hunk.start + 1, hunk.end)
    if number is None:
        return False
    function = facts.functions[number]
    return function.span.line <= facts.problems[0].line <= _end(facts, function, lines)


def _patched(before: ModuleFacts, old: list[str], hunk: Hunk, fresh: list[str]) -> Patch | None:
    """The facts after the lines of a hunk were replaced; None where it takes more to make them."""
    first, last = hunk.start + 1, hunk.end
    number = _enclosing(before, old, first, last)
    if number is None:
        return None
    function = before.functions[number]
    start, end = function.span.line - 1, _end(before, function, old)
    by = len(fresh) - (hunk.end - hunk.start)
    lines = [*old[start : hunk.start], *fresh, *old[hunk.end : end]]
    behind = _through_code(old[max(end, hunk.end) :])
    parsed = _parsed(lines, function, behind)
    if parsed is None or hunk.start < start + _header_length(old[start:end]):
        return None
    node, problems = parsed
    if any(not start < problem.line <= end for problem in before.problems):
        return None
    if (problems or before.problems) and not _stands_alone(lines, behind):
        return None
    if problems and _leaves_margin(lines, _header_length(lines)):
        return None
    part = _part(before, number)
    reader = _reader(before, function, part)
    try:
        _read(reader, node, function)
    except RecursionError:
        return None
    return joined(before, reader, part, by, problems) if _fits(reader, part) else None


def _enclosing(facts: ModuleFacts, old: list[str], first: int, last: int) -> int | None:
    """The outermost function whose lines hold all that differ, or end right before them."""
    found: int | None = None
    for number, function in enumerate(facts.functions):
        if number and function.span.line >= first:
            break
        if number and _is_outermost(facts, function):
            found = number
    if found is None or facts.functions[found].name == "<lambda>":
        return None
    end = _end(facts, facts.functions[found], old)
    return found if last <= end and first <= end + 1 else None


def _end(facts: ModuleFacts, function: Function, lines: list[str]) -> int:
    """The last line of a function, also where what stood there could not be read."""
    end = function.end
    if not facts.problems:
        return end
    margin = _indent(lines[function.span.line - 1])
    for number in range(end, len(lines)):
        if is_empty(lines[number]):
            continue
        if _indent(lines[number]) <= margin:
            break
        end = number + 1
    return end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_outermost(facts: ModuleFacts, function: Function) -> bool:
    scope = facts.scopes[function.outer]
    while scope.kind == "class":
        scope = facts.scopes[scope.parent]
    return scope.kind == "module"


def _through_code(lines: list[str]) -> list[str]:
    """Lines up to the first that is not empty: as much as a parser sees of what follows."""
    first = next((number for number, line in enumerate(lines) if not is_empty(line)), None)
    return lines if first is None else lines[: first + 1]


def _parsed(
    lines: list[str], function: Function, behind: list[str]
) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, tuple[SyntaxProblem, ...]] | None:
    """The definition that some lines are, at their places in the file, and what of it is lost.

    `behind` are the lines that follow.
    """
    is_indented = _indent(lines[0]) > 0
    text, line = "\n".join(lines) + "\n", function.span.line
    if is_indented and line < 2:
        return None
    try:
        tree, problems = _tree(text, line, is_indented, "\n".join(behind))
    except FAILURES:
        return None
    body = tree.body
    if is_indented and len(body) == 1 and isinstance(body[0], ast.If) and body[0].lineno < line:
        body = [] if body[0].orelse else body[0].body
    node = body[0] if len(body) == 1 else None
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    is_same = (node.name, node.lineno, isinstance(node, ast.AsyncFunctionDef)) == (
        function.name,
        line,
        function.is_async,
    )
    return (node, problems) if is_same and node.col_offset < function.span.column else None


def _tree(
    text: str, line: int, is_indented: bool, behind: str
) -> tuple[ast.Module, tuple[SyntaxProblem, ...]]:
    """A definition that starts at a line; below an `if` where it is indented. Raises FAILURES."""
    whole, first = (f"if 1:\n{text}", line - 1) if is_indented else (text, line)
    try:
        return parse_plain(whole, first), ()
    except SyntaxError as failure:
        tree, is_newer = parse_newer(whole, failure, first)
        if tree is not None:
            return tree, ()
        salvage = Salvage("\n" * (line - 1) + text, is_newer)
        tree = salvage.tree(failure)
        if salvage.lost_nothing:
            return tree, (_missing(whole, first, behind),)
        return tree, tuple(salvage.problems)


def _missing(text: str, line: int, behind: str) -> SyntaxProblem:
    """What the parser misses in a text that starts at a line, where it may be in what follows."""
    try:
        parse_plain(text + behind, line)
    except FAILURES as failure:
        return problem_of(failure, 1, [*[""] * (line - 1), *(text + behind).split("\n")])
    raise SyntaxError("what follows makes it whole")


def _header_length(lines: list[str]) -> int:
    texts = [f"{line}\n" for line in lines]
    return read_header(texts, 0, len(texts), lines[0][: _indent(lines[0])]).end


def _stands_alone(lines: list[str], behind: list[str]) -> bool:
    """Whether what is open in some lines ends with them: nothing behind can belong to it."""
    text = "\n".join(lines)
    if (text.count('"""') + text.count("'''")) % 2:
        return False
    return not behind or is_empty(behind[-1]) or Lines(f"{behind[-1]}\n").is_code(0)


def _leaves_margin(lines: list[str], header: int) -> bool:
    """Whether a line below a header stands as far left, where a reader may take it for the end."""
    margin = _indent(lines[0])
    return any(not is_empty(line) and _indent(line) <= margin for line in lines[header:])


def _part(facts: ModuleFacts, number: int) -> Part:
    scope = facts.functions[number].scope
    end = scope + 1
    while end < len(facts.scopes) and facts.scopes[end].parent >= scope:
        end += 1
    scopes = range(scope, end)
    last = number + 1
    while last < len(facts.functions) and facts.functions[last].scope in scopes:
        last += 1
    start = sum(cls.scope < scope for cls in facts.classes)
    stop = start + sum(cls.scope in scopes for cls in facts.classes)
    return Part(range(number, last), scopes, range(start, stop))


def _reader(facts: ModuleFacts, function: Function, part: Part) -> StatementReader:
    """A reader that stands where the function's body begins.

    Of what lies around it knows the names; what it binds there is all that they hold.
    """
    reader = StatementReader()
    module = reader.scopes[0]
    reader.scopes = [module] * part.scopes.start
    reader.functions = reader.functions * part.functions.start
    reader.classes = [_class(facts.classes[number]) for number in range(part.classes.start)]
    outer = function.outer
    place: FunctionRef | ClassRef = FunctionRef(part.functions.start)
    while outer > 0:
        scope = facts.scopes[outer]
        builder = ScopeBuilder(outer, scope.kind, scope.parent, scope.owner)
        reader.scopes[outer] = builder
        reader.scope = builder if outer == function.outer else reader.scope
        place, outer = ClassRef(scope.owner), scope.parent
    module.bindings = {name: [] for name in _bound_before(facts.scopes[0], place, part)}
    return reader


def _class(facts: Class) -> ClassBuilder:
    return ClassBuilder(facts.name, facts.qualname, facts.span, facts.scope, facts.outer)


def _bound_before(scope: Scope, place: FunctionRef | ClassRef, part: Part) -> Iterator[str]:
    """The names that a module has bound by the time that it comes to a definition."""
    order = next(
        (b.order for found in scope.bindings.values() for b in found if b.value == place), 0
    )
    is_class = isinstance(place, ClassRef)
    for name, bindings in scope.bindings.items():
        for binding in bindings:
            if binding.block >= 0:
                is_before = binding.order < order + (not is_class)
            else:
                is_filling = isinstance(binding.value, Filled)
                is_before = binding.scope < part.scopes.start and not is_filling
            if is_before:
                yield name
                break


def _read(
    reader: StatementReader, node: ast.FunctionDef | ast.AsyncFunctionDef, known: Function
) -> None:
    """Reads the body of a function whose header is known."""
    function = FunctionBuilder(known.name, known.qualname, known.span, 0, known.outer, known.owner)
    function.is_async, function.parameters = known.is_async, known.parameters
    function.returns, function.decorators = known.returns, known.decorators
    function.bare, function.end = is_bare(node.body), node.end_lineno or 0
    reader.qualname = tuple(known.qualname.split(".")[:-1])
    reader.enter_function(function)
    reader.body(node, function)


def _fits(reader: StatementReader, part: Part) -> bool:
    """Whether there is as much of everything as before, so that all numbers stay."""
    return (
        len(reader.functions) == part.functions.stop
        and len(reader.scopes) == part.scopes.stop
        and len(reader.classes) == part.classes.stop
    )
