"""The catalogue says where frameworks run what they are given; here they run it, and tell."""

from __future__ import annotations

import asyncio
import functools
import queue
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest

from knowledge.spy import Seen, spy
from loopsafe.knowledge.catalogue import load
from loopsafe.knowledge.schema import Runner


def method_runner(owner: str, name: str) -> Runner:
    known = load().klass(owner)
    assert known is not None
    return known.runners[name]


def function_runner(name: str) -> Runner:
    known = load().runner(name)
    assert known is not None
    return known


def test_asyncio_runs_callbacks_on_the_loop_and_offloads_to_threads() -> None:
    seen: Seen = {}

    async def use() -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(spy(seen, "call_soon"))
        loop.call_later(0, spy(seen, "call_later"))
        loop.call_at(loop.time(), spy(seen, "call_at"))
        loop.call_soon_threadsafe(spy(seen, "call_soon_threadsafe"))
        asyncio.ensure_future(asyncio.sleep(0)).add_done_callback(
            lambda _: spy(seen, "add_done_callback")()
        )
        await loop.run_in_executor(None, spy(seen, "run_in_executor"))
        await asyncio.to_thread(spy(seen, "to_thread"))
        await asyncio.sleep(0.05)

    asyncio.run(use())
    loop_runner = functools.partial(method_runner, "asyncio.AbstractEventLoop")
    names = ("call_soon", "call_later", "call_at", "call_soon_threadsafe", "run_in_executor")
    expected = {name: loop_runner(name).sync for name in names}
    expected["add_done_callback"] = method_runner("asyncio.Task", "add_done_callback").sync
    expected["to_thread"] = function_runner("asyncio.to_thread").sync
    assert seen == expected


def test_offload_libraries_run_plain_functions_in_threads() -> None:
    seen: Seen = {}

    async def use() -> None:
        for name, call in _offloads().items():
            await call(spy(seen, name))

    asyncio.run(use())
    assert seen
    assert seen == {name: function_runner(name).sync for name in seen}


def _offloads() -> dict[str, Callable[[Callable[..., None]], Any]]:
    anyio = pytest.importorskip("anyio")
    asgiref = pytest.importorskip("asgiref.sync")
    asyncer = pytest.importorskip("asyncer")
    starlette = pytest.importorskip("starlette.concurrency")
    return {
        "anyio.to_thread.run_sync": anyio.to_thread.run_sync,
        "asgiref.sync.sync_to_async": lambda f: asgiref.sync_to_async(f)(),
        "asyncer.asyncify": lambda f: asyncer.asyncify(f)(),
        "starlette.concurrency.run_in_threadpool": starlette.run_in_threadpool,
    }


WITHOUT_WAITING: dict[str, Callable[[], object]] = {
    "time.sleep": lambda: time.sleep(0),
    "select.select": lambda: select.select([], [], [], 0),
    "concurrent.futures.wait": lambda: wait([Future()], timeout=0),
    "threading.Event.wait": lambda: threading.Event().wait(0),
    "threading.Condition.wait": lambda: _held(threading.Condition()).wait(0),
    "threading.Semaphore.acquire": lambda: threading.Semaphore(0).acquire(blocking=False),
    "threading.Lock.acquire": lambda: _held(threading.Lock()).acquire(False),
    "queue.Queue.get": lambda: queue.Queue[int]().get(block=False),
    "queue.Queue.put": lambda: queue.Queue[int]().put(1),
    "queue.SimpleQueue.get": lambda: queue.SimpleQueue[int]().get(True, 0),
    "concurrent.futures.Future.result": lambda: Future[int]().result(timeout=0),
    "concurrent.futures.Executor.shutdown": lambda: ThreadPoolExecutor().shutdown(wait=False),
    "subprocess.Popen.wait": lambda: _sleeper().wait(timeout=0),
}


@pytest.mark.parametrize("name", WITHOUT_WAITING)
def test_harmless_arguments_do_not_wait(name: str) -> None:
    blocking = load().function(name)
    member = load().member(name)
    if member is not None:
        known, method = member
        blocking = known.blocking(method)
    assert blocking is not None
    assert blocking.harmless_if or blocking.only_if_made
    runner = threading.Thread(target=_quietly, args=(WITHOUT_WAITING[name],), daemon=True)
    runner.start()
    runner.join(timeout=5)
    assert not runner.is_alive()


def _held(lock: Any) -> Any:
    lock.acquire()
    return lock


def _sleeper() -> subprocess.Popen[bytes]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(20)"])
    threading.Timer(1, child.kill).start()
    return child


def _quietly(call: Callable[[], object]) -> None:
    # Not waiting often shows as Empty or TimeoutError.
    try:
        call()
    except Exception:
        return
