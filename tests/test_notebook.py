"""Notebooks as text: magics are passed over, and every line keeps its place."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from loopsafe import notebook
from loopsafe.cli import main
from loopsafe.model import Span

CELL = """\
%matplotlib inline
import time
!ls \\
  -la
files = !ls
df?
print("a" %
  3)
text = '''
%kept
'''
a = b % c
total = a \\
  % b
def f():
    %time g()
    time.sleep(1)
"""


def test_magics_become_python_and_lines_stay() -> None:
    found = notebook.join([(1, CELL), (3, "%%bash\nrm -rf /"), (4, "%%time\nx = 1")])
    assert found.text.split("\n") == [
        "pass", "import time", "pass", "#", "files = []", "pass", 'print("a" %', "  3)",
        "text = '''", "%kept", "'''", "a = b % c", "total = a \\", "  % b", "def f():",
        "    pass", "    time.sleep(1)", "", "#", "#", "#", "x = 1",
    ]  # fmt: skip
    ast.parse(found.text)
    assert [(cell.number, cell.first, cell.lines) for cell in found.cells] == [
        (1, 1, 18),
        (3, 19, 2),
        (4, 21, 2),
    ]
    assert found.cell(22) == found.cells[2]
    assert found.cell(23) is None


def test_edits_stay_within_a_cell_and_off_the_magics() -> None:
    found = notebook.join([(1, "%time x\na = 1"), (2, "b = 2")])
    assert found.may_edit(Span(2, 0, 2, 5))
    assert found.may_edit(Span(1, 0, 1, 0))
    assert not found.may_edit(Span(1, 0, 1, 3))
    assert not found.may_edit(Span(2, 0, 3, 1))


def write(path: Path, *cells: tuple[str, str | list[str]], language: str = "python") -> Path:
    data = {
        "cells": [{"cell_type": kind, "source": source} for kind, source in cells],
        "metadata": {"language_info": {"name": language}},
        "nbformat": 4,
    }
    path.write_text(json.dumps(data))
    return path


FIRST = ("code", "%load_ext x\nimport time")
WORDS = ("markdown", "# time.sleep(1)")
BLOCKING = ("code", ["async def main():\n", "    time.sleep(1)\n"])


def test_the_terminal_names_the_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "a.ipynb", FIRST, WORDS, BLOCKING)
    assert main(["check", "--no-cache", "--output-format", "concise", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert f"{path}:cell 3:2:5: warning[blocking-sleep]: time.sleep() blocks" in out
    assert main(["check", "--no-cache", str(path)]) == 1
    out = capsys.readouterr().out
    assert ":cell 3:2:5\n" in out
    assert "2 |     time.sleep(1)" in out
    assert main(["check", "--no-cache", "--output-format", "json", str(path)]) == 1
    [found] = json.loads(capsys.readouterr().out)
    assert found["cell"] == 3
    assert found["location"] == {"cell": 3, "row": 2, "column": 5}
    assert [edit["location"]["cell"] for edit in found["fix"]["edits"]] == [1, 3]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', '{"worksheets": []}'])
def test_what_is_no_notebook_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "a.ipynb").write_text(text)
    assert main(["check", "--no-cache", str(tmp_path)]) == 0
    assert "not a notebook" in capsys.readouterr().err


def test_other_languages_are_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "a.ipynb", FIRST, BLOCKING, language="julia")
    assert main(["check", "--no-cache", str(tmp_path)]) == 0
    assert "All checks passed!" in capsys.readouterr().out


def test_fixing_from_the_terminal_leaves_a_notebook_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.ipynb", FIRST, WORDS, BLOCKING)
    before = path.read_bytes()
    assert main(["check", "--no-cache", "--fix", str(path)]) == 1
    assert path.read_bytes() == before
    assert "notebooks are not fixed from the terminal" in capsys.readouterr().err
