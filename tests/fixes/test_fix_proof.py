"""The code before and after each cure, executed: the stall is gone and nothing else has changed.

A stall before must be at least ten times a stall after. As other programs may hold the machine up,
a measurement that fails is repeated with a longer delay.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from stall import Run, http_server, module, run
from standin import Slow
from support import ENDPOINT, Case, case

DELAYS = (0.15, 0.3, 0.9, 2.7)


def prove(found: Case, title: str = "", *, library: str = "asyncio", same: bool = True) -> Case:
    """Runs `main()` of a text before and after a fix, with `slow` in it."""
    after = found.after(title)
    for delay in DELAYS:
        old = _run(found.text, delay, library)
        new = _run(after, delay, library)
        assert not same or new.outcome == old.outcome
        assert old.stall >= delay * 0.6, "the call does not block"
        if old.stall >= 10 * new.stall:
            return found
    raise AssertionError(f"stalls: {old.stall:.3f} s before, {new.stall:.3f} s after")


def _run(text: str, delay: float, library: str) -> Run:
    slow = Slow(delay)
    made = module(text, slow=slow)
    if "address" in text:
        with http_server(delay) as made.__dict__["address"]:
            result = run(made.main, repr, library)
    else:
        result = run(made.main, repr, library)
    return Run((result.outcome[0], (result.outcome[1], repr(slow.log))), result.stall)


def main(body: str, imports: str = "import asyncio") -> str:
    lines = "\n".join(f"    {line}" for line in body.strip("\n").split("\n"))
    return f"{imports}\n\n\nasync def main():\n{lines}\n"


@pytest.mark.parametrize("library", ["asyncio", "anyio", "trio"])
def test_sleep(library: str) -> None:
    # The delay is the stand-in's, so that it can grow.
    text = main("time.sleep(slow.delay)\nreturn 1", f"import {library}\nimport time")
    used = "trio" if library == "trio" else "asyncio"
    prove(case(text, "time.sleep"), f"Use await {library}.sleep()", library=used)


@pytest.mark.parametrize(
    "body",
    [
        "return slow.load()",
        "return slow.load(1, 'a', x=2, func=3)",
        "a, k = [1, 2], {'y': 3}\nreturn slow.load(*a, x=1, **k)",
        "return slow.load(1).json()['args'][0]",
        "return [slow.load(x)[0] for x in (1,)]",
        "return {x: slow.load(x).json() for x in (1,)}",
        "return f'{slow.load(1).json()!r:>40}'",
        "x = 1\nx += len(slow.load(x))\nreturn x",
        "return list(x for x in slow.load(3)[0])",
        "return slow.load(sum(x for x in (1, 2)))",
        "return slow.load(y := 3), y",
        "async def two():\n    return 2\nreturn slow.load(await two(), k=await two())",
        "if slow.load(1):\n    return 'yes'",
        "return (lambda x=slow.load(1): x)()",
        "try:\n    return slow.load(1)[9]\nexcept IndexError as e:\n    return repr(e)",
        "return slow.load(\n    1,  # one\n    k=2,\n)",
        "return (\n    slow\n    .load(1)\n    .json()\n)",
    ],
)
def test_a_call_in_a_thread(body: str) -> None:
    prove(case(main(body), "slow\n        .load" if "slow\n" in body else "slow.load"))


def test_an_error_stays_the_same_error() -> None:
    prove(case(main("return slow.fail(1)"), "slow.fail"))
    prove(
        case(
            main("try:\n    slow.fail(1)\nexcept LookupError as e:\n    return repr(e)"),
            "slow.fail",
        )
    )


def test_context_variables_are_seen() -> None:
    text = """
        import asyncio
        import contextvars

        user = contextvars.ContextVar("user")


        def work():
            slow.load(1)
            return user.get()


        async def main():
            user.set("ann")
            return work()
    """
    prove(case(text, "work", chain=2))


@pytest.mark.parametrize(
    "idiom", ["asyncio", "executor", "anyio", "trio", "starlette", "asgiref", "asyncer"]
)
@pytest.mark.parametrize("arguments", ["", "1", "1, func=2, **{'x': 3}"])
def test_every_idiom(idiom: str, arguments: str) -> None:
    library = "trio" if idiom == "trio" else "asyncio"
    text = main(f"return slow.load({arguments}).json()", "import sys")
    prove(case(text, "slow.load", offload=idiom), library=library)


def test_home_assistant() -> None:
    text = """
        import asyncio
        from functools import partial


        class HomeAssistant:
            def async_add_executor_job(self, target, *args):
                return asyncio.get_running_loop().run_in_executor(None, target, *args)


        async def setup(hass):
            return slow.load(1, k=2)


        async def main():
            return await setup(HomeAssistant())
    """
    found = prove(case(text, "slow.load", offload="homeassistant"))
    assert "hass.async_add_executor_job(partial(slow.load, 1, k=2))" in found.after()


def test_construction_and_properties() -> None:
    prove(case(main("Record = slow.make()\nreturn Record(3).key"), "Record", chain=2, occurrence=1))
    quick = "Record = slow.make()\nrecord = object.__new__(Record)\nrecord.key = 3\n"
    prove(case(main(f"{quick}return record.name.upper()"), "record.name", chain=2))


def test_generators_are_consumed_in_the_thread() -> None:
    found = case(main("return list(slow.rows(3))"), "slow.rows", lazy=True, chain=2)
    prove(found, "in a thread")


def test_a_loop_over_a_generator_advances_in_threads() -> None:
    # One item takes the whole delay here, so that its stall can be seen.
    text = main("found = []\nfor row in slow.rows(1):\n    found.append(row)\nreturn found")
    prove(case(text, "slow.rows", lazy=True, chain=2, offload="starlette"))


@pytest.mark.skipif(sys.platform == "win32", reason="a file that blocks is a FIFO here")
@pytest.mark.parametrize(
    "body",
    [
        "with open(path) as file:\n    text = file.read()\nreturn text",
        "with open(path) as file:\n    return file.read()",
        "total = 1\nwith open(path) as file:\n    for line in file:\n"
        "        total += len(line)\nreturn total",
        "total = None\ntry:\n    with open(path) as file:\n        total = 1\n"
        "        total = int(file.read())\nexcept ValueError:\n    pass\nreturn total",
        "with open(path) as file:\n    if file.read():\n        raise KeyError(2)\n    return 1",
        "lines = []\nfor line in open(path):\n    lines.append(line)\nreturn lines",
        "return open(path).read().split()",
        "return len(list(open(path)))",
        "return json.load(fp=open(path))",
    ],
)
def test_a_file_with_all_its_uses(body: str, tmp_path: Path) -> None:
    path = str(tmp_path / "fifo")
    os.mkfifo(path)
    text = main("slow.write(path)\n" + body, "import asyncio\nimport json")
    found = case(text.replace("path", repr(path)), "open")
    after = found.after("in a thread")
    for delay in DELAYS:
        old, new = (_run_with_writer(source, path, delay) for source in (found.text, after))
        assert new.outcome == old.outcome
        assert old.stall >= delay * 0.9
        if old.stall >= 10 * new.stall:
            return
    raise AssertionError(f"stalls: {old.stall:.3f} s before, {new.stall:.3f} s after")


def _run_with_writer(text: str, path: str, delay: float) -> Run:
    """Opening a FIFO for reading blocks until somebody opens it for writing."""
    writers = []

    class Writer:
        def write(self, path: str) -> None:
            writers.append(threading.Thread(target=self._write, args=(path,)))
            writers[0].start()

        def _write(self, path: str) -> None:
            time.sleep(delay)
            Path(path).write_text('"one\\n two"\n', encoding="utf-8")

    try:
        return run(module(text, slow=Writer()).main, repr)
    finally:
        writers[0].join()


def test_an_endpoint_as_a_plain_function() -> None:
    text = """
        import httpx
        from fastapi import Depends, FastAPI

        app = FastAPI()


        def page(page: int = 1):
            return page


        @app.get("/users/{uid}")
        async def read_user(uid: int, page: int = Depends(page)):
            return {"user": slow.load(uid).json(), "page": page}


        async def main():
            transport = httpx.ASGITransport(app=app)
            client = httpx.AsyncClient(transport=transport, base_url="http://test", verify=False)
            async with client:
                response = await client.get("/users/3?page=2")
                return response.status_code, response.json()
    """
    prove(case(text, "slow.load", runner=ENDPOINT), "Make read_user a plain def")
    prove(case(text, "slow.load"), "in a thread with run_in_threadpool()")


@pytest.mark.parametrize(
    "body",
    [
        "return await asyncio.to_thread(slow.load(1, k=2))",
        "return await asyncio.get_running_loop().run_in_executor(None, slow.load(1, k=2))",
        "return await asyncio.gather(slow.load(1))",
        "return await asyncio.create_task(slow.load(1, 2))",
    ],
)
def test_an_eager_offload(body: str) -> None:
    """Before, it fails after the stall; after, it answers as the plain call does."""
    found = prove(case(main(body), "slow.load", code="eager-offload", chain=2), same=False)
    outcome = _run(found.after(), 0.01, "asyncio").outcome
    assert outcome[0] == "result"
    assert outcome[1][0] in (
        repr(Slow(0).load(1, k=2)),
        repr([Slow(0).load(1)]),
        repr(Slow(0).load(1, 2)),
    )


def test_awaiting_a_plain_call() -> None:
    found = case(main("return await slow.load(1)"), "slow.load", code="await-sync")
    outcome = _run(prove(found, same=False).after(), 0.01, "asyncio").outcome
    assert outcome == ("result", (repr(Slow(0).load(1)), "[((1,), {})]"))


@pytest.mark.parametrize(
    ("body", "callee"),
    [
        ("return asyncio.run(load(1), debug=True)", "asyncio.run"),
        (
            "return asyncio.new_event_loop().run_until_complete(load(1))",
            "asyncio.new_event_loop().run_until_complete",
        ),
    ],
)
def test_a_second_loop(body: str, callee: str) -> None:
    """Before, it is an error; after, the coroutine's result."""
    text = main(body).replace(
        "async def main", "async def load(x):\n    return x\n\n\nasync def main"
    )
    found = case(text, callee, code="nested-loop")
    # The coroutine that is never awaited is the mistake that the fix ends.
    with pytest.warns(RuntimeWarning, match="never awaited"):
        assert _run(found.text, 0, "asyncio").outcome[0] == "error"
    assert _run(found.after(), 0, "asyncio").outcome[1][0] == "1"


def test_waiting_for_ones_own_loop() -> None:
    body = "loop = asyncio.get_running_loop()\n"
    body += "return asyncio.run_coroutine_threadsafe(asyncio.sleep(slow.delay, 7), loop).result(T)"
    callee = "asyncio.run_coroutine_threadsafe(asyncio.sleep(slow.delay, 7), loop).result"
    found = case(main(body.replace("T", "")), callee, code="nested-loop")
    after = min((_run(found.after(), 0.3, "asyncio") for _ in range(3)), key=lambda r: r.stall)
    assert after.outcome[1][0] == "7"
    before = _run(main(body.replace("T", "1")), 0.3, "asyncio")
    assert before.outcome[0] == "error"
    assert before.stall >= 10 * after.stall


@pytest.mark.parametrize(
    "body",
    [
        "r = requests.get(address + '/a', params={'x': 1}, verify=False)\n"
        "return r.status_code, r.json(), r.ok",
        "r = requests.post(address, json={'a': [1, 2]}, headers={'x-y': 'z'}, verify=False)\n"
        "return r.json()['method'], json.loads(r.json()['body'])",
        "r = requests.post(address, {'a': 'b'}, verify=False)\nreturn r.json()",
        "r = requests.get(address + '/moved', verify=False)\nreturn r.json()['path']",
        "r = requests.get(address + '/moved', allow_redirects=False, verify=False)\n"
        "return r.status_code",
        "r = requests.get(address + '/broken', timeout=30, verify=False)\nif not r.ok:\n"
        "    return r.status_code, r.reason.lower()",
        "try:\n    r = requests.get(address + '/broken', verify=False)\n    r.raise_for_status()\n"
        "except requests.HTTPError:\n    return 'failed'",
        "try:\n    requests.get(address + '/a', timeout=slow.delay / 1.5, verify=False)\n"
        "except requests.Timeout:\n    return 'too slow'",
    ],
)
def test_requests_by_an_async_client(body: str) -> None:
    # Without certificates to load, as these take longer than the server here.
    text = main(body, "import json\nimport httpx\nimport requests")
    callee = "requests.post" if "requests.post" in body else "requests.get"
    prove(case(text, callee, installed=lambda name: True), "Use httpx.AsyncClient")


def test_a_session_by_an_async_client() -> None:
    body = (
        "with requests.Session() as session:\n    session.headers['x-a'] = 'b'\n"
        "    r = session.get(address + '/a')\n    return r.json()['path'], r.status_code"
    )
    text = main(body, "import httpx\nimport requests")
    found = case(text, "session.get", "requests.Session.get", installed=lambda name: True)
    prove(found, "Use httpx.AsyncClient")


@pytest.mark.parametrize(
    ("body", "callee"),
    [
        (
            "x = b''\nwith requests.get(address + '/a', stream=True, verify=False) as r:\n"
            "    r.raise_for_status()\n    for part in r.iter_content(7):\n        x += part\n"
            "return x",
            "requests.get",
        ),
        (
            "try:\n    with requests.get(address + '/broken', stream=True, verify=False) as r:\n"
            "        r.raise_for_status()\nexcept requests.HTTPError:\n    return 'failed'",
            "requests.get",
        ),
        (
            "with httpx.stream('GET', address + '/a', verify=False) as r:\n"
            "    for line in r.iter_lines():\n        return line",
            "httpx.stream",
        ),
        (
            "with httpx.stream('GET', address + '/a', verify=False) as r:\n    return r.read()",
            "httpx.stream",
        ),
    ],
)
def test_an_answer_in_parts_by_an_async_client(body: str, callee: str) -> None:
    text = main(body, "import httpx\nimport requests")
    prove(case(text, callee, installed=lambda name: True), "AsyncClient.stream")


@pytest.mark.parametrize(
    ("body", "callee"),
    [
        ("return httpx.get(address + '/a', verify=False).json()", "httpx.get"),
        ("r = httpx.post(address, json=[1], verify=False)\nreturn r.json()", "httpx.post"),
        (
            "with httpx.Client(base_url=address, verify=False) as client:\n"
            "    return client.get('/a').json()",
            "client.get",
        ),
    ],
)
def test_httpx_by_its_async_client(body: str, callee: str) -> None:
    sink = "httpx.Client.get" if callee == "client.get" else callee
    text = main(body, "import httpx")
    prove(case(text, callee, sink, installed=lambda name: True), "Use httpx.AsyncClient")


def test_the_heartbeat_sees_a_stall() -> None:
    """The measure itself: a stall is seen, and none where there is none."""

    async def blocking() -> None:
        time.sleep(0.2)

    async def waiting() -> None:
        await asyncio.sleep(0.2)

    def describe(result: Any) -> Any:
        return result

    assert run(blocking, describe).stall >= 0.2
    assert min(run(waiting, describe).stall for _ in range(5)) < 0.1
