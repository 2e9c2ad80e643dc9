"""Slack's client and its webhooks."""

from slack_sdk import WebClient, WebhookClient

CALLS = {
    "slack_sdk.WebClient.chat_postMessage": lambda at: WebClient(
        "a", base_url=f"{at.url}/", timeout=3
    ).chat_postMessage(channel="a", text="b"),
    "slack_sdk.WebClient.auth_test": lambda at: WebClient(
        "a", base_url=f"{at.url}/", timeout=3
    ).auth_test(),
    "slack_sdk.WebhookClient.send": lambda at: WebhookClient(at.url, timeout=3).send(text="a"),
}
