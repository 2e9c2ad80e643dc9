"""What runs keep changes nothing but time: the next run says what one without a cache says."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import loopsafe.cli.analysis as analysis
from loopsafe.cli import crew, main
from loopsafe.engine import Engine, FileReport
from test_incremental import OPTIONAL, VARIANTS, edits

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("LOOPSAFE_CACHE_DIR", str(tmp_path / "cache"))

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["check", str(tmp_path / "project"), *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    site = root / ".venv" / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (root / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.0\n")
    (site / "requests.py").write_text("def get(url): ...\nclass Session:\n    def get(self): ...\n")
    (root / "pyproject.toml").write_text("[project]\nname = 'app'\n")
    for name, texts in VARIANTS.items():
        if name not in OPTIONAL:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(texts[0])
    return root


def _forbid_analysis(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_arguments: object) -> None:
        raise AssertionError("nothing changed, so nothing is to be analysed")

    monkeypatch.setattr(analysis, "Engine", forbidden)


@pytest.mark.parametrize("form", ["full", "concise", "json"])
def test_where_nothing_changed_nothing_is_analysed(
    run: Run, project: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--output-format", form)
    expected = run("--no-cache", *options)
    assert expected[1]
    assert run(*options) == expected
    _forbid_analysis(monkeypatch)
    assert run(*options) == expected


def test_a_file_that_was_only_touched_is_unchanged(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run()
    os.utime(project / "app" / "tools.py", (1_000_000_000, 1_000_000_000))
    _forbid_analysis(monkeypatch)
    assert run() == expected


def test_what_other_tools_leave_behind_changes_nothing(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run()
    (project / "app" / "__pycache__").mkdir()
    (project / "app" / "__pycache__" / "tools.cpython-311.pyc").write_bytes(b"")
    (project / ".pytest_cache").mkdir()
    (project / "app" / "server.log").write_text("started\n")
    (project / ".coverage").write_bytes(b"")
    _forbid_analysis(monkeypatch)
    assert run() == expected


CHANGES: dict[str, Callable[[Path], object]] = {
    "a file": lambda root: (root / "app/tools.py").write_text("def work():\n    pass\n"),
    "one of the same size": lambda root: (root / "app/tools.py").write_text(
        (root / "app/tools.py").read_text().replace("sleep", "ctime")
    ),
    "a file of its name before a library's": lambda root: (root / "requests.py").write_text(
        "def get(url): ...\n"
    ),
    "a library": lambda root: (root / ".venv/lib/python3.11/site-packages/requests.py").write_text(
        "from app.base import Store as get\n"
    ),
    "a library that is gone": lambda root: (
        root / ".venv/lib/python3.11/site-packages/requests.py"
    ).unlink(),
    "settings": lambda root: (root / "pyproject.toml").write_text(
        "[tool.loopsafe]\nignore = ['blocking-sleep']\n"
    ),
    "source roots": lambda root: (root / "pyproject.toml").write_text(
        "[tool.loopsafe]\nsource-roots = ['app']\n"
    ),
    "a file that came": lambda root: (root / "app/new.py").write_text(
        "import time\nasync def f():\n    time.sleep(1)\n"
    ),
    "a folder before a library": lambda root: (root / "requests").mkdir(),
    "a project inside": lambda root: (root / "app/pyproject.toml").write_text(
        "[tool.loopsafe]\nignore = ['blocking-sleep']\n"
    ),
    "a file that went": lambda root: (root / "app/stores.py").unlink(),
    "a file that is broken": lambda root: (root / "app/tools.py").write_bytes(b"\xff\n"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changed_is_seen(run: Run, project: Path, name: str) -> None:
    run()
    run()
    CHANGES[name](project)
    expected = run("--no-cache")
    assert run() == expected
    assert run() == expected


def test_other_options_are_other_runs(run: Run, project: Path) -> None:
    run("--output-format", "json")
    for options in (("--severity", "warning"), ("--ignore", "blocking-sleep"), ("--statistics",)):
        given = ("--output-format", "json", *options)
        assert run(*given) == run("--no-cache", *given)
    assert json.loads(run("--output-format", "json")[1])


def test_runs_after_random_edits_say_what_a_run_without_a_cache_says(
    run: Run, project: Path
) -> None:
    chance = random.Random(1)
    for _ in range(12):
        path = project / chance.choice(list(VARIANTS))
        if path.exists() and chance.random() < 0.2:
            path.unlink()
        else:
            path.write_text(chance.choice(VARIANTS[str(path.relative_to(project).as_posix())]))
        assert run("--output-format", "json") == run("--output-format", "json", "--no-cache")


@pytest.mark.parametrize("seed", range(6))
def test_runs_after_edits_of_files_say_what_a_run_without_a_cache_says(
    run: Run, project: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    resumed: list[frozenset[str] | None] = []
    resume = Engine.resume

    def noted(engine: Engine, *told: Any) -> frozenset[str] | None:
        resumed.append(resume(engine, *told))
        return resumed[-1]

    monkeypatch.setattr(Engine, "resume", noted)
    run("--output-format", "concise")
    for path, text in edits(project, chance, 25):
        if text is None or not path.exists():
            continue
        path.write_text(text)
        expected = run("--output-format", "concise", "--no-cache")
        assert run("--output-format", "concise") == expected
        assert run("--output-format", "concise") == expected
    stale = [len(files) for files in resumed if files is not None]
    assert len(stale) > 6
    assert min(stale) < len(VARIANTS) - len(OPTIONAL) - 4


def test_what_another_file_begins_to_store_in_an_object_is_seen(run: Run, project: Path) -> None:
    (project / "app/state.py").write_text("import fastapi\napp = fastapi.FastAPI()\n")
    (project / "app/read.py").write_text(
        "from fastapi import Request\nasync def read(request: Request):\n"
        "    request.app.state.client.get('/')\n"
    )
    start = "import requests\nfrom app.state import app\ndef start():\n    "
    (project / "app/start.py").write_text(f"{start}pass\n")
    assert "read.py" not in run("--output-format", "concise")[1]
    (project / "app/start.py").write_text(f"{start}app.state.client = requests.Session()\n")
    expected = run("--output-format", "concise", "--no-cache")
    assert "read.py" in expected[1]
    assert run("--output-format", "concise") == expected


def test_an_edit_leaves_files_alone_that_do_not_rest_on_it(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    with (project / "app/main.py").open("a") as file:
        file.write("\nasync def added():\n    tools.work()\n")
    asked: list[str] = []
    report = Engine.report

    def noted(engine: Engine, path: str, *told: Any) -> FileReport:
        asked.append(Path(path).name)
        return report(engine, path, *told)

    monkeypatch.setattr(Engine, "report", noted)
    code, told, _ = run()
    assert (code, "added" in told) == (1, True)
    assert set(asked) == {"main.py"}


def test_a_run_over_some_files_takes_over_and_leaves_the_answers_of_a_whole_run(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run()
    (project / "app/deps.py").write_text("import time\nasync def load():\n    time.sleep(2)\n")
    main(["check", str(project / "app/deps.py")])
    one = capsys.readouterr().out
    main(["check", "--no-cache", str(project / "app/deps.py")])
    assert one == capsys.readouterr().out
    expected = run("--no-cache")
    assert run() == expected
    _forbid_analysis(monkeypatch)
    assert run() == expected
    main(["check", str(project / "app/deps.py")])
    assert one == capsys.readouterr().out


def test_several_processes_say_what_one_says(run: Run, project: Path) -> None:
    for options in (("--no-cache",), ("--statistics",), ("--output-format", "json")):
        assert run("--jobs", "3", *options) == run("--jobs", "1", "--no-cache", *options)


def test_what_several_processes_found_is_kept(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run("--jobs", "2")
    _forbid_analysis(monkeypatch)
    assert run("--jobs", "1") == expected


def test_where_no_process_can_be_started_this_one_does_the_work(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run("--jobs", "1", "--no-cache")

    def forbidden(*_arguments: object) -> None:
        raise OSError("no semaphores here")

    monkeypatch.setattr(crew, "ProcessPoolExecutor", forbidden)
    assert run("--jobs", "2", "--no-cache") == expected


def test_a_process_that_is_ended_loses_nothing(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run("--jobs", "1", "--no-cache")
    monkeypatch.setattr(crew, "_done", _end)
    assert run("--jobs", "2", "--no-cache") == expected


def _end(_files: object) -> None:
    os._exit(9)
