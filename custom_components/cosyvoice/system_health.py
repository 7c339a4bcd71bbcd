"""System health: whether the service can be reached, and its warm connections."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_REGION
from homeassistant.core import HomeAssistant, callback

from .client import Endpoint
from .const import CONF_BASE_URL, DOMAIN
from .coordinator import CosyVoiceConfigEntry


@callback
def async_register(
    hass: HomeAssistant, register: system_health.SystemHealthRegistration
) -> None:
    """Register the information of the integration."""
    register.async_register_info(
        _async_info, f"/config/integrations/integration/{DOMAIN}"
    )


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    entries: list[CosyVoiceConfigEntry] = hass.config_entries.async_entries(
        DOMAIN, include_disabled=False
    )
    return {
        "regions": ", ".join(sorted({entry.data[CONF_REGION] for entry in entries})),
        "can_reach_server": _async_check(hass, entries),
        "warm_connections": sum(
            entry.runtime_data.client.statistics.idle
            for entry in entries
            if entry.state is ConfigEntryState.LOADED
        ),
    }


async def _async_check(
    hass: HomeAssistant, entries: list[CosyVoiceConfigEntry]
) -> str | dict[str, str]:
    """Return "ok" if the server of every account answers, otherwise the failure."""
    try:
        urls = {
            Endpoint.create(
                entry.data[CONF_REGION], entry.data.get(CONF_BASE_URL)
            ).http_url
            for entry in entries
        }
    except ValueError:
        return {"type": "failed", "error": "unreachable"}
    for url in urls:
        answer = await system_health.async_check_can_reach_url(hass, url)
        if answer != "ok":
            return answer
    return "ok"
