from collections.abc import Iterator
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from knowledge.spy import Spies

PATHS = (
    "plain",
    "added",
    "inner/added",
    "endpoint",
    "stream",
    "threads",
    "tasks",
    "raise/key",
    "raise/other",
)


async def use(spies: Spies) -> None:
    app = application(spies)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answers = [await client.get(f"/{path}") for path in PATHS]
        assert [answer.status_code for answer in answers] == [200] * len(answers)


def application(spies: Spies) -> Starlette:
    app = Starlette(
        routes=[
            Route("/plain", answering(spies, "starlette.routing.Route")),
            Route("/endpoint", endpoint(spies)),
            Route("/stream", streaming(spies)),
            Route("/threads", offloading(spies)),
            Route("/tasks", tasks(spies)),
            Route("/raise/{kind}", fail),
            Mount("/inner", router(spies)),
        ],
        middleware=[Middleware(layer(spies, "starlette.middleware.Middleware"))],
        exception_handlers={
            KeyError: answering(spies, "starlette.applications.Starlette(exception_handlers)")
        },
    )
    app.add_middleware(layer(spies, "starlette.applications.Starlette.add_middleware"))
    app.add_exception_handler(
        LookupError, answering(spies, "starlette.applications.Starlette.add_exception_handler")
    )
    app.add_route("/added", answering(spies, "starlette.applications.Starlette.add_route"))
    return app


def answering(spies: Spies, name: str) -> Any:
    def answer(*_given: object) -> Response:
        spies(name)
        return PlainTextResponse("")

    return answer


def router(spies: Spies) -> Router:
    inner = Router()
    inner.add_route("/added", answering(spies, "starlette.routing.Router.add_route"))
    return inner


def endpoint(spies: Spies) -> type[HTTPEndpoint]:
    class Endpoint(HTTPEndpoint):
        def get(self, request: Request) -> Response:
            spies("starlette.endpoints.HTTPEndpoint.get")
            return PlainTextResponse("")

    return Endpoint


def layer(spies: Spies, name: str) -> Any:
    class Layer:
        def __init__(self, app: ASGIApp) -> None:
            spies(name)
            self.app = app

        def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
            spies(name)
            return self.app(scope, receive, send)

    return Layer


def parts(spies: Spies, name: str) -> Iterator[bytes]:
    spies(name)
    yield b""


def streaming(spies: Spies) -> Any:
    async def stream(request: Request) -> Response:
        return StreamingResponse(parts(spies, "starlette.responses.StreamingResponse"))

    return stream


def offloading(spies: Spies) -> Any:
    async def offload(request: Request) -> Response:
        await run_in_threadpool(spies.note("starlette.concurrency.run_in_threadpool"))
        async for _ in iterate_in_threadpool(
            parts(spies, "starlette.concurrency.iterate_in_threadpool")
        ):
            pass
        return PlainTextResponse("")

    return offload


def tasks(spies: Spies) -> Any:
    async def task(request: Request) -> Response:
        many = BackgroundTasks()
        many.add_task(spies.note("starlette.background.BackgroundTasks.add_task"))
        one = BackgroundTask(spies.note("starlette.background.BackgroundTask"))
        many.tasks.append(one)
        return PlainTextResponse("", background=many)

    return task


async def fail(request: Request) -> Response:
    raise KeyError if request.path_params["kind"] == "key" else LookupError
