"""The cures that put an async library in the place of a blocking one, executed before and after."""

from __future__ import annotations

import json
import os
import re
import socketserver
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from stall import Names, Run, http_server, module, run, served
from support import Case, case, everything
from test_fix_proof import DELAYS

FILES = "import json\nimport os\nimport pathlib\nimport aiofiles\n"


def prove(found: Case, title: str, names: Names, library: str = "asyncio") -> None:
    """Runs `main()` before and after; `names(delay)` is a context with what the text uses."""
    after = found.after(title)
    for delay in DELAYS:
        old, new = (_run(text, names, delay, library) for text in (found.text, after))
        assert new.outcome == old.outcome
        assert old.stall >= delay * 0.6, "the call does not block"
        if old.stall >= 10 * new.stall:
            return
    raise AssertionError(f"stalls: {old.stall:.3f} s before, {new.stall:.3f} s after")


def _run(text: str, names: Names, delay: float, library: str) -> Run:
    with names(delay) as given:
        return run(module(text, **given).main, repr, library)


@contextmanager
def pipe(delay: float, folder: Path) -> Iterator[dict[str, Any]]:
    """A file whose content comes only a while after it is opened, as from a slow network drive."""
    path = folder / f"slow-{time.monotonic_ns()}"
    os.mkfifo(path)

    def write() -> None:
        with path.open("w") as file:  # Goes on when somebody opens it for reading.
            time.sleep(delay)
            file.write('{"a": [1,\n2]}\n')

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    yield {"path": str(path)}
    thread.join()


def main(body: str, imports: str) -> str:
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    return f"{imports}\n\nasync def main():\n{lines}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs named pipes")
@pytest.mark.parametrize("library", ["aiofiles", "anyio", "trio"])
@pytest.mark.parametrize(
    "body",
    [
        "with open(path) as f:\n    return f.read().split(), f.closed",
        "with open(path) as f:\n    return json.load(f)['a']",
        "n = 0\nwith open(path, encoding='utf-8') as f:\n    for line in f:\n"
        "        n += len(line)\nreturn n",
        "with open(path, 'rb') as f:\n    while a := f.read(3):\n        b = a\nreturn b",
        "with open(path) as f, open(os.devnull) as g:\n    return f.readlines(), g.read()",
    ],
)
def test_a_file(body: str, library: str, tmp_path: Path) -> None:
    text = main(body, f"import json\nimport os\nimport {library}")
    used = "trio" if library == "trio" else "asyncio"
    prove(case(text, "open"), f"Use {library}.open", lambda d: pipe(d, tmp_path), used)


@pytest.mark.parametrize("library", ["aiofiles", "anyio"])
@pytest.mark.parametrize(
    ("made", "body"),
    [
        (
            "NamedTemporaryFile",
            "with tempfile.NamedTemporaryFile('w+', prefix='slow-') as f:\n"
            "    f.write('a\\nb')\n    f.seek(0)\n    x = [len(l) for l in f]\n"
            "    y = os.path.exists(f.name)\nreturn x, y, os.path.exists(f.name)",
        ),
        (
            "TemporaryFile",
            "with tempfile.TemporaryFile(prefix='slow-') as f:\n"
            "    f.write(b'ab')\n    f.seek(1)\n    return f.read()",
        ),
        (
            "TemporaryDirectory",
            "with tempfile.TemporaryDirectory('x', 'slow-') as d:\n"
            "    await asyncio.sleep(0)\n    x = os.listdir(d)\n"
            "return x, os.path.exists(d), os.path.basename(d)[:5]",
        ),
    ],
)
def test_what_goes_when_it_is_left(
    made: str, body: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Temporary files and folders, on a disk that is slow to make them."""
    makers = {name: getattr(os, name) for name in ("open", "mkdir")}

    @contextmanager
    def slow(delay: float) -> Iterator[dict[str, Any]]:
        for name, make in makers.items():

            def wait(path: Any, *args: Any, _make: Any = make, **kwargs: Any) -> Any:
                time.sleep(delay if "slow-" in str(path) else 0)
                return _make(path, *args, **kwargs)

            monkeypatch.setattr(os, name, wait)
        monkeypatch.setattr(tempfile, "_O_TMPFILE_WORKS", False)
        yield {}
        monkeypatch.undo()

    text = main(body, f"import asyncio\nimport os\nimport tempfile\nimport {library}")
    found = case(text, f"tempfile.{made}")
    prove(found, f".{made}()", slow)


@pytest.mark.parametrize(
    "body",
    [
        "with tempfile.NamedTemporaryFile() as f:\n    keep(f)",
        "with tempfile.NamedTemporaryFile() as f:\n    f.file.write(b'')",
        "with tempfile.NamedTemporaryFile(**more) as f:\n    f.write(b'')",
        "with tempfile.NamedTemporaryFile(delete_on_close=False) as f:\n    f.write(b'')",
        "f = tempfile.NamedTemporaryFile()\nf.write(b'')",
    ],
)
def test_a_temporary_file_that_stays(body: str) -> None:
    found = case(main(body, "import tempfile\nimport aiofiles"), "tempfile.NamedTemporaryFile")
    assert not any(title.startswith("Use ") for title in found.titles)


@pytest.mark.parametrize("callee", ["open", "json.load"])
def test_each_finding_of_a_block_has_the_same_cure(callee: str) -> None:
    """Wherever the light bulb is: at the opening, or at what reads."""
    found = case(main("with open('x') as f:\n    return json.load(f)", FILES), callee)
    assert found.after("Use aiofiles.open()").endswith(
        "    async with aiofiles.open('x') as f:\n        return json.loads(await f.read())\n"
    )


def test_writing_a_file(tmp_path: Path) -> None:
    """What is written is the same, byte for byte."""
    body = (
        "with open(path, 'w') as f:\n    json.dump({'a': [1, 'ü']}, f, indent=2)\n    f.write('x')"
    )
    found = case(main(body, FILES), "open")
    texts = []
    for text in (found.text, found.after("aiofiles.open")):
        path = tmp_path / "out"
        run(module(text, path=path).main, repr)
        texts.append(path.read_bytes())
    assert texts[0] == texts[1]


@pytest.mark.skipif(sys.platform == "win32", reason="needs named pipes")
def test_a_path(tmp_path: Path) -> None:
    text = main("return pathlib.Path(path).read_text().strip()", "import pathlib\nimport anyio")
    found = case(text, "pathlib.Path(path).read_text", "pathlib.Path.read_text")
    prove(found, "anyio.Path.read_text", lambda d: pipe(d, tmp_path))


@pytest.mark.parametrize(
    ("library", "title"),
    [("aiofiles", "aiofiles.os.path.exists"), ("anyio", "anyio.Path.exists")],
)
def test_the_file_system(library: str, title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stat = os.stat

    @contextmanager
    def slow(delay: float) -> Iterator[dict[str, Any]]:
        def wait(path: Any, *args: Any, **kwargs: Any) -> Any:
            time.sleep(delay if not isinstance(path, int) and os.fspath(path) == "/nowhere" else 0)
            return stat(path, *args, **kwargs)

        monkeypatch.setattr(os, "stat", wait)
        yield {}
        monkeypatch.undo()

    text = main("return os.path.exists('/nowhere')", f"import os\nimport {library}")
    prove(case(text, "os.path.exists"), title, slow)


@pytest.mark.parametrize(
    "line",
    [
        "os.makedirs(p + '/a/b', exist_ok=True)\nreturn os.listdir(p)",
        "os.mkdir(p + '/a', 0o700)\nreturn oct(os.stat(p + '/a').st_mode)",
        "open(p + '/a', 'w').close()\nos.rename(p + '/a', p + '/b')\nreturn os.listdir(p)",
        "os.remove(p + '/a')",
        "os.rmdir(p)\nreturn os.path.exists(p)",
        "return os.path.isdir(p), os.path.islink(p)",
        "return os.stat(p + '/a', follow_symlinks=False)",
    ],
)
def test_what_a_path_of_anyio_does_is_the_same(line: str, tmp_path: Path) -> None:
    name = next(n for n in re.findall(r"os\.[a-z.]+", line) if n not in ("os.listdir", "os.fspath"))
    found = case(main(line, "import os\nimport anyio"), name)
    outcomes = []
    for number, text in enumerate((found.text, found.after("anyio.Path"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        outcome = run(module(text, p=str(folder)).main, repr).outcome
        outcomes.append(str(outcome).replace(str(folder), "p"))
    assert outcomes[0] == outcomes[1]


@contextmanager
def waiting(delay: float) -> Iterator[dict[str, Any]]:
    def work(x: int) -> int:
        time.sleep(delay)
        return x * 2

    def fail(x: int) -> int:
        time.sleep(delay)
        raise LookupError(x)

    class Lock:
        """A lock that somebody else holds for a while."""

        def __init__(self) -> None:
            self.lock = threading.Lock()
            self.lock.acquire()
            threading.Timer(delay, self.lock.release).start()

        def __enter__(self) -> None:
            self.lock.acquire()

        def __exit__(self, *error: object) -> None:
            self.lock.release()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.lock, name)

    def rows() -> Iterator[int]:
        for number in range(3):
            time.sleep(delay / 3)
            yield number

    @contextmanager
    def scope() -> Iterator[int]:
        time.sleep(delay)
        yield 5

    program = [
        sys.executable,
        "-c",
        f"import time; time.sleep({delay}); print('a'); raise SystemExit(3)",
    ]
    names = {"work": work, "fail": fail, "rows": rows, "scope": scope, "Lock": Lock}
    yield {**names, "python": program[0], "code": program[2], "delay": delay}


POOL = "from concurrent.futures import ThreadPoolExecutor\n"


@pytest.mark.parametrize("function", ["work", "fail"])
@pytest.mark.parametrize("limit", ["", "timeout=30"])
def test_a_future_of_threads(function: str, limit: str) -> None:
    callee = f"pool.submit({function}, 4).result"
    body = f"with ThreadPoolExecutor() as pool:\n    return {callee}({limit}) + 1"
    found = case(main(body, POOL), callee, "concurrent.futures.Future.result")
    prove(found, "asyncio.wrap_future", waiting)


def test_a_lock_of_threads() -> None:
    body = "lock = Lock()\nwith lock:\n    x = lock.locked()\nreturn x, lock.locked()"
    text = main(body, "import asyncio")
    found = case(text, "lock", "threading.Lock.__enter__", occurrence=1)
    prove(found, "", waiting)
    body = body.replace("    x =", "    await asyncio.sleep(0)\n    x =")
    found = case(main(body, "import asyncio"), "lock", "threading.Lock.__enter__", occurrence=1)
    prove(found, "Acquire lock in a thread", waiting)


@pytest.mark.parametrize(
    "body",
    [
        "return [x for x in rows()]",
        "return sorted(rows())",
        "n = 0\nfor i, x in enumerate(rows()):\n    n += i * x\nreturn n",
        "for x in rows():\n    pass\nelse:\n    return x",
    ],
)
@pytest.mark.parametrize("idiom", ["asyncio", "starlette"])
def test_an_iterator(body: str, idiom: str) -> None:
    found = case(main(body, "import sys"), "rows", "time.sleep", chain=2, lazy=True, offload=idiom)
    prove(found, "in a thread", waiting)


def test_a_context_manager() -> None:
    body = "with scope() as x:\n    await asyncio.sleep(0)\n    return x"
    text = main(body, "import asyncio\nimport fastapi")
    found = case(text, "scope", "time.sleep", chain=2, offload="starlette")
    prove(found, "contextmanager_in_threadpool", waiting)


def test_calls_side_by_side() -> None:
    found = case(main("return [work(x) for x in (1, 2) if x]", "import sys"), "work", chain=2)
    prove(found, "at once", waiting)


@contextmanager
def session(delay: float) -> Iterator[dict[str, Any]]:
    """A session that says which threads it was used in, and for what."""

    class Session:
        def __init__(self) -> None:
            self.threads: set[int] = set()
            self.log: list[Any] = []

        def do(self, *given: Any) -> Any:
            self.threads.add(threading.get_ident())
            self.log.append(given)
            time.sleep(delay / 3)
            return given

        get = add = commit = refresh = do

    yield {"Session": Session}


@pytest.mark.parametrize(
    "body",
    [
        "x = db.get(1)\nif not x:\n    raise LookupError(x)\nx = [x]\ndb.commit(x[0])\n"
        "return x, db.log, len(db.threads)",
        "for x in range(2):\n    y = db.get(x)\n    db.commit(y)\n    await asyncio.sleep(0)\n"
        "return x, y, db.log",
        "await asyncio.sleep(0)\nx = db.get(1)\ndb.commit(x)\ny = db.refresh(x)\n"
        "await asyncio.sleep(0)\nreturn x, y, db.log, len(db.threads)",
    ],
)
def test_a_unit_of_work(body: str) -> None:
    text = main(f"db = Session()\n{body}", "import asyncio")
    found = case(text, "db.commit", "sqlalchemy.orm.Session.commit", code="blocking-database")
    assert "load more on the loop" in found.cures[0].caveat
    prove(found, "Run the statements that use `db` in a thread", session)


class _Redis(socketserver.StreamRequestHandler):
    """Answers every command after a while, in the protocol of Redis."""

    delay = 0.1

    def handle(self) -> None:
        while (line := self.rfile.readline()).startswith(b"*"):
            words = []
            for _ in range(int(line[1:])):
                size = int(self.rfile.readline()[1:])
                words.append(self.rfile.read(size + 2)[:-2].upper())
            if words[0] == b"GET":
                time.sleep(self.delay)
                self.wfile.write(b"$3\r\nred\r\n")
            elif words[0] == b"HELLO":
                self.wfile.write(b"-ERR unknown command\r\n")
            else:
                self.wfile.write(b"+OK\r\n")


redis_server = served(_Redis)


@pytest.mark.parametrize(
    "body",
    [
        "r = redis.Redis(port=port, protocol=2)\nx = r.get('a').decode()\nr.close()\nreturn x",
        "with redis.Redis(port=port, protocol=2) as r:\n    return r.get('a')",
    ],
)
def test_redis(body: str) -> None:
    pytest.importorskip("redis")
    found = case(main(body, "import redis\nimport redis.asyncio"), "r.get", "redis.Redis.get")
    prove(found, "redis.asyncio.Redis", redis_server)


class _Parts(BaseHTTPRequestHandler):
    """Answers with three parts of a text, one by one."""

    delay = 0.1

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for part in ("a", "b", "c"):
            time.sleep(self.delay / 3)
            choice = {"index": 0, "delta": {"content": part}, "finish_reason": None}
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
            self.wfile.write(f"data: {json.dumps({**chunk, 'choices': [choice]})}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, format: str, *args: Any) -> None:
        pass


parts = served(_Parts)


@pytest.mark.parametrize("loop", ["", "direct", "with"])
def test_an_answer_in_parts(loop: str) -> None:
    pytest.importorskip("openai")
    call = "client.chat.completions.create(model='m', messages=[], stream=True)"
    body = {
        "": f"answer = {call}\nfor part in answer:\n    ",
        "direct": f"for part in {call}:\n    ",
        "with": f"with {call} as answer:\n    for part in answer:\n        ",
    }[loop]
    body = (
        "client = OpenAI(base_url=address, api_key='k', max_retries=0)\ntext = ''\n"
        f"{body}text += part.choices[0].delta.content\nreturn text"
    )
    callee, sink = "client.chat.completions.create", "openai.OpenAI.chat.completions.create"
    found = case(main(body, "from openai import OpenAI"), callee, sink)
    texts = [found.text, found.after("AsyncOpenAI")]
    outcomes = []
    for text in texts:
        with parts(0.2) as names:
            outcomes.append(run(module(text, **names).main, repr).outcome)
    assert outcomes[0] == outcomes[1] == ("result", "'abc'")


def test_openai() -> None:
    pytest.importorskip("openai")

    @contextmanager
    def model(delay: float) -> Iterator[dict[str, Any]]:
        with http_server(delay) as address:
            yield {"address": address}

    body = "client = OpenAI(base_url=address, api_key='k', max_retries=0)\n"
    body += (
        "return client.embeddings.create(model='m', input='a', encoding_format='float').to_dict()"
    )
    callee, sink = "client.embeddings.create", "openai.OpenAI.embeddings.create"
    found = case(main(body, "from openai import OpenAI"), callee, sink)
    after = found.after("AsyncOpenAI")
    outcomes = []
    for text in (found.text, after):
        with model(0.2) as names:
            outcomes.append(run(module(text, **names).main, lambda r: sorted(r)))
    assert outcomes[0].outcome == outcomes[1].outcome
    assert outcomes[0].outcome[0] == "result"


def test_names_of_hosts() -> None:
    """The answer of the loop is that of the library."""
    body = "return sorted(map(repr, socket.getaddrinfo('127.0.0.1', 80, socket.AF_INET)))"
    found = case(main(body, "import socket"), "socket.getaddrinfo")
    outcomes = [run(module(t).main, repr).outcome for t in (found.text, found.after("getaddrinfo"))]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "result"


def test_an_upload() -> None:
    starlette = pytest.importorskip("starlette.datastructures")
    text = """
        import io
        from starlette.datastructures import UploadFile

        async def take(upload: UploadFile):
            return upload.file.read(2), upload.file.read()

        async def main():
            return await take(UploadFile(io.BytesIO(b"abcd")))
    """
    found = case(text, "upload.file.read", "typing.BinaryIO.read")
    assert starlette.UploadFile
    outcomes = [run(module(t).main, repr).outcome for t in (found.text, found.after("upload.read"))]
    assert outcomes[0] == outcomes[1] == ("result", "(b'ab', b'cd')")


def test_everything_is_installed_here() -> None:
    """The stand-in of the environment says yes, so that the first library is taken."""
    found = case(main("with open('x') as f:\n    return f.read()", "import sys"), "open",
                 installed=everything)  # fmt: skip
    assert found.titles[0] == "Use aiofiles.open()"
    assert "depends on aiofiles" in found.cures[0].caveat


class _Mongo(socketserver.StreamRequestHandler):
    """Answers what a client asks first at once, and each command after a while."""

    delay = 0.1

    def handle(self) -> None:
        while len(header := self.rfile.read(16)) == 16:
            length, number, _, code = struct.unpack("<iiii", header)
            body = self.rfile.read(length - 16)
            if code == 2004:  # A query, which only the first question is.
                start = body.index(b"\0", 4) + 9
                answer = struct.pack("<iqii", 8, 0, 0, 1) + self._answer(body[start:])
                code = 1
            else:
                answer = struct.pack("<ib", 0, 0) + self._answer(body[5:])
            self.wfile.write(struct.pack("<iiii", len(answer) + 16, 1, number, code) + answer)

    def _answer(self, document: bytes) -> bytes:
        bson = pytest.importorskip("bson")
        asked = bson.decode(document[: struct.unpack("<i", document[:4])[0]])
        command = next(iter(asked))
        if command in ("find", "insert"):
            time.sleep(self.delay)
        answer: dict[str, Any] = {"ok": 1.0, "n": 1}
        if command == "find":
            answer["cursor"] = {"id": 0, "ns": "app.users", "firstBatch": [{"x": 1}, {"x": 2}]}
        elif command.lower() in ("ismaster", "hello"):
            answer |= {"ismaster": True, "maxWireVersion": 21, "minWireVersion": 0}
        return bytes(bson.encode(answer))


mongo_server = served(_Mongo)


MONGO = "client = MongoClient('127.0.0.1', port, directConnection=True)\n"


@pytest.mark.parametrize(
    ("call", "sink", "body"),
    [
        (
            "client['app'].users.find_one",
            "collection.Collection.find_one",
            "x = client['app'].users.find_one({'x': 1})\nclient.close()\nreturn x",
        ),
        (
            "client['app'].users.find({})",
            "cursor.Cursor.__iter__",
            "x = list(client['app'].users.find({}))\nclient.close()\nreturn x",
        ),
        (
            "client.app.users.find({}).limit(2)",
            "cursor.Cursor.__iter__",
            "x = [1]\nfor row in client.app.users.find({}).limit(2):\n    x.append(row)\n"
            "client.close()\nreturn x",
        ),
        (
            "client.app.users.insert_one",
            "collection.Collection.insert_one",
            "client.app.users.insert_one({'_id': 1})\nclient.close()",
        ),
    ],
)
def test_mongodb(call: str, sink: str, body: str) -> None:
    pytest.importorskip("pymongo.asynchronous")
    text = main(MONGO + body, "from pymongo import MongoClient")
    found = case(text, call, f"pymongo.{sink}", installed=everything)
    prove(found, "AsyncMongoClient", mongo_server)
