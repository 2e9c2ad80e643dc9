"""Qdrant's client and its twin."""

from qdrant_client import AsyncQdrantClient, QdrantClient

OPTIONS = {"timeout": 3, "check_compatibility": False}
CALLS = {
    "qdrant_client.QdrantClient.get_collections": lambda at: QdrantClient(
        url=at.url, **OPTIONS
    ).get_collections(),
    "qdrant_client.QdrantClient.count": lambda at: QdrantClient(url=at.url, **OPTIONS).count("a"),
    "qdrant_client.AsyncQdrantClient.get_collections": lambda at: AsyncQdrantClient(
        url=at.url, **OPTIONS
    ).get_collections(),
}
