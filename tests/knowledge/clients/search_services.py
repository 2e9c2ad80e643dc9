"""Firecrawl's client, for another address."""

from firecrawl import Firecrawl

CALLS = {
    "firecrawl.v2.client.FirecrawlClient.scrape": lambda at: Firecrawl(
        "a", api_url=at.url, timeout=3, max_retries=0
    ).scrape("https://example.com"),
}
