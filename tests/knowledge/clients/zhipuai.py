"""ZhipuAI's client, for another address."""

import zhipuai


def client(at):
    return zhipuai.ZhipuAI(api_key="a.b", base_url=at.url, max_retries=0, timeout=3)


MESSAGES = [{"role": "user", "content": "a"}]
CALLS = {
    "zhipuai.api_resource.chat.completions.Completions.create": lambda at: client(
        at
    ).chat.completions.create(model="a", messages=MESSAGES),
    "zhipuai.api_resource.embeddings.Embeddings.create": lambda at: client(at).embeddings.create(
        model="a", input="b"
    ),
}
