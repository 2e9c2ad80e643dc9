"""Typesense's client asks with each call."""

import typesense


def client(at):
    node = {"host": at.host, "port": str(at.port), "protocol": "http"}
    return typesense.Client({"nodes": [node], "api_key": "a", "num_retries": 1})


RECEIVERS = {
    "typesense.sync.collections.Collections": lambda at: client(at).collections,
}
