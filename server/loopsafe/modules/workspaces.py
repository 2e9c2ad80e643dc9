"""The `pyproject.toml` of a project, and the uv workspace that it may be of."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_pyproject(root: Path) -> dict[str, Any]:
    """What a project's pyproject.toml holds; nothing where it cannot be read."""
    return read_toml(root / "pyproject.toml")


def read_toml(path: Path) -> dict[str, Any]:
    """What a file of settings holds; nothing where it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


def get(data: object, *keys: str) -> Any:
    """What tables in tables hold; None where there are none."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def texts(value: object) -> list[str]:
    """The texts of a list, or a text by itself."""
    values = [value] if isinstance(value, str) else value
    return [v for v in values if isinstance(v, str)] if isinstance(values, list) else []


def members(root: Path) -> list[Path]:
    """The folders of the members of a uv workspace, beside its own root."""
    workspace = get(read_pyproject(root), "tool", "uv", "workspace")
    found = {f for member in texts(get(workspace, "members")) for f in _glob(root, member)}
    for left_out in texts(get(workspace, "exclude")):
        found.difference_update(_glob(root, left_out))
    return sorted(found)


def workspace_of(folder: Path) -> Path | None:
    """The root of the uv workspace that a project is a member of: it has one environment."""
    return next((above for above in folder.parents if folder in members(above)), None)


def _glob(root: Path, pattern: str) -> list[Path]:
    try:
        return [p for p in root.glob(pattern) if p.is_dir() and p != root]
    except (ValueError, IndexError, NotImplementedError, OSError):
        # Before Python 3.13 a pattern of "." is an index error.
        return []
