"""DashScope's calls, for another address."""

import dashscope


def generate(at):
    dashscope.base_http_api_url = at.url
    return dashscope.Generation.call(model="a", prompt="b", api_key="c")


CALLS = {"dashscope.Generation.call": generate}
