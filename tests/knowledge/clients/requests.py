"""Requests: each call is a request, and a session is one client."""

import requests

CALLS = {
    f"requests.{verb}": lambda at, verb=verb: getattr(requests, verb)(at.url, timeout=3)
    for verb in ("get", "post", "put", "patch", "delete", "head", "options")
} | {
    f"requests.Session.{verb}": lambda at, verb=verb: getattr(requests.Session(), verb)(at.url)
    for verb in ("get", "post", "put", "patch", "delete", "head", "options")
}
