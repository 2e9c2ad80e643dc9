"""Kombu connects when a channel is first needed."""

import kombu


def connection(at):
    return kombu.Connection(f"amqp://{at.host}:{at.port}")


CALLS = {
    "kombu.Connection": connection,
    "kombu.Connection.connect": lambda at: connection(at).connect(),
    "kombu.Connection.channel": lambda at: connection(at).channel(),
    "kombu.Connection.ensure_connection": lambda at: connection(at).ensure_connection(
        max_retries=1
    ),
    "kombu.Connection.SimpleQueue": lambda at: connection(at).SimpleQueue("a"),
}
