"""Meilisearch's client asks with each call."""

import meilisearch

RECEIVERS = {
    "meilisearch.Client": lambda at: meilisearch.Client(at.url, timeout=3),
    "meilisearch.index.Index": lambda at: meilisearch.Client(at.url, timeout=3).index("a"),
}
