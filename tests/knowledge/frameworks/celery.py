import asyncio

from celery import Celery, shared_task
from celery.contrib.testing.worker import start_worker

from knowledge.spy import Spies


async def use(spies: Spies) -> None:
    app = Celery("places", broker="memory://", backend="cache+memory://", set_as_current=True)

    @app.task(name="one")
    def one() -> None:
        spies("celery.Celery.task")

    @shared_task(name="two")
    def two() -> None:
        spies("celery.shared_task")

    await asyncio.to_thread(work, app, [one, two])


def work(app: Celery, tasks: list[object]) -> None:
    with start_worker(app, perform_ping_check=False, shutdown_timeout=20):
        for task in tasks:
            task.delay().get(timeout=20)  # type: ignore[attr-defined]
