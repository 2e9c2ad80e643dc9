"""Pika connects when a connection is made."""

import pika

CALLS = {
    "pika.BlockingConnection": lambda at: pika.BlockingConnection(
        pika.ConnectionParameters(at.host, at.port)
    ),
}
