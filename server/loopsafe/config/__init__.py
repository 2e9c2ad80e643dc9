"""Settings: `[tool.loopsafe]` of the nearest pyproject.toml, what the editor says, and defaults.

A wrong setting is never ignored in silence: it is a `ConfigError` with the line it stands on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from loopsafe.config.document import ConfigError, find_line, parse_toml, read_toml
from loopsafe.config.values import CODES, OFFLOADS, READERS, Wrong
from loopsafe.knowledge.schema import Blocking, Runner
from loopsafe.model import Cost, Severity
from loopsafe.spelling import did_you_mean

__all__ = [
    "CODES",
    "OFFLOADS",
    "ConfigError",
    "Settings",
    "anchored",
    "check_codes",
    "check_settings",
    "inner_settings",
    "read_settings",
]

_SEVERITY_OF_COST = {
    Cost.STALL: Severity.WARNING,
    Cost.BRIEF: Severity.INFORMATION,
    Cost.TRIVIAL: Severity.HINT,
}
_SEVERITY_OF_CODE = {
    "eager-offload": Severity.WARNING,
    "await-sync": Severity.WARNING,
    "async-without-await": Severity.HINT,
    "unused-ignore": Severity.HINT,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What to report, how loudly, and where to look."""

    select: tuple[str, ...] = CODES
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Patterns as those of `exclude`, each with the rules that are not reported there."""
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

    def analysis(self) -> Settings:
        """What decides what is known of files: without what is told of it, and where it is from."""
        told = Settings()
        return replace(
            self,
            select=told.select,
            ignore=told.ignore,
            per_file_ignores=told.per_file_ignores,
            severity=told.severity,
            exclude=told.exclude,
            python=told.python,
            base=told.base,
        )

    def excludes(self, path: str) -> bool:
        """Whether a file or folder below `base` is not to be looked at, by its absolute name."""
        name = self._below_base(path) if self.exclude else None
        if name is None:
            return False
        from pathspec import GitIgnoreSpec  # Most projects have no such setting.

        return GitIgnoreSpec.from_lines(self.exclude).match_file(name)

    def for_file(self, path: str) -> Settings:
        """The settings with the rules that are not reported in this file, by its absolute name."""
        name = self._below_base(path) if self.per_file_ignores else None
        if name is None:
            return self
        from pathspec import GitIgnoreSpec  # Most projects have no such setting.

        ignored = (
            code
            for pattern, codes in self.per_file_ignores
            if GitIgnoreSpec.from_lines([pattern]).match_file(name)
            for code in codes
        )
        return replace(self, ignore=(*self.ignore, *ignored))

    def _below_base(self, path: str) -> str | None:
        """A file's or folder's name as patterns have it; None where it is not below `base`."""
        try:
            return Path(path).relative_to(self.base).as_posix() if self.base is not None else None
        except ValueError:
            return None

    def with_option(self, text: str, base: Path) -> Settings:
        """These settings with `key = value` of TOML in place of their own; paths are from base."""
        try:
            document = parse_toml(text, Path("--config"))
        except ConfigError as error:
            raise ConfigError(
                "--config", f"`{text}` {error.message}; texts take quotes: 'offload = \"anyio\"'"
            ) from None
        for key, value in document.items():
            reader = READERS.get(key)
            if reader is None:
                raise ConfigError("--config", f"unknown key `{key}`{did_you_mean(key, READERS)}")
            try:
                self = replace(self, **{_field(key): reader(value, base)})
            except Wrong as wrong:
                raise ConfigError("--config", f"`{key}`: {wrong}") from None
        return self

    def with_overrides(self, overrides: Mapping[str, Any], base: Path | None = None) -> Settings:
        """These settings changed by an editor's: camelCase or kebab-case keys, others skipped.

        None and empty values leave a setting as it is; `ignore`, `exclude` and `severity` add to
        what the project says. Relative paths belong to `base`, the editor's folder.
        """
        given = {_kebab(key): value for key, value in overrides.items()}
        values: dict[str, Any] = {}
        for key in READERS:
            value = given.get(key)
            if value is None or value == "" or value == [] or value == {}:
                continue
            try:
                values[_field(key)] = READERS[key](value, base or self.base or Path.cwd())
            except Wrong as wrong:
                raise ConfigError("", f"setting `loopsafe.{key}`: {wrong}") from None
        if base is not None and self.base is not None and self.base != base:
            values.update(_moved(values, base, self.base))
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
    return _settings(*read_toml(path), path)


def inner_settings(path: Path) -> Settings | None:
    """The settings in the pyproject.toml of a project inside the one that is asked about.

    None also where the file is broken and does not as much as mention us: example projects and
    those that tests read are often broken on purpose.
    """
    try:
        is_ours = b"loopsafe" in path.read_bytes()
    except OSError:
        return None
    return read_settings(path) if is_ours else None


def check_settings(text: str, path: Path) -> None:
    """Raises ConfigError where this text of a pyproject.toml would not do."""
    _settings(text, parse_toml(text, path), path)


def _settings(text: str, document: dict[str, Any], path: Path) -> Settings | None:
    tool = document.get("tool")
    table = tool.get("loopsafe") if isinstance(tool, dict) else None
    if table is None:
        return None
    if not isinstance(table, dict):
        line = find_line(text, ("tool", "loopsafe"))
        raise ConfigError(str(path), "`tool.loopsafe` must be a table", line)
    values: dict[str, Any] = {"base": path.parent}
    for key, value in table.items():
        reader = READERS.get(key)
        if reader is None:
            message = f"unknown key `{key}` in [tool.loopsafe]{did_you_mean(key, READERS)}"
            raise ConfigError(str(path), message, find_line(text, ("tool", "loopsafe", key)))
        try:
            values[_field(key)] = reader(value, path.parent)
        except Wrong as wrong:
            line = find_line(text, ("tool", "loopsafe", key, *wrong.keys), wrong.text)
            raise ConfigError(str(path), f"`{key}`: {wrong}", line) from None
    settings = Settings(**values)
    both = {entry.name for entry in settings.blocking} & set(settings.not_blocking)
    if both:
        line = find_line(text, ("tool", "loopsafe", "not-blocking"), min(both))
        message = f"`not-blocking`: `{min(both)}` is in `blocking`, too"
        raise ConfigError(str(path), message, line)
    return settings


def anchored(patterns: Iterable[str], folder: Path, base: Path) -> tuple[str, ...]:
    """Patterns that are relative to a folder, as they mean the same in another: paths, mostly."""
    moved = []
    for pattern in patterns:
        path = Path(os.path.abspath(folder / pattern))
        is_path = "/" in pattern.rstrip("/") or os.sep in pattern.rstrip(os.sep)
        if is_path and "**" not in pattern and path.is_relative_to(base):
            pattern = "/" + path.relative_to(base).as_posix()
        moved.append(pattern)
    return tuple(moved)


def check_codes(codes: Iterable[str]) -> tuple[str, ...]:
    """The codes, each once; ValueError names the first that is no rule."""
    known = []
    for code in codes:
        if code not in CODES:
            close = did_you_mean(code, CODES) or " (see `loopsafe rule`)"
            raise ValueError(f"unknown rule `{code}`{close}")
        known.append(code)
    return tuple(dict.fromkeys(known))


def _moved(values: Mapping[str, Any], folder: Path, base: Path) -> dict[str, Any]:
    """The settings that hold patterns, with these as they mean the same from another folder."""

    def moved(pattern: str) -> str:
        return anchored([pattern.lstrip("/") if "/" in pattern[1:] else pattern], folder, base)[0]

    found: dict[str, Any] = {}
    if "exclude" in values:
        found["exclude"] = tuple(map(moved, values["exclude"]))
    if "per_file_ignores" in values:
        each = values["per_file_ignores"]
        found["per_file_ignores"] = tuple((moved(pattern), codes) for pattern, codes in each)
    return found


def _kebab(key: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda m: "-" + m[1].lower(), key).replace("_", "-")


def _field(key: str) -> str:
    return key.replace("-", "_")


_ADDED = frozenset(
    (
        "ignore",
        "per_file_ignores",
        "exclude",
        "blocking",
        "not_blocking",
        "offload_functions",
        "callback_functions",
    )
)
"""Lists that an editor adds to."""
