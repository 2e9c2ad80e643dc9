"""A FastAPI application in which everything that can be a plain function notes where it runs."""

from collections.abc import Iterator
from typing import Annotated

import httpx
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Security
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import BaseModel, field_validator
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.routing import Route

from knowledge.spy import Seen, spy

PATHS = ("first", "added", "stream", "plain", "endpoint", "raise/key", "raise/other")


async def use(seen: Seen) -> None:
    """Starts the application and calls each of its paths."""
    app = application(seen)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        answers = [await client.post("/body", json={"name": "x"})]
        answers += [await client.get(f"/{path}") for path in PATHS]
        assert [answer.status_code for answer in answers] == [200] * len(answers)


def application(seen: Seen) -> FastAPI:
    """The application."""
    app = FastAPI(routes=_starlette_routes(seen))
    app.include_router(_router(seen))
    app.add_api_route("/added", spy(seen, "added endpoint"))
    app.on_event("startup")(spy(seen, "startup"))
    app.router.add_event_handler("startup", spy(seen, "added startup"))
    app.get("/first")(_endpoint(seen))

    @app.get("/raise/{kind}")
    async def fail(kind: str) -> None:
        raise KeyError if kind == "key" else LookupError

    @app.exception_handler(KeyError)
    def handle(request: Request, error: Exception) -> PlainTextResponse:
        spy(seen, "exception handler")()
        return PlainTextResponse("")

    def handle_added(request: Request, error: Exception) -> PlainTextResponse:
        spy(seen, "added exception handler")()
        return PlainTextResponse("")

    app.add_exception_handler(LookupError, handle_added)
    return app


def _endpoint(seen: Seen) -> object:
    class ClassDependency:
        def __init__(self) -> None:
            spy(seen, "class dependency")()

    def yields() -> Iterator[int]:
        spy(seen, "yield dependency")()
        yield 1

    def first(
        tasks: BackgroundTasks,
        one: Annotated[None, Depends(spy(seen, "dependency"))],
        two: Annotated[int, Depends(yields)],
        three: Annotated[ClassDependency, Depends(ClassDependency)],
        four: Annotated[None, Security(spy(seen, "security"))],
    ) -> None:
        spy(seen, "endpoint")()
        tasks.add_task(spy(seen, "background task"))

    return first


def _router(seen: Seen) -> APIRouter:
    router = APIRouter()

    class Body(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def check(cls, value: str) -> str:
            spy(seen, "validator")()
            return value

    @router.post("/body")
    def body(body: Body) -> None:
        spy(seen, "router endpoint")()

    @router.get("/stream")
    async def stream() -> StreamingResponse:
        def parts() -> Iterator[bytes]:
            spy(seen, "stream")()
            yield b""

        return StreamingResponse(parts())

    return router


def _starlette_routes(seen: Seen) -> list[Route]:
    class Endpoint(HTTPEndpoint):
        def get(self, request: Request) -> PlainTextResponse:
            spy(seen, "http endpoint")()
            return PlainTextResponse("")

    def plain(request: Request) -> PlainTextResponse:
        spy(seen, "starlette route")()
        return PlainTextResponse("")

    return [Route("/plain", plain), Route("/endpoint", Endpoint)]
