"""The worker process: it may crash, hang or be left alone; it runs no code of the workspace."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from loopsafe.config import Settings
from loopsafe.engine import Engine
from loopsafe.infer import opinion
from loopsafe.infer.alarm import Alarm, TooLong
from loopsafe.infer.opinion import Limits, SecondOpinion, search_of
from loopsafe.infer.wire import Answer, Named, Question
from loopsafe.isolated import library_folders
from loopsafe.model import Span
from loopsafe.modules.environment import Environment
from loopsafe.modules.typeshed import find_typeshed

SERVER = Path(__file__).parent.parent / "server"

SAMPLE = """
    import time

    TABLE = {"a": getattr(time, "sl" + "eep"), "b": getattr(time, "mono" + "tonic")}

    async def main():
        TABLE["a"](1)
        TABLE["b"]()
        time.time()
    """
SLEEP = Named("function", "time", "sleep", "")
KNOWN = [(SLEEP,), (Named("function", "time", "monotonic", ""),)]

posix = pytest.mark.skipif(os.name != "posix", reason="needs signals")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache of parsed stubs for all tests, not the user's."""
    return tmp_path_factory.mktemp("inference")


@pytest.fixture
def ask(tmp_path: Path, cache: Path) -> Iterator[Ask]:
    helper = Ask(tmp_path, cache)
    yield helper
    helper.opinion.close()


class Ask:
    """A project of one file, and questions about its calls in their order."""

    def __init__(self, root: Path, cache: Path) -> None:
        self.path = root / "sample.py"
        typeshed = str(find_typeshed() or "")
        self.search = search_of(root, (root,), Environment(), typeshed)
        self.cache = cache
        self.opinion = SecondOpinion(self.search, cache)
        self.write(SAMPLE)

    def limited(self, limits: Limits) -> None:
        self.opinion.close()
        self.opinion = SecondOpinion(self.search, self.cache, limits)

    def write(self, text: str) -> None:
        self.path.write_text(dedent(text).lstrip())

    def questions(self, library: str = "astroid") -> list[Question]:
        tree = ast.parse(self.path.read_text())
        (main,) = (n for n in tree.body if isinstance(n, ast.AsyncFunctionDef))
        calls = sorted(
            (n.func for n in ast.walk(main) if isinstance(n, ast.Call)), key=lambda f: f.lineno
        )
        return [
            Question(library, str(self.path), span_of(func), getattr(func, "attr", ""))
            for func in calls
        ]

    def __call__(self, cancelled: Callable[[], bool] = opinion.never) -> list[Answer]:
        answers = self.opinion.extra(self.questions(), {}, cancelled)
        return [answers[question] for question in self.questions() if question in answers]

    @property
    def pid(self) -> int:
        assert self.opinion.pid is not None
        return self.opinion.pid


def span_of(node: ast.expr) -> Span:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return Span(node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)


def is_running(pid: int) -> bool:
    """A process that ended and that nobody has asked for its end does not count."""
    shown = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip()[:1] not in ("", "Z")


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


# Crashes and hangs


@posix
def test_a_killed_worker_is_replaced(ask: Ask) -> None:
    assert ask()[:2] == KNOWN
    first = ask.pid
    os.kill(first, signal.SIGKILL)
    assert wait_for(lambda: not is_running(first))
    # While the last of its threads ends, the system does not call it ended: that costs an answer.
    assert wait_for(lambda: ask()[:2] == KNOWN)
    assert ask.pid != first


@posix
def test_a_worker_killed_while_it_is_asked_costs_one_answer(ask: Ask) -> None:
    ask()
    pid = ask.pid
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(0.5, os.kill, (pid, signal.SIGKILL)).start()
    assert ask()[:2] == [(), KNOWN[1]]


@posix
def test_a_worker_that_does_not_answer_is_ended(ask: Ask) -> None:
    ask.limited(Limits(patience=3.0))
    ask()
    pid = ask.pid
    os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    assert ask()[0] == ()
    assert time.monotonic() - started < 60.0
    assert wait_for(lambda: not is_running(pid))
    assert ask()[:2] == KNOWN


def test_a_question_that_computes_for_ever_costs_one_answer(ask: Ask) -> None:
    # Multiplying numbers of many million digits is one step, which nothing can interrupt.
    ask.write(
        """
    import time

    BIG = (1 << 99999999) - 1
    TABLE = {"a": getattr(time, "sl" + "eep")}

    async def main():
        TABLE[BIG * BIG](1)
        TABLE["a"](1)
    """
    )
    ask.limited(Limits(question=1.0, patience=4.0, file=90.0))
    started = time.monotonic()
    assert ask() == [(), KNOWN[0]]
    assert time.monotonic() - started > 4.0


def test_a_question_that_takes_too_long_is_given_up_and_the_worker_stays(ask: Ask) -> None:
    ask.write(
        "import subprocess\n\nasync def main():\n    subprocess.run([])\n    subprocess.run([])\n"
    )
    questions = ask.questions("jedi")
    ask.limited(Limits(question=0.02))
    answers = ask.opinion.extra(questions[:1], {})
    assert answers == {questions[0]: ()}
    pid = ask.pid
    ask.opinion.extra(questions[1:], {})
    assert ask.pid == pid
    ask.limited(Limits(question=20.0, patience=60.0, file=90.0))
    assert ask.opinion.extra(questions[:1], {})[questions[0]]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system sets no such limit")
def test_memory_is_limited() -> None:
    code = "from loopsafe.infer.guard import limit_memory; limit_memory(); bytearray(8 << 30)"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(SERVER)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "MemoryError" in ran.stderr


def test_what_is_called_off_is_not_waited_for(ask: Ask) -> None:
    assert ask(lambda: True) == []
    assert ask.opinion.pid is None
    assert ask()[:2] == KNOWN


@posix
def test_a_wait_ends_when_it_is_called_off(ask: Ask) -> None:
    ask()
    pid = ask.pid
    os.kill(pid, signal.SIGSTOP)
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    started = time.monotonic()
    assert ask(stop.is_set) == []
    assert time.monotonic() - started < 5.0
    os.kill(pid, signal.SIGCONT)
    # The worker is as good as before, and what it still says of the old questions is not mixed up.
    assert ask()[:2] == KNOWN
    assert ask.pid == pid


def test_questions_that_make_no_sense_are_unknown(ask: Ask) -> None:
    path = str(ask.path)
    odd = [
        Question(library, file, span, member)
        for library in ("jedi", "astroid", "nobody")
        for file in (path, str(ask.path.with_name("gone.py")), "", "\0")
        for span in (Span(1, 0, 1, 1), Span(900, 5, 900, 9), Span(-1, -1, -1, -1))
        for member in ("", "sleep")
    ]
    answers = ask.opinion.extra(odd, {})
    assert set(answers) == set(odd)
    pid = ask.pid
    assert ask()[:2] == KNOWN
    assert ask.pid == pid


@pytest.mark.parametrize("text", ["async def main(:\n  x(", "\0", "\ufeff", "", "x = '\ud800'\n"])
def test_text_that_is_not_python_is_unknown(ask: Ask, text: str) -> None:
    spans = [Span(1, 0, 1, 5), Span(2, 2, 2, 3)]
    asked = [Question(lib, str(ask.path), s, "") for lib in ("jedi", "astroid") for s in spans]
    answers = ask.opinion.extra(asked, {str(ask.path): text})
    assert answers == dict.fromkeys(asked, ())


def test_where_no_process_can_be_started_all_is_unknown(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(ask.path))
    assert ask() == []
    monkeypatch.setattr(sys, "executable", "")
    assert ask() == []


def test_closed_is_closed(ask: Ask) -> None:
    ask()
    pid = ask.pid
    ask.opinion.close()
    assert os.name != "posix" or wait_for(lambda: not is_running(pid))
    assert ask() == []


# The alarm


def test_the_alarm_rings_in_a_loop_and_not_behind_it() -> None:
    alarm = Alarm()
    for _ in range(50):
        try:
            with alarm.within(0.001):
                while True:
                    sum(range(100))
        except TooLong:
            pass
        sum(range(1000))
    with alarm.within(60.0):
        sum(range(1000))


def test_the_alarm_is_heard_where_a_library_swallows_it() -> None:
    def careless() -> None:
        with contextlib.suppress(BaseException):
            while True:
                sum(range(100))

    alarm = Alarm()
    with pytest.raises(TooLong):
        within(alarm, careless)


def within(alarm: Alarm, call: Callable[[], None]) -> None:
    with alarm.within(0.01):
        call()


# Life and death


@posix
@pytest.mark.parametrize("busy", [False, True])
def test_the_worker_ends_when_the_server_dies(ask: Ask, busy: bool) -> None:
    code = """
    import os, sys, threading, time
    from pathlib import Path
    from loopsafe.infer.opinion import SecondOpinion
    from loopsafe.infer.wire import question_from, search_from
    import json
    search, questions, cache, busy = json.loads(sys.argv[1])
    opinion = SecondOpinion(search_from(search), Path(cache))
    asked = [question_from(question) for question in questions]
    opinion.extra(asked[:1], {})
    print(opinion.pid, flush=True)
    if busy:
        threading.Thread(target=opinion.extra, args=(asked, {}), daemon=True).start()
        time.sleep(1)
    os.kill(os.getpid(), 9)
    """
    if busy:
        ask.write(
            "N = 99999 ** 99999\nM = N * N\n\nasync def main():\n    main()\n    N[M * M * M]()\n"
        )
    given = json.dumps([ask.search, ask.questions(), str(ask.cache), busy])
    died = subprocess.run(
        [sys.executable, "-c", dedent(code), given],
        env={**os.environ, "PYTHONPATH": str(SERVER)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    pid = int(died.stdout)
    assert wait_for(lambda: not is_running(pid))


def test_the_engine_starts_no_process_by_itself_and_imports_neither_library(ask: Ask) -> None:
    code = f"""
    import sys
    from pathlib import Path
    from loopsafe.config import Settings
    from loopsafe.engine import Engine
    engine = Engine(Path({str(ask.path.parent)!r}), Settings())
    engine.report({str(ask.path)!r})
    assert engine._deepening.opinion.pid is None
    print(sorted({{"jedi", "astroid", "parso"}} & set(sys.modules)))
    """
    ran = subprocess.run(
        [sys.executable, "-c", dedent(code)],
        env={**os.environ, "PYTHONPATH": str(SERVER)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == "[]"


# Isolation


def test_the_folders_of_the_project_are_not_searched_for_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jedi.py").write_text("")
    (tmp_path / "astroid").mkdir()
    (tmp_path / "astroid" / "__init__.py").write_text("")
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), *sys.path])
    assert str(tmp_path) in library_folders(["astroid"])
    assert str(tmp_path) not in library_folders(["astroid"], [str(tmp_path)])
    monkeypatch.chdir(tmp_path)
    assert str(tmp_path) not in library_folders(["astroid"])


def test_no_code_of_the_workspace_runs(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file of this project leaves a trace when it is executed; analysing leaves none."""
    trace = tmp_path / "trace"
    trace.mkdir()
    root = tmp_path / "project"
    root.mkdir()
    mark = f"open({str(trace)!r} + '/' + __name__.replace('.', '_'), 'w').close()\n"
    hostile = [
        "sitecustomize", "usercustomize", "jedi", "parso", "astroid", "json", "numpy", "six",
        "typing_extensions", "loopsafe", "gi", "gi.repository", "gi.repository.GLib", "test_all",
        "conftest", "setup", "_socket", "helpers", "select",
    ]  # fmt: skip
    for name in hostile:
        place = root.joinpath(*name.split("."))
        if name in ("gi", "gi.repository", "numpy"):
            place.mkdir()
            place = place / "__init__"
        place.with_suffix(".py").write_text(mark)
    interpreter = root / ".venv" / "bin" / "python"
    interpreter.parent.mkdir(parents=True)
    interpreter.write_text(f"#!/bin/sh\ntouch {trace}/interpreter\n")
    interpreter.chmod(0o755)
    packages = root / ".venv" / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "evil.pth").write_text(f"import os; os.mkdir({str(trace / 'pth')!r})\n")
    (packages / "native.abi3.so").write_bytes(b"\x7fELF")
    (root / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.0\n")
    (root / ".jedi").mkdir()
    config = {"environment_path": str(interpreter), "load_unsafe_extensions": True}
    (root / ".jedi" / "project.json").write_text(json.dumps([1, config]))
    (root / "pyproject.toml").write_text("[project]\nname = 'sample'\n")
    imports = "\n".join(f"import {name}" for name in [*hostile, "native", "antigravity", "this.x"])
    (root / "sample.py").write_text(
        f"{imports}\nimport unittest.__main__.x\nimport idlelib.idle.x\nimport antigravity.x\n"
        "import time\n\n"
        'TABLE = {"a": getattr(time, "sl" + "eep")}\n\n\n'
        "async def main(client):\n"
        '    TABLE["a"](1)\n'
        "    client.get(1)\n"
        + "".join(f"    {name}.get()\n" for name in hostile)
        + "    antigravity.x.get()\n    unittest.__main__.x.get()\n    idlelib.idle.x.get()\n"
        "    native.get()\n"
        "    numpy.ndarray(3).get()\n"
        "    gi.repository.GLib.get().get()\n"
    )
    monkeypatch.chdir(root)
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.setenv("PYTHONSTARTUP", str(root / "helpers.py"))
    monkeypatch.setattr(sys, "path", ["", str(root), *sys.path])
    monkeypatch.setattr(opinion, "cache_folder", lambda: cache)
    engine = Engine(root, Settings())
    path = str(root / "sample.py")
    try:
        engine.index()
        engine.deepen(path)
        found = [f.message for f in engine.report(path).findings]
    finally:
        engine.close()
    assert list(trace.iterdir()) == []
    assert "time.sleep() blocks the event loop" in found


def test_the_fence_holds_where_a_library_would_go_further(tmp_path: Path) -> None:
    evil = tmp_path / "evil.py"
    evil.write_text("print('ran')\n")
    code = f"""
    import builtins, importlib.util, os, runpy, socket, subprocess, sys
    sys.path.append({str(SERVER)!r})
    from loopsafe.infer.guard import fence
    fence([{str(SERVER)!r}])
    def refused(call):
        try:
            call()
        except ImportError:
            return True
        return False
    def by_path():
        spec = importlib.util.spec_from_file_location("evil", {str(evil)!r})
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    def by_name():
        sys.path.append({str(tmp_path)!r})
        import evil
    print([refused(call) for call in (
        by_path,
        by_name,
        lambda: runpy.run_path({str(evil)!r}),
        lambda: exec(compile("1", {str(evil)!r}, "exec")),
        lambda: os.system("echo ran"),
        lambda: subprocess.run([sys.executable, "-c", "print('ran')"]),
        lambda: socket.create_connection(("127.0.0.1", 9)),
        lambda: __import__("antigravity"),
        lambda: __import__("unittest.__main__"),
    )])
    import xml.dom.minidom, decimal, _decimal
    """
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.strip() == str([True] * 9), ran.stderr
    assert ran.returncode == 0, ran.stderr
