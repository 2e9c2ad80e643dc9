"""Markets, for another address."""

import kiteconnect
import tronpy
from binance import Client
from tronpy.providers import HTTPProvider


def binance(at):
    made = Client("a", "b", ping=False, requests_params={"timeout": 3})
    made.API_URL = f"{at.url}/api"
    return made


CALLS = {
    "binance.Client.ping": lambda at: binance(at).ping(),
    "binance.Client.get_account": lambda at: binance(at).get_account(),
    "kiteconnect.KiteConnect.profile": lambda at: kiteconnect.KiteConnect(
        "a", "b", root=at.url, timeout=3
    ).profile(),
    "tronpy.Tron.get_latest_block": lambda at: tronpy.Tron(
        HTTPProvider(at.url, timeout=3)
    ).get_latest_block(),
}
