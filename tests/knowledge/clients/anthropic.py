"""Anthropic's client and its asynchronous twin, for another address."""

import anthropic

OPTIONS = {"api_key": "a", "max_retries": 0, "timeout": 3}
MESSAGE = {"model": "a", "max_tokens": 1, "messages": [{"role": "user", "content": "a"}]}


def client(at):
    return anthropic.Anthropic(base_url=at.url, **OPTIONS)


CALLS = {
    "anthropic.resources.messages.messages.Messages.create": lambda at: client(at).messages.create(
        **MESSAGE
    ),
    "anthropic.resources.messages.messages.Messages.count_tokens": lambda at: client(
        at
    ).messages.count_tokens(model="a", messages=MESSAGE["messages"]),
    "anthropic.resources.messages.messages.AsyncMessages.create": lambda at: (
        anthropic.AsyncAnthropic(base_url=at.url, **OPTIONS).messages.create(**MESSAGE)
    ),
    "anthropic._resource.SyncAPIResource.list": lambda at: client(at).models.list(),
}
