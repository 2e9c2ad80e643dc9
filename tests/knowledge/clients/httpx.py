"""HTTPX: the module's functions, its client, and the asynchronous one."""

import httpx

VERBS = ("get", "post", "put", "patch", "delete", "head", "options")
CALLS = {f"httpx.{verb}": lambda at, verb=verb: getattr(httpx, verb)(at.url) for verb in VERBS} | {
    f"{name}.{verb}": lambda at, make=make, verb=verb: getattr(make(), verb)(at.url)
    for name, make in {"httpx.Client": httpx.Client, "httpx.AsyncClient": httpx.AsyncClient}.items()
    for verb in VERBS
}
