"""A tokenizer for source that need not be valid: gives up on nothing and knows nested f-strings.

The standard library's refuses broken source, and before Python 3.12 takes an f-string for one
token. This one exists to find where statements end and to recognise syntax, not to parse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

_END = r"(?:\r\n|\r|\n)"
_BODY = {
    "'''": r"[^\\']*(?:(?:\\.|'(?!''))[^\\']*)*'''",
    '"""': r'[^\\"]*(?:(?:\\.|"(?!""))[^\\"]*)*"""',
    "'": r"[^\\'\r\n]*(?:\\(?:\r\n|.)[^\\'\r\n]*)*'",
    '"': r'[^\\"\r\n]*(?:\\(?:\r\n|.)[^\\"\r\n]*)*"',
}
_STRING = "|".join(quote + body for quote, body in _BODY.items())
_TOKEN = re.compile(
    rf"""(?P<space>(?:[ \t\f]|\\{_END})+)
    |(?P<newline>{_END})
    |(?P<comment>\#[^\r\n]*)
    |(?P<string>(?:[bBuU]|[rR][bB]?|[bB][rR])?(?:{_STRING}))
    |(?P<interpolated>(?:[fFtT][rR]?|[rR][fFtT])(?:'''|\"\"\"|'|"))
    |(?P<unclosed>(?:[bBuU]|[rR][bB]?|[bB][rR])?(?:(?:'''|\"\"\").*|['"][^\r\n]*))
    |(?P<name>\w+)
    |(?P<open>[(\[{{])
    |(?P<close>[)\]}}])
    |(?P<op>:=|->|[=!<>]=|\.\.\.|.)""",
    re.VERBOSE | re.DOTALL,
)
_CLASSIC = {quote: re.compile(body, re.DOTALL) for quote, body in _BODY.items()}
_LITERAL = re.compile(r"\\N\{[^}\r\n]*\}|\\[^{}]|\{\{|\}\}|[{}'\"\r\n]")
_LINE_END = re.compile(r"[\r\n]")
_NOT_BLANK = re.compile(r"\S")
_TRIPLE = ("'''", '"""')
_DEFINITION = re.compile(r"[\r\n][ \t]*(?:@\w|(?:async[ \t]+)?def\b|class\b)")
_OPENS = re.compile(r"(?:[=(\[{,:]|\breturn)\s*$")
_MAX_NESTING = 20
_MAX_LINES = 20

HARD_KEYWORDS = frozenset(
    [
        "def",
        "class",
        "return",
        "import",
        "raise",
        "while",
        "try",
        "except",
        "finally",
        "with",
        "pass",
        "break",
        "continue",
        "global",
        "nonlocal",
        "del",
        "assert",
    ]
)
"""Words that no expression holds: met inside brackets, they tell that one was left open."""


class Token(NamedTuple):
    """A piece of source: `kind` is the name of a group of the token pattern."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Field:
    """A replacement field of an f-string: where its expression is, and fields in its format."""

    start: int
    end: int
    inner: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Interpolated:
    """An f-string or t-string."""

    start: int
    end: int
    quote: str
    fields: tuple[Field, ...]


def scan(text: str, position: int = 0, nesting: int = 0) -> Iterator[Token]:
    """The tokens of a text, blanks and comments included; together they are the whole text.

    An f-string is one token of kind `interpolated`; a string without its end is `unclosed` and
    reaches to the end of its line, or of the text for triple quotes.
    """
    while match := _TOKEN.match(text, position):
        kind, stop = match.lastgroup or "op", match.end()
        if kind == "interpolated":
            if (found := interpolated(text, position, nesting)) is not None:
                stop = found.end
            else:
                kind, stop = "unclosed", _unclosed_end(text, stop)
        yield Token(kind, position, stop)
        position = stop


def interpolated(text: str, position: int, nesting: int = 0) -> Interpolated | None:
    """The f-string or t-string that starts here; None where it does not end."""
    match = _TOKEN.match(text, position)
    if match is None or match.lastgroup != "interpolated":
        return None
    quote = match[0].lstrip("fFtTrR")
    fields: list[Field] = []
    end = _literal(text, match.end(), quote, fields, nesting) if nesting < _MAX_NESTING else -1
    if end < 0:
        if nesting:
            # Trying again at every depth of broken text would take exponential time.
            return None
        # Before Python 3.12 the first quote ended the string, whatever a field held.
        classic = _CLASSIC[quote].match(text, match.end())
        return Interpolated(position, classic.end(), quote, ()) if classic else None
    return Interpolated(position, end, quote, tuple(fields))


def is_stray(text: str, token: Token) -> bool:
    """Whether a string more likely starts with a stray quote, so that code lies in it.

    Of a stray quote tells that definitions are in the string and that it ends where another
    string seems to start: after `=`, `(` and the like, or below a line that ends with a colon.
    """
    if token.kind not in ("string", "interpolated") or not _DEFINITION.search(
        text, token.start, token.end
    ):
        return False
    lines = _LINE_END.split(text[token.start : token.end - 3].rstrip(" \t"))
    while len(lines) > 1 and lines[-1].strip()[:1] in ("", "#"):
        if not lines.pop().strip() and lines[-1].rstrip().endswith(":"):
            return True
    return text[token.end : token.end + 1].isalnum() or _OPENS.search(lines[-1]) is not None


def _unclosed_end(text: str, after_quote: int) -> int:
    if text[after_quote - 3 : after_quote] in _TRIPLE:
        return len(text)
    line_end = _LINE_END.search(text, after_quote)
    return line_end.start() if line_end else len(text)


def _literal(
    text: str, position: int, quote: str, fields: list[Field], nesting: int, in_format: bool = False
) -> int:
    """Reads literal text with fields; where the string ends, or the `}` of a format; else -1."""
    while match := _LITERAL.search(text, position):
        found, position = match[0], match.end()
        if found in ("\r", "\n") and len(quote) == 1:
            return -1
        if found in ("'", '"') and text.startswith(quote, match.start()):
            return -1 if in_format else match.start() + len(quote)
        if in_format and found[0] == "}":
            return match.start()
        if found == "{" or (in_format and found == "{{"):
            position = _field(text, match.start() + 1, quote, fields, nesting)
            if position < 0:
                return -1
    return -1


def _field(text: str, start: int, quote: str, fields: list[Field], nesting: int) -> int:
    """Reads a replacement field after its `{`; the position after its `}`, or -1."""
    level, lines, end = 0, 0, -1
    for token in scan(text, start, nesting + 1):
        part = text[token.start : token.end]
        if level == 0 and part == "}":
            fields.append(Field(start, token.start if end < 0 else end, ()))
            return token.end
        if level == 0 and part in (":", ":="):
            inner: list[Field] = []
            stop = _literal(text, token.start + 1, quote, inner, nesting + 1, in_format=True)
            fields.append(Field(start, token.start if end < 0 else end, tuple(inner)))
            return stop + 1 if stop >= 0 else -1
        if level == 0 and end < 0 and (part == "!" or (part == "=" and _shows_itself(text, token))):
            end = token.start
        level += (token.kind == "open") - (token.kind == "close")
        lines += token.kind == "newline"
        if level < 0 or token.kind == "unclosed" or part == ";" or part in HARD_KEYWORDS:
            return -1
        if lines > _MAX_LINES and len(quote) == 1:
            return -1
    return -1


def _shows_itself(text: str, token: Token) -> bool:
    """Whether `=` is the one of `f"{value=}"`."""
    following = _NOT_BLANK.search(text, token.end)
    return following is not None and following[0] in "}:!"
