"""Settings: `[tool.loopsafe]` of the nearest pyproject.toml, what the editor says, and defaults.

A wrong setting is never ignored in silence: it is a `ConfigError` with the line it stands on.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from loopsafe.config.document import ConfigError, find_line, read_toml
from loopsafe.knowledge import teachings
from loopsafe.knowledge.schema import Blocking, Runner
from loopsafe.knowledge.table import Keys, KnowledgeError
from loopsafe.model import Cost, Severity

__all__ = [
    "CODES",
    "OFFLOADS",
    "ConfigError",
    "Settings",
    "check_codes",
    "did_you_mean",
    "read_settings",
]

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

_SEVERITY_OF_COST = {
    Cost.STALL: Severity.WARNING,
    Cost.BRIEF: Severity.INFORMATION,
    Cost.TRIVIAL: Severity.HINT,
}
_SEVERITY_OF_CODE = {
    "eager-offload": Severity.WARNING,
    "await-sync": Severity.WARNING,
    "async-without-await": Severity.HINT,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What to report, how loudly, and where to look."""

    select: tuple[str, ...] = CODES
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict, hash=False)
    exclude: tuple[str, ...] = ()
    """Patterns as in a .gitignore file, relative to `base`."""
    python: Path | None = None
    """Virtual environment or interpreter of the analysed project, absolute."""
    source_roots: tuple[Path, ...] = ()
    """Absolute folders that hold top-level modules; empty: found by looking."""
    offload: str = "auto"
    blocking: tuple[Blocking, ...] = ()
    """What blocks, by name or pattern; `knowledge.teachings` reads these four."""
    not_blocking: tuple[str, ...] = ()
    offload_functions: tuple[Runner, ...] = ()
    callback_functions: tuple[Runner, ...] = ()
    second_opinion: bool = True
    base: Path | None = None
    """The folder that relative patterns and paths belong to; None without a pyproject.toml."""

    @staticmethod
    def load(root: Path) -> Settings:
        """The settings of the nearest pyproject.toml with `[tool.loopsafe]`, upwards from root."""
        start = Path(root).absolute()
        for folder in (start, *start.parents):
            path = folder / "pyproject.toml"
            if path.is_file():
                settings = read_settings(path)
                if settings is not None:
                    return settings
        return Settings()

    def with_overrides(self, overrides: Mapping[str, Any], base: Path | None = None) -> Settings:
        """These settings changed by an editor's: camelCase or kebab-case keys, others skipped.

        None and empty values leave a setting as it is; `ignore`, `exclude` and `severity` add to
        what the project says. Relative paths belong to `base`, the editor's folder.
        """
        given = {_kebab(key): value for key, value in overrides.items()}
        values: dict[str, Any] = {}
        for key in _READERS:
            value = given.get(key)
            if value is None or value == "" or value == [] or value == {}:
                continue
            try:
                values[_field(key)] = _READERS[key](value, base or self.base or Path.cwd())
            except _Wrong as wrong:
                raise ConfigError("", f"setting `loopsafe.{key}`: {wrong}") from None
        for key in _ADDED & values.keys():
            values[key] = (*getattr(self, key), *values[key])
        if "exclude" in values:
            values["base"] = self.base or base
        if "severity" in values:
            values["severity"] = {**self.severity, **values["severity"]}
        return replace(self, **values)

    def severity_of(self, code: str, cost: Cost) -> Severity:
        """How loudly a finding of this rule and cost is shown; `OFF` for rules not selected."""
        if code not in self.select or code in self.ignore:
            return Severity.OFF
        chosen = self.severity.get(code)
        if chosen is not None:
            return chosen
        return _SEVERITY_OF_CODE.get(code) or _SEVERITY_OF_COST[cost]


def read_settings(path: Path) -> Settings | None:
    """The settings in one pyproject.toml, None if it has no `[tool.loopsafe]`."""
    text, document = read_toml(path)
    tool = document.get("tool")
    table = tool.get("loopsafe") if isinstance(tool, dict) else None
    if table is None:
        return None
    if not isinstance(table, dict):
        line = find_line(text, ("tool", "loopsafe"))
        raise ConfigError(str(path), "`tool.loopsafe` must be a table", line)
    values: dict[str, Any] = {"base": path.parent}
    for key, value in table.items():
        reader = _READERS.get(key)
        if reader is None:
            message = f"unknown key `{key}` in [tool.loopsafe]{did_you_mean(key, _READERS)}"
            raise ConfigError(str(path), message, find_line(text, ("tool", "loopsafe", key)))
        try:
            values[_field(key)] = reader(value, path.parent)
        except _Wrong as wrong:
            line = find_line(text, ("tool", "loopsafe", key, *wrong.keys), wrong.text)
            raise ConfigError(str(path), f"`{key}`: {wrong}", line) from None
    settings = Settings(**values)
    both = {entry.name for entry in settings.blocking} & set(settings.not_blocking)
    if both:
        line = find_line(text, ("tool", "loopsafe", "not-blocking"), min(both))
        message = f"`not-blocking`: `{min(both)}` is in `blocking`, too"
        raise ConfigError(str(path), message, line)
    return settings


def check_codes(codes: Iterable[str]) -> tuple[str, ...]:
    """The codes, each once; ValueError names the first that is no rule."""
    known = []
    for code in codes:
        if code not in CODES:
            raise ValueError(f"unknown rule `{code}`{did_you_mean(code, CODES)}")
        known.append(code)
    return tuple(dict.fromkeys(known))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`, did you mean "x"?` where a known word is close, else nothing."""
    close = difflib.get_close_matches(word.lower().replace("_", "-"), list(known), n=1)
    return f", did you mean `{close[0]}`?" if close else ""


class _Wrong(Exception):
    """A value that does not fit; `keys` and `text` lead to its line below the setting's key."""

    def __init__(self, message: str, keys: Keys = (), text: str = "") -> None:
        super().__init__(message)
        self.keys = keys
        self.text = text


def _kebab(key: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda m: "-" + m[1].lower(), key).replace("_", "-")


def _field(key: str) -> str:
    return key.replace("-", "_")


def _strings(value: Any, _base: Path) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _Wrong(f"must be a list of strings, not {_kind(value)}")
    for item in value:
        if not isinstance(item, str):
            raise _Wrong(f"must hold strings only, not {_kind(item)}")
    return tuple(value)


def _codes(value: Any, base: Path) -> tuple[str, ...]:
    codes = _strings(value, base)
    for code in codes:
        if code not in CODES:
            raise _Wrong(f"unknown rule `{code}`{did_you_mean(code, CODES)}", text=code)
    return codes


def _severities(value: Any, _base: Path) -> dict[str, Severity]:
    if not isinstance(value, dict):
        raise _Wrong(f"must be a table of rule = level, not {_kind(value)}")
    levels = [level.value for level in Severity]
    for code, level in value.items():
        if code not in CODES:
            raise _Wrong(f"unknown rule `{code}`{did_you_mean(code, CODES)}", (code,))
        if level not in levels:
            close = did_you_mean(level, levels) if isinstance(level, str) else ""
            choices = f"{', '.join(levels[:-1])} or {levels[-1]}"
            raise _Wrong(f"{code} must be {choices}, not {_kind(level)}{close}", (code,))
    return {code: Severity(level) for code, level in value.items()}


def _path(value: Any, base: Path) -> Path:
    if not isinstance(value, str) or not value:
        raise _Wrong(f"must be a path, not {_kind(value)}")
    try:
        return base / Path(value).expanduser()
    except RuntimeError:
        raise _Wrong(f"cannot tell whose home folder {_kind(value)} means") from None


def _paths(value: Any, base: Path) -> tuple[Path, ...]:
    return tuple(_path(item, base) for item in _strings(value, base))


def _offload(value: Any, _base: Path) -> str:
    if value not in OFFLOADS:
        close = did_you_mean(value, OFFLOADS) if isinstance(value, str) else ""
        choices = ", ".join(OFFLOADS)
        raise _Wrong(f"must be one of {choices}, not {_kind(value)}{close}")
    return str(value)


def _taught(read: Callable[[Any], T]) -> Callable[[Any, Path], T]:
    """A reader of what is in the catalogue's own format."""

    def reader(value: Any, _base: Path) -> T:
        try:
            return read(value)
        except KnowledgeError as error:
            raise _Wrong(error.what, error.keys, error.text) from None

    return reader


def _flag(value: Any, _base: Path) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(f"must be true or false, not {_kind(value)}")
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


_READERS: dict[str, Callable[[Any, Path], Any]] = {
    "select": _codes,
    "ignore": _codes,
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

_ADDED = frozenset(
    ("ignore", "exclude", "blocking", "not_blocking", "offload_functions", "callback_functions")
)
"""Lists that an editor adds to."""
