import asyncio
import datetime
from typing import Any

from tornado.concurrent import run_on_executor
from tornado.gen import coroutine
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler, websocket_connect

from knowledge.spy import Spies

HANDLER, SOCKET = "tornado.web.RequestHandler", "tornado.websocket.WebSocketHandler"


async def use(spies: Spies) -> None:
    sock, port = bind_unused_port()
    app = Application(
        [("/page", page(spies)), ("/socket", socket(spies)), ("/gen", generator(spies))]
    )
    server = HTTPServer(app)
    server.add_sockets([sock])
    client = AsyncHTTPClient()
    for path in ("page", "gen"):
        await client.fetch(f"http://127.0.0.1:{port}/{path}")
    connection = await websocket_connect(f"ws://127.0.0.1:{port}/socket")
    await connection.write_message("x")
    await connection.read_message()
    connection.close()
    await callbacks(spies)
    server.stop()
    await server.close_all_connections()


async def callbacks(spies: Spies) -> None:
    loop = IOLoop.current()
    loop.add_callback(spies.note("tornado.ioloop.IOLoop.add_callback"))
    loop.spawn_callback(spies.note("tornado.ioloop.IOLoop.spawn_callback"))
    loop.call_later(0, spies.note("tornado.ioloop.IOLoop.call_later"))
    loop.call_at(loop.time(), spies.note("tornado.ioloop.IOLoop.call_at"))
    loop.add_timeout(datetime.timedelta(0), spies.note("tornado.ioloop.IOLoop.add_timeout"))
    loop.add_future(
        asyncio.ensure_future(asyncio.sleep(0)), spies.note("tornado.ioloop.IOLoop.add_future")
    )
    await loop.run_in_executor(None, spies.note("tornado.ioloop.IOLoop.run_in_executor"))
    ticking = PeriodicCallback(spies.note("tornado.ioloop.PeriodicCallback"), 5)
    ticking.start()
    await asyncio.sleep(0.1)
    ticking.stop()


def page(spies: Spies) -> type[RequestHandler]:
    class Page(RequestHandler):
        def initialize(self) -> None:
            spies(f"{HANDLER}.initialize")

        def prepare(self) -> None:
            spies(f"{HANDLER}.prepare")

        def get_current_user(self) -> Any:
            spies(f"{HANDLER}.get_current_user")
            return "x"

        def get(self) -> None:
            assert self.current_user
            spies(f"{HANDLER}.get")

        def on_finish(self) -> None:
            spies(f"{HANDLER}.on_finish")

    return Page


def generator(spies: Spies) -> type[RequestHandler]:
    class Generator(RequestHandler):
        from concurrent.futures import ThreadPoolExecutor

        executor = ThreadPoolExecutor(1)

        @coroutine
        def get(self) -> Any:
            yield asyncio.sleep(0)
            spies("tornado.gen.coroutine")
            yield self.load()

        @run_on_executor
        def load(self) -> None:
            spies("tornado.concurrent.run_on_executor")

    return Generator


def socket(spies: Spies) -> type[WebSocketHandler]:
    class Socket(WebSocketHandler):
        def open(self, *_given: str, **_named: str) -> None:
            spies(f"{SOCKET}.open")

        def on_message(self, message: str | bytes) -> None:
            spies(f"{SOCKET}.on_message")
            self.write_message("x")

        def on_close(self) -> None:
            spies(f"{SOCKET}.on_close")

    return Socket
