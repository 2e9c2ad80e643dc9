"""Every kind of cure: the code before, the finding, the code after."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import Any

import pytest
from support import ENDPOINT, Case, case

from loopsafe.fixes import merge
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import Cost, Safety


def everything(_name: str) -> bool:
    return True


def check(before: Case, after: str, title: str = "") -> None:
    assert before.after(title) == textwrap.dedent(after).lstrip("\n")


def body(line: str, imports: str = "import asyncio\nimport requests\n", **options: Any) -> Case:
    """A coroutine function of one line."""
    callee = options.pop("callee", "requests.get")
    return case(f"{imports}\n\nasync def f(u, g):\n    {line}\n", callee, **options)


def line_after(before: Case, title: str = "") -> str:
    return before.after(title).rpartition("async def f(u, g):\n")[2].strip()


SLEEP = """
import time


async def f():
    time.sleep(1)  # a while
"""


def test_sleep_awaits_its_twin() -> None:
    found = case(SLEEP, "time.sleep")
    check(
        found,
        """
        import asyncio
        import time


        async def f():
            await asyncio.sleep(1)  # a while
        """,
    )
    assert [(fix.title, fix.safety) for fix in found.cures] == [
        ("Use await asyncio.sleep()", Safety.SAFE)
    ]


@pytest.mark.parametrize(
    ("imports", "awaited"),
    [("anyio", "anyio.sleep(1)"), ("trio", "trio.sleep(1)"), ("fastapi", "asyncio.sleep(1)")],
)
def test_sleep_follows_the_library_of_the_file(imports: str, awaited: str) -> None:
    assert f"    await {awaited}" in case(f"import {imports}\n{SLEEP}", "time.sleep").after()


def test_sleep_behind_a_helper_is_not_replaced() -> None:
    found = case("async def f():\n    pause()\n", "pause", "time.sleep", chain=2)
    assert found.titles == ["Run pause() in a thread with asyncio.to_thread()"]


def test_a_method_has_an_async_sibling() -> None:
    blocking = Blocking(
        "stripe.Charge.create", "http", Cost.STALL, twin="stripe.Charge.create_async"
    )
    found = body(
        "c = stripe.Charge.create(u, x=1).id", "import stripe\n", callee="stripe.Charge.create",
        blocking=blocking,
    )  # fmt: skip
    assert line_after(found) == "c = (await stripe.Charge.create_async(u, x=1)).id"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("r = requests.get(u)", "r = await asyncio.to_thread(requests.get, u)"),
        ("requests.get()", "await asyncio.to_thread(requests.get)"),
        (
            "r = requests.get(u, k=1, *g, **g)",
            "r = await asyncio.to_thread(requests.get, u, k=1, *g, **g)",
        ),
        (
            "return requests.get(u).json()['a']",
            "return (await asyncio.to_thread(requests.get, u)).json()['a']",
        ),
        ("return requests.get(u)[0]", "return (await asyncio.to_thread(requests.get, u))[0]"),
        ("return requests.get(u)()", "return (await asyncio.to_thread(requests.get, u))()"),
        ("return (requests.get(u)).x", "return (await asyncio.to_thread(requests.get, u)).x"),
        ("return -requests.get(u) ** 2", "return -await asyncio.to_thread(requests.get, u) ** 2"),
        ("return(requests.get)(u)", "return await asyncio.to_thread((requests.get), u)"),
        (
            "return [requests.get(x) for x in u]",
            "return [await asyncio.to_thread(requests.get, x) for x in u]",
        ),
        (
            "return (x for x in requests.get(u))",
            "return (x for x in await asyncio.to_thread(requests.get, u))",
        ),
        (
            "g(requests.get(x for x in u))",
            "g(await asyncio.to_thread(requests.get, (x for x in u)))",
        ),
        (
            "return requests.get(await g(u))",
            "return await asyncio.to_thread(requests.get, await g(u))",
        ),
        ("requests.get(y := u)", "await asyncio.to_thread(requests.get, y := u)"),
        ("requests.get(u).x = 1", "(await asyncio.to_thread(requests.get, u)).x = 1"),
        ("requests.get(u).x += 1", "(await asyncio.to_thread(requests.get, u)).x += 1"),
        ("if x := requests.get(u): pass", "if x := await asyncio.to_thread(requests.get, u): pass"),
        ("while requests.get(u): pass", "while await asyncio.to_thread(requests.get, u): pass"),
        ("yield requests.get(u)", "yield await asyncio.to_thread(requests.get, u)"),
        ("g(*requests.get(u))", "g(*await asyncio.to_thread(requests.get, u))"),
        (
            "return f'{requests.get(u).text!r:>{g}}'",
            "return f'{(await asyncio.to_thread(requests.get, u)).text!r:>{g}}'",
        ),
        (
            "h = lambda x=requests.get(u): x",
            "h = lambda x=await asyncio.to_thread(requests.get, u): x",
        ),
        ("requests.get (u)", "await asyncio.to_thread(requests.get, u)"),
        ("requests.get( u )", "await asyncio.to_thread(requests.get, u )"),
    ],
)
def test_a_call_in_a_thread(before: str, after: str) -> None:
    assert line_after(body(before)) == after


def test_the_callee_may_be_any_expression() -> None:
    for callee in ("g[0].load", "(await g()).load", "(lambda x: x)", "g(u)(u)", "super().load"):
        found = body(
            f"r = {callee}(u)", callee=callee.strip("()") if "lambda" in callee else callee
        )
        assert line_after(found) == f"r = await asyncio.to_thread({callee}, u)"


def test_lines_and_comments_of_a_call_stay() -> None:
    check(
        case(
            """
            import asyncio
            import requests


            async def f(u):
                r = requests.get(  # slow
                    u,  # where
                    timeout=3,
                )
                s = (requests  # chained
                    .post(u,
                          data=r))
            """,
            "requests.get",
        ),
        """
        import asyncio
        import requests


        async def f(u):
            r = await asyncio.to_thread(
                requests.get,  # slow
                u,  # where
                timeout=3,
            )
            s = (requests  # chained
                .post(u,
                      data=r))
        """,
    )


def test_a_chain_over_lines_stays_in_its_lines() -> None:
    check(
        case(
            """
            import asyncio


            async def f(u, session):
                return (
                    session  # chained
                    .query(u)
                    .all()
                )
            """,
            "session  # chained\n        .query(u)\n        .all",
        ),
        """
        import asyncio


        async def f(u, session):
            return (
                await asyncio.to_thread(session  # chained
                .query(u)
                .all)
            )
        """,
    )


@pytest.mark.parametrize(
    ("idiom", "after"),
    [
        ("asyncio", "r = await asyncio.to_thread(requests.get, u, k=1)"),
        (
            "anyio",
            "r = await anyio.to_thread.run_sync(functools.partial(requests.get, u, k=1))",
        ),
        ("trio", "r = await trio.to_thread.run_sync(functools.partial(requests.get, u, k=1))"),
        ("starlette", "r = await run_in_threadpool(requests.get, u, k=1)"),
        ("asgiref", "r = await sync_to_async(requests.get)(u, k=1)"),
        ("asyncer", "r = await asyncify(requests.get)(u, k=1)"),
        (
            "executor",
            "r = await asyncio.get_running_loop().run_in_executor("
            "None, functools.partial(requests.get, u, k=1))",
        ),
    ],
)
def test_the_settings_choose_the_idiom(idiom: str, after: str) -> None:
    assert line_after(body("r = requests.get(u, k=1)", offload=idiom)) == after


@pytest.mark.parametrize(
    ("imports", "idiom"),
    [
        ("import requests", "asyncio.to_thread()"),
        ("import requests\nimport anyio", "anyio.to_thread.run_sync()"),
        ("import requests\nfrom anyio import Path", "anyio.to_thread.run_sync()"),
        ("import requests\nimport trio", "trio.to_thread.run_sync()"),
        ("import requests\nfrom fastapi import FastAPI", "run_in_threadpool()"),
        ("import requests\nfrom starlette.applications import Starlette", "run_in_threadpool()"),
        ("import requests, asyncio\nfrom fastapi import FastAPI", "asyncio.to_thread()"),
        ("import requests\nfrom django.http import HttpRequest", "sync_to_async()"),
        ("import requests\nimport asyncer", "asyncify()"),
        (
            "import requests\ntry:\n    import anyio\nexcept ImportError:\n    anyio = None",
            "asyncio",
        ),
        (
            "import requests, asyncio, anyio\nasync def g():\n    await asyncio.to_thread(print)",
            "asyncio.to_thread()",
        ),
        (
            "import requests, asyncio\nfrom starlette.concurrency import run_in_threadpool as run\n"
            "async def g():\n    await run(print)",
            "run_in_threadpool()",
        ),
    ],
)
def test_the_file_chooses_the_idiom(imports: str, idiom: str) -> None:
    assert idiom in body("requests.get(u)", f"{imports}\n").cures[0].title


def test_old_pythons_have_no_to_thread() -> None:
    found = body("r = requests.get(u)", python=(3, 8))
    after = "r = await asyncio.get_running_loop().run_in_executor(None, requests.get, u)"
    assert line_after(found) == after


def test_home_assistant_moves_calls_itself() -> None:
    text = """
        import requests
        from homeassistant.core import HomeAssistant


        async def async_setup(hass: HomeAssistant, u):
            return requests.get(u)


        class Sensor:
            def __init__(self, hass):
                self.hass = hass

            async def async_update(self):
                requests.get(self.u, timeout=3)
    """
    found = case(text, "requests.get")
    assert "return await hass.async_add_executor_job(requests.get, u)" in found.after()
    found = case(text, "requests.get", occurrence=1)
    assert (
        "await self.hass.async_add_executor_job(functools.partial(requests.get, self.u, timeout=3))"
        in found.after()
    )


def test_a_receiver_must_have_its_value() -> None:
    text = """
        from homeassistant import core

        async def f(request):
            {}
            if request:
                requests.get(1)
            hass = request.hass
    """
    assert "asyncio.to_thread" in case(text.replace("{}", "pass"), "requests.get").after()
    before = case(text.replace("{}", "hass = request.app['hass']"), "requests.get")
    assert "await hass.async_add_executor_job(requests.get, 1)" in before.after()


def test_run_in_threadpool_has_a_parameter_of_its_own() -> None:
    found = body("requests.get(u, func=g)", offload="starlette")
    assert line_after(found) == (
        "await run_in_threadpool(functools.partial(requests.get, u, func=g))"
    )


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
    assert case(text, "rows", chain=2).cures == ()
    found = case(text, "rows", chain=2, occurrence=1)
    assert "return await asyncio.to_thread(lambda: list(rows()))" in found.after()
    looped = case(text, "rows", chain=2, offload="starlette").after()
    assert "    async for row in iterate_in_threadpool(rows()):" in looped
    assert "from starlette.concurrency import iterate_in_threadpool\n" in looped


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


FILE = """
import asyncio
import json


async def f(path, total):
    x = 1
    {}
    return x
"""


@pytest.mark.parametrize(
    ("block", "after"),
    [
        pytest.param(
            """
            with open(path) as file:
                x = json.load(file)
            """,
            """
            def work():
                with open(path) as file:
                    x = json.load(file)
                return x

            x = await asyncio.to_thread(work)
            """,
            id="a result",
        ),
        pytest.param(
            """
            with open(path) as file, open(x, "w") as out:  # both
                # keep
                out.write(file.read())  # copied
            """,
            """
            def work():
                with open(path) as file, open(x, "w") as out:  # both
                    # keep
                    out.write(file.read())  # copied

            await asyncio.to_thread(work)
            """,
            id="no result",
        ),
        pytest.param(
            """
            with open(path) as file:
                return file.read()
            """,
            """
            def work():
                with open(path) as file:
                    return file.read()

            return await asyncio.to_thread(work)
            """,
            id="return",
        ),
        pytest.param(
            """
            with open(path) as file:
                for line in file:
                    if not line:
                        continue
                    x += len(line)
            """,
            """
            def work():
                nonlocal x
                with open(path) as file:
                    for line in file:
                        if not line:
                            continue
                        x += len(line)

            await asyncio.to_thread(work)
            """,
            id="changed",
        ),
        pytest.param(
            """
            with open(path) as file:
                total = total.strip() + file.read()
                print(total)
            """,
            """
            def work():
                nonlocal total
                with open(path) as file:
                    total = total.strip() + file.read()
                    print(total)

            await asyncio.to_thread(work)
            """,
            id="a parameter",
        ),
        pytest.param(
            '''
            with open(path) as file:
                x = f"""
            {file.read()}
                two"""
            ''',
            '''
            def work():
                with open(path) as file:
                    x = f"""
            {file.read()}
                two"""
                return x

            x = await asyncio.to_thread(work)
            ''',
            id="a string of several lines",
        ),
        pytest.param(
            """
            for line in open(path):
                x = line
            """,
            """
            def work():
                nonlocal x
                for line in open(path):
                    x = line

            await asyncio.to_thread(work)
            """,
            id="for",
        ),
        pytest.param(
            """
            try:
                with open(path) as file:
                    y = 1
                    x = file.read()
            except OSError:
                pass
            """,
            """
            try:
                def work():
                    with open(path) as file:
                        y = 1
                        x = file.read()
                    return x

                x = await asyncio.to_thread(work)
            except OSError:
                pass
            """,
            id="try",
        ),
        pytest.param(
            """
            try:
                with open(path) as file:
                    x = 2
                    x = file.read()
            except OSError:
                pass
            """,
            """
            try:
                def work():
                    nonlocal x
                    with open(path) as file:
                        x = 2
                        x = file.read()

                await asyncio.to_thread(work)
            except OSError:
                pass
            """,
            id="a handler that sees half of it",
        ),
    ],
)
def test_a_file_and_its_block_move_together(block: str, after: str) -> None:
    def placed(text: str) -> str:
        lines = textwrap.dedent(text).strip("\n").split("\n")
        inside = "".join(
            line if line.startswith(("{file", "    two")) else line and f"    {line}"
            for line in (f"{line}\n" for line in lines)
        )
        return FILE.replace("    {}\n", inside.replace("    \n", "\n"))

    found = case(placed(block), "open")
    check(found, placed(after), "block in a thread")
    assert found.cures[0].safety is Safety.UNSAFE
    assert len(found.cures) == 1


def test_a_read_moves_the_block_of_its_file() -> None:
    text = FILE.replace("{}", "with open(path) as file: x = file.read()")
    found = case(text, "file.read", "io.TextIOWrapper.read")
    assert found.titles == ["Run the with block in a thread with asyncio.to_thread()"]
    assert "        with open(path) as file: x = file.read()\n        return x" in found.after()


@pytest.mark.parametrize(
    "block",
    [
        "with open(path) as file: await x",
        "with open(path) as file: yield x",
        "with open(path) as file: x = [y async for y in x]",
        "with open(path) as file:\n        if x: return file.read()",
        "with open(path) as file: print(locals())",
        "with open(path) as file: super().load(file)",
        "with open(path) as file:\n        global y\n        y = 1",
    ],
)
def test_a_block_that_cannot_leave_its_function_stays(block: str) -> None:
    assert case(FILE.replace("{}", block), "open").cures == ()


def test_a_block_that_leaves_a_loop_stays() -> None:
    loop = "for path in total:\n        with open(path) as file:\n            {}"
    for leave in ("break", "continue", "if x: break"):
        assert case(FILE.replace("{}", loop.replace("{}", leave)), "open").cures == ()
    inner = loop.replace("{}", "for line in file: break")
    assert case(FILE.replace("{}", inner), "open").cures


def test_an_endpoint_becomes_a_plain_function() -> None:
    text = """
        from fastapi import FastAPI
        import requests

        app = FastAPI()


        @app.get("/")
        async  def read_user(uid: int):  # comment
            return requests.get(uid).json()
    """
    found = case(text, "requests.get", runner=ENDPOINT)
    assert found.cures[0].title == "Make read_user a plain def (runs in the thread pool)"
    assert found.cures[0].safety is Safety.SAFE
    assert found.after() == found.text.replace("async  def", "def")
    named = case(text, "read_user", code="async-without-await", runner=ENDPOINT)
    assert named.after() == found.after()
    assert case(text, "requests.get", runner=ENDPOINT, awaited=True).titles == [
        "Run requests.get() in a thread with run_in_threadpool()"
    ]
    assert "Make" not in str(case(text, "requests.get").titles)
    fixed = case(text, "requests.get", runner=replace(ENDPOINT, convertible=False))
    assert "Make" not in str(fixed.titles)


@pytest.mark.parametrize(
    "line",
    [
        "await g()",
        "yield 1",
        "async with g(): pass",
        "async for x in g(): pass",
        "return [x async for x in g()]",
        "return [[x async for x in g()] for y in u]",
        "return [await x for x in u]",
        "asyncio.create_task(g())",
        "return [asyncio.current_task() for x in u]",
        "h = lambda: task(g())",
    ],
)
def test_an_endpoint_that_needs_the_loop_stays(line: str) -> None:
    text = f"""
        import asyncio, requests
        from asyncio import create_task as task

        @app.get("/")
        async def f(u):
            requests.get(u)
            {line}
    """
    assert "Make" not in str(case(text, "requests.get", runner=ENDPOINT).titles)


def test_an_endpoint_with_a_nested_coroutine_function_may_change() -> None:
    text = """
        import requests

        @app.get("/")
        async def f(u):
            async def later():
                await u
            return requests.get(u), later
    """
    assert case(text, "requests.get", runner=ENDPOINT).cures[0].safety is Safety.SAFE


@pytest.mark.parametrize(
    ("decorator", "line", "caveat"),
    [
        ("@limit(3)", "pass", "`@limit` must take a plain function as well."),
        ("@app.post('/')", "pass", ""),
        ("@other.get('/')", "pass", ""),
        ("@other.post('/')", "pass", "`@other.post` must take a plain function as well."),
        ("", "global n", "Threads may run it at the same time, and it changes `n`."),
        ("", "cache[u] = 1", "Threads may run it at the same time, and it changes `cache`."),
        ("", "cache.update(u)", "Threads may run it at the same time, and it changes `cache`."),
        ("", "u['x'] = cache['x']", ""),
    ],
)
def test_when_a_plain_endpoint_is_unsafe(decorator: str, line: str, caveat: str) -> None:
    text = f"""
        import requests
        cache = {{}}

        @app.get("/")
        {decorator}
        async def f(u):
            {line}
            return requests.get(u)
    """
    assert case(text, "requests.get", runner=ENDPOINT).cures[0].caveat == caveat


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("await asyncio.to_thread(load(u))", "await asyncio.to_thread(load, u)"),
        ("await asyncio.to_thread(load())", "await asyncio.to_thread(load)"),
        ("await asyncio.to_thread(load(u, k=1),)", "await asyncio.to_thread(load, u, k=1,)"),
        ("await asyncio.to_thread(load(u,))", "await asyncio.to_thread(load, u)"),
        (
            "await asyncio.to_thread(load(x for x in u))",
            "await asyncio.to_thread(load, (x for x in u))",
        ),
        (
            "await g.run_in_executor(None, load(u))",
            "await g.run_in_executor(None, load, u)",
        ),
        (
            "await g.run_in_executor(None, load(u, k=1))",
            "await g.run_in_executor(None, functools.partial(load, u, k=1))",
        ),
        ("h = g.submit(load(u, k=1))", "h = g.submit(load, u, k=1)"),
        (
            "await asyncio.gather(load(u), load(g))",
            "await asyncio.gather(asyncio.to_thread(load, u), load(g))",
        ),
        (
            "h = asyncio.create_task(load(u))",
            "h = asyncio.create_task(asyncio.to_thread(load, u))",
        ),
    ],
)
def test_a_function_is_passed_instead_of_called(before: str, after: str) -> None:
    found = body(before, callee="load", code="eager-offload", chain=2)
    assert line_after(found) == after
    assert found.cures[0].safety is Safety.UNSAFE


def test_the_offloading_call_may_be_underlined_as_well() -> None:
    found = body(
        "await asyncio.to_thread(load(u))", callee="asyncio.to_thread", code="eager-offload"
    )
    assert line_after(found) == "await asyncio.to_thread(load, u)"
    assert found.titles == ["Pass the function to asyncio.to_thread() instead of calling it"]


def test_a_call_that_gives_the_function_stays() -> None:
    found = body("await asyncio.to_thread(make(u), g)", callee="make", code="eager-offload")
    assert found.cures == ()


def test_awaiting_what_gives_nothing_to_await() -> None:
    found = body("r = await requests.get(u)", code="await-sync")
    assert line_after(found) == "r = await asyncio.to_thread(requests.get, u)"
    assert "TypeError" in found.cures[0].caveat
    found = body("r = await requests.get(u)", REQUESTS, code="await-sync", installed=everything)
    assert "r = await client.get(u)" in found.after("AsyncClient")
    sleeping = body("await time.sleep(u)", "import time\n", callee="time.sleep", code="await-sync")
    assert line_after(sleeping) == "await asyncio.sleep(u)"


@pytest.mark.parametrize(
    ("before", "callee", "after"),
    [
        ("r = asyncio.run(load(u), debug=True)", "asyncio.run", "r = await load(u)"),
        ("return asyncio.run(load(u)).x", "asyncio.run", "return (await load(u)).x"),
        ("asyncio.run(u or g)", "asyncio.run", "await (u or g)"),
        ("g.run_until_complete(u)", "g.run_until_complete", "await u"),
        (
            "asyncio.get_event_loop().run_until_complete(load(u))",
            "asyncio.get_event_loop().run_until_complete",
            "await load(u)",
        ),
        (
            "asyncio.run_coroutine_threadsafe(load(u), g).result()",
            "asyncio.run_coroutine_threadsafe(load(u), g).result",
            "await load(u)",
        ),
        ("x = async_to_sync(load)(u).y", "async_to_sync", "x = (await load(u)).y"),
        ("x = async_to_sync(load)(u).y", "async_to_sync(load)", "x = (await load(u)).y"),
    ],
)
def test_a_coroutine_is_awaited_instead_of_run(before: str, callee: str, after: str) -> None:
    imports = "import asyncio\nfrom asgiref.sync import async_to_sync\n"
    assert line_after(body(before, imports, callee=callee, code="nested-loop")) == after


def test_a_loop_of_plain_code_stays() -> None:
    text = "import asyncio\ndef f():\n    asyncio.run(load())\n"
    assert case(text, "asyncio.run", code="nested-loop").cures == ()


REQUESTS = "import asyncio\nimport httpx\nimport requests\n"


@pytest.mark.parametrize(
    ("before", "arguments", "call"),
    [
        ("requests.get(u)", "timeout=None, follow_redirects=True", "get(u)"),
        ("requests.get(u, g)", "timeout=None, follow_redirects=True", "get(u, params=g)"),
        ("requests.get(u, (g))", "timeout=None, follow_redirects=True", "get(u, params=(g))"),
        ("requests.get(u, timeout=3)", "follow_redirects=True", "get(u, timeout=3)"),
        ("requests.head(u)", "timeout=None", "head(u)"),
        (
            "requests.get(u, allow_redirects=False)",
            "timeout=None",
            "get(u, follow_redirects=False)",
        ),
        (
            "requests.post(u, json=g, verify=False, headers=g)",
            "timeout=None, follow_redirects=True, verify=False",
            "post(u, json=g, headers=g)",
        ),
        ("requests.post(u, {'a': g})", "timeout=None, follow_redirects=True",
         "post(u, data={'a': g})"),
        ("requests.request('GET', u)", "timeout=None, follow_redirects=True", "request('GET', u)"),
    ],
)  # fmt: skip
def test_requests_by_an_async_client(before: str, arguments: str, call: str) -> None:
    callee = before.partition("(")[0]
    found = body(f"r = {before}", REQUESTS, callee=callee, installed=everything)
    assert line_after(found, "AsyncClient") == (
        f"async with httpx.AsyncClient({arguments}) as client:\n        r = await client.{call}"
    )
    assert found.fix("AsyncClient").safety is Safety.UNSAFE
    assert "Run" in found.cures[1].title


@pytest.mark.parametrize(
    "line",
    [
        "return requests.get(u)",
        "g(requests.get(u))",
        "r = requests.get(u); return r",
        "r = requests.get(u, stream=True)",
        "r = requests.get(u, **g)",
        "r = requests.get(u, timeout=(1, 2))",
        "r = requests.get(u, data={})",
        "r = requests.get(u, verify=g)",
        "r = requests.get(u).iter_content()",
        "if requests.get(u).ok: pass",
        "r: requests.Response = requests.get(u)",
        "r = [requests.get(x) for x in u]",
    ],
)
def test_requests_stays_where_httpx_differs(line: str) -> None:
    assert "AsyncClient" not in str(body(line, REQUESTS, installed=everything).titles)


def test_an_async_client_must_be_installed() -> None:
    found = body("r = requests.get(u)", "import requests\n")
    assert "AsyncClient" not in str(found.titles)
    newer = body("r = requests.get(u)", "import requests\n", installed=lambda n: n == "httpx2")
    assert newer.fix("AsyncClient").title == "Use httpx2.AsyncClient"


def test_the_response_and_its_errors_follow_the_client() -> None:
    check(
        case(
            """
            import httpx
            import requests


            async def load(client, u):
                try:
                    response = requests.get(
                        u,
                        cookies={"a": "b"},
                        headers={},
                    )
                    response.raise_for_status()
                except (requests.HTTPError, KeyError) as error:
                    raise Missing from error
                except requests.exceptions.Timeout:
                    return None
                if not response.ok:
                    print(response.reason)
                return response.text
            """,
            "requests.get",
            installed=everything,
        ),
        """
        import httpx
        import requests


        async def load(client, u):
            try:
                async with httpx.AsyncClient(timeout=None, follow_redirects=True, cookies={"a": "b"}) as client_2:
                    response = await client_2.get(
                        u,
                        headers={},
                    )
                response.raise_for_status()
            except (requests.HTTPError, KeyError, httpx.HTTPStatusError) as error:
                raise Missing from error
            except (requests.exceptions.Timeout, httpx.TimeoutException):
                return None
            if not response.is_success:
                print(response.reason_phrase)
            return response.text
        """,  # noqa: E501
        "AsyncClient",
    )


def test_an_error_without_a_counterpart_keeps_requests() -> None:
    text = """
        import requests

        async def f(u):
            try:
                requests.get(u)
            except requests.exceptions.InvalidHeader:
                pass
    """
    assert "AsyncClient" not in str(case(text, "requests.get", installed=everything).titles)


def test_httpx_has_an_async_client_of_its_own() -> None:
    found = body("return g(httpx.get(u, timeout=1).text)", "import httpx\n", callee="httpx.get",
                 installed=everything)  # fmt: skip
    assert line_after(found) == (
        "async with httpx.AsyncClient() as client:\n"
        "        return g((await client.get(u, timeout=1)).text)"
    )
    assert found.cures[0].safety is Safety.SAFE
    found = body("httpx.post(u, content=g)", "import httpx\n", callee="httpx.post",
                 installed=everything)  # fmt: skip
    assert found.cures[0].safety is Safety.UNSAFE


def test_a_session_becomes_async_as_a_whole() -> None:
    check(
        case(
            """
            import requests


            async def load(u):
                with requests.Session() as session:
                    session.headers["a"] = "b"
                    first = session.get(u, allow_redirects=False)
                    return session.post(u, json=first.json()).text
            """,
            "session.get",
            "requests.Session.get",
            installed=everything,
        ),
        """
        import httpx
        import requests


        async def load(u):
            async with httpx.AsyncClient(timeout=None, follow_redirects=True) as session:
                session.headers["a"] = "b"
                first = await session.get(u, follow_redirects=False)
                return (await session.post(u, json=first.json())).text
        """,
        "AsyncClient",
    )


@pytest.mark.parametrize(
    "line",
    [
        "print(c)",
        "c.mount(u)",
        "r = c.head(u)",
        "r = c.get(u, verify=False)",
        "return c.get(u)",
        "r = [c.get(x).text for x in u], (c.get(x).text for x in u)",
        "h = lambda: c.get(u).text",
        "h = c.get",
    ],
)
def test_a_session_with_other_uses_stays(line: str) -> None:
    text = f"""
        import requests

        async def f(u):
            with requests.Session() as c:
                x = c.get(u).text
                {line}
    """
    found = case(text, "c.get", "requests.Session.get", installed=everything)
    assert "AsyncClient" not in str(found.titles)


def test_the_ignore_comment_comes_last() -> None:
    found = body("requests.get(u)")
    fix = found.offered[-1]
    assert (fix.title, fix.kind) == ("Ignore blocking-http on this line", "ignore")
    assert fix.safety is Safety.DISPLAY
    line = found.context.source.apply(fix.edits).splitlines()[-1]
    assert line == "    requests.get(u)  # loopsafe: ignore[blocking-http] TODO: say why"


def test_the_order_of_preference() -> None:
    found = case(
        """
        import requests

        @app.get("/")
        async def f(u):
            r = requests.get(u)
            return r.text
        """,
        "requests.get",
        runner=ENDPOINT,
        installed=everything,
    )
    assert [fix.title for fix in found.offered] == [
        "Make f a plain def (runs in the thread pool)",
        "Use httpx.AsyncClient",
        "Run requests.get() in a thread with asyncio.to_thread()",
        "Ignore blocking-http on this line",
    ]


def test_fixes_of_one_file_are_merged() -> None:
    text = """
        import requests
        import time


        async def f(u):
            a = requests.get(requests.get(u).text, k=1)
            time.sleep(1)


        @app.get("/")
        async def g(u):
            time.sleep(1)
            return requests.get(u).json()
    """
    cases = [
        case(text, "requests.get", offload="executor"),
        case(text, "requests.get", offload="executor", occurrence=1),
        case(text, "time.sleep"),
        case(text, "time.sleep", occurrence=1, runner=ENDPOINT),
        case(text, "requests.get", occurrence=2, runner=ENDPOINT),
        case(text, "requests.get", occurrence=2),
    ]
    edits = merge(cases[0].context, [found.cures[0] for found in cases])
    assert cases[0].context.source.apply(edits) == textwrap.dedent("""
        import asyncio
        import functools

        import requests
        import time


        async def f(u):
            a = await asyncio.get_running_loop().run_in_executor(None, functools.partial(requests.get, (await asyncio.get_running_loop().run_in_executor(None, requests.get, u)).text, k=1))
            await asyncio.sleep(1)


        @app.get("/")
        def g(u):
            time.sleep(1)
            return requests.get(u).json()
    """).lstrip("\n")  # noqa: E501
