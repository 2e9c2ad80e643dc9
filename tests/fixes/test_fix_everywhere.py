"""Fixes of several files: a helper becomes async with all its callers, or why it cannot is told."""

from __future__ import annotations

import asyncio
import importlib
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest
from stall import run

from loopsafe.config import Settings
from loopsafe.engine import Engine
from loopsafe.model import Edit, Fix, Safety

STORE = """
    import time


    def fetch(number, delay=0.2):
        time.sleep(delay)
        return [number]


    def title(number):
        \"\"\"Asks twice.\"\"\"
        if not fetch(number)[0]:
            raise ValueError(number)
        return str(fetch(number=number)[0] + 1).upper()
"""
APP = """
    import store
    from store import title as name_of


    async def main():
        return {"title": name_of(3), "all": [store.fetch(n)[0] for n in (1, 2)]}
"""


class Project:
    """Files in a folder, and an engine on them."""

    def __init__(self, root: Path, python: Path | None = None, **files: str) -> None:
        self.root = root
        (root / "pyproject.toml").touch()
        for name, text in files.items():
            (root / f"{name}.py").write_text(textwrap.dedent(text).lstrip("\n"))
        self.engine = Engine(root, Settings(), python)
        self.engine.index()

    def wide(self, name: str = "app") -> Fix:
        """The fix of several functions that the first finding of a file has."""
        finding = self.engine.report(str(self.root / f"{name}.py")).findings[0]
        [fix] = self.engine.wide_fixes(finding)
        return fix

    def after(self, fix: Fix) -> dict[str, str]:
        by_path: dict[str, list[Edit]] = {}
        for edit in fix.edits:
            by_path.setdefault(edit.path, []).append(edit)
        texts = {p: self.engine.report(p).source.apply(tuple(e)) for p, e in by_path.items()}
        return {Path(path).stem: text for path, text in texts.items()}

    def write(self, fix: Fix) -> None:
        for name, text in self.after(fix).items():
            (self.root / f"{name}.py").write_text(text)
            self.engine.forget([str(self.root / f"{name}.py")])


def imported(root: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> list[ModuleType]:
    monkeypatch.syspath_prepend(str(root))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in names:
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    return [importlib.import_module(name) for name in names]


def test_a_helper_is_awaited_by_all_its_callers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run before and after, on a loop that measures how long it stood still."""
    tests = """
        import store


        def test_fetch():
            assert store.fetch(1, delay=0) == [1]


        async def test_title():
            assert store.title(1) == "2"
    """
    project = Project(tmp_path, store=STORE, app=APP, test_store=tests)
    _, app = imported(tmp_path, monkeypatch, "store", "app")
    before = run(app.main, repr)
    fix = project.wide()
    assert fix.title == "Make fetch async, and await it wherever it is called (3 files)"
    assert fix.safety is Safety.UNSAFE
    project.write(fix)
    store, app, test = imported(tmp_path, monkeypatch, "store", "app", "test_store")
    after = run(app.main, repr)
    assert after.outcome == before.outcome == ("result", "{'title': '4', 'all': [1, 2]}")
    assert before.stall >= 0.2
    assert before.stall >= 3 * after.stall
    test.test_fetch()
    asyncio.run(test.test_title())
    with pytest.raises(ValueError, match="0"):
        asyncio.run(store.title(0))
    for name in ("store", "app", "test_store"):
        assert project.engine.report(str(tmp_path / f"{name}.py")).findings == ()


def test_what_it_looks_like(tmp_path: Path) -> None:
    project = Project(tmp_path, store=STORE, app=APP)
    after = project.after(project.wide())
    assert after["app"] == textwrap.dedent(
        """
        import store
        from store import title as name_of


        async def main():
            return {"title": await name_of(3), "all": [(await store.fetch(n))[0] for n in (1, 2)]}
        """
    ).lstrip("\n")
    assert after["store"] == textwrap.dedent(
        """
        import asyncio


        async def fetch(number, delay=0.2):
            await asyncio.sleep(delay)
            return [number]


        async def title(number):
            \"\"\"Asks twice.\"\"\"
            if not (await fetch(number))[0]:
                raise ValueError(number)
            return str((await fetch(number=number))[0] + 1).upper()
        """
    ).lstrip("\n")


SEVERAL = """
    import time
    from pathlib import Path


    def wait(n):
        time.sleep(n)


    def fetch(path, again):
        found = Path(path).read_text()
        time.sleep(0.2)
        if again:
            time.sleep(0.2)
            return fetch(path, False)
        return found
"""


def test_all_that_blocks_in_the_helper_is_cured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run before and after: three calls block in the helper, and one of its own."""
    app = "import store\n\n\nasync def main():\n    return store.fetch(__file__, True)\n"
    project = Project(tmp_path, store=SEVERAL, app=app)
    [_, application] = imported(tmp_path, monkeypatch, "store", "app")
    before = run(application.main, repr)
    fix = project.wide()
    assert "still blocks" not in fix.caveat
    project.write(fix)
    [_, application] = imported(tmp_path, monkeypatch, "store", "app")
    after = run(application.main, repr)
    assert before.outcome[0] == after.outcome[0] == "result"
    assert before.stall >= 3 * after.stall
    text = (tmp_path / "store.py").read_text()
    assert text.count("    await asyncio.sleep(0.2)\n") == 2
    assert "    found = await asyncio.to_thread(Path(path).read_text)\n" in text
    assert "            return await fetch(path, False)\n" not in text
    assert "        return await fetch(path, False)\n" in text
    assert "def wait(n):\n    time.sleep(n)\n" in text
    for name in ("store", "app"):
        assert project.engine.report(str(tmp_path / f"{name}.py")).findings == ()


def test_what_goes_on_blocking_in_the_helper_is_told(tmp_path: Path) -> None:
    text = """
        import threading
        import time

        lock = threading.RLock()


        def other(n):
            time.sleep(n)


        def fetch(n):
            time.sleep(n)
            other(n)
            lock.acquire()


        async def main():
            return fetch(1)
    """
    fix = Project(tmp_path, app=text).wide()
    assert "What still blocks in it: other() in line 13, lock.acquire() in line 14." in fix.caveat


def test_what_a_coroutine_is_given_is_called_in_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run before and after: there is nothing to move where it is handed over."""
    helper = """
        async def retry(function, **options):
            for _ in range(2):
                try:
                    return function(**options)
                except ValueError:
                    pass
    """
    app = """
        import time

        from helper import retry


        def load(delay):
            time.sleep(delay)
            return delay


        async def main():
            return await retry(lambda **options: load(**options), delay=0.2)
    """
    project = Project(tmp_path, helper=helper, app=app)
    _, application = imported(tmp_path, monkeypatch, "helper", "app")
    before = run(application.main, repr)
    [finding] = project.engine.report(str(tmp_path / "app.py")).findings
    titles = [fix.title for fix in project.engine.fixes(finding) if fix.kind != "ignore"]
    assert titles == []
    fixes = {fix.title: fix for fix in project.engine.wide_fixes(finding)}
    fix = fixes["Run function() in a thread with asyncio.to_thread(), in retry()"]
    assert fix.safety is Safety.UNSAFE
    project.write(fix)
    _, application = imported(tmp_path, monkeypatch, "helper", "app")
    after = run(application.main, repr)
    assert after.outcome == before.outcome == ("result", "0.2")
    assert before.stall >= 0.2
    assert before.stall >= 3 * after.stall
    text = (tmp_path / "helper.py").read_text()
    assert "return await asyncio.to_thread(function, **options)\n" in text
    assert project.engine.report(str(tmp_path / "app.py")).findings == ()


def test_all_that_a_coroutine_is_given_is_called_in_threads(tmp_path: Path) -> None:
    """What it awaits stays awaited."""
    app = """
        import time


        async def both(first, second, n):
            a = first(n)
            return a, second(n), await other(n)


        async def other(n):
            return n


        def load(n):
            time.sleep(n)
            return n


        async def main():
            return await both(load, time.sleep, 0.1)
    """
    project = Project(tmp_path, app=app)
    [finding] = project.engine.report(str(tmp_path / "app.py")).findings
    [fix] = [fix for fix in project.engine.wide_fixes(finding) if fix.title.endswith(", in both()")]
    after = project.after(fix)["app"]
    assert "    a = await asyncio.to_thread(first, n)\n" in after
    assert "    return a, await asyncio.to_thread(second, n), await other(n)\n" in after
    project.write(fix)
    assert project.engine.report(str(tmp_path / "app.py")).findings == ()


def test_methods_follow_by_their_class(tmp_path: Path) -> None:
    text = """
        import time


        class Store:
            def load(self):
                time.sleep(1)
                return self

            def both(self):
                return self.load().load()


        class Other:
            def load(self):
                return 1


        async def main(other: Other):
            return Store().both(), other.load()
    """
    project = Project(tmp_path, app=text)
    after = project.after(project.wide())["app"]
    assert "return await (await self.load()).load()" in after
    assert "return await Store().both(), other.load()" in after
    assert after.count("async def load") == 1


@pytest.mark.parametrize(
    "decorator", ["@retry", "@tenacity.retry(stop=stop_after_attempt(3))", "@override\n@retry()"]
)
def test_a_decorator_that_awaits_stays(tmp_path: Path, decorator: str) -> None:
    text = (
        "import time\nfrom typing import override\nimport tenacity\n"
        "from tenacity import retry, stop_after_attempt\n\n\n"
        f"{decorator}\ndef fetch(n):\n    time.sleep(n)\n\n\nasync def main():\n    fetch(1)\n"
    )
    project = Project(tmp_path, app=text)
    after = project.after(project.wide())["app"]
    assert f"{decorator}\nasync def fetch(n):\n    await asyncio.sleep(n)\n" in after
    assert "    await fetch(1)\n" in after


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("x = fetch(1)", "called while its module is imported, in app.py"),
        ("f = lambda: fetch(1)", "a lambda calls"),
        ("def g():\n    return [f(1) for f in (fetch,)]", "handed on"),
        ("def g():\n    return map(fetch, (1, 2))", "handed on"),
        ("class A:\n    def __init__(self):\n        self.x = fetch(1)", "Python itself calls"),
        ("class A:\n    @property\n    def x(self):\n        return fetch(1)", "has a decorator"),
        ("def g():\n    yield fetch(1)", "is a generator"),
        ("async def g():\n    return (fetch(n) for n in (1, 2))", "may not stand"),
        ("async def g():\n    return [n async for n in h() if (lambda: fetch(n))()]", "a lambda"),
        ("def g(setattr):\n    setattr(app, 'fetch', None)", "named in a text"),
        ("NAME = 'app.fetch'", "named in a text"),
        ("def g():\n    return fetch(1)\n\n\nx = g()", "called while its module is imported"),
        ("def g():\n    return fetch(1)\n\n\nasyncio.get_running_loop().call_soon(g)", "`g`"),
    ],
)
def test_it_is_refused_with_the_reason(tmp_path: Path, more: str, why: str) -> None:
    text = (
        "import asyncio\nimport time\n\n\ndef fetch(n):\n    time.sleep(n)\n    return n\n\n\n"
        f"async def main():\n    return fetch(1)\n\n\n{more}\n"
    )
    fix = Project(tmp_path, app=text).wide()
    assert (fix.kind, fix.edits, fix.safety) == ("refused", (), Safety.DISPLAY)
    assert why in fix.caveat


def test_a_method_that_is_overridden_is_refused(tmp_path: Path) -> None:
    text = """
        import time


        class Base:
            def load(self):
                time.sleep(1)


        async def main(base: Base):
            base.load()
    """
    more = "from app import Base\n\n\nclass More(Base):\n    def load(self):\n        return 1\n"
    fix = Project(tmp_path, app=text, more=more).wide()
    assert "is overridden in more.py" in fix.caveat


def test_other_things_of_the_same_name_stay(tmp_path: Path) -> None:
    more = """
        def fetch(n):
            return n


        def use(store):
            fetch = store.fetch
            return fetch(1), globals()["fetch"]
    """
    project = Project(tmp_path, store=STORE, app=APP, more=more)
    fix = project.wide()
    assert fix.edits
    assert "more" not in project.after(fix)


ENDPOINT = """
    import time

    from fastapi import FastAPI

    app = FastAPI()


    @app.get("/")
    async def read():
        time.sleep(0.1)
        return 1
"""


def test_an_endpoint_becomes_plain_and_its_tests_follow(tmp_path: Path) -> None:
    tests = """
        from app import read


        async def test_read():
            assert await read() == 1
            x = [(await read()) + 1 for _ in (1, 2)]
            assert x == [2, 2]
    """
    project = Project(tmp_path, app=ENDPOINT, test_app=tests)
    fix = project.wide()
    assert fix.title == "Make read a plain def, and do not await it in its tests"
    after = project.after(fix)
    assert "\ndef read():" in after["app"]
    assert "assert read() == 1" in after["test_app"]
    assert "x = [(read()) + 1 for _ in (1, 2)]" in after["test_app"]
    project.write(fix)
    assert project.engine.report(str(tmp_path / "app.py")).findings == ()


def test_an_endpoint_that_other_code_awaits_stays(tmp_path: Path) -> None:
    more = "from app import read\n\n\nasync def both():\n    return await read()\n"
    fix = Project(tmp_path, app=ENDPOINT, more=more).wide()
    assert fix.kind == "refused"
    assert fix.caveat.endswith("in more.py:5")
