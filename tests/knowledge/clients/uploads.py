"""Where files go to, at another address."""

import cloudinary
import cloudinary.api
import smbclient
import winrm
from webdav3.client import Client


def resources(at):
    cloudinary.config(cloud_name="a", api_key="b", api_secret="c", upload_prefix=at.url)
    return cloudinary.api.ping(timeout=3)


def webdav(at):
    return Client({"webdav_hostname": at.url, "webdav_timeout": 3, "webdav_disable_check": True})


CALLS = {
    "cloudinary.api.ping": resources,
    "webdav3.client.Client.list": lambda at: webdav(at).list(),
    "webdav3.client.Client.mkdir": lambda at: webdav(at).mkdir("a"),
    "smbclient.listdir": lambda at: smbclient.listdir(
        rf"\\{at.host}\a", username="a", password="b", port=at.port, connection_timeout=3
    ),
    "winrm.Session.run_cmd": lambda at: winrm.Session(
        at.url, auth=("a", "b"), read_timeout_sec=4, operation_timeout_sec=3
    ).run_cmd("a"),
}
