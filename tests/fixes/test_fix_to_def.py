"""An endpoint that awaits nothing becomes a plain function."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support import ENDPOINT, case

from loopsafe.model import Safety


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
