from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Query, Request, Security
from fastapi.concurrency import (
    contextmanager_in_threadpool,
    iterate_in_threadpool,
    run_in_threadpool,
)
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    computed_field,
    field_serializer,
    field_validator,
    model_validator,
)
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from knowledge.spy import Spies

READS, WRITES = "fastapi.FastAPI.post/reads", "fastapi.FastAPI.post/writes"


async def use(spies: Spies) -> None:
    app = application(spies)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        order = {"number": "1", "items": [{"name": "x"}]}
        answers = [await client.post(path, json=order) for path in ("/def", "/async", "/inner/def")]
        paths = ("search", "class", "fail", "fail-twice", "added", "stream", "threads")
        answers += [await client.get(f"/{path}?text=x") for path in paths]
        assert [answer.status_code for answer in answers] == [200] * len(answers)


def application(spies: Spies) -> FastAPI:
    def fail(request: Request, error: Exception) -> PlainTextResponse:
        spies("fastapi.FastAPI(exception_handlers)")
        return PlainTextResponse("")

    app = FastAPI(
        middleware=[Middleware(middleware(spies, "starlette.middleware.Middleware"))],
        exception_handlers={KeyError: fail},
        on_startup=[spies.note("fastapi.FastAPI(on_startup)")],
        on_shutdown=[spies.note("fastapi.FastAPI(on_shutdown)")],
    )
    app.add_middleware(middleware(spies, "fastapi.FastAPI.add_middleware"))
    inner = FastAPI()
    app.mount("/inner", inner)
    for target in (app, inner):
        target.post("/def")(plain_endpoint(spies))
    app.post("/async")(async_endpoint(spies))
    app.get("/search")(search_endpoint(spies))
    app.get("/class")(class_endpoint(spies))
    app.include_router(router(spies))
    app.on_event("startup")(spies.note("fastapi.FastAPI.on_event"))
    app.router.add_event_handler("startup", spies.note("fastapi.APIRouter.add_event_handler"))

    @app.exception_handler(LookupError)
    def fail_twice(request: Request, error: Exception) -> PlainTextResponse:
        spies("fastapi.FastAPI.exception_handler")
        return PlainTextResponse("")

    @app.get("/fail")
    async def raises() -> None:
        raise KeyError

    return app


def router(spies: Spies) -> APIRouter:
    inner = APIRouter(
        on_startup=[spies.note("fastapi.APIRouter(on_startup)")],
        on_shutdown=[spies.note("fastapi.APIRouter(on_shutdown)")],
    )

    def dependency() -> Iterator[int]:
        spies("fastapi.Security")
        yield 1
        spies("fastapi.Security")

    def added(tasks: BackgroundTasks, user: Annotated[int, Security(dependency)]) -> None:
        spies("fastapi.APIRouter.add_api_route")
        tasks.add_task(lambda: spies("fastapi.BackgroundTasks.add_task"))

    def parts(name: str) -> Iterator[bytes]:
        spies(name)
        yield b""

    @contextmanager
    def managed() -> Iterator[None]:
        spies("fastapi.concurrency.contextmanager_in_threadpool")
        yield

    inner.add_api_route("/added", added)

    @inner.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(parts("fastapi.responses.StreamingResponse"))

    @inner.get("/threads")
    async def threads() -> None:
        await run_in_threadpool(spies.note("fastapi.concurrency.run_in_threadpool"))
        async for _ in iterate_in_threadpool(parts("fastapi.concurrency.iterate_in_threadpool")):
            pass
        async with contextmanager_in_threadpool(managed()):
            pass

    @inner.get("/fail-twice")
    async def raises() -> None:
        raise LookupError

    return inner


def middleware(spies: Spies, name: str) -> Any:
    class Layer:
        def __init__(self, app: ASGIApp) -> None:
            spies(name)
            self.app = app

        def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
            spies(name)
            return self.app(scope, receive, send)

    return Layer


def order_model(spies: Spies, place: str) -> type[BaseModel]:
    def mark(value: str) -> str:
        spies(place)
        return value

    class Item(BaseModel):
        name: Annotated[str, AfterValidator(mark)]

    class Order(BaseModel):
        number: str
        items: list[Item]
        key: str = Field(default_factory=lambda: str(spies(place)))

        @field_validator("number")
        @classmethod
        def check(cls, value: str) -> str:
            spies(place)
            return value

        @model_validator(mode="after")
        def check_all(self) -> Any:
            spies(place)
            return self

        def model_post_init(self, context: object) -> None:
            spies(place)

    return Order


def answer_model(spies: Spies, checked: str) -> type[BaseModel]:
    class Answer(BaseModel):
        number: int

        @field_validator("number")
        @classmethod
        def check(cls, value: int) -> int:
            spies(checked)
            return value

        @field_serializer("number")
        def write(self, value: int) -> int:
            spies(WRITES)
            return value

        @computed_field
        def double(self) -> int:
            spies(WRITES)
            return 2 * self.number

    return Answer


def plain_endpoint(spies: Spies) -> Any:
    # What is returned is checked where the endpoint runs.
    answer = answer_model(spies, "fastapi.FastAPI.post/sync")

    def endpoint(order) -> Any:  # type: ignore[no-untyped-def]
        spies("fastapi.FastAPI.post")
        return {"number": 1}

    endpoint.__annotations__ = {"order": order_model(spies, READS), "return": answer}
    return endpoint


def async_endpoint(spies: Spies) -> Any:
    answer = answer_model(spies, "fastapi.FastAPI.post/coroutine")

    async def endpoint(order) -> Any:  # type: ignore[no-untyped-def]
        return {"number": 1}

    endpoint.__annotations__ = {"order": order_model(spies, READS), "return": answer}
    return endpoint


def search_endpoint(spies: Spies) -> Any:
    class Filter(BaseModel):
        text: str

        @field_validator("text")
        @classmethod
        def check(cls, value: str) -> str:
            spies("fastapi.Depends/reads")
            return value

    def depends(text) -> None:  # type: ignore[no-untyped-def]
        spies("fastapi.Depends")

    depends.__annotations__ = {"text": Annotated[Filter, Query()]}

    def endpoint(given: Annotated[None, Depends(depends)]) -> None: ...

    return endpoint


def class_endpoint(spies: Spies) -> Any:
    class Made:
        def __init__(self, text: str) -> None:
            spies("fastapi.Depends")

    class Called:
        def __call__(self) -> None:
            spies("fastapi.Depends")

    def endpoint(made, called) -> None: ...  # type: ignore[no-untyped-def]

    endpoint.__annotations__ = {
        "made": Annotated[Made, Depends()],
        "called": Annotated[None, Depends(Called())],
    }
    return endpoint
