"""The headers of compound statements in broken source: where they end, and how to mend them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loopsafe.facts.syntax import FAILURES, parse_text
from loopsafe.facts.tokens import HARD_KEYWORDS, is_stray, scan

_WORD = re.compile(
    r"(?P<async>async[ \t]+)?(?P<word>def|class|if|for|while|with|try|match|case|else|elif|except"
    r"|finally)\b"
)
_SOFT = ("match", "case")
_CLAUSES = ("else", "elif", "except", "finally")
_NAMED = re.compile(r"(?:async[ \t]+)?(?:def|class)[ \t]+\w+")
_CHECKS = {
    "else": ("if _: pass\n", ""),
    "elif": ("if _: pass\n", ""),
    "except": ("try: pass\n", ""),
    "finally": ("try: pass\n", ""),
    "try": ("", "\nfinally: pass"),
    "case": ("match _:\n ", ""),
}
"""What stands before and after a header where it is right."""
_FALLBACKS = {
    "while": "while _:",
    "else": "else:",
    "elif": "elif _:",
    "except": "except _:",
    "finally": "finally:",
    "try": "try:",
    "case": "case _ if _:",
}
_CLOSERS = {"(": ")", "[": "]", "{": "}"}
_MAX_PIECES = 60


@dataclass(frozen=True, slots=True)
class Header:
    """The logical line that starts a piece of source; lines count from 0, `end` excluded."""

    start: int
    end: int
    indent: str
    word: str
    """Its keyword where it looks like a compound statement's; else empty."""
    head: str
    """Without indentation, up to its colon; the whole where it has none."""
    rest: str
    """What follows the colon on the line."""
    has_colon: bool


@dataclass(frozen=True, slots=True)
class Mended:
    """A header that parses, without indentation."""

    text: str
    is_whole: bool
    """Whether it needs no `pass`: its body is on the line, or it is that of a `match`."""
    failure: BaseException | None
    """Why the header as written does not parse."""


def clause_word(content: str) -> bool:
    """Whether a line's content starts with `else`, `elif`, `except` or `finally`."""
    match = _WORD.match(content)
    return match is not None and match["word"] in _CLAUSES


def is_case(content: str) -> bool:
    """Whether a line's content starts with `case`."""
    match = _WORD.match(content)
    return match is not None and match["word"] == "case"


def read_header(
    lines: Sequence[str], start: int, stop: int, indent: str, in_match: bool = False
) -> Header:
    """The header at a line, of the lines up to `stop`."""
    match = _WORD.match(lines[start], len(indent))
    word = match["word"] if match else ""
    text = "".join(lines[start:stop])[len(indent) :]
    length, colon = _logical_line(text)
    if length < 0:
        end = _end_of_open(lines, start, stop, indent) if word else start + 1
        text = "".join(lines[start:end])[len(indent) :]
        head = text.rstrip()
        has_colon = head.endswith(":")
        word = "" if word in _SOFT and not in_match else word
        return Header(start, end, indent, word, head, "", has_colon)
    end = start + len(re.findall(r"\r\n|\r|\n", text[:length])) + 1
    after = text[len(word) : length].lstrip()[:1]
    if word in _SOFT and not in_match and (colon < 0 or after in "=.:,)"):
        word = ""
    if colon < 0:
        return Header(start, end, indent, word, text[:length].rstrip(), "", False)
    head, rest = text[: colon + 1], text[colon + 1 : length]
    return Header(start, end, indent, word, head, rest, True)


def mend(header: Header) -> Mended:
    """The header as it is where it parses, else with as much of it as can be kept."""
    failure: BaseException | None = None
    if header.rest.strip() and not header.rest.lstrip().startswith("#"):
        failure = _failure(header, header.head + header.rest)
        if failure is None:
            return Mended(header.head + header.rest, True, None)
    for candidate in _candidates(header):
        problem = _failure(header, candidate + " pass")
        if problem is None:
            return Mended(candidate, header.word == "match", failure)
        failure = failure or problem
    return Mended(_FALLBACKS.get(header.word, "if _:"), False, failure)


def _logical_line(text: str) -> tuple[int, int]:
    """Length of a text's first logical line without its line end, and where its colon is.

    The length is -1 where brackets or strings are left open or do not match, the colon -1 where
    there is none outside brackets.
    """
    opened: list[str] = []
    colon, lambdas, end = -1, 0, 0
    for token in scan(text):
        part = text[token.start : token.end]
        if token.kind == "newline" and not opened:
            return token.start, colon
        if token.kind == "unclosed" or (opened and part in HARD_KEYWORDS) or is_stray(text, token):
            return -1, -1
        if token.kind == "open":
            opened.append(_CLOSERS[part])
        elif token.kind == "close" and (not opened or opened.pop() != part):
            return -1, -1
        elif part == "lambda" and not opened:
            lambdas += 1
        elif part == ":" and not opened and colon < 0:
            lambdas, colon = (lambdas - 1, -1) if lambdas else (0, token.start)
        end = token.end
    return (-1, -1) if opened else (end, colon)


def _end_of_open(lines: Sequence[str], start: int, stop: int, indent: str) -> int:
    """Where a header with an open bracket ends: at its `):` if that stands below it."""
    for line in range(start + 1, stop):
        content = lines[line].strip()
        if not content or content.startswith("#"):
            continue
        own = lines[line][: len(lines[line]) - len(lines[line].lstrip(" \t\f"))]
        if own == indent:
            closes = content[0] in ")]}" and content.partition("#")[0].rstrip().endswith(":")
            return line + 1 if closes else start + 1
    return start + 1


def _candidates(header: Header) -> Iterator[str]:
    """Ever less of the header, each with a colon."""
    head = header.head
    if header.word in ("def", "class") and _NAMED.match(head) is None:
        return
    if header.has_colon:
        yield head
    bare = head.rstrip().removesuffix(":").rstrip()
    yield _closed(bare) + ":"
    ended = bare.rstrip(",.=*| \t")
    yield _closed(ended) + ":"
    yield _closed(ended + " _") + ":"
    if header.word in ("def", "class"):
        yield from _signatures(bare)


def _signatures(bare: str) -> Iterator[str]:
    """A function's or class's header without one parameter, its return type, or all parameters."""
    match = _NAMED.match(bare)
    if match is None:
        return
    name, opening = match[0], bare.find("(", match.end())
    if opening >= 0:
        body = bare[opening + 1 :]
        if "->" in body:
            body = body.rpartition("->")[0]
            yield f"{bare[:opening]}({body.rstrip().removesuffix(')')}):"
        body = body.rstrip().removesuffix(")")
        for mark in ("\n", ","):
            pieces = body.split(mark)
            for index in range(min(len(pieces), _MAX_PIECES) if len(pieces) > 1 else 0):
                kept = [p if i != index else "" for i, p in enumerate(pieces)]
                joined = mark.join(kept) if mark == "\n" else mark.join(p for p in kept if p)
                yield f"{bare[:opening]}({joined}):"
    yield f"{name}():" if "def" in name.split() else f"{name}:"


def _closed(text: str) -> str:
    """With its open brackets closed."""
    opened: list[str] = []
    for token in scan(text):
        if token.kind == "open":
            opened.append(_CLOSERS[text[token.start : token.end]])
        elif token.kind == "close" and opened:
            opened.pop()
    return text + "".join(reversed(opened))


def _failure(header: Header, text: str) -> BaseException | None:
    """Why a header's text does not parse where it belongs, told with its place in the file."""
    if header.word == "match":
        text = text.removesuffix(" pass") + "\n case _: pass"
    before, after = _CHECKS.get(header.word, ("", ""))
    try:
        parse_text(before + text + after)
    except SyntaxError as failure:
        if failure.lineno is not None and failure.offset is not None:
            if failure.lineno == before.count("\n") + 1:
                failure.offset += len(header.indent) - (header.word == "case")
            failure.lineno += header.start - before.count("\n")
        return failure
    except FAILURES as failure:
        return failure
    return None
