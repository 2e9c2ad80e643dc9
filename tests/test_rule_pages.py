"""Rule pages: all there, in one form, with examples that run and settings that load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import mdtest
from loopsafe.config import CODES, read_settings
from loopsafe.explain import rule, rule_page, rules

FOLDER = Path(__file__).parents[1] / "server" / "loopsafe" / "rules"
HEADINGS = [
    "What it does",
    "Why is this bad?",
    "Example",
    "Use instead",
    "Fix safety",
    "Options",
]
EXAMPLES = [
    pytest.param(path, section, id=section.name)
    for path in sorted(FOLDER.glob("*.md"))
    for section in mdtest.sections(path.read_text(encoding="utf-8"))
]


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.md")) == sorted(CODES)
    assert [rule.code for rule in rules()] == list(CODES)


@pytest.mark.parametrize("code", CODES)
def test_page_has_its_parts(code: str) -> None:
    page = rule_page(code)
    assert page is not None
    assert page.startswith(f"# {code}\n")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == HEADINGS
    assert all(len(line) <= 120 for line in page.splitlines())
    assert f"loopsafe: ignore[{code}]" in page


@pytest.mark.parametrize("code", CODES)
def test_page_begins_its_parts_with_sentences_for_hovers(code: str) -> None:
    short = rule(code)
    for sentence in (short.summary, short.harm, short.advice):
        assert 10 < len(sentence) < 130
        assert sentence.endswith(".")
        assert "\n" not in sentence


@pytest.mark.parametrize("code", CODES)
def test_options_load(code: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.+?)```", rule_page(code) or "", re.DOTALL)
    chosen = set()
    for block in blocks:
        (tmp_path / "pyproject.toml").write_text(block, encoding="utf-8")
        settings = read_settings(tmp_path / "pyproject.toml")
        assert settings is not None
        chosen |= settings.severity.keys()
    assert code in chosen


@pytest.mark.parametrize("code", CODES)
def test_page_shows_its_own_rule_and_a_cure(code: str) -> None:
    sections = mdtest.sections(rule_page(code) or "")
    claims = {section.name.split(" > ")[-1]: section.claims for section in sections}
    assert code in {claim.code for claim in claims["Example"]}
    assert claims["Use instead"] == []


@pytest.mark.parametrize(("path", "section"), EXAMPLES)
def test_examples(path: Path, section: mdtest.Section) -> None:
    differences = mdtest.check(section, path.name)
    assert not differences, "\n".join(differences)
