"""Requests are made by an async client that is installed."""

from __future__ import annotations

import pytest
from support import REQUESTS, body, case, check, everything, line_after

from loopsafe.model import Safety


@pytest.mark.parametrize(
    ("before", "arguments", "call"),
    [
        ("requests.get(u)", "timeout=None, follow_redirects=True", "get(u)"),
        ("requests.get(u, g)", "timeout=None, follow_redirects=True", "get(u, params=g)"),
        ("requests.get(u, (g))", "timeout=None, follow_redirects=True", "get(u, params=(g))"),
        ("requests.get(u, timeout=3)", "follow_redirects=True", "get(u, timeout=3)"),
        ("requests.head(u)", "timeout=None", "head(u)"),
        (
            "requests.get(u, allow_redirects=False)",
            "timeout=None",
            "get(u, follow_redirects=False)",
        ),
        (
            "requests.post(u, json=g, verify=False, headers=g)",
            "timeout=None, follow_redirects=True, verify=False",
            "post(u, json=g, headers=g)",
        ),
        ("requests.post(u, {'a': g})", "timeout=None, follow_redirects=True",
         "post(u, data={'a': g})"),
        ("requests.request('GET', u)", "timeout=None, follow_redirects=True", "request('GET', u)"),
    ],
)  # fmt: skip
def test_requests_by_an_async_client(before: str, arguments: str, call: str) -> None:
    callee = before.partition("(")[0]
    found = body(f"r = {before}", REQUESTS, callee=callee, installed=everything)
    assert line_after(found, "AsyncClient") == (
        f"async with httpx.AsyncClient({arguments}) as client:\n        r = await client.{call}"
    )
    assert found.fix("AsyncClient").safety is Safety.UNSAFE
    assert "Run" in found.cures[1].title


@pytest.mark.parametrize(
    "line",
    [
        "return requests.get(u)",
        "g(requests.get(u))",
        "r = requests.get(u); return r",
        "r = requests.get(u, stream=True)",
        "r = requests.get(u, **g)",
        "r = requests.get(u, timeout=(1, 2))",
        "r = requests.get(u, data={})",
        "r = requests.get(u, verify=g)",
        "r = requests.get(u).iter_content()",
        "if requests.get(u).ok: pass",
        "r: requests.Response = requests.get(u)",
        "r = [requests.get(x) for x in u]",
    ],
)
def test_requests_stays_where_httpx_differs(line: str) -> None:
    assert "AsyncClient" not in str(body(line, REQUESTS, installed=everything).titles)


def test_an_async_client_must_be_installed() -> None:
    found = body("r = requests.get(u)", "import requests\n")
    assert "AsyncClient" not in str(found.titles)
    newer = body("r = requests.get(u)", "import requests\n", installed=lambda n: n == "httpx2")
    assert newer.fix("AsyncClient").title == "Use httpx2.AsyncClient"


def test_the_response_and_its_errors_follow_the_client() -> None:
    check(
        case(
            """
            import httpx
            import requests


            async def load(client, u):
                try:
                    response = requests.get(
                        u,
                        cookies={"a": "b"},
                        headers={},
                    )
                    response.raise_for_status()
                except (requests.HTTPError, KeyError) as error:
                    raise Missing from error
                except requests.exceptions.Timeout:
                    return None
                if not response.ok:
                    print(response.reason)
                return response.text
            """,
            "requests.get",
            installed=everything,
        ),
        """
        import httpx
        import requests


        async def load(client, u):
            try:
                async with httpx.AsyncClient(timeout=None, follow_redirects=True, cookies={"a": "b"}) as client_2:
                    response = await client_2.get(
                        u,
                        headers={},
                    )
                response.raise_for_status()
            except (requests.HTTPError, KeyError, httpx.HTTPStatusError) as error:
                raise Missing from error
            except (requests.exceptions.Timeout, httpx.TimeoutException):
                return None
            if not response.is_success:
                print(response.reason_phrase)
            return response.text
        """,  # noqa: E501
        "AsyncClient",
    )


def test_an_error_without_a_counterpart_keeps_requests() -> None:
    text = """
        import requests

        async def f(u):
            try:
                requests.get(u)
            except requests.exceptions.InvalidHeader:
                pass
    """
    assert "AsyncClient" not in str(case(text, "requests.get", installed=everything).titles)


def test_httpx_has_an_async_client_of_its_own() -> None:
    found = body("return g(httpx.get(u, timeout=1).text)", "import httpx\n", callee="httpx.get",
                 installed=everything)  # fmt: skip
    assert line_after(found) == (
        "async with httpx.AsyncClient() as client:\n"
        "        return g((await client.get(u, timeout=1)).text)"
    )
    assert found.cures[0].safety is Safety.SAFE
    found = body("httpx.post(u, content=g)", "import httpx\n", callee="httpx.post",
                 installed=everything)  # fmt: skip
    assert found.cures[0].safety is Safety.UNSAFE


def test_a_session_becomes_async_as_a_whole() -> None:
    check(
        case(
            """
            import requests


            async def load(u):
                with requests.Session() as session:
                    session.headers["a"] = "b"
                    first = session.get(u, allow_redirects=False)
                    return session.post(u, json=first.json()).text
            """,
            "session.get",
            "requests.Session.get",
            installed=everything,
        ),
        """
        import httpx


        async def load(u):
            async with httpx.AsyncClient(timeout=None, follow_redirects=True) as session:
                session.headers["a"] = "b"
                first = await session.get(u, follow_redirects=False)
                return (await session.post(u, json=first.json())).text
        """,
        "AsyncClient",
    )


@pytest.mark.parametrize(
    "line",
    [
        "print(c)",
        "c.mount(u)",
        "r = c.head(u)",
        "r = c.get(u, verify=False)",
        "return c.get(u)",
        "r = [c.get(x).text for x in u], (c.get(x).text for x in u)",
        "h = lambda: c.get(u).text",
        "h = c.get",
    ],
)
def test_a_session_with_other_uses_stays(line: str) -> None:
    text = f"""
        import requests

        async def f(u):
            with requests.Session() as c:
                x = c.get(u).text
                {line}
    """
    found = case(text, "c.get", "requests.Session.get", installed=everything)
    assert "AsyncClient" not in str(found.titles)


@pytest.mark.parametrize(
    ("block", "after"),
    [
        (
            "with requests.post(u, stream=True, json=g, verify=False) as r:\n"
            "        for part in r.iter_content(chunk_size=8):\n            print(part)",
            "async with httpx.AsyncClient(timeout=None, follow_redirects=True, verify=False) as "
            'client, client.stream("POST", u, json=g) as r:\n'
            "        async for part in r.aiter_bytes(chunk_size=8):\n            print(part)",
        ),
        (
            "with requests.get(url=u, timeout=3, stream=True) as r:\n        return r.ok",
            "async with httpx.AsyncClient(follow_redirects=True) as client, "
            'client.stream("GET", url=u, timeout=3) as r:\n        return r.is_success',
        ),
        ("with requests.get(u, stream=g) as r:\n        return r.ok", None),
        ("with requests.get(u, stream=True) as r:\n        return r.json()", None),
        ("with requests.get(u, stream=True) as r:\n        g(r)", None),
        ("with requests.get(u, stream=True) as r:\n        g(r.iter_content(8))", None),
        (
            "with requests.get(u, stream=True) as r:\n        for line in r.iter_lines():\n"
            "            print(line)",
            None,
        ),
        (
            "with requests.get(u, stream=True) as r:\n"
            "        for t in r.iter_content(8, decode_unicode=True):\n            print(t)",
            None,
        ),
        (
            "with requests.get(u, stream=True) as r:\n"
            "        x = lambda: [p for p in r.iter_content(8)]",
            None,
        ),
    ],
)
def test_an_answer_in_parts(block: str, after: str | None) -> None:
    callee = block[5 : block.index("(")]
    found = body(block, REQUESTS, callee=callee, installed=everything)
    if after is None:
        assert not any("stream" in title for title in found.titles)
    else:
        assert line_after(found, "AsyncClient.stream") == after
