"""Devices at home, by the protocols that a port is enough for."""

import librouteros
import transmission_rpc
from adb_shell.adb_device import AdbDeviceTcp
from fritzconnection import FritzConnection
from plexapi.server import PlexServer
from pychromecast import get_chromecast_from_host
from yeelight import Bulb

CALLS = {
    "librouteros.connect": lambda at: librouteros.connect(
        at.host, "a", "b", port=at.port, timeout=3
    ),
    "transmission_rpc.Client": lambda at: transmission_rpc.Client(
        host=at.host, port=at.port, timeout=3
    ),
    "adb_shell.adb_device.AdbDevice.connect": lambda at: AdbDeviceTcp(
        at.host, at.port, 3
    ).connect(),
    "fritzconnection.FritzConnection": lambda at: FritzConnection(at.url, port=at.port, timeout=3),
    "plexapi.server.PlexServer": lambda at: PlexServer(at.url, "a", timeout=3),
    "pychromecast.get_chromecast_from_host": lambda at: get_chromecast_from_host(
        (at.host, at.port, None, None, None)
    ),
    "yeelight.Bulb.turn_on": lambda at: Bulb(at.host, port=at.port).turn_on(),
    "yeelight.Bulb.get_properties": lambda at: Bulb(at.host, port=at.port).get_properties(),
}
