"""limits asks its storage, here Redis."""

from limits import parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

LIMIT = parse("1/minute")


def storage(at):
    return storage_from_string(f"redis://{at.host}:{at.port}", socket_timeout=3)


CALLS = {
    "limits.strategies.FixedWindowRateLimiter.hit": lambda at: FixedWindowRateLimiter(
        storage(at)
    ).hit(LIMIT, "a"),
    "limits.strategies.MovingWindowRateLimiter.test": lambda at: MovingWindowRateLimiter(
        storage(at)
    ).test(LIMIT, "a"),
}
