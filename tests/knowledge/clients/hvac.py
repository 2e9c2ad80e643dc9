"""Vault's client asks with each call."""

import hvac

RECEIVERS = {"hvac.Client": lambda at: hvac.Client(url=at.url, token="a", timeout=3)}
LEFT_OUT = {"hvac.Client.auth_cubbyhole": "is left for older servers"}
