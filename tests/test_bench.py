"""The benchmark: its edits are what they claim to be, its figures add up, and it runs."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from benchmark.edits import LONGEST, SHORTEST, Edited, chosen
from benchmark.plot import Line, plot
from benchmark.processes import CAN_COUNT, Failed, measured
from benchmark.report import percentile, ratio
from benchmark.subject import copied

ROOT = Path(__file__).parents[1]
SHOP = ROOT / "examples" / "shop"


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _file(folder: Path, name: str, lines: int) -> None:
    body = "".join(f"    value = {number}\n" for number in range(lines - 2))
    (folder / name).write_text(f"async def work():\n{body}    return value\n", "utf-8")


FILES = chosen(ROOT / "server" / "loopsafe" / "lsp", 6)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.path.name)
def test_edits_add_statements_one_by_one_that_parse_or_not_as_they_say(file: Edited) -> None:
    outer = len(ast.parse(file.text).body)
    for number in range(0, len(file.places) - 1, 3):
        assert file.text.count("\n") < file.body(number).count("\n")
        assert file.body(number).count("\n") < file.body(number + 1).count("\n")
        assert len(ast.parse(file.body(number)).body) == outer
        assert not _parses(file.half_typed(number))
        last = ast.parse(file.interface(number)).body[-1]
        assert isinstance(last, ast.AsyncFunctionDef)


def test_files_of_middle_size_are_chosen_from_the_smallest_to_the_largest(tmp_path: Path) -> None:
    for lines in (20, SHORTEST, 500, 700, 900, LONGEST, LONGEST + 500):
        _file(tmp_path, f"m{lines}.py", lines)
    sizes = [file.lines for file in chosen(tmp_path, 3)]
    assert sizes == [SHORTEST, 700, LONGEST]


def test_small_projects_lend_their_largest_files(tmp_path: Path) -> None:
    for lines in (20, 30, 40):
        _file(tmp_path, f"m{lines}.py", lines)
    assert [file.lines for file in chosen(tmp_path, 2)] == [30, 40]


def test_projects_are_copied_without_what_was_installed(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for name in ("app.py", "pkg/core.py", "node_modules/x.py", ".venv/lib/y.py", "tool/lib/z.py"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("import os\n", "utf-8")
    for environment in (".venv", "tool"):
        (project / environment / "pyvenv.cfg").touch()
    subject = copied(project, None, tmp_path / "work")
    assert sorted(path.name for path in subject.folder.rglob("*.py")) == ["app.py", "core.py"]
    assert (subject.files, subject.lines) == (2, 2)
    assert subject.python == project / ".venv"


def test_parts_of_projects_are_what_lies_nearest_to_the_top(tmp_path: Path) -> None:
    for name in ("shop/b/deep.py", "shop/a/x.py", "shop/core.py", "shop/pyproject.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    subject = copied(tmp_path / "shop", None, tmp_path / "work", most=2)
    assert sorted(p.name for p in subject.folder.rglob("*.*")) == [
        "core.py",
        "pyproject.toml",
        "x.py",
    ]


def test_a_plot_has_larger_values_further_up_and_right() -> None:
    picture = plot([Line("a<b", 0, [(10, 1.0), (1000, 100.0)], "cold")], "files", "seconds")
    root = ElementTree.fromstring(picture)
    circles = root.findall("{*}circle")
    (x1, y1), (x2, y2) = ((float(c.attrib["cx"]), float(c.attrib["cy"])) for c in circles)
    assert x1 < x2
    assert y1 > y2
    texts = [text.text for text in root.findall("{*}text")]
    assert "a<b, cold" in texts
    assert {"10", "100", "1,000"} <= {*texts}


def test_figures() -> None:
    assert percentile([3.0, 1.0, 2.0, 4.0], 50) == 2.0
    assert percentile([float(n) for n in range(1, 21)], 95) == 19.0
    assert percentile([5.0], 95) == 5.0
    assert ratio([1.0, 8.0, 3.0], [2.0, 2.0, 2.0]) == "1.5"
    assert ratio([500.0], [2.0]) == "250"
    assert ratio([None], [2.0]) == "–"


def test_what_a_program_used_is_counted(tmp_path: Path) -> None:
    work = "held = b'x' * 50_000_000\nn = 0\nwhile n < 2_000_000: n += 1\nprint('done')"
    run = measured([sys.executable, "-c", work], tmp_path, os.environ)
    assert run.output.strip() == "done"
    if CAN_COUNT:
        assert run.cost.memory is not None
        assert run.cost.memory > 50_000_000
        assert run.cost.cpu
        held = b"x" * 100_000_000
        small = measured([sys.executable, "-S", "-c", "pass"], tmp_path, os.environ)
        assert small.cost.memory is not None
        assert small.cost.memory < len(held) // 2, "the parent's memory counts for nothing"
    failing = "import sys; print('out of luck', file=sys.stderr); sys.exit(2)"
    with pytest.raises(Failed, match="out of luck"):
        measured([sys.executable, "-c", failing], tmp_path, os.environ)


def test_the_benchmark_measures_a_project_and_leaves_it_alone(tmp_path: Path) -> None:
    project = tmp_path / "shop"
    shutil.copytree(SHOP, project)
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    options = ["--rounds", "1", "--edits", "2", "--files", "2", "--tools", "loopsafe"]
    told = _told_by("bench.py", project, options, tmp_path / "cache")
    assert "Project: shop, 16 files" in told
    titles = (
        "without a cache",
        "nothing changed",
        "one line changed",
        "From an edit",
        "light bulb",
    )
    for title in titles:
        assert title in told
    rows = [line for line in told.splitlines() if line.startswith("| loopsafe")]
    assert len(rows) == 3 + 4 + 2 + 1
    check = [sys.executable, "-m", "loopsafe", "check", str(project), "--output-format", "json"]
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "server")}
    found = json.loads(measured(check, tmp_path, variables).output)
    assert found
    assert all(row.endswith(f" | {len(found)} |") for row in rows[:3])
    after = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    assert after == before


def test_growth_measures_parts_of_a_project_and_draws_them(tmp_path: Path) -> None:
    picture = tmp_path / "growth.svg"
    options = ["--sizes", "8", "12", "--tools", "loopsafe", "--plot", str(picture)]
    told = _told_by("growth.py", SHOP, options, tmp_path / "cache")
    rows = [line.split(" | ")[:2] for line in told.splitlines()[2:]]
    assert [row[0] for row in rows] == ["| 8"] * 3 + ["| 12"] * 3
    assert len(ElementTree.parse(picture).getroot().findall("{*}polyline")) == 3


def _told_by(script: str, project: Path, options: list[str], cache: Path) -> str:
    """What a script prints that measures a project."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / script), "--project", str(project), *options],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONUTF8": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
