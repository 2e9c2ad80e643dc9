"""What jedi and astroid add: each finds what the engine alone does not, and nothing goes away."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

import loopsafe
from loopsafe.config import Settings
from loopsafe.engine import Engine
from loopsafe.infer import opinion
from loopsafe.model import Confidence, Finding

CASES = {
    # jedi: what callers pass tells what an unannotated parameter is.
    "parameter": """
        import socket

        async def send(connection, data):
            connection.sendall(data)  # found by jedi

        async def main():
            connection = socket.create_connection(("example.com", 80))
            for step in [send]:
                await step(*[connection, b"x"])
            await send(*[connection, b"x"])
        """,
    # jedi: types that only a docstring gives.
    "docstring": '''
        import smtplib

        async def main(client):
            """Sends a letter.

            :type client: smtplib.SMTP
            """
            client.sendmail("a", "b", "c")  # found by jedi
        ''',
    # astroid: values that code computes while it is imported.
    "computed_name": """
        import time

        pause = getattr(time, "peels"[::-1])

        async def main():
            pause(1)  # found by astroid
        """,
    "filled_by_loop": """
        import time

        TABLE = {}
        for name in ("sleep", "monotonic"):
            TABLE["do_" + name] = getattr(time, name)

        async def main():
            TABLE["do_sleep"](1)  # found by astroid
            TABLE["do_monotonic"]()
        """,
    "module_namespace": """
        import time

        def do_wait():
            time.sleep(1)

        def do_nothing():
            pass

        async def main(word):
            globals()["do_wait do_nothing".split()[0]]()  # found by astroid
            globals()["do_nothing"]()
        """,
    "namedtuple_field": """
        import collections
        import time

        Clock = collections.namedtuple("Clock", ["wait", "look"])
        clock = Clock(getattr(time, "".join(["sl", "eep"]), time.sleep), look=time.monotonic)

        async def main():
            clock.wait(1)  # found by astroid
            clock.look()
        """,
    "attrs_field": """
        import time

        import attr

        @attr.s
        class Clock:
            wait = attr.ib()
            look = attr.ib(default=time.monotonic)

        clock = Clock(time.sleep)

        async def main():
            clock.wait(1)  # found by astroid
            clock.look()
        """,
    "pairs": """
        import time

        NAMES = "pause look".split()
        TABLE = dict(zip(NAMES, [getattr(time, "peels"[::-1]), getattr(time, "cinotonom"[::-1])]))

        async def main(key):
            run = TABLE.get(key)
            run(1)  # found by astroid
        """,
    "imported_by_name": """
        import importlib

        clock = importlib.import_module("emit"[::-1])

        async def main():
            clock.sleep(1)  # found by astroid
            clock.monotonic()
        """,
    # What is asked about and stays silent.
    "harmless": """
        import time

        TABLE = {}
        for name in ("monotonic", "perf_counter"):
            TABLE[name] = getattr(time, name)

        async def main(data, key):
            TABLE[key]()
            data.get("x")
            for item in data:
                item.strip()
        """,
    "known_already": """
        import time

        async def main(condition):
            time.sleep(1)
            call = time.sleep if condition else time.monotonic
            call(1)
        """,
}


@pytest.fixture(scope="module", autouse=True)
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One cache of parsed stubs for all tests, not the user's."""
    folder = tmp_path_factory.mktemp("inference")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opinion, "cache_folder", lambda: folder)
        yield


def write(root: Path, cases: dict[str, str]) -> None:
    (root / "pyproject.toml").write_text("[project]\nname = 'sample'\n")
    for name, text in cases.items():
        (root / f"{name}.py").write_text(dedent(text).lstrip())


def engine_for(root: Path, *libraries: str) -> Engine:
    engine = Engine(root, Settings())
    engine._deepening.libraries = frozenset(libraries)
    return engine


class Run:
    """Every case, before and after the questions."""

    def __init__(self, root: Path, *libraries: str) -> None:
        write(root, CASES)
        self.before: dict[str, tuple[Finding, ...]] = {}
        self.after: dict[str, tuple[Finding, ...]] = {}
        engine = engine_for(root, *libraries)
        try:
            engine.index()
            for name in CASES:
                path = str(root / f"{name}.py")
                self.before[name] = engine.report(path).findings
                engine.deepen(path)
                self.after[name] = engine.report(path).findings
        finally:
            engine.close()

    def added(self, name: str) -> list[int]:
        known = {finding.span for finding in self.before[name]}
        return [f.span.line for f in self.after[name] if f.span not in known]


@pytest.fixture(scope="module")
def with_jedi(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("jedi"), "jedi")


@pytest.fixture(scope="module")
def with_astroid(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("astroid"), "astroid")


@pytest.fixture(scope="module")
def with_both(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("both"), "jedi", "astroid")


@pytest.fixture(scope="module")
def with_neither(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("neither"))


def marked(name: str, library: str) -> list[int]:
    lines = dedent(CASES[name]).lstrip().splitlines()
    return [n for n, line in enumerate(lines, 1) if f"# found by {library}" in line]


@pytest.mark.parametrize("name", [name for name in CASES if marked(name, "jedi")])
def test_jedi_knows_receivers(with_jedi: Run, with_astroid: Run, name: str) -> None:
    assert with_jedi.added(name) == marked(name, "jedi")
    assert with_astroid.added(name) == []


@pytest.mark.parametrize("name", [name for name in CASES if marked(name, "astroid")])
def test_astroid_computes_values(with_astroid: Run, name: str) -> None:
    assert with_astroid.added(name) == marked(name, "astroid")


@pytest.mark.parametrize("name", CASES)
def test_both_together_add_what_is_marked(with_both: Run, name: str) -> None:
    assert with_both.added(name) == sorted(marked(name, "jedi") + marked(name, "astroid"))


@pytest.mark.parametrize("name", CASES)
def test_switched_off_there_is_nothing_more(with_neither: Run, name: str) -> None:
    assert with_neither.added(name) == []


def test_the_setting_switches_the_questions_off(tmp_path: Path) -> None:
    write(tmp_path, {"computed_name": CASES["computed_name"]})
    engine = Engine(tmp_path, Settings(second_opinion=False))
    path = str(tmp_path / "computed_name.py")
    assert engine.inquire(path) is None
    assert engine.deepen(path) is None
    assert engine._deepening.opinion.pid is None


@pytest.mark.parametrize("name", CASES)
def test_no_finding_goes_away(with_both: Run, name: str) -> None:
    before = {(f.span, f.code, f.message) for f in with_both.before[name]}
    assert before <= {(f.span, f.code, f.message) for f in with_both.after[name]}


def test_what_only_a_second_opinion_knows_is_never_certain_by_itself(with_jedi: Run) -> None:
    for name in CASES:
        known = {finding.span for finding in with_jedi.before[name]}
        new = [f for f in with_jedi.after[name] if f.span not in known]
        assert all(finding.confidence is not Confidence.HIGH for finding in new)
    assert with_jedi.added("parameter")


def test_answers_outlive_edits_around_them(tmp_path: Path) -> None:
    write(tmp_path, {"sample": CASES["computed_name"]})
    path = str(tmp_path / "sample.py")
    text = (tmp_path / "sample.py").read_text()
    engine = engine_for(tmp_path, "astroid")
    try:
        engine.open_text(path, text)
        assert engine.report(path).findings == ()
        assert engine.deepen(path) is not None
        engine.open_text(path, f"import os\n\n\n{text}\n\ndef more():\n    pass\n")
        assert [f.span.line for f in engine.report(path).findings] == [9]
        # Another name is another question.
        engine.open_text(path, text.replace('"peels"[::-1]', '"cinotonom"[::-1]'))
        engine.deepen(path)
        assert engine.report(path).findings == ()
    finally:
        engine.close()


def test_answers_reach_the_callers_in_other_files(tmp_path: Path) -> None:
    tools = """
        import time

        TABLE = {}
        for name in ("sleep",):
            TABLE[name] = getattr(time, name)

        def run(name):
            TABLE[name](1)
        """
    main = """
        import tools

        async def main(name):
            tools.run(name)
        """
    write(tmp_path, {"tools": tools, "main": main})
    engine = engine_for(tmp_path, "astroid")
    path = str(tmp_path / "main.py")
    try:
        engine.index()
        assert engine.report(path).findings == ()
        report = engine.deepen(path)
        assert report is not None
        (finding,) = report.findings
        assert [hop.call for hop in finding.chain] == ["tools.run()", "TABLE[...]()"]
        # The table's file changes below the open one.
        (tmp_path / "tools.py").write_text(dedent(tools).replace('"sleep"', '"monotonic"'))
        engine.forget([str(tmp_path / "tools.py")])
        engine.deepen(path)
        assert engine.report(path).findings == ()
    finally:
        engine.close()


def test_unsaved_text_is_what_is_asked_about(tmp_path: Path) -> None:
    write(tmp_path, {"sample": "import time\n"})
    path = str(tmp_path / "sample.py")
    engine = engine_for(tmp_path, "astroid", "jedi")
    try:
        engine.open_text(path, dedent(CASES["computed_name"]).lstrip())
        report = engine.deepen(path)
        assert report is not None
        assert [f.span.line for f in report.findings] == marked("computed_name", "astroid")
    finally:
        engine.close()


CONFIDENCE = {
    "agreed": (
        """
        import time

        ACTIONS = {"wait": time.sleep, "look": time.monotonic}

        async def main():
            ACTIONS["wa" + "it"](1)
        """,
        Confidence.MEDIUM,
        Confidence.HIGH,
    ),
    "contradicted": (
        """
        import time

        ACTIONS = {"wait": time.sleep, "look": time.monotonic}

        async def main():
            ACTIONS["lo" + "ok"]()
        """,
        Confidence.MEDIUM,
        Confidence.LOW,
    ),
    "left_open": (
        """
        import time

        ACTIONS = {"wait": time.sleep, "look": time.monotonic}

        async def main(action):
            ACTIONS[action]()
        """,
        Confidence.MEDIUM,
        Confidence.MEDIUM,
    ),
    "agreed_through_a_chain": (
        """
        import socket

        class Mailer:
            def __init__(self, host: str) -> None:
                self.socket = socket.create_connection((host, 25))

        def connect(host: str) -> Mailer:
            return Mailer(host)

        async def main():
            connect("example.com")
        """,
        Confidence.HIGH,
        Confidence.HIGH,
    ),
}


@pytest.mark.parametrize("name", CONFIDENCE)
def test_astroid_moves_confidence(tmp_path: Path, name: str) -> None:
    text, first, second = CONFIDENCE[name]
    write(tmp_path, {"sample": text})
    path = str(tmp_path / "sample.py")
    engine = engine_for(tmp_path, "astroid")
    try:
        assert [f.confidence for f in engine.report(path).findings] == [first]
        engine.deepen(path)
        assert [f.confidence for f in engine.report(path).findings] == [second]
    finally:
        engine.close()


def test_astroid_believes_annotations_of_parameters(tmp_path: Path) -> None:
    text = """
        from __future__ import annotations

        import socket
        from typing import Optional

        def send(connection: Optional[socket.socket], again: "socket.socket | None" = None) -> None:
            connection.sendall(b"x")

        async def main(connection: socket.socket) -> None:
            send(connection)
        """
    write(tmp_path, {"sample": text})
    path = str(tmp_path / "sample.py")
    engine = engine_for(tmp_path, "astroid")
    try:
        inquiry = engine.inquire(path)
        assert inquiry is not None
        answers = inquiry.ask()
        members = {n.member or n.qualname for answer in answers.values() for n in answer}
        assert members == {"send", "sendall"}
    finally:
        engine.close()


def test_the_terminal_asks_with_deep(tmp_path: Path) -> None:
    write(tmp_path, {"sample": CASES["computed_name"]})
    command = [sys.executable, "-m", "loopsafe", "check", "--output-format", "concise"]
    environment = {**os.environ, "PYTHONPATH": str(Path(loopsafe.__file__).parent.parent)}

    def lines(*options: str) -> list[str]:
        ran = subprocess.run(
            [*command, *options, str(tmp_path)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.stderr == ""
        return [line for line in ran.stdout.splitlines() if "blocking-sleep" in line]

    assert len(lines()) == 0
    assert len(lines("--deep")) == 1
