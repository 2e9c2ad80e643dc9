import asyncio
import warnings
from collections.abc import Iterator
from typing import Any

from litestar import Litestar, Request, Response, Router, get, post
from litestar.background_tasks import BackgroundTask
from litestar.di import Provide
from litestar.events import listener
from litestar.exceptions import HTTPException
from litestar.response import Stream
from litestar.testing import AsyncTestClient
from pydantic import BaseModel, field_serializer, field_validator

from knowledge.spy import Spies


async def use(spies: Spies) -> None:
    with warnings.catch_warnings():
        # It wants to be told whether a plain function blocks.
        warnings.simplefilter("ignore")
        app = application(spies)
        async with AsyncTestClient(app) as client:
            answers = [
                await client.get(f"/{path}") for path in ("plain", "routed", "stream", "event")
            ]
            answers += [await client.get("/fail"), await client.get("/fail-inside")]
            answers += [await client.post("/body", json={"name": "x"})]
            assert [a.status_code for a in answers] == [200] * 4 + [201] * 3, answers
            await asyncio.sleep(0.1)


def application(spies: Spies) -> Litestar:
    def handle(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
        spies("litestar.Litestar(exception_handlers)")
        return Response("", status_code=201)

    def handle_inside(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
        spies("litestar.get(exception_handlers)")
        return Response("", status_code=201)

    def note_response(name: str) -> Any:
        def after(response: Response[Any]) -> Response[Any]:
            spies(name)
            return response

        return after

    def provided() -> None:
        spies("litestar.di.Provide")

    @get(
        "/plain",
        dependencies={"given": Provide(provided)},
        guards=[spies.note("litestar.get(guards)")],
        before_request=spies.note("litestar.get(before_request)"),
        after_request=note_response("litestar.get(after_request)"),
        after_response=spies.note("litestar.get(after_response)"),
    )
    def plain(given: None) -> Response[str]:
        spies("litestar.get")
        task = BackgroundTask(spies.note("litestar.background_tasks.BackgroundTask"))
        return Response("", background=task)

    @get("/stream")
    async def stream() -> Stream:
        def parts() -> Iterator[str]:
            spies("litestar.response.Stream")
            yield ""

        return Stream(parts())

    @listener("happened")
    def happened() -> None:
        spies("litestar.events.listener")

    @get("/event")
    async def event(request: Request[Any, Any, Any]) -> None:
        request.app.emit("happened")

    @get("/fail")
    async def fail() -> None:
        raise KeyError

    @get("/fail-inside", exception_handlers={HTTPException: handle_inside})
    async def fail_inside() -> None:
        raise HTTPException

    @get("/routed")
    async def routed() -> None: ...

    router = Router(
        "/",
        route_handlers=[routed],
        guards=[spies.note("litestar.Router(guards)")],
        before_request=spies.note("litestar.Router(before_request)"),
    )
    return Litestar(
        [plain, stream, event, fail, fail_inside, router, body(spies)],
        on_startup=[spies.note("litestar.Litestar(on_startup)")],
        on_shutdown=[spies.note("litestar.Litestar(on_shutdown)")],
        exception_handlers={KeyError: handle},
        guards=[spies.note("litestar.Litestar(guards)")],
        before_send=[spies.note("litestar.Litestar(before_send)")],
        after_exception=[spies.note("litestar.Litestar(after_exception)")],
        listeners=[happened],
    )


def body(spies: Spies) -> Any:
    class Body(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def check(cls, value: str) -> str:
            spies("litestar.post/reads")
            return value

    class Answer(BaseModel):
        name: str

        @field_serializer("name")
        def write(self, value: str) -> str:
            spies("litestar.post/writes")
            return value

    def handler(data) -> Any:  # type: ignore[no-untyped-def]
        return Answer(name="x")

    handler.__annotations__ = {"data": Body, "return": Answer}
    return post("/body")(handler)
