"""Clients whose counterpart is entered around the statements that use them."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support import Case, case, everything
from test_fix_rows_proof import prove

HEAD = "import httpx\nimport asyncio\nfrom starlette.testclient import TestClient\n"
TITLE = "Use httpx2.AsyncClient with an ASGITransport"
MADE = (
    "httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), "
    'base_url="http://testserver", follow_redirects=True)'
)


def in_main(body: str, callee: str = "client.get", head: str = HEAD) -> Case:
    text = f"{head}\n\nasync def main():\n" + textwrap.indent(textwrap.dedent(body).strip(), "    ")
    return case(text + "\n", callee, "httpx2.Client.get", installed=everything)


@contextmanager
def an_app(delay: float) -> Iterator[dict[str, Any]]:
    """An application that takes its time without blocking the loop that it runs on."""
    starlette = pytest.importorskip("starlette.applications")

    from starlette.requests import Request
    from starlette.responses import JSONResponse, RedirectResponse, Response
    from starlette.routing import Route

    async def slow(request: Request) -> Response:
        await asyncio.sleep(delay)
        if request.url.path == "/moved":
            return RedirectResponse("/there?x=1")
        body = (await request.body()).decode()
        answer = [request.method, str(request.url), body, request.headers.get("x-a")]
        return JSONResponse(answer, status_code=503 if request.url.path == "/broken" else 200)

    methods = ["GET", "POST"]
    yield {"app": starlette.Starlette(routes=[Route("/{p:path}", slow, methods=methods)])}


@pytest.mark.parametrize(
    "body",
    [
        "client = TestClient(app)\nr = client.get('/a?b=c')\nreturn r.status_code, r.json()",
        "client = TestClient(app, 'http://x', headers={'x-a': 'b'})\n"
        "return client.get('/moved').json()",
        "client = TestClient(app, follow_redirects=False)\nreturn client.get('/moved').is_redirect",
        "return TestClient(app).get('/broken').status_code",
        "client = TestClient(app)\nif client.get('/a').is_success:\n    # again\n"
        "    return client.post(\n        '/b',\n        json=[1],\n    ).json()",
    ],
)
def test_an_app_runs_on_the_loop_of_its_test(body: str) -> None:
    callee = "TestClient(app).get" if "client =" not in body else "client.get"
    prove(in_main(body, callee), TITLE, an_app)


def test_a_client_of_the_module_stays_for_the_other_tests() -> None:
    head = HEAD + "from app import app\nclient = TestClient(app)\n"
    found = in_main("x = 1\nr = client.get('/')\nassert r.is_success\nreturn x", head=head)
    assert found.after(TITLE).endswith(
        f"    x = 1\n    async with {MADE} as client:\n        r = await client.get('/')\n"
        "    assert r.is_success\n    return x\n"
    )
    assert "client = TestClient(app)\n" in found.after(TITLE)


@pytest.mark.parametrize(
    "body",
    [
        "with TestClient(app) as client:\n    return client.get('/')",
        "client = TestClient(app)\nkeep(client)\nreturn client.get('/')",
        "client = TestClient(app, backend='trio')\nreturn client.get('/')",
        "client = TestClient(app, **more)\nreturn client.get('/')",
        "client = TestClient(app)\nclient.stream('GET', '/')\nreturn client.get('/')",
        "client = TestClient(app)\nreturn [lambda: client.get('/')], client.get('/')",
        "client = TestClient(app)\nclient = client.get('/')",
        "if app:\n    client = TestClient(app)\nreturn client.get('/')",
        "x = 1; client = TestClient(app)\nreturn client.get('/')",
    ],
)
def test_a_test_client_that_must_stay(body: str) -> None:
    """Among them one whose `with` starts the app: the other client would not."""
    assert TITLE not in in_main(body).titles


def test_another_app_of_the_same_name() -> None:
    head = HEAD + "from app import app\nclient = TestClient(app)\n"
    assert TITLE not in in_main("app = 1\nreturn app, client.get('/')", head=head).titles


def boto(body: str, callee: str) -> Case:
    text = f"import boto3\n\n\nasync def main(b):\n    {body}\n"
    return case(text, callee, f"boto3.{callee}", code="blocking-network", installed=everything)


def test_a_client_of_aws() -> None:
    body = "s3 = boto3.client('s3', region_name=b)\n    return s3.list_objects_v2(Bucket=b)['Name']"
    assert boto(body, "s3.list_objects_v2").after("aioboto3") == (
        "import aioboto3\n\n\nasync def main(b):\n"
        "    async with aioboto3.Session().client('s3', region_name=b) as s3:\n"
        "        return (await s3.list_objects_v2(Bucket=b))['Name']\n"
    )


@pytest.mark.parametrize(
    ("body", "callee"),
    [
        ("s3 = boto3.client('s3')\n    return s3.get_object(Bucket=b)", "s3.get_object"),
        ("s3 = boto3.client('s3')\n    return s3.do()['Body'].read()", "s3.do"),
        ("s3 = boto3.client('s3')\n    return s3.list(), s3.get_paginator('x')", "s3.list"),
    ],
)
def test_answers_that_are_read_otherwise(body: str, callee: str) -> None:
    assert not any("aioboto3" in title for title in boto(body, callee).titles)


def test_a_client_of_the_module_is_not_made_anew_for_each_call() -> None:
    text = "import boto3\n\ns3 = boto3.client('s3')\n\n\nasync def main(b):\n    s3.list(b)\n"
    found = case(text, "s3.list", "boto3.client.list", installed=everything)
    assert not any("aioboto3" in title for title in found.titles)
