"""Names are added to settings where a person would, and nothing else in the file changes."""

from __future__ import annotations

import pytest

from loopsafe.config.writing import inserted, insertions

CASES = {
    "an empty file": ("", "not-blocking", '[tool.loopsafe]\nnot-blocking = ["a.f"]\n'),
    "a file without the table": (
        "[project]\nname = 'x'  # name\n",
        "not-blocking",
        "[project]\nname = 'x'  # name\n\n[tool.loopsafe]\nnot-blocking = [\"a.f\"]\n",
    ),
    "a file without a last line end": (
        "[project]\nname = 'x'",
        "blocking",
        '[project]\nname = \'x\'\n\n[tool.loopsafe.blocking]\n"a.f" = ""\n',
    ),
    "a table without the key": (
        "[tool.loopsafe] # mine\nignore = []\n\n[tool.ruff]\n",
        "offload-functions",
        '[tool.loopsafe] # mine\noffload-functions = ["a.f"]\nignore = []\n\n[tool.ruff]\n',
    ),
    "a table that is only a table's": (
        "[tool.loopsafe.severity]\nblocking-cpu = 'off'\n",
        "not-blocking",
        "[tool.loopsafe.severity]\nblocking-cpu = 'off'\n\n"
        '[tool.loopsafe]\nnot-blocking = ["a.f"]\n',
    ),
    "a list": (
        "[tool.loopsafe]\nnot-blocking = ['b.g']  # why\n",
        "not-blocking",
        "[tool.loopsafe]\nnot-blocking = ['b.g', \"a.f\"]  # why\n",
    ),
    "an empty list": (
        "[tool.loopsafe]\nnot-blocking = [ ]\n",
        "not-blocking",
        '[tool.loopsafe]\nnot-blocking = ["a.f" ]\n',
    ),
    "a list over lines": (
        '[tool.loopsafe]\nnot-blocking = [\n  "b.g",  # why [\n  # "c.h"\n]\nselect = []\n',
        "not-blocking",
        '[tool.loopsafe]\nnot-blocking = [\n  "b.g",  # why [\n  # "c.h"\n  "a.f",\n]\n'
        "select = []\n",
    ),
    "a list over lines without a last comma": (
        '[tool.loopsafe]\nnot-blocking = [\n\t"b.g" # why\n]\n',
        "not-blocking",
        '[tool.loopsafe]\nnot-blocking = [\n\t"b.g", # why\n\t"a.f",\n]\n',
    ),
    "a table of names": (
        '[tool.loopsafe.blocking] # these\n"b.g" = "x"\n',
        "blocking",
        '[tool.loopsafe.blocking] # these\n"a.f" = ""\n"b.g" = "x"\n',
    ),
    "a table in a line": (
        '[tool.loopsafe]\nblocking = { "b.g" = "x" }\n',
        "blocking",
        '[tool.loopsafe]\nblocking = { "b.g" = "x", "a.f" = "" }\n',
    ),
    "numbers of arguments": (
        '[tool.loopsafe.offload-functions]\n"b.g" = 1\n',
        "offload-functions",
        '[tool.loopsafe.offload-functions]\n"a.f" = 0\n"b.g" = 1\n',
    ),
    "an array of tables": (
        '[[tool.loopsafe.blocking]]\nnames = ["b.g"]\n',
        "blocking",
        '[[tool.loopsafe.blocking]]\nnames = ["b.g"]\n\n'
        '[[tool.loopsafe.blocking]]\nnames = ["a.f"]\n',
    ),
    "a dotted key": (
        'tool.loopsafe.not-blocking = ["b.g"]\n',
        "not-blocking",
        'tool.loopsafe.not-blocking = ["b.g", "a.f"]\n',
    ),
    "a text that looks like the table": (
        "[project]\ndescription = '''\n[tool.loopsafe]\nnot-blocking = []\n'''\n",
        "not-blocking",
        "[project]\ndescription = '''\n[tool.loopsafe]\nnot-blocking = []\n'''\n\n"
        '[tool.loopsafe]\nnot-blocking = ["a.f"]\n',
    ),
    "other line ends": (
        "[tool.loopsafe]\r\nignore = []\r\n",
        "not-blocking",
        '[tool.loopsafe]\r\nnot-blocking = ["a.f"]\r\nignore = []\r\n',
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_name_is_added(name: str) -> None:
    text, key, expected = CASES[name]
    assert inserted(text, insertions(text, key, "a.f")) == expected


@pytest.mark.parametrize(
    "text",
    [
        "[tool.loopsafe\n",
        '[tool.loopsafe]\nnot-blocking = ["a.f"]\n',
        "[tool]\nloopsafe = { ignore = [] }\n",
        '[tool.loopsafe]\nnot-blocking = "b.g"\n',
    ],
)
def test_where_that_cannot_be_nothing_is(text: str) -> None:
    assert insertions(text, "not-blocking", "a.f") == ()
