"""System health: whether the service can be reached, and its warm connections."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_REGION
from homeassistant.core import HomeAssistant, callback

from .account import create_client
from .const import DOMAIN
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
    regions = {str(entry.data.get(CONF_REGION)) for entry in entries}
    return {
        "regions": ", ".join(sorted(regions)),
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
    """Return "ok" if each account can reach the service, otherwise the failure."""
    for urls in {_speech_urls(hass, entry) for entry in entries}:
        answer: str | dict[str, str] = {"type": "failed", "error": "unreachable"}
        for url in urls:
            answer = await system_health.async_check_can_reach_url(hass, url)
            if answer == "ok":
                break
        if answer != "ok":
            return answer
    return "ok"


def _speech_urls(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> tuple[str, ...]:
    """Return where an account speaks, the address that it uses first.

    Nothing if its data are not valid.
    """
    try:
        client = (
            entry.runtime_data.client
            if entry.state is ConfigEntryState.LOADED
            else create_client(hass, entry.data)
        )
    except ValueError:
        return ()
    return tuple(f"http{url.removeprefix('ws')}" for url in client.speech_urls)
