import asyncio
from typing import Annotated, Any

from faststream import Depends, FastStream
from faststream.redis import RedisBroker, RedisRouter, TestRedisBroker
from pydantic import BaseModel, field_validator

from knowledge.spy import Spies


async def use(spies: Spies) -> None:
    broker = RedisBroker()
    subscribe(broker, spies)
    router = RedisRouter()
    router.subscriber("routed")(spies_handler(spies, "faststream.redis.RedisRouter.subscriber"))
    broker.include_router(router)
    app = FastStream(
        broker,
        on_startup=[zero(spies, "faststream.FastStream(on_startup)")],
        after_startup=[zero(spies, "faststream.FastStream(after_startup)")],
        on_shutdown=[zero(spies, "faststream.FastStream(on_shutdown)")],
    )
    app.after_startup(zero(spies, "faststream.FastStream.after_startup"))
    app.on_shutdown(zero(spies, "faststream.FastStream.on_shutdown"))
    app.on_startup(zero(spies, "faststream.FastStream.on_startup"))
    async with TestRedisBroker(broker):
        await app.start()
        await broker.publish({"name": "x"}, "orders")
        await broker.publish({"name": "x"}, "routed")
        await asyncio.sleep(0.1)
        await app.stop()


def zero(spies: Spies, name: str) -> Any:
    def hook() -> None:
        spies(name)

    return hook


def spies_handler(spies: Spies, name: str) -> Any:
    def handle(message: Any) -> str:
        spies(name)
        return ""

    return handle


def subscribe(broker: RedisBroker, spies: Spies) -> None:
    class Order(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def check(cls, value: str) -> str:
            spies("faststream.redis.RedisBroker.subscriber/reads")
            return value

    def given() -> int:
        spies("faststream.Depends")
        return 1

    def handle(order: Any, given: Annotated[int, Depends(given)]) -> str:
        spies("faststream.redis.RedisBroker.subscriber")
        return ""

    handle.__annotations__["order"] = Order
    broker.subscriber("orders")(broker.publisher("made")(handle))
