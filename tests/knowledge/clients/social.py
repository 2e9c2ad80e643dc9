"""Social networks, for another address."""

import atproto
from mastodon import Mastodon


def mastodon(at):
    return Mastodon(
        access_token="a", api_base_url=at.url, version_check_mode="none", request_timeout=3
    )


CALLS = {
    "mastodon.Mastodon.me": lambda at: mastodon(at).me(),
    "mastodon.Mastodon.toot": lambda at: mastodon(at).toot("a"),
    "atproto.Client.login": lambda at: atproto.Client(base_url=at.url).login("a.b.c", "d"),
    "atproto.AsyncClient.login": lambda at: atproto.AsyncClient(base_url=at.url).login(
        "a.b.c", "d"
    ),
}
