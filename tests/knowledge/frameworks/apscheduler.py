import asyncio
from datetime import datetime

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from knowledge.spy import Spies

NAME = "apscheduler.schedulers.asyncio.AsyncIOScheduler"


async def use(spies: Spies) -> None:
    scheduler = AsyncIOScheduler(executors={"other": AsyncIOExecutor()})
    scheduler.add_job(spies.note(f"{NAME}.add_job"), "date", run_date=datetime.now())
    scheduler.add_job(
        spies.note(f"{NAME}.add_job"), "date", run_date=datetime.now(), executor="other"
    )
    scheduler.scheduled_job("date", run_date=datetime.now())(spies.note(f"{NAME}.scheduled_job"))
    scheduler.add_listener(spies.note(f"{NAME}.add_listener"))
    scheduler.start()
    await asyncio.sleep(0.2)
    scheduler.shutdown()
