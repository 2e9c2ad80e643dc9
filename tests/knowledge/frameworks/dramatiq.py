import asyncio

import dramatiq
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware.asyncio import AsyncIO

from knowledge.spy import Spies


async def use(spies: Spies) -> None:
    broker = StubBroker()
    broker.add_middleware(AsyncIO())
    dramatiq.set_broker(broker)

    @dramatiq.actor(actor_name="plain")
    def plain() -> None:
        spies("dramatiq.actor")

    @dramatiq.actor(actor_name="coroutine")
    async def coroutine() -> None:
        spies("dramatiq.actor/coroutine")

    await asyncio.to_thread(work, broker, plain, coroutine)


def work(broker: StubBroker, *actors: "dramatiq.Actor[..., object]") -> None:
    worker = dramatiq.Worker(broker, worker_timeout=100)
    worker.start()
    for actor in actors:
        actor.send()
        broker.join(actor.queue_name, timeout=10_000)
    worker.join()
    worker.stop()
