"""PyMySQL, logged in to a server that then falls silent."""

import struct
from functools import partial

import pymysql

from knowledge.stand_in import StandIn


def packet(number, body):
    return struct.pack("<I", len(body))[:3] + bytes([number]) + body


GREETING = packet(
    0,
    b"\x0a8.0.0\0"
    + struct.pack("<I", 1)
    + b"a" * 8
    + b"\0"
    + struct.pack("<H", 0xF7FF)
    + b"\x21"
    + struct.pack("<H", 2)
    + struct.pack("<H", 0x81FF)
    + b"\x15"
    + b"\0" * 10
    + b"a" * 12
    + b"\0mysql_native_password\0",
)


def answer(data):
    """Says OK to the login and to everything after it."""
    return packet(data[3] + 1, b"\0\0\0\2\0\0\0")


service = partial(StandIn, answer, GREETING)


def connection(at):
    return pymysql.connect(host=at.host, port=at.port, user="a", password="b")


RECEIVERS = {
    "pymysql.Connection": connection,
    "pymysql.cursors.Cursor": lambda at: connection(at).cursor(),
}
LEFT_OUT = {"pymysql.cursors.Cursor.nextset": "needs a result before"}
