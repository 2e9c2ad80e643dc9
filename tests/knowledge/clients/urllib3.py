"""urllib3, without a second try."""

import urllib3

CALLS = {
    "urllib3.request": lambda at: urllib3.request("GET", at.url, retries=False),
    "urllib3.PoolManager.request": lambda at: urllib3.PoolManager().request(
        "GET", at.url, retries=False
    ),
    "urllib3.PoolManager.urlopen": lambda at: urllib3.PoolManager().urlopen(
        "GET", at.url, retries=False
    ),
    "urllib3.HTTPConnectionPool.urlopen": lambda at: urllib3.HTTPConnectionPool(
        at.host, at.port
    ).urlopen("GET", "/", retries=False),
}
