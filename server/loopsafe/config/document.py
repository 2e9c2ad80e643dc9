"""A TOML file as text: reading it with precise errors, and finding the line of a key."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from loopsafe.knowledge.table import Keys

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class ConfigError(Exception):
    """A setting that cannot be used; `line` is 1-based, None where there is no file."""

    def __init__(self, path: str, message: str, line: int | None = None) -> None:
        self.path = path
        self.message = message
        self.line = line
        place = path if line is None else f"{path}:{line}"
        super().__init__(f"{place}: {message}" if place else message)


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    """The text of a TOML file and what it says; any trouble is a `ConfigError`."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), f"is not UTF-8 at byte {error.start}") from None
    return text, parse_toml(text, path)


def parse_toml(text: str, path: Path) -> dict[str, Any]:
    """What the text of a TOML file says; the path is for the error's."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, line = str(error), None
        place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
        if place:
            message = message[: place.start()]
            line = int(place[1]) if place[1] else text.count("\n") + 1
        raise ConfigError(str(path), f"is not valid TOML: {message}", line) from None
    except RecursionError:
        raise ConfigError(str(path), "is nested too deeply") from None


_HEADER = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")


def find_line(text: str, keys: Keys, value: str = "") -> int | None:
    """The line where a key of a TOML document stands, or the value below it if that is found.

    Looks at the text, as TOML readers keep no positions; a guess for the oddest spellings only.
    """
    table: Keys = ()
    counts: dict[Keys, int] = {}
    best, best_depth = None, 0
    lines = text.split("\n")
    for number, content in enumerate(lines, 1):
        header = _HEADER.fullmatch(content.rstrip())
        if header:
            is_item = content.lstrip().startswith("[[")
            table = here = _numbered(_dotted(header[1]), is_item, counts)
        else:
            key = _KEY.match(content)
            if not key:
                continue
            here = (*table, *_dotted(key[1]))
        depth = _depth(here, keys)
        if depth > best_depth:
            best, best_depth = number, depth
    if best is None:
        return None
    words = [key for key in keys if isinstance(key, str)]
    wanted = value or ("" if best_depth == len(keys) or not words else words[-1])
    if wanted:
        for number in range(best, len(lines) + 1):
            if re.search(rf"(?<![\w-]){re.escape(wanted)}(?![\w-])", lines[number - 1]):
                return number
            if number > best and _HEADER.fullmatch(lines[number - 1].rstrip()):
                break
    return best


def _numbered(parts: tuple[str, ...], is_item: bool, counts: dict[Keys, int]) -> Keys:
    """The keys of a table's header, with the number of each array's item that it is in."""
    here: Keys = ()
    for at, part in enumerate(parts, 1):
        here = (*here, part)
        if is_item and at == len(parts):
            counts[here] = counts.get(here, -1) + 1
        if here in counts:
            here = (*here, counts[here])
    return here


def _depth(here: Keys, keys: Keys) -> int:
    """How many of the keys lead to a place; 0 where it is not on their way."""
    depth = 0
    for part in here:
        wanted = keys[depth] if depth < len(keys) else None
        if part == wanted and isinstance(part, int) == isinstance(wanted, int):
            depth += 1
        elif isinstance(part, str) or isinstance(wanted, int):
            return 0  # Keys that say no number mean any item.
    return depth


def _dotted(key: str) -> tuple[str, ...]:
    parts = re.findall(r"\"([^\"]*)\"|'([^']*)'|([\w-]+)", key)
    return tuple(next(filter(None, part), "") for part in parts)
