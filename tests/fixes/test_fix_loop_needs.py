"""What starts or wakes tasks, or sets its caller's context, is not moved to a thread."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from loopsafe.config import Settings
from loopsafe.engine import Engine

APP = """
import asyncio
import contextvars
import queue
import time

import fastapi

from work import Store, log

app = fastapi.FastAPI()
store = Store()
user = contextvars.ContextVar("user")
waiting = asyncio.Queue()
other = queue.Queue()
done = asyncio.Event()


async def send(text):
    return text


def notify(text):
    time.sleep(1)
    asyncio.get_running_loop().create_task(send(text))


def start(run):
    time.sleep(1)
    run(send("x"))


def schedule(coroutine):
    asyncio.create_task(coroutine)


def deep():
    log("a")
    store.save("b", notify)


def put(text):
    time.sleep(1)
    waiting.put_nowait(text)


def put_for_threads(text):
    time.sleep(1)
    other.put_nowait(text)


def finish():
    time.sleep(1)
    done.set()


def from_outside(loop):
    time.sleep(1)
    loop.call_soon_threadsafe(done.set)
    asyncio.run_coroutine_threadsafe(send("x"), loop).result()


def enter(name):
    time.sleep(1)
    user.set(name)


def enter_and_leave(name):
    token = user.set(name)
    time.sleep(1)
    user.reset(token)


def with_or_without():
    time.sleep(1)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(send("x"))
"""
WORK = """
import time


def log(text):
    print(text)


class Store:
    def save(self, text, then):
        time.sleep(1)
        then(text)
"""


def offered(root: Path, body: str, head: str = "async def main():") -> list[str]:
    (root / "pyproject.toml").touch()
    (root / "work.py").write_text(WORK)
    text = f"{APP}\n\n{head}\n{textwrap.indent(body, '    ')}\n"
    (root / "app.py").write_text(text)
    engine = Engine(root, Settings())
    report = engine.report(str(root / "app.py"))
    line = text[: text.index(head)].count("\n") + 1
    found = [f for f in report.findings if f.span.line > line]
    assert found
    return [fix.title for f in found for fix in engine.fixes(f) if fix.kind != "ignore"]


@pytest.mark.parametrize(
    "body",
    [
        "notify('x')",
        "deep()",
        "start(schedule)",
        "put('x')",
        "finish()",
        "enter('x')",
    ],
)
def test_a_function_that_needs_its_loop_stays_on_it(body: str, tmp_path: Path) -> None:
    assert offered(tmp_path, body) == []


@pytest.mark.parametrize(
    "body",
    [
        "start(print)",
        "put_for_threads('x')",
        "from_outside(asyncio.get_running_loop())",
        "enter_and_leave('x')",
        "with_or_without()",
        "log(time.sleep(1))",
    ],
)
def test_another_moves(body: str, tmp_path: Path) -> None:
    assert offered(tmp_path, body)


def test_an_endpoint_that_calls_such_a_function_stays_a_coroutine_function(tmp_path: Path) -> None:
    head = "@app.get('/')\nasync def read():"
    assert not any("plain def" in t for t in offered(tmp_path, "deep()\ntime.sleep(2)", head))
    assert any("plain def" in t for t in offered(tmp_path, "log('x')\ntime.sleep(2)", head))


def test_a_block_that_calls_such_a_function_stays_as_well(tmp_path: Path) -> None:
    body = "with open('x') as file:\n    text = file.read()\n    {}(text)\nreturn text"
    assert not any("block" in t for t in offered(tmp_path, body.format("notify")))
    assert any("block" in t for t in offered(tmp_path, body.format("print")))
