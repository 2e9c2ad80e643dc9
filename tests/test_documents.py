"""README and ARCHITECTURE say what is there: rules, settings, commands, modules, files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from loopsafe.cli import _parser
from loopsafe.config import read_settings
from loopsafe.config.document import read_toml
from loopsafe.explain import rules
from loopsafe.knowledge.catalogue import Catalogue, load

ROOT = Path(__file__).parents[1]
SERVER = ROOT / "server" / "loopsafe"
DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"]
README, ARCHITECTURE, CHANGELOG = ((ROOT / name).read_text("utf-8") for name in DOCUMENTS)
PAGES = [*DOCUMENTS, "docs/teaching.md"]
MANIFEST = json.loads((ROOT / "package.json").read_text("utf-8"))


def _part(document: str, title: str) -> str:
    """What stands below a heading, up to the next of its kind."""
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", document, re.M | re.S)
    assert found, f"no heading {title}"
    return found[1]


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 250


def test_the_table_of_rules_is_that_of_the_pages() -> None:
    rows = re.findall(r"^\| \[(.+?)\]\((.+?)\) \| (.+?) \|$", README, re.M)
    assert rows == [(r.code, f"server/loopsafe/rules/{r.code}.md", r.summary) for r in rules()]


def test_the_settings_of_the_readme_load_and_are_all_there_are(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.+?)```", README, re.S)
    path = tmp_path / "pyproject.toml"
    path.write_text("".join(blocks), "utf-8")
    assert read_settings(path) is not None
    shown = set(read_toml(path)[1]["tool"]["loopsafe"])
    path.write_text("[tool.loopsafe]\n", "utf-8")
    known = {field.replace("_", "-") for field in read_settings(path).__slots__} - {"base"}
    assert shown == known


def test_the_settings_of_the_page_on_teaching_load(tmp_path: Path) -> None:
    blocks = re.findall(
        r"```toml\n(.+?)```", (ROOT / "docs" / "teaching.md").read_text("utf-8"), re.S
    )
    shipped = [block for block in blocks if "[library]" in block]
    path = tmp_path / "pyproject.toml"
    for block in set(blocks) - set(shipped):
        path.write_text(block, "utf-8")
        assert read_settings(path) is not None
    for block in shipped:
        Catalogue({"acme": block}, load()).check()
    assert len(shipped) == 1


def test_the_editor_settings_of_the_readme_are_those_of_the_manifest() -> None:
    rows = re.findall(r"^\| ((?:`loopsafe\.[\w.]+`(?:, )?)+) \|", README, re.M)
    shown = [name for row in rows for name in re.findall(r"`(.+?)`", row)]
    assert sorted(shown) == sorted(MANIFEST["contributes"]["configuration"]["properties"])


def test_commands_can_be_given() -> None:
    text = README + ARCHITECTURE
    for script in re.findall(r"npm run (\w+)", text):
        assert script in MANIFEST["scripts"]
    lines = re.findall(r"^loopsafe (.+?)(?:  +#.*)?$", README, re.M)
    assert len(lines) >= 7
    for line in lines:
        _parser().parse_args(line.split())


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    targets = re.findall(r"\]\((?!https?:)(.+?)\)", text)
    folder = (ROOT / name).parent
    assert [target for target in targets if not (folder / target).exists()] == []


def test_the_output_in_the_readme_is_that_of_the_sample() -> None:
    path, line = re.search(r"--> (\S+):(\d+):\d+", README).groups()  # type: ignore[union-attr]
    shown = re.search(rf"^{line} \|(.+)$", README, re.M)
    assert shown
    assert shown[1].strip() == (ROOT / path).read_text("utf-8").splitlines()[int(line) - 1].strip()


def test_the_map_shows_every_module_and_no_other() -> None:
    code_map = _part(ARCHITECTURE, "Code map")
    server, client = code_map.split("### The client")
    words = set(re.findall(r"`([\w./*<>-]+)`", server))
    fixes = {word for word in words if re.fullmatch(r"\w+", word)}
    missing = []
    for path in sorted(SERVER.rglob("*.py")):
        name = path.relative_to(SERVER).as_posix()
        if path.name in ("__init__.py", "__main__.py"):
            continue
        known = name in words or path.name in words or path.stem in fixes
        if not known:
            missing.append(name)
    assert missing == []
    names = {path.relative_to(SERVER).as_posix() for path in SERVER.rglob("*")}
    plain = {word for word in words if re.search(r"\.(py|md|toml)$", word)}
    files = {Path(name).name for name in names}
    wrong = [w for w in plain if not set("<*") & set(w) and w not in names and w not in files]
    assert [word for word in wrong if not (ROOT / word).exists()] == []
    sources = {path.name for path in (ROOT / "client" / "src").glob("*.ts")}
    assert set(re.findall(r"`(\w+\.ts)`", client)) == sources


@pytest.mark.parametrize("title", ["Invariants", "Tests", "The rest", "Reading order"])
def test_files_that_the_map_names_exist(title: str) -> None:
    text = ARCHITECTURE if title == "The rest" else _part(ARCHITECTURE, title)
    for word in re.findall(r"`((?:tests|scripts|docs|examples|requirements)/[\w./*-]*)`", text):
        assert list(ROOT.glob(word.rstrip("/"))), word


def test_dependencies_have_their_reasons() -> None:
    text = _part(ARCHITECTURE, "Dependencies")
    project = read_toml(ROOT / "pyproject.toml")[1]["project"]
    for requirement in project["dependencies"]:
        assert re.match(r"[\w-]+", requirement)[0] in text  # type: ignore[index]


def test_the_version_has_its_entry() -> None:
    assert f"## [{MANIFEST['version']}]" in CHANGELOG
