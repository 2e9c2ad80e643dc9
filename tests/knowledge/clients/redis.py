"""redis-py connects when the first command is sent."""

import redis
import redis.asyncio

RECEIVERS = {
    "redis.Redis": lambda at: redis.Redis(port=at.port),
    "redis.client.Pipeline": lambda at: redis.Redis(port=at.port).pipeline().set("a", "b"),
    "redis.lock.Lock": lambda at: redis.Redis(port=at.port).lock("a"),
    "redis.client.PubSub": lambda at: redis.Redis(port=at.port).pubsub(),
    "redis.commands.json.JSON": lambda at: redis.Redis(port=at.port).json(),
    "redis.commands.timeseries.TimeSeries": lambda at: redis.Redis(port=at.port).ts(),
    "redis.commands.search.Search": lambda at: redis.Redis(port=at.port).ft(),
    "redis.asyncio.Redis": lambda at: redis.asyncio.Redis(port=at.port),
}
CALLS = {
    "redis.from_url": lambda at: redis.from_url(f"redis://{at.host}:{at.port}"),
}
