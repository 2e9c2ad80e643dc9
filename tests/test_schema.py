"""The schema for editors of TOML says what the reader of the settings says."""

from __future__ import annotations

import json
from pathlib import Path

import settings_schema

from loopsafe.config import CODES, OFFLOADS, Settings
from loopsafe.model import Severity

ROOT = Path(__file__).parents[1]
SCHEMA = settings_schema.schema()
SETTINGS = SCHEMA["definitions"]["settings"]


def test_the_file_is_the_one_that_the_script_writes() -> None:
    assert settings_schema.FILE.read_text("utf-8") == settings_schema.text()


def test_every_setting_is_in_it_and_no_other() -> None:
    known = {name.replace("_", "-") for name in Settings.__slots__} - {"base"}
    assert set(SETTINGS["properties"]) == known
    assert SETTINGS["additionalProperties"] is False


def test_words_are_those_of_the_reader() -> None:
    assert [one["const"] for one in SCHEMA["definitions"]["rule"]["oneOf"]] == list(CODES)
    properties = SETTINGS["properties"]
    assert properties["offload"]["enum"] == list(OFFLOADS)
    levels = properties["severity"]["additionalProperties"]["enum"]
    assert levels == [level.value for level in Severity]


def test_references_lead_somewhere() -> None:
    text = json.dumps(SCHEMA)
    for name in SCHEMA["definitions"]:
        assert f"#/definitions/{name}" in text
    assert text.count("#/definitions/") == sum(
        text.count(f'"#/definitions/{name}"') for name in SCHEMA["definitions"]
    )


def test_editors_are_told_of_it() -> None:
    manifest = json.loads((ROOT / "package.json").read_text("utf-8"))
    [entry] = manifest["contributes"]["tomlValidation"]
    assert entry["fileMatch"] == "pyproject.toml"
    assert entry["url"] == SCHEMA["$id"]
    assert entry["url"].endswith(settings_schema.FILE.relative_to(ROOT).as_posix())
