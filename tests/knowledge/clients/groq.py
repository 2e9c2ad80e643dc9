"""Clients that are made like OpenAI's: Groq and Cerebras."""

import groq
from cerebras.cloud.sdk import Cerebras

OPTIONS = {"api_key": "a", "max_retries": 0, "timeout": 3}
MESSAGES = [{"role": "user", "content": "a"}]
CALLS = {
    "groq.resources.chat.completions.Completions.create": lambda at: groq.Groq(
        base_url=at.url, **OPTIONS
    ).chat.completions.create(model="a", messages=MESSAGES),
    "groq.resources.chat.completions.AsyncCompletions.create": lambda at: groq.AsyncGroq(
        base_url=at.url, **OPTIONS
    ).chat.completions.create(model="a", messages=MESSAGES),
    "cerebras.cloud.sdk.resources.chat.completions.CompletionsResource.create": lambda at: Cerebras(
        base_url=at.url, warm_tcp_connection=False, **OPTIONS
    ).chat.completions.create(model="a", messages=MESSAGES),
}
