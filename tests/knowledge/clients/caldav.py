"""CalDAV's client asks with each call."""

import caldav


def client(at):
    return caldav.DAVClient(at.url, username="a", password="b", timeout=3)


CALLS = {
    "caldav.DAVClient.principal": lambda at: client(at).principal(),
    "caldav.DAVClient.propfind": lambda at: client(at).propfind(),
    "caldav.DAVClient.request": lambda at: client(at).request("/"),
}
