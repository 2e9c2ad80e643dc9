"""Clients that are kept become async with all that is done with them, executed before and after."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from stall import Names, Run, http_server, run
from test_fix_everywhere import Project, imported
from test_fix_proof import DELAYS
from test_fix_rows_proof import mongo_server

from loopsafe.model import Fix, Safety

HERE = Path(sys.prefix)
"""The environment with the libraries."""


def kept(project: Project, name: str = "app") -> Fix:
    """The first fix of a file's findings that is about an object that is kept."""
    path = str(project.root / f"{name}.py")
    for finding in project.engine.report(path).findings:
        for fix in project.engine.wide_fixes(finding):
            if fix.title.startswith("Make "):
                return fix
    raise AssertionError("nothing is offered")


def prove(project: Project, fix: Fix, patch: pytest.MonkeyPatch, names: Names) -> dict[str, str]:
    """Runs `app.main()` before and after; what `names` gives, the environment has."""
    assert fix.safety is Safety.UNSAFE, fix.caveat
    before = {path.stem: path.read_text() for path in project.root.glob("*.py")}
    after = project.after(fix)
    for delay in DELAYS:
        old = _run(project.root, before, patch, names, delay)
        new = _run(project.root, before | after, patch, names, delay)
        assert new.outcome == old.outcome
        assert old.stall >= delay * 0.6, "the call does not block"
        if old.stall >= 10 * new.stall:
            return after
    raise AssertionError(f"stalls: {old.stall:.3f} s before, {new.stall:.3f} s after")


def _run(
    root: Path, texts: dict[str, str], patch: pytest.MonkeyPatch, names: Names, delay: float
) -> Run:
    for name, text in texts.items():
        (root / f"{name}.py").write_text(text)
    with names(delay) as given:
        for name, value in given.items():
            patch.setenv(name.upper(), str(value))
        found = dict(zip(texts, imported(root, patch, *texts), strict=True))
        return run(found["app"].main, repr)


@contextmanager
def web(delay: float) -> Iterator[dict[str, Any]]:
    with http_server(delay) as address:
        yield {"address": address}


SESSION = """
    import os
    import requests

    AT = os.environ["ADDRESS"]
    session = requests.Session()
    session.headers["x-a"] = "b"
    session.auth = ("user", "word")


    async def load(path):
        answer = session.get(AT + path, timeout=20)
        return answer.status_code, answer.json()


    async def main():
        try:
            session.get(AT + "/broken").raise_for_status()
        except requests.HTTPError as error:
            failed = True
        x = await load("/moved"), session.post(AT + "/c", json=[1]).ok, failed
        session.close()
        return x
"""


def test_a_session_of_the_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path, HERE, app=SESSION)
    fix = kept(project)
    assert fix.title == "Make session an httpx.AsyncClient, and await all its calls"
    text = prove(project, fix, monkeypatch, web)["app"]
    assert "session = httpx.AsyncClient(timeout=None, follow_redirects=True)\n" in text
    assert "    answer = await session.get(AT + path, timeout=20)\n" in text
    assert '(await session.get(AT + "/broken")).raise_for_status()' in text
    assert "except (requests.HTTPError, httpx.HTTPStatusError) as error:" in text
    assert '(await session.post(AT + "/c", json=[1])).is_success' in text
    assert "    await session.aclose()\n" in text


def test_a_session_of_an_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = """
        import os
        from requests import Session


        class Api:
            def __init__(self):
                self.session = Session()
                self.session.headers.update({"x-a": "b"})

            async def load(self, path):
                return self.session.get(os.environ["ADDRESS"] + path).json()
    """
    # Made beside the loop, as a client loads certificates.
    app = "from api import Api\n\napi = Api()\n\n\nasync def main():\n"
    app += "    return await api.load('/a')\n"
    project = Project(tmp_path, HERE, app=app, api=api)
    after = prove(project, kept(project, "api"), monkeypatch, web)
    assert (
        after["api"]
        == textwrap.dedent(
            """
        import httpx
        import os


        class Api:
            def __init__(self):
                self.session = httpx.AsyncClient(timeout=None, follow_redirects=True)
                self.session.headers.update({"x-a": "b"})

            async def load(self, path):
                return (await self.session.get(os.environ["ADDRESS"] + path)).json()
        """
        ).lstrip()
    )


def test_a_session_that_other_files_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    web_file = "import requests\n\nsession = requests.Session()\n"
    more = """
        import os
        import web as http


        async def more():
            return http.session.get(os.environ["ADDRESS"] + "/b").json()
    """
    app = """
        import os
        from web import session as client
        from more import more


        async def main():
            return client.get(os.environ["ADDRESS"] + "/a").json(), await more()
    """
    project = Project(tmp_path, HERE, web=web_file, more=more, app=app)
    fix = kept(project)
    assert fix.title.endswith("(3 files)")
    after = prove(project, fix, monkeypatch, web)
    assert after["web"] == (
        "import httpx\n\nsession = httpx.AsyncClient(timeout=None, follow_redirects=True)\n"
    )
    assert "(await http.session.get(" in after["more"]
    assert "(await client.get(" in after["app"]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ("session.verify = False", "line 24 has no async way"),
        ("async def f():\n    session.mount('https://', Adapter())", "line 25 has no async way"),
        ("keep(session)", "line 24 has no async way"),
        ("def plain():\n    return session.get(AT)", "`await` may not stand in line 25"),
        ("async def f():\n    session.get(AT, stream=True)", "line 25 has no async way"),
        ("async def f():\n    return session.get(AT)", "line 25 has no async way"),
        ("def f():\n    global session\n    session = None", "is set anew in line 25"),
    ],
)
def test_a_session_that_stays(more: str, reason: str, tmp_path: Path) -> None:
    text = textwrap.dedent(SESSION).rstrip() + "\n\n" + more + "\n"
    fix = kept(Project(tmp_path, HERE, app=text))
    assert fix.kind == "refused"
    assert reason in fix.caveat


@pytest.mark.parametrize(
    ("other", "place"),
    [
        ("def f(mock):\n    mock.patch('app.session')\n", "other.py:2"),
        ("from app import *\n\nkeep(session)\n", "other.py:1"),
        ("def f():\n    from app import session\n", "other.py:1"),
        ("import app\n\napp.session = None\n", "other.py:3"),
        ("from app import session\n\n\ndef f():\n    session.get('')\n", "other.py: `await`"),
    ],
)
def test_a_session_that_another_file_keeps_as_it_is(other: str, place: str, tmp_path: Path) -> None:
    fix = kept(Project(tmp_path, HERE, app=SESSION, other=other))
    assert fix.kind == "refused"
    assert place in fix.caveat


DATABASE = """
    import os

    from pymongo import MongoClient
    from pymongo.database import Database

    client: MongoClient = MongoClient("127.0.0.1", int(os.environ["PORT"]), directConnection=True)
    db: Database = client["app"]
    users = db.users


    async def count():
        return len([row for row in users.find({"x": 1}).limit(3)])
"""
ROUTES = """
    from database import client, count, db, users


    async def main():
        one = users.find_one({"x": 1})
        every = list(users.find())
        total = 0
        for row in db["users"].find({}, {"_id": 0}).sort("x"):
            total += row["x"]
        collection = db.get_collection("users")
        collection.insert_one({"_id": 1})
        n = await count()
        client.close()
        return one, every, total, n
"""


def test_a_database_and_all_that_comes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pymongo.asynchronous")
    project = Project(tmp_path, HERE, database=DATABASE, app=ROUTES)
    fix = kept(project)
    assert fix.title == "Make client a pymongo.AsyncMongoClient, and await all its calls (2 files)"
    after = prove(project, fix, monkeypatch, mongo_server)
    assert (
        after["database"]
        == textwrap.dedent(
            """
        import os

        from pymongo import AsyncMongoClient
        from pymongo.asynchronous.database import AsyncDatabase

        client: AsyncMongoClient = AsyncMongoClient("127.0.0.1", int(os.environ["PORT"]), directConnection=True)
        db: AsyncDatabase = client["app"]
        users = db.users


        async def count():
            return len([row async for row in users.find({"x": 1}).limit(3)])
        """  # noqa: E501
        ).lstrip()
    )
    assert (
        after["app"]
        == textwrap.dedent(
            """
        from database import client, count, db, users


        async def main():
            one = await users.find_one({"x": 1})
            every = await users.find().to_list()
            total = 0
            async for row in db["users"].find({}, {"_id": 0}).sort("x"):
                total += row["x"]
            collection = db.get_collection("users")
            await collection.insert_one({"_id": 1})
            n = await count()
            await client.close()
            return one, every, total, n
        """
        ).lstrip()
    )


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ("users.create_index('x')", "`await` may not stand in line 17"),
        ("def f():\n    return db", "`db` goes somewhere in line 18"),
        ("fs = GridFS(db)", "`db` goes somewhere in line 17"),
        ("async def f():\n    return (x for x in users.find())", "by a generator in line 18"),
        ("async def f():\n    return [x for x in users.find()][0], users.watch()", "no async way"),
        ("async def f():\n    return users.find()", "goes somewhere in line 18"),
        ("def f(users):\n    pass", "`users` is another thing in line 17"),
    ],
)
def test_a_database_that_stays(more: str, reason: str, tmp_path: Path) -> None:
    pytest.importorskip("pymongo.asynchronous")
    text = textwrap.dedent(ROUTES).rstrip() + "\n\n\n" + more + "\n"
    fix = kept(Project(tmp_path, HERE, database=DATABASE, app=text))
    assert fix.kind == "refused"
    assert reason in fix.caveat


STUBS = """
    class GreeterStub:
        def __init__(self, channel):
            self.Greet = channel.unary_unary("/greet.Greeter/Greet")
            self.Parts = channel.unary_stream("/greet.Greeter/Parts")
"""
CALLS = """
    import os

    import grpc

    from stubs import GreeterStub


    async def main():
        with grpc.insecure_channel("127.0.0.1:" + os.environ["PORT"]) as channel:
            stub = GreeterStub(channel)
            answer = stub.Greet(b"you", timeout=20)
            try:
                stub.Greet(b"nobody")
            except grpc.RpcError as error:
                return answer, error.code(), error.details()
"""
PARTS = """
    import os

    import grpc

    from stubs import GreeterStub


    async def main():
        found = []
        with grpc.insecure_channel("127.0.0.1:" + os.environ["PORT"]) as channel:
            stub = GreeterStub(channel)
            for part in stub.Parts(b"you", timeout=20):
                found.append(part)
            more = stub.Parts(b"me")
            found += [part for part in more if part != b"1"]
            try:
                for part in stub.Parts(b"nobody"):
                    found.append(part)
            except grpc.RpcError as error:
                found.append(error.details())
        return found
"""


@contextmanager
def greeter(delay: float) -> Iterator[dict[str, Any]]:
    grpc = pytest.importorskip("grpc")

    def greet(request: bytes, context: Any) -> bytes:
        time.sleep(delay)
        if request == b"nobody":
            context.abort(grpc.StatusCode.NOT_FOUND, "nobody")
        return b"Hello " + request

    def parts(request: bytes, context: Any) -> Iterator[bytes]:
        for number in range(2):
            time.sleep(delay)
            yield str(number).encode() + request
        if request == b"nobody":
            context.abort(grpc.StatusCode.NOT_FOUND, "nobody")

    handler = grpc.unary_unary_rpc_method_handler(greet)
    stream = grpc.unary_stream_rpc_method_handler(parts)
    server = grpc.server(futures.ThreadPoolExecutor(4))
    generic = grpc.method_handlers_generic_handler(
        "greet.Greeter", {"Greet": handler, "Parts": stream}
    )
    server.add_generic_rpc_handlers((generic,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield {"port": port}
    server.stop(None)


def test_a_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path, HERE, stubs=STUBS, app=CALLS)
    fix = kept(project)
    assert fix.title == "Make channel a grpc.aio.Channel, and await all its calls"
    after = prove(project, fix, monkeypatch, greeter)["app"]
    assert "async with grpc.aio.insecure_channel(" in after
    assert 'answer = await stub.Greet(b"you", timeout=20)' in after


def test_the_answers_of_a_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path, HERE, stubs=STUBS, app=PARTS)
    fix = kept(project)
    assert fix.title == "Make channel a grpc.aio.Channel, and await all its calls"
    after = prove(project, fix, monkeypatch, greeter)["app"]
    assert 'async for part in stub.Parts(b"you", timeout=20):' in after
    assert 'more = stub.Parts(b"me")\n' in after
    assert 'found += [part async for part in more if part != b"1"]' in after


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('stub.Greet(b"nobody")', "stub.Parts(b'')", "`Parts` in line 13 has no async way"),
        ('stub.Greet(b"nobody")', "tuple(stub.Parts(b''))", "`Parts` in line 13 has no async way"),
        ('stub.Greet(b"nobody")', "stub.Greet.future(b'')", "line 13 has no async way"),
        ('stub.Greet(b"nobody")', "keep(stub)", "`stub` goes somewhere in line 13"),
        (
            "stub = GreeterStub(channel)",
            "stub = GreeterStub(channel)\n            self.s = GreeterStub(channel)",
            "kept elsewhere",
        ),
    ],
)
def test_a_channel_that_stays(old: str, new: str, reason: str, tmp_path: Path) -> None:
    fix = kept(Project(tmp_path, HERE, stubs=STUBS, app=CALLS.replace(old, new)))
    assert fix.kind == "refused"
    assert reason in fix.caveat


def test_a_channel_of_the_module_belongs_to_another_loop(tmp_path: Path) -> None:
    text = """
        import grpc
        from stubs import GreeterStub

        channel = grpc.insecure_channel("")
        stub = GreeterStub(channel)


        async def main():
            return stub.Greet(b"")
    """
    fix = kept(Project(tmp_path, HERE, stubs=STUBS, app=text))
    assert "the loop that runs where it is made" in fix.caveat
