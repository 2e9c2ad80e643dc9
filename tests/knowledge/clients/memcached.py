"""Clients of memcached connect with the first command."""

import memcache
import pymemcache

RECEIVERS = {
    "pymemcache.Client": lambda at: pymemcache.Client((at.host, at.port)),
    "pymemcache.PooledClient": lambda at: pymemcache.PooledClient((at.host, at.port)),
    "pymemcache.HashClient": lambda at: pymemcache.HashClient([(at.host, at.port)]),
    "memcache.Client": lambda at: memcache.Client([f"{at.host}:{at.port}"], socket_timeout=2),
}
