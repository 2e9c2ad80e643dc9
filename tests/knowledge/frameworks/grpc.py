from typing import Any

import grpc
import grpc.aio

from knowledge.spy import Spies


async def use(spies: Spies) -> None:
    def handle(request: bytes, context: Any) -> bytes:
        spies("grpc.unary_unary_rpc_method_handler")
        return b""

    def stream(request: bytes, context: Any) -> Any:
        spies("grpc.unary_stream_rpc_method_handler")
        yield b""

    server = grpc.aio.server()
    methods = {
        "Get": grpc.unary_unary_rpc_method_handler(handle),
        "List": grpc.unary_stream_rpc_method_handler(stream),
    }
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("shop.Shop", methods)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        await channel.unary_unary("/shop.Shop/Get")(b"")
        async for _ in channel.unary_stream("/shop.Shop/List")(b""):
            pass
    await server.stop(None)
