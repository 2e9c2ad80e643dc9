"""The client of websockets without asyncio waits for the handshake."""

import websockets.sync.client

CALLS = {
    "websockets.sync.client.connect": lambda at: websockets.sync.client.connect(
        f"ws://{at.host}:{at.port}", open_timeout=3
    ),
}
