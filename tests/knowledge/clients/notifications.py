"""What sends notifications, to another address."""

import apprise
from discord_webhook import AsyncDiscordWebhook, DiscordWebhook


def sender(at):
    made = apprise.Apprise()
    made.add(f"json://{at.host}:{at.port}")
    return made


CALLS = {
    "apprise.Apprise.notify": lambda at: sender(at).notify("a"),
    "discord_webhook.DiscordWebhook.execute": lambda at: DiscordWebhook(
        at.url, content="a", timeout=3
    ).execute(),
    "discord_webhook.AsyncDiscordWebhook.execute": lambda at: AsyncDiscordWebhook(
        at.url, content="a", timeout=3
    ).execute(),
}
