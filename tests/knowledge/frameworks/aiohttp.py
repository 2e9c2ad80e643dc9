import warnings
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from knowledge.spy import Spies


async def use(spies: Spies) -> None:
    with warnings.catch_warnings():
        # Plain handlers are deprecated.
        warnings.simplefilter("ignore")
        app = application(spies)
        async with TestClient(TestServer(app)) as client:
            for path in ("table", "added", "any", "one", "routed"):
                async with client.get(f"/{path}") as response:
                    assert response.status == 200


def application(spies: Spies) -> web.Application:
    def answering(name: str) -> Any:
        def answer(request: web.Request) -> web.Response:
            spies(name)
            return web.Response()

        return answer

    app = web.Application()
    table = web.RouteTableDef()
    table.get("/table")(answering("aiohttp.web.RouteTableDef.get"))
    app.add_routes(table)
    app.add_routes(
        [
            web.get("/one", answering("aiohttp.web.get")),
            web.route("GET", "/routed", answering("aiohttp.web.route")),
        ]
    )
    app.router.add_get("/added", answering("aiohttp.web.UrlDispatcher.add_get"))
    app.router.add_route("GET", "/any", answering("aiohttp.web.UrlDispatcher.add_route"))
    return app
