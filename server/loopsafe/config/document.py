"""A TOML file as text: reading it with precise errors, and finding the line of a key."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

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
    try:
        return text, tomllib.loads(text)
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


def find_line(text: str, keys: tuple[str, ...], value: str = "") -> int | None:
    """The line where a key of a TOML document stands, or the value below it if that is found.

    Looks at the text, as TOML readers keep no positions; a guess for the oddest spellings only.
    """
    table: tuple[str, ...] = ()
    best, best_depth = None, 0
    lines = text.split("\n")
    for number, content in enumerate(lines, 1):
        header = _HEADER.fullmatch(content.rstrip())
        if header:
            table = here = _dotted(header[1])
        else:
            key = _KEY.match(content)
            if not key:
                continue
            here = (*table, *_dotted(key[1]))
        depth = len(here)
        if here == keys[:depth] and depth > best_depth:
            best, best_depth = number, depth
    if best is None:
        return None
    wanted = value or ("" if best_depth == len(keys) else keys[-1])
    if wanted:
        for number in range(best, len(lines) + 1):
            if re.search(rf"(?<![\w-]){re.escape(wanted)}(?![\w-])", lines[number - 1]):
                return number
            if number > best and _HEADER.fullmatch(lines[number - 1].rstrip()):
                break
    return best


def _dotted(key: str) -> tuple[str, ...]:
    parts = re.findall(r"\"([^\"]*)\"|'([^']*)'|([\w-]+)", key)
    return tuple(next(filter(None, part), "") for part in parts)
