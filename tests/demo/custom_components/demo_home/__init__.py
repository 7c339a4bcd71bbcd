"""What the demo needs beside the integration: a loudspeaker and someone who talks."""

from dataclasses import replace
from types import MappingProxyType

from homeassistant.config_entries import SOURCE_IMPORT, ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from .config_flow import DOMAIN
from .hearing import adapt

CONFIG_SCHEMA = cv.empty_config_schema(DOMAIN)
PLATFORMS = (Platform.CONVERSATION, Platform.MEDIA_PLAYER)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Make the config entry that carries the entities, and offer the action."""
    adapt()
    hass.services.async_register(DOMAIN, "move_region", _move_region)
    # Not awaited: the flow waits until this set-up is done.
    hass.async_create_task(
        hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_IMPORT})
    )
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Set up the loudspeaker and the conversation agent."""
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


@callback
def _move_region(call: ServiceCall) -> None:
    """Have a region of the service be at another URL until Home Assistant ends."""
    from custom_components.cosyvoice.client import CATALOGUE, Endpoint

    region = call.data["region"]
    there = Endpoint.create(region, call.data["url"])
    moved = replace(
        CATALOGUE.regions[region],
        websocket_url=there.websocket_urls[0],
        http_url=there.http_url,
    )
    regions = MappingProxyType({**CATALOGUE.regions, region: moved})
    object.__setattr__(CATALOGUE, "regions", regions)
