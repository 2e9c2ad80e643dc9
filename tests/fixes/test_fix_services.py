"""Clients of services become their async twins, executed against a stand-in of each service."""

from __future__ import annotations

import json
import socketserver
import struct
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from stall import served
from support import Case, case, everything
from test_fix_everywhere import Project
from test_fix_kept import HERE, kept
from test_fix_kept import prove as prove_kept
from test_fix_rows_proof import main, prove


class Service(BaseHTTPRequestHandler):
    """Answers every request after a while, as the address says."""

    delay = 0.1

    def do_POST(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        asked = self.rfile.read(size)
        time.sleep(self.delay)
        status, kind, body, headers = self.answer(self.path, asked)
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST

    def answer(self, path: str, asked: bytes) -> tuple[int, str, bytes, dict[str, str]]:
        raise NotImplementedError

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Model(Service):
    """Claude's messages, as a whole or in parts."""

    def answer(self, path: str, asked: bytes) -> tuple[int, str, bytes, dict[str, str]]:
        if json.loads(asked)["model"] == "none":
            error = {"type": "error", "error": {"type": "not_found_error", "message": "none"}}
            return 404, "application/json", json.dumps(error).encode(), {}
        message = {
            "id": "1", "type": "message", "role": "assistant", "model": "m", "stop_reason": None,
            "content": [{"type": "text", "text": "Hi"}], "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }  # fmt: skip
        if not json.loads(asked).get("stream"):
            return 200, "application/json", json.dumps(message).encode(), {}
        events = [
            {"type": "message_start", "message": {**message, "content": []}},
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "text", "text": ""},
            },
            *(
                {
                    "type": "content_block_delta",
                    "index": 0,
                    "delta": {"type": "text_delta", "text": t},
                }
                for t in "abc"
            ),
            {"type": "message_stop"},
        ]
        lines = (f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
        return 200, "text/event-stream", "".join(lines).encode(), {}


MODEL = "client = Anthropic(base_url=address, api_key='k', max_retries=0)\n"
ASK = "client.messages.create(model='m', max_tokens=9, messages=[{'role': 'user', 'content': 'x'}]"


@pytest.mark.parametrize(
    "body",
    [
        f"answer = {ASK})\nclient.close()\nreturn answer.content[0].text",
        f"return {ASK}).usage.input_tokens",
        f"text = ''\nfor part in {ASK}, stream=True):\n    text += part.type\nreturn text",
        f"return {ASK.replace(chr(39) + 'm' + chr(39), repr('none'))})",
    ],
)
def test_a_model(body: str) -> None:
    pytest.importorskip("anthropic")
    callee, sink = "client.messages.create", "anthropic.Anthropic.messages.create"
    found = case(main(MODEL + body, "from anthropic import Anthropic"), callee, sink)
    prove(found, "AsyncAnthropic", served(_Model))


class _Search(Service):
    def answer(self, path: str, asked: bytes) -> tuple[int, str, bytes, dict[str, str]]:
        headers = {"x-elastic-product": "Elasticsearch"}
        if "missing" in path:
            return 404, "application/json", b'{"error": "none", "status": 404}', headers
        body = {"took": 1, "hits": {"total": {"value": 1}, "hits": [json.loads(asked or b"1")]}}
        return 200, "application/json", json.dumps(body).encode(), headers


@pytest.mark.parametrize(
    ("callee", "body"),
    [
        (
            "es.search",
            "x = es.search(index='a', query={'match_all': {}})['hits']\nes.close()\nreturn x",
        ),
        ("es.search", "with Elasticsearch(address) as es:\n    return es.search(index='a').body"),
        ("es.indices.create", "x = es.indices.create(index='a').body\nes.close()\nreturn x"),
        (
            "es.get",
            "from elasticsearch import NotFoundError\ntry:\n    es.get(index='missing', id='1')\n"
            "except NotFoundError as error:\n    es.close()\n    return error.status_code",
        ),
    ],
)
def test_a_search(callee: str, body: str) -> None:
    pytest.importorskip("elasticsearch")
    if not body.startswith("with"):
        body = f"es = Elasticsearch(address)\n{body}"
    sink = f"elasticsearch.Elasticsearch.{callee.rpartition('.')[2]}"
    found = case(main(body, "from elasticsearch import Elasticsearch"), callee, sink)
    prove(found, "AsyncElasticsearch", served(_Search))


class _Buckets(Service):
    def answer(self, path: str, asked: bytes) -> tuple[int, str, bytes, dict[str, str]]:
        body = (
            b'<?xml version="1.0"?><ListAllMyBucketsResult><Buckets><Bucket><Name>one</Name>'
            b"</Bucket></Buckets><Owner><ID>me</ID></Owner></ListAllMyBucketsResult>"
        )
        return 200, "application/xml", body, {}


def test_a_store_of_aws() -> None:
    pytest.importorskip("aioboto3")
    body = (
        "s3 = boto3.client('s3', endpoint_url=address, region_name='x', aws_access_key_id='a',\n"
        "                  aws_secret_access_key='b')\n"
        "return s3.list_buckets()['Buckets'], s3.list_buckets()['Owner']"
    )
    found = case(
        main(body, "import boto3"), "s3.list_buckets", "boto3.client.list_buckets",
        code="blocking-network", installed=everything,
    )  # fmt: skip
    prove(found, "aioboto3", served(_Buckets))


class _Blobs(Service):
    def answer(self, path: str, asked: bytes) -> tuple[int, str, bytes, dict[str, str]]:
        if "comp=list" in path:
            body = (
                b'<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>'
                b"<Blob><Name>a</Name></Blob><Blob><Name>b</Name></Blob></Blobs><NextMarker />"
                b"</EnumerationResults>"
            )
            return 200, "application/xml", body, {}
        if self.command == "PUT":
            return 201, "text/plain", b"", {"etag": '"1"'}
        changed = {"last-modified": "Thu, 01 Jan 2026 00:00:00 GMT", "etag": '"1"'}
        status = 404 if "missing" in path else 206
        ranges = {"content-range": "bytes 0-4/5", "x-ms-blob-type": "BlockBlob"}
        return status, "application/octet-stream", b"hello", {**changed, **ranges}


BLOBS = """
    import os

    from azure.core.exceptions import ResourceNotFoundError
    from azure.storage.blob import BlobServiceClient

    AT = os.environ["ADDRESS"] + "/account"
    service = BlobServiceClient(AT, credential="a2V5", retry_total=0)
    box = service.get_container_client("box")


    async def read(name):
        return box.get_blob_client(name).download_blob().readall()


    async def main():
        names = [blob.name for blob in box.list_blobs()]
        for blob in box.list_blobs(name_starts_with="a"):
            names.append(blob.name)
        box.upload_blob("c", b"new", overwrite=True)
        found = await read("a")
        try:
            await read("missing")
        except ResourceNotFoundError as error:
            status = error.status_code
        service.close()
        return names, found, status
"""


def proved_azure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, twin: str, app: str, service: type[Service]
) -> str:
    """A module after its kept client of Azure has become the twin of a package, as proved."""
    pytest.importorskip(twin)
    pytest.importorskip("aiohttp")
    project = Project(tmp_path, HERE, app=app)
    return prove_kept(project, kept(project), monkeypatch, served(service))["app"]


def test_a_store_of_azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    after = proved_azure(tmp_path, monkeypatch, "azure.storage.blob.aio", BLOBS, _Blobs)
    assert "from azure.storage.blob.aio import BlobServiceClient\n" in after
    assert "return await (await box.get_blob_client(name).download_blob()).readall()" in after
    assert "names = [blob.name async for blob in box.list_blobs()]" in after


def azure(body: str, imports: str = "") -> Case:
    text = main(body, f"{imports}from azure.storage.blob import BlobServiceClient\n")
    callee = "service.create_container"
    return case(text, callee, f"azure.storage.blob.BlobServiceClient.{callee[8:]}")


def test_a_store_of_azure_that_a_block_closes() -> None:
    found = azure(
        "with BlobServiceClient(at, DefaultAzureCredential()) as service:\n"
        "    service.create_container('a')",
        "from azure.identity import DefaultAzureCredential\n",
    )
    assert found.after("BlobServiceClient") == (
        "from azure.identity.aio import DefaultAzureCredential\n"
        "from azure.storage.blob.aio import BlobServiceClient\n\n\nasync def main():\n"
        "    async with BlobServiceClient(at, DefaultAzureCredential()) as service:\n"
        "        await service.create_container('a')\n"
    )


@pytest.mark.parametrize(
    "body",
    [
        "service = BlobServiceClient(at)\nservice.create_container('a')",
        "c = DefaultAzureCredential()\nwith BlobServiceClient(at, c) as service:\n"
        "    service.create_container('a')",
    ],
)
def test_a_store_of_azure_that_stays(body: str) -> None:
    """One that nobody closes would warn; one with a blocking credential would fail."""
    imports = "from azure.identity import DefaultAzureCredential\n"
    assert not any("aio" in title for title in azure(body, imports).titles)


class _Postgres(socketserver.StreamRequestHandler):
    """Lets everybody in, and answers each query after a while."""

    delay = 0.1

    def handle(self) -> None:
        while True:
            size, code = struct.unpack("!ii", self.rfile.read(8))
            self.rfile.read(size - 8)
            if code not in (80877103, 80877104):  # It asks for encryption.
                break
            self.wfile.write(b"N")
        self._say(b"R", struct.pack("!i", 0))
        for pair in (b"server_version\x0016.0\x00", b"client_encoding\x00UTF8\x00"):
            self._say(b"S", pair)
        self._say(b"K", struct.pack("!ii", 1, 1))
        self._say(b"Z", b"I")
        while kind := self.rfile.read(1):
            text = self.rfile.read(struct.unpack("!i", self.rfile.read(4))[0] - 4)
            if kind != b"Q":
                return
            self._answer(text.rstrip(b"\0").lower())

    def _answer(self, query: bytes) -> None:
        if query.startswith(b"select"):
            time.sleep(self.delay)
            column = b"x\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0)
            self._say(b"T", struct.pack("!h", 1) + column)
            for value in (b"one", b"two"):
                row = struct.pack("!hi", 1, len(value)) + value
                self._say(b"D", row)
        if query.startswith(b"fail"):
            time.sleep(self.delay)
            self._say(b"E", b"SERROR\0C42601\0Mno such thing\0\0")
        else:
            self._say(b"C", query.split()[0].upper() + b" 2\0")
        self._say(b"Z", b"T" if query == b"begin" else b"I")

    def _say(self, kind: bytes, body: bytes) -> None:
        self.wfile.write(kind + struct.pack("!i", len(body) + 4) + body)


POSTGRES = "psycopg.connect(host='127.0.0.1', port=port, user='u', dbname='d')"


@pytest.mark.parametrize(
    ("callee", "body"),
    [
        (
            "conn.execute",
            f"conn = {POSTGRES}\nx = conn.execute('select x').fetchall()\nconn.close()\nreturn x",
        ),
        (
            "cur.execute",
            f"with {POSTGRES} as conn:\n    with conn.cursor() as cur:\n"
            "        cur.execute('select x')\n        return cur.fetchone(), cur.fetchall()",
        ),
        (
            "cur.execute",
            f"conn = {POSTGRES}\ncur = conn.cursor()\ncur.execute('select x')\nrows = []\n"
            "for row in cur:\n    rows.append(row)\nconn.commit()\nconn.close()\nreturn rows",
        ),
        ("conn.execute", f"with {POSTGRES} as conn:\n    conn.execute('fail x')"),
    ],
)
def test_postgresql(callee: str, body: str) -> None:
    pytest.importorskip("psycopg")
    owner = "Connection" if callee.startswith("conn") else "Cursor"
    text = main(body, "import psycopg")
    found = case(text, callee, f"psycopg.{owner}.execute", code="blocking-database")
    prove(found, "psycopg.AsyncConnection", served(_Postgres))
