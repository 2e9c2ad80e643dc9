"""`loopsafe config`, and what `check` shows of its settings instead of running."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Any

from loopsafe.cli.errors import UsageError
from loopsafe.config import Settings
from loopsafe.config.reference import SETTINGS
from loopsafe.spelling import did_you_mean


def describe(key: str | None) -> Iterator[str]:
    """Lines on one setting, or a line on each."""
    size = max(len(setting.key) for setting in SETTINGS)
    if key is None:
        yield from (f"{setting.key:<{size}}  {setting.summary}" for setting in SETTINGS)
        return
    found = next((setting for setting in SETTINGS if setting.key == key), None)
    if found is None:
        close = did_you_mean(key, [setting.key for setting in SETTINGS])
        raise UsageError(f"unknown setting `{key}`{close or ' (see `loopsafe config`)'}")
    yield found.summary
    yield ""
    yield f"Type: {found.kind}"
    yield f"Default: {found.default}"
    yield "Example:"
    yield ""
    yield "    [tool.loopsafe]"
    yield f"    {found.key} = {found.example}"


def show(root: Path, settings: Settings, environment: str) -> Iterator[str]:
    """The settings in force for a project, a line each."""
    yield f"# {root}"
    yield f"environment = {json.dumps(environment)}"
    for field in fields(settings):
        name = field.name.replace("_", "-")
        yield f"{name} = {json.dumps(_plain(getattr(settings, field.name)), ensure_ascii=False)}"


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, str) or not isinstance(value, Sequence):
        return getattr(value, "name", value)
    return [_plain(item) for item in value]
