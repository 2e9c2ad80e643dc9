"""What each key of the settings may hold: readers that say what is wrong, and known words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from loopsafe.knowledge import teachings
from loopsafe.knowledge.table import Keys, KnowledgeError
from loopsafe.model import Severity
from loopsafe.spelling import did_you_mean

T = TypeVar("T")

CODES = (
    "blocking-http",
    "blocking-database",
    "blocking-network",
    "blocking-dns",
    "blocking-sleep",
    "blocking-subprocess",
    "blocking-file",
    "blocking-lock",
    "blocking-future",
    "blocking-input",
    "blocking-cpu",
    "blocking-call",
    "nested-loop",
    "eager-offload",
    "await-sync",
    "async-without-await",
    "unused-ignore",
)
"""Every rule, the most harmful first."""

OFFLOADS = (
    "auto",
    "asyncio",
    "anyio",
    "trio",
    "starlette",
    "asgiref",
    "asyncer",
    "homeassistant",
    "executor",
)
"""How fixes may move a call to a worker thread; `auto` follows what the file already uses."""


class Wrong(Exception):
    """A value that does not fit; `keys` and `text` lead to its line below the setting's key."""

    def __init__(self, message: str, keys: Keys = (), text: str = "") -> None:
        super().__init__(message)
        self.keys = keys
        self.text = text


def _strings(value: Any, _base: Path) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Wrong(f"must be a list of strings, not {_kind(value)}")
    for item in value:
        if not isinstance(item, str):
            raise Wrong(f"must hold strings only, not {_kind(item)}")
    return tuple(value)


def _codes(value: Any, base: Path) -> tuple[str, ...]:
    codes = _strings(value, base)
    for code in codes:
        if code not in CODES:
            raise Wrong(f"unknown rule `{code}`{did_you_mean(code, CODES)}", text=code)
    return codes


def _file_ignores(value: Any, base: Path) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        raise Wrong(f"must be a table of pattern = list of rules, not {_kind(value)}")
    return tuple((pattern, _codes_of(pattern, codes, base)) for pattern, codes in value.items())


def _codes_of(pattern: str, codes: Any, base: Path) -> tuple[str, ...]:
    try:
        return _codes(codes, base)
    except Wrong as wrong:
        raise Wrong(f"{pattern}: {wrong}", (pattern,), wrong.text) from None


def _severities(value: Any, _base: Path) -> dict[str, Severity]:
    if not isinstance(value, dict):
        raise Wrong(f"must be a table of rule = level, not {_kind(value)}")
    levels = [level.value for level in Severity]
    for code, level in value.items():
        if code not in CODES:
            raise Wrong(f"unknown rule `{code}`{did_you_mean(code, CODES)}", (code,))
        if level not in levels:
            close = did_you_mean(level, levels) if isinstance(level, str) else ""
            choices = f"{', '.join(levels[:-1])} or {levels[-1]}"
            raise Wrong(f"{code} must be {choices}, not {_kind(level)}{close}", (code,))
    return {code: Severity(level) for code, level in value.items()}


def _path(value: Any, base: Path) -> Path:
    if not isinstance(value, str) or not value:
        raise Wrong(f"must be a path, not {_kind(value)}")
    try:
        return base / Path(value).expanduser()
    except RuntimeError:
        raise Wrong(f"cannot tell whose home folder {_kind(value)} means") from None


def _paths(value: Any, base: Path) -> tuple[Path, ...]:
    return tuple(_path(item, base) for item in _strings(value, base))


def _offload(value: Any, _base: Path) -> str:
    if value not in OFFLOADS:
        close = did_you_mean(value, OFFLOADS) if isinstance(value, str) else ""
        choices = ", ".join(OFFLOADS)
        raise Wrong(f"must be one of {choices}, not {_kind(value)}{close}")
    return str(value)


def _taught(read: Callable[[Any], T]) -> Callable[[Any, Path], T]:
    """A reader of what is in the catalogue's own format."""

    def reader(value: Any, _base: Path) -> T:
        try:
            return read(value)
        except KnowledgeError as error:
            raise Wrong(error.what, error.keys, error.text) from None

    return reader


def _flag(value: Any, _base: Path) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"must be true or false, not {_kind(value)}")
    return value


def _kind(value: Any) -> str:
    """A wrong value as the message shows it."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return repr(value).replace("'", '"')[:60]
    return f"a {type(value).__name__}"


READERS: dict[str, Callable[[Any, Path], Any]] = {
    "select": _codes,
    "ignore": _codes,
    "per-file-ignores": _file_ignores,
    "severity": _severities,
    "exclude": _strings,
    "python": _path,
    "source-roots": _paths,
    "offload": _offload,
    "blocking": _taught(teachings.blocking_entries),
    "not-blocking": _taught(teachings.harmless_names),
    "offload-functions": _taught(teachings.offload_runners),
    "callback-functions": _taught(teachings.callback_runners),
    "second-opinion": _flag,
}
