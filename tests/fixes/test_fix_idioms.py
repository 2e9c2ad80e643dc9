"""The way to a thread is that of the settings, or of the file."""

from __future__ import annotations

import pytest
from support import body, case, line_after


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


def test_no_line_ends_in_a_space_where_the_arguments_have_lines_of_their_own() -> None:
    before = body("requests.get(\n        u,\n        g,\n    )", offload="executor")
    written = before.after("run_in_executor")
    assert [line for line in written.splitlines() if line != line.rstrip()] == []
    assert "run_in_executor(None,\n        requests.get,\n        u,\n" in written
