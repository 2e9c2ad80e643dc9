"""Adds a name to a list or table of `[tool.loopsafe]`, and leaves the rest of the text as it is.

The places are found by patterns. Whether a place was right, the TOML reader says: only a text that
says what the old one said, and the new name, is given.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_TABLE = r"^[ \t]*\[[ \t]*tool[ \t]*\.[ \t]*loopsafe{}[ \t]*\][ \t]*(?:#[^\n]*)?(?:\r?\n|\Z)"
_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)|(?P<string>\"{3}.*?\"{3}|'{3}.*?'{3}|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*')
    |(?P<open>[\[{])|(?P<close>[\]}])|(?P<other>[^\s\#\"'\[\]{}]+)""",
    re.VERBOSE | re.DOTALL,
)


class Insertion(NamedTuple):
    """A text that comes before the character at an offset."""

    offset: int
    content: str


def insertions(text: str, key: str, name: str) -> tuple[Insertion, ...]:
    """What adds a name to a setting such as `not-blocking`; empty where that cannot be done.

    The text may have any line ends; new lines are like the first of them.
    """
    before = _read(text)
    if before is None or name in _names(before, key):
        return ()
    for found in _candidates(text, key, name):
        after = _read(inserted(text, found))
        if after is None or _names(after, key) != {*_names(before, key), name}:
            continue
        if _without(after, key) == _without(before, key):
            return tuple(found)
    return ()


def inserted(text: str, found: tuple[Insertion, ...] | list[Insertion]) -> str:
    """The text with all insertions, which come in order."""
    for offset, content in reversed(found):
        text = text[:offset] + content + text[offset:]
    return text


def _candidates(text: str, key: str, name: str) -> Iterator[list[Insertion]]:
    end = "\r\n" if "\r\n" in text else "\n"
    is_numbered = key.endswith("-functions")
    value = "0" if is_numbered else '""'
    for table in re.finditer(_TABLE.format(rf"[ \t]*\.[ \t]*{key}"), text, re.M):
        start = "" if text[: table.end()].endswith("\n") else end
        yield [Insertion(table.end(), f'{start}"{name}" = {value}{end}')]
    for given in re.finditer(rf"^[ \t]*(?:[\w.]+\.)?{key}[ \t]*=[ \t]*(?=[\[{{])", text, re.M):
        item = f'"{name}"' if text[given.end()] == "[" else f'"{name}" = {value}'
        found = _into(text, given.end(), item, end)
        if found:
            yield found
    fresh = f'[tool.loopsafe.{key}]{end}"{name}" = {value}{end}'
    if key != "blocking":
        line = f'{key} = ["{name}"]{end}'
        for table in re.finditer(_TABLE.format(""), text, re.M):
            start = "" if text[: table.end()].endswith("\n") else end
            yield [Insertion(table.end(), start + line)]
        fresh = f"[tool.loopsafe]{end}{line}"
    gap = "" if not text.strip() else end if text.endswith("\n") else end * 2
    yield [Insertion(len(text), f"{gap}{fresh}")]
    yield [Insertion(len(text), f'{gap}[[tool.loopsafe.{key}]]{end}names = ["{name}"]{end}')]


def _into(text: str, opening: int, item: str, end: str) -> list[Insertion]:
    """The insertions that add an item to the array or inline table that opens at an offset."""
    last, depth, closing = opening + 1, 0, -1
    for token in _TOKEN.finditer(text, opening):
        depth += (token.lastgroup == "open") - (token.lastgroup == "close")
        if depth == 0:
            closing = token.start()
            break
        if token.lastgroup != "comment":
            last = token.end()
    if closing < 0:
        return []
    is_empty = last == opening + 1
    has_comma = text[last - 1] == ","
    line = text.rfind("\n", 0, closing) + 1
    if is_empty or line <= opening or text[line:closing].strip():
        comma = "" if is_empty else " " if has_comma else ", "
        return [Insertion(last, comma + item)]
    start = text.rfind("\n", 0, last) + 1
    indent = re.match(r"[ \t]*", text[start:])
    before = [] if has_comma else [Insertion(last, ",")]
    return [*before, Insertion(line, f"{indent[0] if indent else ''}{item},{end}")]


def _read(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _table(document: dict[str, Any]) -> dict[str, Any]:
    tool = document.get("tool")
    table = tool.get("loopsafe") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else {}


def _names(document: dict[str, Any], key: str) -> set[str]:
    value = _table(document).get(key)
    if isinstance(value, dict):
        return set(value)
    items = value if isinstance(value, list) else []
    listed = (item.get("names", []) if isinstance(item, dict) else [item] for item in items)
    return {name for names in listed for name in names if isinstance(name, str)}


def _without(document: dict[str, Any], key: str) -> dict[str, Any]:
    """The document without the setting, and without tables that hold nothing else."""
    table = {k: v for k, v in _table(document).items() if k != key}
    tool = document.get("tool")
    rest = {k: v for k, v in tool.items() if k != "loopsafe"} if isinstance(tool, dict) else {}
    others = {k: v for k, v in document.items() if k != "tool"}
    return {"rest": rest, "others": others, "own": table}
