"""Clients of Azure besides those of blobs become their async twins; some against a stand-in."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest
from support import Case, case
from test_fix_rows_proof import main
from test_fix_services import Service, proved_azure

_XML = '<?xml version="1.0" encoding="utf-8"?>'
_DAY = "Thu, 01 Jan 2026 00:00:00 GMT"
_LETTER = (
    f"<QueueMessage><MessageId>1</MessageId><InsertionTime>{_DAY}</InsertionTime><ExpirationTime>"
    f"{_DAY}</ExpirationTime><PopReceipt>p</PopReceipt><TimeNextVisible>{_DAY}</TimeNextVisible>"
    "<DequeueCount>1</DequeueCount><MessageText>hello</MessageText></QueueMessage>"
)


class _Queue(Service):
    """Every other time that somebody asks for letters there are none."""

    asked = 0

    def answer(self, path: str, asked: bytes) -> tuple[int, str, bytes, dict[str, str]]:
        if "comp=list" in path:
            queues = "<Queues><Queue><Name>letters</Name></Queue></Queues><NextMarker />"
            text = f"{_XML}<EnumerationResults>{queues}</EnumerationResults>"
            return 200, "application/xml", text.encode(), {}
        if self.command in ("PUT", "DELETE"):
            return 201 if self.command == "PUT" else 204, "text/plain", b"", {}
        _Queue.asked += self.command == "GET"
        letters = _LETTER if self.command == "POST" or _Queue.asked % 2 else ""
        text = f"{_XML}<QueueMessagesList>{letters}</QueueMessagesList>"
        return 201 if self.command == "POST" else 200, "application/xml", text.encode(), {}


QUEUE = """
    import os

    from azure.storage.queue import QueueServiceClient

    service = QueueServiceClient(
        os.environ["ADDRESS"] + "/account", credential="a2V5", retry_total=0
    )
    letters = service.get_queue_client("letters")


    async def main():
        sent = letters.send_message("hello")
        texts = [letter.content for letter in letters.receive_messages()]
        for letter in letters.receive_messages():
            letters.delete_message(letter)
        names = [queue.name for queue in service.list_queues()]
        made = service.create_queue("new")
        made.send_message("x")
        found = list(letters.receive_messages())
        service.close()
        return sent.id, texts, names, made.queue_name, len(found)
"""


def test_a_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    after = proved_azure(tmp_path, monkeypatch, "azure.storage.queue.aio", QUEUE, _Queue)
    assert "from azure.storage.queue.aio import QueueServiceClient\n" in after
    assert "[letter.content async for letter in letters.receive_messages()]" in after
    assert 'made = await service.create_queue("new")\n    await made.send_message("x")' in after
    assert "found = [item async for item in letters.receive_messages()]" in after


class _Table(Service):
    def answer(self, path: str, asked: bytes) -> tuple[int, str, bytes, dict[str, str]]:
        row = {"PartitionKey": "p", "RowKey": "r", "name": "one"}
        if "missing" in path:
            error = {"odata.error": {"code": "ResourceNotFound", "message": {"value": "none"}}}
            return 404, "application/json", json.dumps(error).encode(), {}
        if self.command == "POST":
            return 204, "application/json", b"", {"etag": 'W/"1"'}
        found = row if "PartitionKey" in path else {"value": [row, row]}
        return 200, "application/json", json.dumps(found).encode(), {"etag": 'W/"1"'}


TABLE = """
    import os

    from azure.core.credentials import AzureNamedKeyCredential
    from azure.core.exceptions import ResourceNotFoundError
    from azure.data.tables import TableServiceClient

    at = os.environ["ADDRESS"]
    tables = TableServiceClient(
        at, credential=AzureNamedKeyCredential("account", "a2V5"), retry_total=0
    )


    async def main():
        people = tables.get_table_client("people")
        people.create_entity({"PartitionKey": "p", "RowKey": "r"})
        names = [p["name"] for p in people.query_entities("PartitionKey eq 'p'")]
        one = people.get_entity("p", "r")["name"]
        try:
            people.get_entity("p", "missing")
        except ResourceNotFoundError as error:
            status = error.status_code
        tables.close()
        return names, one, status
"""


def test_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    after = proved_azure(tmp_path, monkeypatch, "azure.data.tables.aio", TABLE, _Table)
    assert "from azure.data.tables.aio import TableServiceClient\n" in after
    assert """[p["name"] async for p in people.query_entities("PartitionKey eq 'p'")]""" in after
    assert 'one = (await people.get_entity("p", "r"))["name"]' in after


def in_block(made: str, body: str, callee: str, sink: str) -> Case:
    """A function that makes a client for a block."""
    module, _, name = made.partition("(")[0].rpartition(".")
    block = f"with {name}({made.partition('(')[2]} as client:\n{textwrap.indent(body, '    ')}"
    text = main(block, f"from {module} import {name}")
    return case(text, callee, sink, code="blocking-network")


VAULT = "azure.keyvault.secrets.SecretClient(url, credential)"
COSMOS = "azure.cosmos.CosmosClient(url, key)"
BUS = "azure.servicebus.ServiceBusClient(at, credential)"


@pytest.mark.parametrize(
    ("made", "body", "callee", "sink", "after"),
    [
        (
            VAULT,
            "return client.get_secret('a').value",
            "client.get_secret",
            "azure.keyvault.secrets.SecretClient.get_secret",
            "return (await client.get_secret('a')).value",
        ),
        (
            VAULT,
            "return [s.name for s in client.list_properties_of_secrets()]",
            "client.list_properties_of_secrets()",
            "azure.core.paging.ItemPaged.__next__",
            "return [s.name async for s in client.list_properties_of_secrets()]",
        ),
        (
            COSMOS,
            "users = client.get_database_client('a').get_container_client('users')\n"
            "return list(users.query_items('select *', enable_cross_partition_query=True))",
            "list",
            "azure.core.paging.ItemPaged.__next__",
            "users = client.get_database_client('a').get_container_client('users')\n"
            "return [item async for item in users.query_items('select *')]",
        ),
        (
            COSMOS,
            "users = client.create_database_if_not_exists('a').get_container_client('users')\n"
            "for user in users.query_items(enable_cross_partition_query=True, query='select *'):\n"
            "    users.upsert_item(user)",
            "users.upsert_item",
            "azure.cosmos.ContainerProxy.upsert_item",
            "users = (await client.create_database_if_not_exists('a'))"
            ".get_container_client('users')\n"
            "async for user in users.query_items(query='select *'):\n"
            "    await users.upsert_item(user)",
        ),
        (
            BUS,
            "with client.get_queue_receiver('a', max_wait_time=5) as receiver:\n"
            "    for message in receiver:\n        receiver.complete_message(message)",
            "receiver.complete_message",
            "azure.servicebus.ServiceBusReceiver.complete_message",
            "async with client.get_queue_receiver('a', max_wait_time=5) as receiver:\n"
            "    async for message in receiver:\n"
            "        await receiver.complete_message(message)",
        ),
    ],
)
def test_other_clients(made: str, body: str, callee: str, sink: str, after: str) -> None:
    module, _, name = made.partition("(")[0].rpartition(".")
    found = in_block(made, body, callee, sink).after(f"Use {module}.aio.{name}")
    assert f"from {module}.aio import {name}\n" in found
    assert "    async with " in found
    assert textwrap.indent(after, "        ") in found


@pytest.mark.parametrize(
    ("made", "body", "callee"),
    [
        (VAULT, "client.get_secret('a')\nclient.begin_delete_secret('a')", "client.get_secret"),
        (
            COSMOS,
            "client.list_databases(10)\nclient.create_database('a')",
            "client.create_database",
        ),
        (
            COSMOS,
            "db = client.create_database('a')\n"
            "db.get_container_client('u').query_items('x', enable_cross_partition_query=y)",
            "client.create_database",
        ),
        (
            BUS,
            "with client.get_queue_sender('a') as s:\n    s.send_messages(x)\nkeep(s)",
            "s.send_messages",
        ),
    ],
)
def test_what_has_no_async_way_stays(made: str, body: str, callee: str) -> None:
    cls = made.partition("(")[0]
    sink = f"{cls}.{callee.rpartition('.')[2]}"
    if callee.startswith("s."):
        sink = "azure.servicebus.ServiceBusSender.send_messages"
    assert not any(".aio." in title for title in in_block(made, body, callee, sink).titles)


def test_a_twin_that_could_make_no_requests_is_not_offered() -> None:
    """Azure's async clients need aiohttp."""
    text = main(
        "with SecretClient(url, c) as client:\n    return client.get_secret('a').value",
        "from azure.keyvault.secrets import SecretClient",
    )
    sink = "azure.keyvault.secrets.SecretClient.get_secret"

    def titles(*missing: str) -> list[str]:
        found = case(text, "client.get_secret", sink, installed=lambda name: name not in missing)
        return found.titles

    assert any(".aio." in title for title in titles())
    assert not any(".aio." in title for title in titles("aiohttp"))
