import asyncio
from typing import Any

from jupyter_server.base.handlers import APIHandler, AuthenticatedHandler, JupyterHandler
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from knowledge.spy import Spies


async def use(spies: Spies) -> None:
    """The handlers in a plain application: their own `prepare` asks for a whole server."""
    kinds: tuple[Any, ...] = (JupyterHandler, APIHandler, AuthenticatedHandler)
    pages = [(f"/{kind.__name__}", page(kind, spies)) for kind in kinds]
    sock, port = bind_unused_port()
    server = HTTPServer(Application(pages))
    server.add_sockets([sock])
    for path, _ in pages:
        answer = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}{path}", raise_error=False)
        assert answer.code in (200, 500)
    server.stop()
    await asyncio.wait_for(server.close_all_connections(), 5)


def page(kind: Any, spies: Spies) -> type[RequestHandler]:
    class Page(kind):  # type: ignore[misc]
        def prepare(self) -> None: ...

        def get(self) -> None:
            spies(f"jupyter_server.base.handlers.{kind.__name__}.get")

    return Page
