"""What goes to a thread together, what may not go, and what to mind."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
from support import body, case, everything, line_after

from loopsafe.config import Settings
from loopsafe.engine import Engine
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import Cost, Safety


def test_reading_a_blocking_property() -> None:
    found = body("return u.profile.name", callee="u.profile", chain=2)
    assert line_after(found) == "return (await asyncio.to_thread(lambda: u.profile)).name"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return open(u).read()", "return await asyncio.to_thread(lambda: open(u).read())"),
        (
            "return open(u).read().split()[0]",
            "return (await asyncio.to_thread(lambda: open(u).read().split()))[0]",
        ),
        (
            "return g(json.load(fp=open(u)))",
            "return g(await asyncio.to_thread(lambda: json.load(fp=open(u))))",
        ),
        ("return list(open(u))", "return await asyncio.to_thread(lambda: list(open(u)))"),
        ("h = open(u)", "h = await asyncio.to_thread(open, u)"),
        ("g.append(open(u))", "g.append(await asyncio.to_thread(open, u))"),
    ],
)
def test_a_file_and_its_use_move_together(before: str, after: str) -> None:
    found = body(before, "import asyncio\nimport json\n", callee="open")
    assert line_after(found) == after


def test_a_read_of_a_new_file_takes_the_file_along() -> None:
    found = body("return open(u).read()", callee="open(u).read", sink="io.TextIOWrapper.read")
    assert line_after(found) == "return await asyncio.to_thread(lambda: open(u).read())"


@pytest.mark.parametrize(
    "line",
    [
        "return open(await g()).read()",
        "return open(y := u).read()",
        "return open(super().path()).read()",
        "return [line for line in open(u)]",
        "with open(u).x as h: return await h",
    ],
)
def test_a_file_that_cannot_move_stays(line: str) -> None:
    assert body(line, "import asyncio\n", callee="open").cures == ()


def test_what_belongs_to_one_thread_stays() -> None:
    for line, callee, sink in (
        ("c = sqlite3.connect(u)", "sqlite3.connect", "sqlite3.connect"),
        ("u.execute(g)", "u.execute", "sqlite3.Connection.execute"),
        ("u.acquire()", "u.acquire", "threading.RLock.acquire"),
    ):
        assert body(line, "import sqlite3\n", callee=callee, sink=sink).cures == ()
    kept = {"callee": "u.cursor", "sink": "sqlite3.connect", "chain": 2}
    assert body("c = u.cursor", **kept).cures == ()
    assert body("c = u.cursor()", **kept).cures[0].safety is Safety.UNSAFE
    free = "c = sqlite3.connect(u, check_same_thread=False)"
    assert body(free, "import sqlite3\n", callee="sqlite3.connect").cures


def test_a_generator_is_moved_with_what_consumes_it() -> None:
    text = """
        import asyncio


        def rows():
            yield 1


        async def f(x):
            for row in rows():
                print(row)
            return list(rows())
    """
    listed = case(text, "rows", chain=2)
    assert "    for row in await asyncio.to_thread(lambda: list(rows())):" in listed.after()
    assert [fix.safety for fix in listed.cures] == [Safety.UNSAFE]
    found = case(text, "rows", chain=2, occurrence=1)
    assert "return await asyncio.to_thread(lambda: list(rows()))" in found.after()
    looped = case(text, "rows", chain=2, offload="starlette").after()
    assert "    async for row in iterate_in_threadpool(rows()):" in looped
    assert "from fastapi.concurrency import iterate_in_threadpool\n" in looped
    after = case(
        f"import starlette.types\n{textwrap.dedent(text)}", "rows", chain=2, offload="starlette"
    )
    assert "from starlette.concurrency import iterate_in_threadpool\n" in after.after()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "return sum(requests.get(x).json()['n'] for x in u)",
            "return await asyncio.to_thread(lambda: sum(requests.get(x).json()['n'] for x in u))",
        ),
        (
            "return any(requests.get(x).ok for x in u).real",
            "return (await asyncio.to_thread(lambda: any(requests.get(x).ok for x in u))).real",
        ),
        (
            "g(', '.join(requests.get(x).text for x in u))",
            "g(await asyncio.to_thread(lambda: ', '.join(requests.get(x).text for x in u)))",
        ),
    ],
)
def test_a_generator_that_cannot_await_is_moved_with_what_consumes_it(
    before: str, after: str
) -> None:
    found = body(before)
    assert line_after(found) == after
    assert found.cures[0].safety is Safety.SAFE


@pytest.mark.parametrize(
    "line",
    [
        "return g(requests.get(x) for x in u)",
        "return next(requests.get(x) for x in u)",
        "return sum((lambda: requests.get(x)) for x in u)",
        "return sum(requests.get(await x) for x in u)",
        "return g(lambda: sum(requests.get(x) for x in u))",
    ],
)
def test_another_generator_stays(line: str) -> None:
    assert body(line).cures == ()


def test_entries_of_a_folder_are_read_in_the_thread() -> None:
    found = body(
        "return [e.name for e in os.scandir(u)]", "import asyncio\nimport os\n", callee="os.scandir"
    )
    assert line_after(found) == (
        "return [e.name for e in await asyncio.to_thread(lambda: list(os.scandir(u)))]"
    )


def test_an_answer_in_parts_is_not_moved_without_its_parts() -> None:
    line = "for part in u.create(stream=True): print(part)"
    options = {"callee": "u.create", "sink": "openai.OpenAI.responses.create"}
    found = body(line, "import fastapi\n", **options)
    assert (
        line_after(found)
        == "async for part in iterate_in_threadpool(u.create(stream=True)): print(part)"
    )
    assert [fix.caveat for fix in body(line, **options).cures] == [
        "All items are read before the first one is used."
    ]


def test_a_file_is_opened_with_a_library_from_what_is_done_with_it(tmp_path: Path) -> None:
    main = tmp_path / "main.py"
    main.write_text(
        "import json\nfrom pathlib import Path\n\nimport anyio\n\n\nasync def main(path: Path):\n"
        "    with path.open() as file:\n        first = file.readline()\n"
        "        rest = json.load(file)\n    return first, rest\n"
    )
    engine = Engine(tmp_path, Settings())
    titles = [engine.fixes(f)[0].title for f in engine.report(str(main)).findings]
    assert set(titles) == {"Use anyio.open_file()"}
    assert len(titles) == 3


def test_what_must_be_awaited_is_not_moved() -> None:
    for line in (
        "await requests.get(u)",
        "asyncio.create_task(requests.get(u))",
        "await asyncio.gather(requests.get(u), g)",
    ):
        assert body(line, chain=2).cures == ()
    connect = Blocking("requests.get", "http", Cost.STALL, awaitable=True)
    assert body("r = requests.get(u)", blocking=connect).cures == ()
    text = "async def load():\n    pass\n\n\nasync def f():\n    c = load()\n"
    assert case(text, "load", chain=2).cures == ()


SQLITE = """
    import sqlite3


    def connected():
        connection = sqlite3.connect("a")
        connection.execute("pragma x")
        return connection, connection.cursor()


    def put(cursor: sqlite3.Cursor, n):
        cursor.execute("insert into a values (?)", (n,))


    def whole(n):
        connection, cursor = connected()
        put(cursor, n)
        connection.commit()


    class Store:
        def __init__(self):
            self.connection = sqlite3.connect("a")

        def save(self, n):
            cursor = self.connection.cursor()
            cursor.execute("insert into a values (?)", (n,))

        def opened(self):
            return sqlite3.connect("a")

        def load(self):
            connection = self.opened()
            return connection.execute("select n from a").fetchall()


    store = Store()
"""


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("connection, cursor = connected()", ""),
        ("put(x, 3)", ""),
        ("put(cursor=x, n=3)", ""),
        ("whole(4)", "Run whole() in a thread with asyncio.to_thread()"),
        ("store.save(3)", ""),
        ("store.load()", "Run store.load() in a thread with asyncio.to_thread()"),
        ("c = sqlite3.connect('a')\n    return c, c.cursor()", ""),
        ("c = sqlite3.connect('a')\n    self.x = c.cursor()", ""),
        (
            "c = sqlite3.connect('a')\n    self.x = c.execute('x').fetchall()",
            "Run the statements that use `c` in a thread with asyncio.to_thread()",
        ),
    ],
)
def test_a_connection_stays_in_the_thread_that_opened_it(
    tmp_path: Path, body: str, title: str
) -> None:
    """It is neither given to a function that moves alone, nor got from one."""
    main = tmp_path / "main.py"
    text = textwrap.dedent(SQLITE).lstrip("\n")
    text += f"\n\nasync def main(self, x: sqlite3.Cursor):\n    {body}\n"
    main.write_text(text)
    engine = Engine(tmp_path, Settings())
    finding = engine.report(str(main)).findings[0]
    titles = [fix.title for fix in engine.fixes(finding) if fix.kind != "ignore"]
    assert titles == ([title] if title else [])


@pytest.mark.parametrize(
    ("returns", "offered"),
    [
        ("return str(x)", True),
        ("return [x, None]", True),
        ("return", True),
        ("pass", True),
        ("return send(x)", False),
        ("return asyncio.create_task(send(x))", False),
        ("return unknown.make(x)", False),
        ("if x:\n        return send(x)\n    return 1", False),
        ("yield x", False),
        ("asyncio.get_running_loop().call_later(1, print)", False),
    ],
)
def test_what_gives_nothing_to_await_goes_to_a_thread(
    tmp_path: Path, returns: str, offered: bool
) -> None:
    """What `load` returns decides; where that is not known it may be a coroutine."""
    main = tmp_path / "main.py"
    main.write_text(
        "import asyncio\nimport time\nimport unknown\n\n\nasync def send(x):\n    return x\n\n\n"
        f"def load(x):\n    time.sleep(1)\n    {returns}\n\n\n"
        "async def main(x):\n    return await asyncio.wait_for(load(x), 3)\n"
    )
    engine = Engine(tmp_path, Settings())
    titles = [
        fix.title
        for finding in engine.report(str(main)).findings
        for fix in engine.fixes(finding)
        if fix.kind != "ignore"
    ]
    assert titles == ["Run load() in a thread with asyncio.to_thread()"] * offered


@pytest.mark.parametrize(
    "line",
    [
        "h = lambda: requests.get(u)",
        "h = (requests.get(x) for x in u)",
        "x: requests.get(u) = 1",
        "with requests.get(u) as r: return r",
        "return f'{requests.get(u)=}'",
        "class C: x = requests.get(u)",
    ],
)
def test_no_cure_where_none_is_right(line: str) -> None:
    found = body(line, installed=everything)
    assert not [fix for fix in found.cures if "block" not in fix.title]
    assert found.offered[-1].title == "Ignore blocking-http on this line"


def test_how_far_a_thread_may_be_trusted() -> None:
    def safety(line: str, **options: Any) -> tuple[Safety, str]:
        fix = body(line, **options).fix("in a thread")
        return fix.safety, fix.caveat

    assert safety("requests.get(u, timeout=3)") == (Safety.SAFE, "")
    caveat = safety("requests.get(self.url)")[1]
    assert caveat == "A thread then reads `self.url`: the loop must not change it meanwhile."
    session = Blocking(
        "requests.Session.get", "http", Cost.STALL,
        caveat="A Session is not meant to be used by several threads at once.",
    )  # fmt: skip
    found = safety("g.get(u)", callee="g.get", sink="requests.Session.get", blocking=session)
    assert found == (Safety.UNSAFE, session.caveat)
    assert safety("g.exists()", callee="g.exists", sink="pathlib.Path.exists") == (
        Safety.SAFE,
        "",
    )
    trivial = safety("os.stat(u)", callee="os.stat", imports="import os\n", cost=Cost.TRIVIAL)
    assert trivial == (Safety.UNSAFE, "Going to a thread and back can take longer than this call.")
    for callee, sink in (("g.get", "requests.Session.get"), ("load", "x.load")):
        options = {"callee": callee, "sink": sink, "chain": 1 + (callee == "load")}
        assert safety(f"{callee}(u)", **options)[0] is Safety.UNSAFE


def test_a_module_variable_makes_a_thread_unsafe() -> None:
    text = "import json\nSTATE = {}\nstate = {}\nasync def f(p):\n    json.dump(state, p)\n"
    assert "`state`" in case(text, "json.dump").cures[0].caveat


def test_what_a_coroutine_function_does_is_not_moved_by_moving_its_call(tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(
        "import time\n\n\nclass Slow:\n    def __init__(self):\n        time.sleep(1)\n\n\n"
        "async def make(cls):\n    return cls()\n"
    )
    main = tmp_path / "main.py"
    main.write_text(
        "from work import Slow, make\n\n\nasync def main():\n"
        "    made = [make(Slow) for _ in range(2)]\n    return made\n"
    )
    engine = Engine(tmp_path, Settings())
    (finding,) = engine.report(str(main)).findings
    assert finding.message == "make() blocks the event loop through time.sleep(), 2 calls down"
    assert [fix.kind for fix in engine.fixes(finding)] == ["ignore"]


def test_an_iterator_of_a_library_is_read_in_the_thread(tmp_path: Path) -> None:
    main = tmp_path / "main.py"
    text = (
        "import asyncio\nimport requests\n\n\nasync def main(answer: requests.Response):\n"
        "    return [line for line in {}]\n"
    )
    main.write_text(text.format("answer.iter_lines()"))
    engine = Engine(tmp_path, Settings())
    report = engine.report(str(main))
    (finding,) = report.findings
    cured = report.source.apply(engine.fixes(finding)[0].edits)
    assert cured == text.format("await asyncio.to_thread(lambda: list(answer.iter_lines()))")


@pytest.mark.parametrize(
    ("body", "callee"),
    [
        ("return next(rows)", "next"),
        ("return next(load())", "load"),
        ("with open(p) as f:\n    return next(f)", "open"),
    ],
)
def test_the_end_of_an_iterator_cannot_leave_a_thread(body: str, callee: str) -> None:
    """Before Python 3.12 nobody would ever hear of a StopIteration that is raised there."""
    text = "import csv\n\n\ndef load():\n    yield 1\n\n\nasync def main(p, rows):\n"
    text += textwrap.indent(body, "    ") + "\n"
    found = case(text, callee, chain=1 + (callee == "load"))
    assert not any("in a thread" in title for title in found.titles)


def test_an_iterator_with_a_default_has_no_end() -> None:
    text = "def load():\n    yield 1\n\n\nasync def main():\n    return next(load(), None)\n"
    found = case(text, "load", chain=2)
    assert "to_thread(lambda: next(load(), None))" in found.after("in a thread")


def test_a_connection_for_all_threads_may_be_kept(tmp_path: Path) -> None:
    main = tmp_path / "main.py"
    opened = 'sqlite3.connect("a", check_same_thread=False)'
    text = textwrap.dedent(SQLITE).lstrip("\n").replace('sqlite3.connect("a")', opened)
    main.write_text(text + "\n\nasync def main():\n    store.save(3)\n")
    engine = Engine(tmp_path, Settings())
    [finding] = engine.report(str(main)).findings
    assert engine.fixes(finding)[0].title == "Run store.save() in a thread with asyncio.to_thread()"


@pytest.mark.parametrize("line", ["max(u, key=time.sleep)", "loop.call_soon(time.sleep, 1)"])
def test_what_is_only_handed_over_is_not_replaced_by_its_twin(tmp_path: Path, line: str) -> None:
    head = "import asyncio\nimport time\n\n\nasync def f(u):\n"
    loop = "    loop = asyncio.get_running_loop()\n"
    engine = Engine(tmp_path, Settings())
    path = tmp_path / "main.py"
    path.write_text(f"{head}{loop}    {line}\n")
    (found,) = engine.report(str(path)).findings
    assert not any("asyncio.sleep" in fix.title for fix in engine.fixes(found))
