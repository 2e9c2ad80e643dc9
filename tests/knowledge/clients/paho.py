"""paho-mqtt sends without a wait for the answer, but the helpers wait for all of it."""

import paho.mqtt.publish
import paho.mqtt.subscribe

CALLS = {
    "paho.mqtt.publish.single": lambda at: paho.mqtt.publish.single(
        "a", hostname=at.host, port=at.port
    ),
    "paho.mqtt.publish.multiple": lambda at: paho.mqtt.publish.multiple(
        [("a", "b", 0, False)], hostname=at.host, port=at.port
    ),
    "paho.mqtt.subscribe.simple": lambda at: paho.mqtt.subscribe.simple(
        "a", hostname=at.host, port=at.port
    ),
}
