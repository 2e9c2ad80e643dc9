"""Maps and translation, for another address."""

import deepl
import googlemaps


def maps(at):
    return googlemaps.Client(key="AIza", base_url=at.url, timeout=3, retry_timeout=3)


CALLS = {
    "googlemaps.Client.geocode": lambda at: maps(at).geocode("a"),
    "googlemaps.Client.directions": lambda at: maps(at).directions("a", "b"),
    "deepl.Translator.translate_text": lambda at: deepl.Translator(
        "a", server_url=at.url
    ).translate_text("a", target_lang="DE"),
    "deepl.DeepLClient.get_usage": lambda at: deepl.DeepLClient("a", server_url=at.url).get_usage(),
}
