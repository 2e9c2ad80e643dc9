"""Notion's client and its twin."""

from notion_client import AsyncClient, Client

CALLS = {
    "notion_client.Client.request": lambda at: Client(base_url=at.url, timeout_ms=3000).request(
        "users", "GET"
    ),
    "notion_client.AsyncClient.request": lambda at: AsyncClient(
        base_url=at.url, timeout_ms=3000
    ).request("users", "GET"),
}
