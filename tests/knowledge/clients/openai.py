"""OpenAI's client and its asynchronous twin, for another address."""

import openai

OPTIONS = {"api_key": "a", "max_retries": 0, "timeout": 3}


def client(at):
    return openai.OpenAI(base_url=at.url, **OPTIONS)


def twin(at):
    return openai.AsyncOpenAI(base_url=at.url, **OPTIONS)


MESSAGES = [{"role": "user", "content": "a"}]
CALLS = {
    "openai.resources.chat.completions.completions.Completions.create": lambda at: client(
        at
    ).chat.completions.create(model="a", messages=MESSAGES),
    "openai.resources.chat.completions.completions.AsyncCompletions.create": lambda at: twin(
        at
    ).chat.completions.create(model="a", messages=MESSAGES),
    "openai.resources.embeddings.Embeddings.create": lambda at: client(at).embeddings.create(
        model="a", input="b"
    ),
    "openai.resources.images.Images.generate": lambda at: client(at).images.generate(prompt="a"),
    "openai.resources.models.Models.list": lambda at: client(at).models.list(),
    "openai.resources.responses.responses.Responses.create": lambda at: client(at).responses.create(
        model="a", input="b"
    ),
}
