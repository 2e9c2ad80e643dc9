"""Locks, events and queues of threads that become those of asyncio, executed before and after."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stall import Run, module, run
from test_fix_everywhere import Project
from test_fix_proof import DELAYS

from loopsafe.fixes.data import table
from loopsafe.knowledge import catalogue
from loopsafe.model import Fix, Safety

EVENT = """
    import threading

    done = threading.Event()

    async def main():
        done.wait()
        return done.is_set()
"""
QUEUE = """
    import queue

    class Jobs:
        def __init__(self):
            self.jobs: queue.Queue[int] = queue.Queue(5)

        async def add(self, job):
            if not self.jobs.full():
                self.jobs.put(job)

        async def take(self):
            job = self.jobs.get() + 1
            self.jobs.task_done()
            return job

    work = Jobs()

    async def main():
        job = await work.take()
        await work.add(job * 2)
        return job, await work.take()
"""
LOCK = """
    from threading import Lock

    lock = Lock()

    async def main():
        with lock:  # one at a time
            x = lock.locked()
        lock.acquire()
        lock.release()
        return x, lock.locked()
"""
SEMAPHORE = """
    import asyncio
    import threading

    places = threading.Semaphore(1)

    async def main():
        with places:
            await asyncio.sleep(0)
            return 1
"""


def offered(project: Project) -> Fix:
    path = str(project.root / "app.py")
    for finding in project.engine.report(path).findings:
        for fix in project.engine.wide_fixes(finding):
            if fix.title.startswith("Make "):
                return fix
    raise AssertionError("nothing is offered")


async def hold(lock: Any) -> Callable[[], None]:
    taken = lock.acquire()
    if inspect.isawaitable(taken):
        await taken
    return lambda: lock.release()


async def hold_nothing(held: Any) -> Callable[[], None]:
    return held.set if hasattr(held, "set") else lambda: held.put_nowait(20)


@pytest.mark.parametrize(
    ("text", "name"),
    [(EVENT, "done"), (QUEUE, "work.jobs"), (LOCK, "lock"), (SEMAPHORE, "places")],
)
def test_a_primitive_of_asyncio(text: str, name: str, tmp_path: Path) -> None:
    """Before, a thread must let it go; after, the loop itself can."""
    project = Project(tmp_path, app=text)
    fix = offered(project)
    assert fix.safety is Safety.UNSAFE, fix.caveat
    assert "no thread may use it" in fix.caveat
    before, after = (tmp_path / "app.py").read_text(), project.after(fix)["app"]
    for delay in DELAYS:
        old, new = _run(before, name, delay, True), _run(after, name, delay, False)
        assert old.outcome == new.outcome
        assert new.outcome[0] == "result"
        if old.stall >= 10 * new.stall:
            return
    raise AssertionError(f"stalls: {old.stall:.3f} s before, {new.stall:.3f} s after")


def _run(text: str, name: str, delay: float, in_thread: bool) -> Run:
    given = module(text)

    async def main() -> Any:
        held = given
        for part in name.split("."):
            held = getattr(held, part)
        let_go = await (hold(held) if hasattr(held, "acquire") else hold_nothing(held))
        if in_thread:
            threading.Timer(delay, let_go).start()
        else:
            asyncio.get_running_loop().call_later(delay, let_go)
        return await given.main()

    return run(main, repr)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (EVENT + "\n    def stop():\n        done.set()\n", "may be used in a thread in line 10"),
        (EVENT + "\n    keep(done)\n", "may be used in a thread in line 9"),
        (EVENT + "\n    async def f():\n        keep(done)\n", "goes somewhere in line 10"),
        (EVENT + "\n    async def f():\n        done.wait(3)\n", "line 10 has no async way"),
        (EVENT + "\n    async def f():\n        keep(done.set)\n", "line 10 has no async way"),
        (QUEUE + "\n    async def f():\n        queue.Empty\n", "an error of threads"),
        (LOCK + "\n    async def f():\n        with lock, f(): pass\n", "with something else"),
    ],
)
def test_one_that_must_stay(text: str, reason: str, tmp_path: Path) -> None:
    fix = offered(Project(tmp_path, app=text))
    assert fix.kind == "refused"
    assert reason in fix.caveat


def test_one_that_another_file_uses(tmp_path: Path) -> None:
    project = Project(tmp_path, app=EVENT, other="from app import done\n\ndone.set()\n")
    assert "may be used in" in offered(project).caveat


@pytest.mark.parametrize("name", table("twins")["primitive"])
def test_twins_have_what_is_used(name: str) -> None:
    entry, known = table("twins")["primitive"][name], catalogue.load().klass(name)
    assert known is not None
    twin = getattr(asyncio, known.twin.removeprefix("asyncio."))()
    assert all(inspect.iscoroutinefunction(getattr(twin, m)) for m in entry["awaited"])
    assert not any(inspect.iscoroutinefunction(getattr(twin, m)) for m in entry["plain"])
    assert hasattr(twin, "__aenter__") == entry["entered"]


def test_an_annotation_in_quotes_keeps_what_it_says_more(tmp_path: Path) -> None:
    text = QUEUE.replace("self.jobs: queue.Queue[int]", 'self.jobs: "queue.Queue[int]"')
    project = Project(tmp_path, app=text)
    after = project.after(project.wide())["app"]
    assert 'self.jobs: "asyncio.Queue[int]" = asyncio.Queue(5)' in after
