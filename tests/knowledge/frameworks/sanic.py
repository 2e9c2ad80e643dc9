import asyncio
from typing import Any

from sanic import Blueprint, Request, Sanic
from sanic.response import HTTPResponse, text
from sanic.views import HTTPMethodView

from knowledge.spy import Spies


async def use(spies: Spies) -> None:
    Sanic.test_mode = True
    app = application(spies)
    server = await app.create_server(
        host="127.0.0.1", port=0, return_asyncio_server=True, access_log=False
    )
    assert server is not None
    await server.startup()
    await server.before_start()
    await server.after_start()
    assert server.server is not None
    port = server.server.sockets[0].getsockname()[1]
    for path in ("plain", "added", "view", "inner/plain", "fail"):
        assert b" 200 " in await fetch(port, path)
    await asyncio.sleep(0.1)
    await server.before_stop()
    await server.close()
    await server.after_stop()


async def fetch(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /{path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer


def answering(spies: Spies, name: str) -> Any:
    def answer(*_given: object, **_named: object) -> HTTPResponse:
        spies(name)
        return text("")

    return answer


def application(spies: Spies) -> Sanic[Any, Any]:
    app: Sanic[Any, Any] = Sanic("places", configure_logging=False)
    app.get("/plain", name="plain")(answering(spies, "sanic.Sanic.get"))
    app.add_route(answering(spies, "sanic.Sanic.add_route"), "/added", name="added")
    app.exception(KeyError)(answering(spies, "sanic.Sanic.exception"))
    app.on_request(spies.note("sanic.Sanic.on_request"))
    app.middleware("response")(spies.note("sanic.Sanic.middleware"))
    app.register_middleware(spies.note("sanic.Sanic.register_middleware"), "request")
    app.before_server_start(spies.note("sanic.Sanic.before_server_start"))
    app.before_server_stop(spies.note("sanic.Sanic.before_server_stop"))
    app.listener("after_server_start")(spies.note("sanic.Sanic.listener"))
    app.register_listener(spies.note("sanic.Sanic.register_listener"), "after_server_start")
    app.add_signal(spies.note("sanic.Sanic.add_signal"), "server.init.before")
    app.signal("http.lifecycle.request")(spies.note("sanic.Sanic.signal"))
    inner = Blueprint("inner", url_prefix="/inner")
    inner.get("/plain", name="inner")(answering(spies, "sanic.Blueprint.get"))
    app.blueprint(inner)

    class View(HTTPMethodView):
        def get(self, request: Request) -> HTTPResponse:
            spies("sanic.views.HTTPMethodView.get")
            return text("")

    app.add_route(View.as_view(), "/view")

    @app.get("/fail")
    async def fail(request: Request) -> HTTPResponse:
        raise KeyError

    return app
