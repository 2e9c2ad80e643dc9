"""Zep's client and its twin."""

from zep_cloud import AsyncZep, Zep

CALLS = {
    "zep_cloud.user.client.UserClient.get": lambda at: Zep(
        api_key="a", base_url=at.url, timeout=3
    ).user.get("a"),
    "zep_cloud.user.client.AsyncUserClient.get": lambda at: AsyncZep(
        api_key="a", base_url=at.url, timeout=3
    ).user.get("a"),
}
