import asyncio
import tempfile
from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import frame
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.event import async_call_later, async_track_time_interval

from knowledge.spy import Spies

CORE, EVENT = "homeassistant.core", "homeassistant.helpers.event"


async def use(spies: Spies) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hass = HomeAssistant(folder)
        frame.async_setup(hass)
        listen(hass, spies)
        await entity(hass, spies)
        await hass.async_add_executor_job(
            plain(spies, f"{CORE}.HomeAssistant.async_add_executor_job")
        )
        hass.services.async_register(
            "shop", "order", plain(spies, f"{CORE}.ServiceRegistry.async_register")
        )
        await hass.services.async_call("shop", "order", blocking=True)
        hass.async_add_job(plain(spies, f"{CORE}.HomeAssistant.async_add_job"))
        hass.bus.async_fire("ordered")
        await asyncio.sleep(0.3)
        await hass.async_block_till_done()
        await hass.async_stop(force=True)


def plain(spies: Spies, name: str) -> Any:
    def note(*_given: Any) -> None:
        spies(name)

    return note


def listen(hass: HomeAssistant, spies: Spies) -> None:
    hass.bus.async_listen("ordered", plain(spies, f"{CORE}.EventBus.async_listen"))
    hass.bus.async_listen("ordered", callback(plain(spies, f"{CORE}.callback")))
    async_track_time_interval(
        hass, plain(spies, f"{EVENT}.async_track_time_interval"), timedelta(seconds=0.05)
    )
    async_call_later(hass, 0.05, plain(spies, f"{EVENT}.async_call_later"))


async def entity(hass: HomeAssistant, spies: Spies) -> None:
    class Meter(Entity):
        _attr_name = "meter"

        @property
        def state(self) -> str:
            spies("homeassistant.helpers.entity.Entity.state")
            return ""

        def update(self) -> None:
            spies("homeassistant.helpers.entity.Entity.update")

    meter = Meter()
    meter.hass = hass
    meter.entity_id = "sensor.meter"
    await meter.async_device_update()
    meter._async_write_ha_state()
