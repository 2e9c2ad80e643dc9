"""The command line, as a shell sees it: output, errors and exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loopsafe.cli import main
from loopsafe.config import CODES

SERVER = Path(__file__).parents[1] / "server"
BLOCKING = "import time\n\n\nasync def tick():\n    time.sleep(1)\n"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in an empty project."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "pyproject.toml").touch()

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def started(*arguments: str, cwd: Path, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-X", "utf8", "-m", "loopsafe", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(SERVER), "PYTHONUNBUFFERED": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )


def test_clean_project(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "import asyncio\n\n\nasync def f():\n    await asyncio.sleep(1)\n"
    )
    assert run("check") == (0, "All checks passed!\n", "")


def test_findings_in_full(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(BLOCKING)
    code, out, err = run("check")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[:6] == [
        "warning[blocking-sleep]: time.sleep() blocks the event loop",
        " --> a.py:5:5",
        "  |",
        "5 |     time.sleep(1)",
        "  |     ^^^^^^^^^^",
        "  |",
    ]
    assert any(line.startswith("  = fix:   ") for line in lines)
    assert lines[-2:] == [
        "Found 1 finding (1 warning).",
        "1 fixable with the `--fix` option.",
    ]


def test_findings_concisely(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "a.py").write_text(BLOCKING)
    name = Path("pkg", "a.py")
    assert run("check", "--output-format", "concise", "pkg") == (
        1,
        f"{name}:5:5: warning[blocking-sleep]: time.sleep() blocks the event loop\n"
        "Found 1 finding (1 warning).\n",
        "",
    )


def test_findings_as_json(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import time\n\n\nasync def tick():\n    'é'; time.sleep(1)\n")
    code, out, err = run("check", "--output-format=json", "a.py")
    (item,) = json.loads(out)
    assert (code, err) == (1, "")
    assert item["filename"] == str(tmp_path / "a.py")
    assert item["location"] == {"row": 5, "column": 10}
    assert item["end_location"] == {"row": 5, "column": 20}
    assert item["code"] == "blocking-sleep"
    assert item["function"] == "a.tick"
    assert item["category"] == "sleep"
    assert [hop["call"] for hop in item["chain"]] == ["time.sleep()"]
    assert item["fix"]["applicability"] == "safe"
    assert item["fix"]["edits"][0].keys() == {"content", "location", "end_location"}
    assert item["fixes"][0]["edits"][0].keys() == {
        "filename",
        "content",
        "location",
        "end_location",
    }


def test_json_of_nothing_is_an_empty_list(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    assert run("check", "--output-format", "json") == (0, "[]\n", "")


def test_shape_is_the_one_of_ruff(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import os, time\n" + BLOCKING)
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "ASYNC251,F401"]
    ruff = subprocess.run(
        [*command, "--output-format", "json", "a.py"], cwd=tmp_path, capture_output=True, text=True
    )
    by_code = {item["code"]: item for item in json.loads(ruff.stdout)}
    _, out, _ = run("check", "--output-format", "json")
    (item,) = json.loads(out)
    theirs = by_code["ASYNC251"]
    for key in ("filename", "location", "end_location"):
        assert item[key] == theirs[key]
    assert by_code["F401"]["fix"].keys() == item["fix"].keys()
    edits = by_code["F401"]["fix"]["edits"], item["fix"]["edits"]
    assert edits[0][0].keys() == edits[1][0].keys()


def test_trouble_with_files_does_not_stop_the_run(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"x = '\xff'\n")
    (tmp_path / "b.py").write_bytes(b"# coding: martian\n")
    (tmp_path / "c.py").write_text("def f(:\n    pass\n")
    (tmp_path / "d.py").write_text(BLOCKING)
    (tmp_path / "e.py").mkdir()
    code, out, err = run("check", "--output-format", "json")
    assert code == 1
    assert [Path(item["filename"]).name for item in json.loads(out)] == ["d.py"]
    lines = err.splitlines()
    assert len(lines) == 3
    for name, line in zip("abc", lines, strict=True):
        assert line.startswith(f"loopsafe: warning: {name}.py:")


@pytest.mark.skipif(
    sys.platform == "win32" or not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="needs a user whom files can be closed to",
)
def test_file_that_may_not_be_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(BLOCKING)
    (tmp_path / "a.py").chmod(0)
    code, _, err = run("check")
    assert code == 0
    assert err.startswith("loopsafe: warning: a.py: ")


def test_folder_without_python(run: Run) -> None:
    assert run("check") == (
        0,
        "",
        "loopsafe: warning: no Python files found\n",
    )


def test_no_fix_is_promised_for_a_notebook(run: Run, tmp_path: Path) -> None:
    source = ["import time\n", "async def f():\n", "    time.sleep(1)\n"]
    cells = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []}]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4, "metadata": {}}))
    code, out, _ = run("check", "a.ipynb")
    assert code == 1
    assert "blocking-sleep" in out
    assert "fixable" not in out


def test_what_is_no_notebook_has_not_passed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text('{"cells": 1}')
    code, out, err = run("check", "a.ipynb")
    assert code == 0
    assert "could not be checked in full" in out
    assert err.startswith("loopsafe: warning: a.ipynb: cannot decode the file: not a notebook")


def test_what_could_not_be_read_has_not_passed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f(:\n    pass\n")
    unread = "could not be checked in full, see above."
    assert run("check")[:2] == (0, f"Found nothing, but 1 file {unread}\n")
    (tmp_path / "b.py").write_bytes(b"x = '\xff'\n")
    (tmp_path / "c.py").write_text(BLOCKING)
    code, out, _ = run("check", "--output-format", "concise")
    assert code == 1
    assert out.splitlines()[-1] == f"Found 1 finding (1 warning). 2 files {unread}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [],
            "which command: check, config, explain, library, rule or server? "
            "(see `loopsafe --help`)",
        ),
        (["chek"], "argument COMMAND: invalid choice: 'chek'"),
        (["check", "--fast"], "unrecognized arguments: --fast (see `loopsafe --help`)"),
        (["check", "--output-format", "xml"], "argument --output-format: invalid choice: 'xml'"),
        (["check", "nowhere"], "nowhere: no such file or folder"),
        (["check", "--python", "nowhere"], "--python: "),
        (["check", "--python", "pyproject.toml"], "pyproject.toml: no Python installation"),
        (["check", "--select", "blocking-htp"], "--select: unknown rule `blocking-htp`, did you"),
        (["check", "--ignore", "x,y"], "--ignore: unknown rule `x` (see `loopsafe rule`)"),
        (["check", "--jobs", "0"], "--jobs: must be a number from 1 on, not `0`"),
        (["check", "--config", "offload = anyio"], "texts take quotes: 'offload = \"anyio\"'"),
        (["check", "--output-file", "none/x"], "none/x: No such file or directory"),
        (["explain", "nothing"], "nothing: no such function or class in no Python environment"),
        (["rule", "blocking-htp"], "unknown rule `blocking-htp`, did you mean `blocking-http`?"),
        (["rule", "x"], "unknown rule `x` (see `loopsafe rule`)"),
    ],
)
def test_wrong_usage_is_one_line(run: Run, arguments: list[str], message: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"loopsafe: error: {message}") or message in err
    assert err.count("\n") == 1


def test_wrong_settings_are_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.loopsafe]\nselct = []\n")
    (tmp_path / "a.py").write_text(BLOCKING)
    message = "unknown key `selct` in [tool.loopsafe], did you mean `select`?"
    file = tmp_path / "pyproject.toml"
    assert run("check") == (2, "", f"loopsafe: error: {file}:2: {message}\n")


@pytest.mark.parametrize("setting", ["python = 'gone'", "source-roots = ['.', 'gone']"])
def test_settings_that_lead_nowhere_are_one_line(run: Run, tmp_path: Path, setting: str) -> None:
    (tmp_path / "a.py").write_text(BLOCKING)
    file = tmp_path / "pyproject.toml"
    file.write_text(f"[tool.loopsafe]\n\n{setting}\n")
    code, out, err = run("check")
    assert (code, out) == (2, "")
    place = f"loopsafe: error: {file}:3: `{setting.split(' ')[0]}`: {tmp_path / 'gone'}: no such "
    assert err.startswith(place)
    assert err.count("\n") == 1


def test_select_ignore_and_severity(run: Run, tmp_path: Path) -> None:
    text = BLOCKING + "    open('x').close()\n    input()\n"
    (tmp_path / "a.py").write_text(text)

    def codes(*arguments: str) -> list[str]:
        _, out, _ = run("check", "--output-format", "json", *arguments)
        return sorted({item["code"] for item in json.loads(out)})

    assert codes() == ["blocking-file", "blocking-input", "blocking-sleep"]
    assert codes("--select", "blocking-file, blocking-input") == ["blocking-file", "blocking-input"]
    assert codes("--ignore", "blocking-file", "--ignore", "blocking-input") == ["blocking-sleep"]
    assert codes("--severity", "warning") == ["blocking-input", "blocking-sleep"]
    assert codes("--severity", "error") == []
    assert run("check", "--severity", "error")[:2] == (0, "All checks passed!\n")


def test_exit_zero_and_statistics(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(BLOCKING + "    time.sleep(2)\n")
    code, out, _ = run("check", "--exit-zero", "--statistics")
    assert (code, out.splitlines()[0]) == (0, "2  blocking-sleep       2 warnings")
    _, out, _ = run("check", "--statistics", "--output-format", "json")
    assert json.loads(out) == [{"code": "blocking-sleep", "count": 2}]


def test_exclude_from_settings_and_command_line(run: Run, tmp_path: Path) -> None:
    for name in ("a.py", "b/c.py", "d/e/f.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(BLOCKING)
    (tmp_path / "pyproject.toml").write_text("[tool.loopsafe]\nexclude = ['b']\n")

    def files(*arguments: str) -> list[str]:
        _, out, _ = run("check", "--output-format", "json", *arguments)
        return [Path(i["filename"]).relative_to(tmp_path).as_posix() for i in json.loads(out)]

    assert files() == ["a.py", "d/e/f.py"]
    assert files("--exclude", "d/e") == ["a.py"]
    assert files("--exclude", "a.py", "--exclude", "e") == []
    assert files("b/c.py", "--exclude", "c.py") == ["b/c.py"]


def test_each_project_has_its_own_settings(run: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text(BLOCKING)
    (tmp_path / "one" / "pyproject.toml").write_text("[tool.loopsafe]\nselect = []\n")
    (tmp_path / "two" / "setup.cfg").touch()
    code, out, _ = run("check", "one", "two", "two/a.py", "--output-format", "concise")
    assert code == 1
    assert out.startswith(str(Path("two", "a.py")))
    assert "Found 1 finding (1 warning)." in out


def test_a_folder_with_homes_in_it_is_no_project(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _override_beside(tmp_path, "app")
    assert run("check", "app")[0] == 1
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path / "homes" / "me"))
    assert run("check", "app")[0] == 0


def test_a_folder_with_requirements_is_a_project_where_nothing_above_is_one(
    run: Run, tmp_path: Path
) -> None:
    _override_beside(tmp_path, "shop")
    assert run("check", "shop")[0] == 1
    (tmp_path / "shop" / "requirements.txt").touch()
    assert run("check", "shop")[0] == 0


def _override_beside(around: Path, folder: str) -> None:
    """A folder whose only finding rests on a file beside it, and nothing that is a project."""
    (around / "pyproject.toml").unlink()
    (around / folder).mkdir()
    (around / folder / "main.py").write_text(
        "class Base:\n    def work(self):\n        raise NotImplementedError\n\n\n"
        "async def f(base: Base):\n    base.work()\n"
    )
    (around / "other.py").write_text(
        f"import time\n\nfrom {folder}.main import Base\n\n\n"
        "class Slow(Base):\n    def work(self):\n        time.sleep(1)\n"
    )


def test_colors_can_be_forced(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(BLOCKING)
    assert "\x1b" not in run("check")[1]
    assert "\x1b[1;33mwarning" in run("check", "--color", "always")[1]


def test_rules_are_listed_and_explained(run: Run) -> None:
    code, out, err = run("rule")
    assert (code, err, len(out.splitlines())) == (0, "", len(CODES))
    assert run("rule", "ASYNC251") == run("rule", "blocking-sleep")
    code, out, _ = run("rule", "blocking-http")
    assert code == 0
    assert out.startswith("# blocking-http\n")


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--version"], ["--help"], ["check", "--help"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 0
        assert "loopsafe" in capsys.readouterr().out


def test_mistake_of_our_own_is_told_and_the_run_goes_on(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from loopsafe.engine import Engine, FileReport

    (tmp_path / "a.py").write_text(BLOCKING)
    (tmp_path / "b.py").write_text(BLOCKING)
    real = Engine.report

    def report(self: Engine, path: str) -> FileReport:
        if path.endswith("a.py"):
            raise KeyError("tick")
        return real(self, path)

    monkeypatch.setattr(Engine, "report", report)
    code, out, err = run("check", "--output-format", "concise")
    assert code == 2
    assert out.startswith("b.py:5:5")
    assert err.startswith("loopsafe: internal error: a.py: KeyError: 'tick' at test_cli.py:")


def test_start_is_light() -> None:
    probe = (
        "import sys, loopsafe.cli\n"
        "heavy = {'jedi', 'astroid', 'parso', 'pygls', 'lsprotocol', 'loopsafe.engine'}\n"
        "sys.exit(', '.join(sorted(heavy & sys.modules.keys())) or 0)\n"
    )
    command = [sys.executable, "-c", probe]
    environment = {**os.environ, "PYTHONPATH": str(SERVER)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_reader_that_leaves_early(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(BLOCKING + "    time.sleep(2)\n" * 2000)
    process = started("check", "--output-format", "concise", cwd=tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith("a.py:5:5")
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 141


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ there")
def test_interrupt(tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / f"a{number}.py").write_text(BLOCKING * 5)
    process = started("check", cwd=tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("warning[blocking-sleep]")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert (process.returncode, err) == (130, "")


def test_terminal_without_unicode(tmp_path: Path) -> None:
    text = 'import time\n\n\nasync def tick():\n    "日"; time.sleep(1)\n'
    (tmp_path / "a.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "loopsafe", "check"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(SERVER), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert b'"\\u65e5"; time.sleep(1)' in done.stdout


def _install(root: Path, name: str, text: str) -> None:
    """A package in the project's environment."""
    for place in ("lib/python3.12/site-packages", "Lib/site-packages"):
        folder = root / ".venv" / place / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(text)
    (root / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.0\n")


ACME = """\
import requests

def fetch(url, dry=False):
    if dry:
        return None
    return _get(url)

def _get(url):
    return requests.get(url)

def maybe(url=None):
    if url is not None:
        return _get(url)

def harmless():
    return 1

async def load(url):
    return _get(url)

class Client:
    def __init__(self):
        self.session = requests.Session()

    def users(self):
        return self.session.get("users")
"""


def test_explain_a_catalogued_name(run: Run) -> None:
    code, out, err = run("explain", "queue.Queue.get")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[:3] == [
        "queue.Queue.get: blocks the event loop",
        "  category: lock, stall",
        "  catalogued",
    ]
    assert "  not with: block=False, timeout=0" in lines
    assert "  async twin: asyncio.Queue.get" in lines


def test_explain_what_waits_later_and_what_is_read(run: Run) -> None:
    lazy = run("explain", "langsmith.Client.list_runs")[1]
    assert lazy.startswith(
        "langsmith.Client.list_runs: blocks the event loop while its result is gone through\n"
    )
    read = run("explain", "wikipediaapi.WikipediaPage.text")[1]
    assert read.startswith(
        "wikipediaapi.WikipediaPage.text: blocks the event loop when it is read\n"
    )


def test_explain_a_derived_name(run: Run, tmp_path: Path) -> None:
    _install(tmp_path, "acme", ACME)
    code, out, _ = run("explain", "acme.fetch")
    assert code == 0
    assert out.splitlines() == [
        "acme.fetch: blocks the event loop",
        "  category: http, stall",
        "  derived from the source of acme, through requests.get()",
        "    acme/__init__.py:6  fetch calls _get()",
        "    acme/__init__.py:9  _get calls requests.get()",
    ]


def test_explain_tells_arguments_and_coroutines(run: Run, tmp_path: Path) -> None:
    _install(tmp_path, "acme", ACME)
    assert (
        "acme.maybe: blocks the event loop with certain arguments\n"
        in run("explain", "acme.maybe")[1]
    )
    assert "acme.load: blocks the event loop when it is awaited\n" in run("explain", "acme.load")[1]
    assert run("explain", "acme.harmless")[1] == "acme.harmless: not known to block\n"


def test_explain_tells_who_says_so(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.loopsafe]\nnot-blocking = ["acme.fetch"]\nblocking = { "acme.harmless" = "no" }\n'
    )
    _install(tmp_path, "acme", ACME)
    assert run("explain", "acme.fetch")[1] == "acme.fetch: does not block, says pyproject.toml\n"
    assert run("explain", "acme.harmless")[1].splitlines() == [
        "acme.harmless: blocks the event loop",
        "  category: call, stall",
        "  said by pyproject.toml",
        "  advice: no",
    ]


def test_explain_tells_modules_and_decorators(run: Run, tmp_path: Path) -> None:
    _install(tmp_path, "acme", ACME)
    code, _, err = run("explain", "acme")
    assert (code, "`loopsafe library acme` lists what blocks in it" in err) == (2, True)
    told = "blocks the event loop when a plain function that it decorates is called\n"
    assert f"tenacity.retry: {told}" in run("explain", "tenacity.retry")[1]


def test_library_takes_the_name_of_a_distribution(run: Run, tmp_path: Path) -> None:
    _install(tmp_path, "acme", ACME)
    for package in list((tmp_path / ".venv").rglob("acme")):
        info = package.with_name("Acme_Tools-1.0.dist-info")
        info.mkdir()
        (info / "RECORD").write_text("acme/__init__.py,,\nbin/acme.py,,\n../../../bin/acme,,\n")
    code, out, _ = run("library", "acme-tools")
    assert code == 0
    assert "acme.fetch  http  derived, through requests.get() in acme/__init__.py:9\n" in out


SHIPPED = """\
[library]
title = "Acme"
import = ["acme"]
source = "https://example.org/"

[[function]]
names = ["acme.harmless"]
category = "cpu"
"""


def test_package_brings_its_own_word(run: Run, tmp_path: Path) -> None:
    _install(tmp_path, "acme", ACME)
    (tmp_path / "a.py").write_text("import acme\n\n\nasync def f():\n    acme.harmless()\n")
    assert run("check")[0] == 0
    files = list((tmp_path / ".venv").rglob("acme/__init__.py"))
    for file in files:
        file.with_name("loopsafe.toml").write_text(SHIPPED)
    code, out, err = run("check")
    assert (code, err) == (1, "")
    assert "warning[blocking-cpu]: acme.harmless() blocks the event loop" in out
    assert "`acme/loopsafe.toml` says that it blocks." in out
    assert "said by acme/loopsafe.toml" in run("explain", "acme.harmless")[1]
    for file in files:
        file.with_name("loopsafe.toml").write_text(SHIPPED.replace("cpu", "cpuu"))
    for _ in range(2):
        code, out, err = run("check")
        assert code == 0
        assert err.startswith("loopsafe: warning: ")
        place, _, rest = err.removeprefix("loopsafe: warning: ").partition(": ")
        assert place.endswith(f"{Path('acme', 'loopsafe.toml')}:8")
        assert rest.startswith("`category` is 'cpuu', not one of call, cpu, ")
        assert rest.endswith("did you mean `cpu`?; the file is left out\n")


def test_explain_of_an_unknown_name(run: Run) -> None:
    code, out, err = run("explain", "acme.nothing")
    assert (code, out) == (2, "")
    assert err.startswith("loopsafe: error: acme.nothing: no such function or class in ")
    assert "`--python` names another" in err


def test_library_lists_what_blocks(run: Run, tmp_path: Path) -> None:
    _install(tmp_path, "acme", ACME)
    code, out, err = run("library", "acme")
    assert (code, err) == (0, "")
    assert [line.split("  ")[:2] for line in out.splitlines()[:-1]] == [
        ["acme.fetch", "http"],
        ["acme.load", "http"],
        ["acme.Client.users", "http"],
    ]
    assert out.splitlines()[-1] == "3 callables of acme may block the event loop."
    assert run("library", "nosuch")[0] == 2


FAMILY = """
class Base:
    def get(self): ...
    def _send(self): ...

class Redis(Base):
    limit = 3
    def pipeline(self): ...
"""


def test_library_lists_methods_that_are_known_as_families(run: Run, tmp_path: Path) -> None:
    _install(tmp_path, "redis", FAMILY)
    code, out, _ = run("library", "redis")
    listed = {line.split("  ")[0] for line in out.splitlines()}
    assert code == 0
    assert "redis.Redis.get" in listed
    assert not listed & {"redis.Redis.pipeline", "redis.Redis.limit", "redis.Redis._send"}


def test_explain_says_of_the_projects_own_that_check_follows_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("import time\n\n\ndef load():\n    time.sleep(1)\n")
    told = "shop.load: of this project, whose calls `loopsafe check` follows\n"
    assert run("explain", "shop.load") == (0, told, "")
