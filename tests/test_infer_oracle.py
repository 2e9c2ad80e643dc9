"""astroid as the judge of `resolve`: where both know a callee, they must mean the same."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from textwrap import dedent

import pytest
from differential import calls_of, compared

from loopsafe.config import Settings
from loopsafe.engine import Engine

STDLIB = Path(os.__file__).parent
MODULES = ("ftplib.py", "http/client.py", "imaplib.py", "shutil.py", "smtplib.py", "threading.py")
"""Code that people wrote without a thought of either analyser."""

SNIPPETS = {
    "imports": """
        import os.path
        import subprocess as sp
        from time import sleep as nap
        from urllib import request
        import concurrent.futures.thread

        def f():
            os.path.join("a", "b")
            sp.run(["a"])
            nap(1)
            request.urlopen("x")
            concurrent.futures.thread.ThreadPoolExecutor()

        def g():
            from shutil import copyfile
            copyfile("a", "b")
        """,
    "conditional": """
        try:
            from json import loads
        except ImportError:
            from pickle import loads
        if len("a"):
            from time import sleep
        else:
            from time import monotonic as sleep

        def f():
            loads("1")
            sleep(1)
        """,
    "receivers": """
        import io
        import queue
        import threading
        from pathlib import Path

        class Box:
            shared = queue.Queue()

            def __init__(self):
                self.lock = threading.Condition()
                self.text = "a"

            def work(self):
                self.lock.wait()
                self.text.upper()
                self.shared.get()
                Box.shared.put(1)
                self.helper().read()

            def helper(self):
                return io.StringIO()

        def f():
            box = Box()
            box.work()
            box.helper().getvalue()
            place = Path("a")
            place.read_text()
            [1].append(2)
            {"a": 1}.get("a")
        """,
    "inheritance": """
        class Base:
            def run(self):
                self.step()

            def step(self):
                pass

            @classmethod
            def make(cls):
                return cls()

            @staticmethod
            def plain():
                pass

        class Middle(Base):
            def step(self):
                super().step()

        class Last(Middle):
            pass

        def f():
            Last().run()
            Last().step()
            Last.make()
            Last.plain()
            Base.run(Last())
        """,
    "returned": """
        import tempfile

        def make():
            return tempfile.TemporaryDirectory()

        def inner():
            def hidden():
                return make()
            return hidden

        def f():
            make().cleanup()
            inner()().cleanup()
            (lambda: make())().cleanup()
        """,
    "contexts": """
        import contextlib
        import tarfile
        import zipfile

        @contextlib.contextmanager
        def opened():
            yield zipfile.ZipFile("a")

        class Manager:
            def __enter__(self):
                return self

            def __exit__(self, *rest):
                pass

            def go(self):
                pass

        def f():
            with Manager() as manager:
                manager.go()
            with opened() as archive:
                archive.extractall()
            with tarfile.TarFile("a") as tar:
                tar.getnames()
        """,
    "annotated": """
        from __future__ import annotations

        import socket
        import subprocess
        from typing import Optional, Union

        def f(a: socket.socket, b: Optional[subprocess.Popen], c: "socket.socket | None", *,
              d: Union[socket.socket, None] = None):
            a.recv(1)
            b.wait()
            c.sendall(b"")
            d.accept()
        """,
    "assigned": """
        import time

        first, second = time.sleep, time.monotonic
        table = {"a": time.sleep}
        listed = [time.sleep, time.time]

        def f(which):
            first(1)
            second()
            table["a"](1)
            listed[0](1)
            chosen = first if which else second
            chosen(1)
            for each in listed:
                each()
        """,
    "partials": """
        import functools
        import operator

        @functools.lru_cache
        def cached():
            pass

        def f():
            cached()
            functools.reduce(operator.add, [1])
        """,
}


class Comparison:
    """The callees of a project's files by both."""

    def __init__(self, root: Path) -> None:
        engine = Engine(root, Settings())
        paths = sorted(root.rglob("*.py"))
        asked = [call for path in paths for call in calls_of(engine, str(path), "astroid")]
        found = compared(engine, asked)
        self.agreed = sum(each.kind == "same" for each in found)
        self.differences = [each for each in found if each.kind in ("kin", "other")]
        """Callees that the two know differently."""

    def listed(self) -> str:
        """The differences, for the report of a failed test."""
        lines = (f"{d.place} {d.callee}: {set(d.ours)} {set(d.theirs)}" for d in self.differences)
        return "\n".join(lines)


@pytest.fixture(scope="module")
def snippets(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    root = tmp_path_factory.mktemp("snippets")
    for name, text in SNIPPETS.items():
        (root / f"{name}_snippet.py").write_text(dedent(text).lstrip())
    return Comparison(root)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Modules of the standard library under other names, so that they are read as a project."""
    root = tmp_path_factory.mktemp("library")
    for name in MODULES:
        if (STDLIB / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(STDLIB / name, root / f"own_{name}", ignore=ignored)
        else:
            shutil.copy(STDLIB / name, root / f"own_{name.replace('/', '_')}")
    return Comparison(root)


def test_both_agree_on_every_snippet(snippets: Comparison) -> None:
    assert not snippets.differences, snippets.listed()
    assert snippets.agreed >= 40


def test_both_agree_on_code_of_the_standard_library(library: Comparison) -> None:
    both = library.agreed + len(library.differences)
    assert both > 700
    assert library.agreed / both >= 0.97, library.listed()
