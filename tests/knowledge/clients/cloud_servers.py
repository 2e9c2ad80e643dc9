"""Services whose clients take another address."""

import apify_client
import hcloud

CALLS = {
    "hcloud.core.client.ResourceClientBase.get_all": lambda at: hcloud.Client(
        "a", api_endpoint=at.url, timeout=3
    ).servers.get_all(),
    "apify_client._resource_clients.actor.ActorClient.get": lambda at: (
        apify_client.ApifyClient("a", api_url=at.url, max_retries=1).actor("b").get()
    ),
    "apify_client._resource_clients.actor.ActorClientAsync.get": lambda at: (
        apify_client.ApifyClientAsync("a", api_url=at.url, max_retries=1).actor("b").get()
    ),
}
