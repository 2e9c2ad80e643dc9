"""Writes schemas/pyproject.schema.json: `[tool.loopsafe]` for editors of TOML.

Run by itself it writes the file; the tests compare what is there with what it would write.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "server"))

from loopsafe.config import CODES, OFFLOADS
from loopsafe.config.reference import SETTINGS
from loopsafe.explain import rule
from loopsafe.knowledge.schema import CATEGORIES
from loopsafe.model import Cost, Severity

ROOT = Path(__file__).parents[1]
FILE = ROOT / "schemas" / "pyproject.schema.json"
_PATTERN = r"^[^\W\d]\w*(\.[\w*]+)+$"
_CONDITIONS = ("harmless-if", "only-if", "only-if-made", "harmless-if-made")
_TEXTS = {"type": "array", "items": {"type": "string"}}


def schema() -> dict[str, Any]:
    """The schema of a whole pyproject.toml: the common one, and our table in it."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "https://raw.githubusercontent.com/loopsafe/loopsafe/main/schemas/"
        "pyproject.schema.json",
        "allOf": [
            {"$ref": "https://json.schemastore.org/pyproject.json"},
            {
                "type": "object",
                "properties": {
                    "tool": {
                        "type": "object",
                        "properties": {"loopsafe": {"$ref": "#/definitions/settings"}},
                    }
                },
            },
        ],
        "definitions": {
            "settings": _settings(),
            "rule": _rules(),
            "name": {
                "type": "string",
                "pattern": _PATTERN,
                "description": "A dotted name that begins with a module; `*` is any text.",
            },
            "condition": _condition(),
            "entry": _entry(),
            "runner": _runner(),
        },
    }


def _settings() -> dict[str, Any]:
    shapes = _shapes()
    properties = {s.key: {"description": s.summary, **shapes[s.key]} for s in SETTINGS}
    return {
        "type": "object",
        "description": "Settings of Loopsafe.",
        "additionalProperties": False,
        "properties": properties,
    }


def _shapes() -> dict[str, dict[str, Any]]:
    """What each setting may be."""
    codes = {"type": "array", "items": {"$ref": "#/definitions/rule"}, "uniqueItems": True}
    return {
        "select": codes,
        "ignore": codes,
        "per-file-ignores": {"type": "object", "additionalProperties": codes},
        "severity": {
            "type": "object",
            "propertyNames": {"$ref": "#/definitions/rule"},
            "additionalProperties": {"enum": [level.value for level in Severity]},
        },
        "exclude": _TEXTS,
        "python": {"type": "string"},
        "source-roots": _TEXTS,
        "offload": {"enum": list(OFFLOADS)},
        "blocking": _named({"type": "string"}, "entry"),
        "not-blocking": {
            "type": "array",
            "items": {"$ref": "#/definitions/name"},
            "uniqueItems": True,
        },
        "offload-functions": _named({"type": "integer", "minimum": 0}, "runner"),
        "callback-functions": _named({"type": "integer", "minimum": 0}, "runner"),
        "second-opinion": {"type": "boolean", "default": True},
    }


def _rules() -> dict[str, Any]:
    return {"oneOf": [{"const": code, "description": rule(code).summary} for code in CODES]}


def _named(short: dict[str, Any], entry: str) -> dict[str, Any]:
    """Names, or entries with names, or a table of names with a short word or an entry for each."""
    return {
        "anyOf": [
            {
                "type": "array",
                "items": {"anyOf": [{"$ref": "#/definitions/name"}, _with_names(entry)]},
            },
            {
                "type": "object",
                "propertyNames": {"$ref": "#/definitions/name"},
                "additionalProperties": {"anyOf": [short, {"$ref": f"#/definitions/{entry}"}]},
            },
        ],
    }


def _with_names(kind: str) -> dict[str, Any]:
    """An item of an array of tables: what its entry has, and the names that it is about."""
    base = _entry() if kind == "entry" else _runner()
    names = {"type": "array", "items": {"$ref": "#/definitions/name"}, "minItems": 1}
    return {**base, "required": ["names"], "properties": {"names": names, **base["properties"]}}


def _entry() -> dict[str, Any]:
    conditions = {"type": "array", "items": {"$ref": "#/definitions/condition"}}
    texts = ("twin", "twin-since", "until", "advice", "caveat", "source")
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "category": {"enum": sorted(CATEGORIES)},
            "cost": {"enum": [cost.value for cost in Cost]},
            **{key: {"type": "boolean"} for key in ("awaitable", "lazy", "property")},
            "harmless-after": _TEXTS,
            "harmless-behind": _TEXTS,
            **{key: {"type": "string"} for key in texts},
            **dict.fromkeys(
                ("harmless-if", "only-if", "only-if-made", "harmless-if-made"), conditions
            ),
        },
    }


def _condition() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "argument": {"type": "string"},
            "position": {"type": "integer", "minimum": 0},
            "equals": {"type": ["string", "number", "boolean"]},
            "at-most": {"type": "number"},
            "has": {"type": "string"},
            "given": {"type": "boolean"},
            "type": {"type": "string"},
        },
    }


def _runner() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "position": {"type": "integer", "minimum": 0},
            "argument": {"type": "string"},
            "decorated": {"type": "boolean"},
            "gives": {"enum": ["result", "awaitable", "future", "callable", "iterator"]},
        },
    }


def text() -> str:
    """The file as it should be."""
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(text(), "utf-8")
