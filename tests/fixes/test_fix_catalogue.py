"""The other cures, the order in which cures are offered, and all of a file at once."""

from __future__ import annotations

import textwrap

import pytest
from support import ENDPOINT, REQUESTS, body, case, check, everything, line_after

from loopsafe.fixes import merge
from loopsafe.knowledge.schema import Blocking
from loopsafe.model import Cost, Safety

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
            "asyncio.run_coroutine_threadsafe(load(u), asyncio.get_running_loop()).result()",
            "asyncio.run_coroutine_threadsafe(load(u), asyncio.get_running_loop()).result",
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
    context = cases[0].context
    wanted = [found.cures[0] for found in cases]
    edits = merge(context.path, context.source, context.tree, wanted)
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
