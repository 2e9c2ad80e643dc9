"""ZooKeeper's client waits for its thread, which waits for the server."""

from kazoo.client import KazooClient

CALLS = {
    "kazoo.client.KazooClient.start": lambda at: KazooClient(f"{at.host}:{at.port}").start(3),
}
