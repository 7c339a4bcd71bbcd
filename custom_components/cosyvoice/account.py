"""Clients and checks for the data of an account entry."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
import math
from types import MappingProxyType
from typing import Any, Final

from homeassistant.const import CONF_API_KEY, CONF_REGION
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .client import CATALOGUE, ClonedVoice, CosyVoiceClient, CosyVoiceError, Endpoint
from .const import CONF_BASE_URL, CONF_WORKSPACE_ID

KEEP_READY: Final[Mapping[str, float]] = MappingProxyType(
    {"as_needed": 0.0, "after_speech": 600.0, "always": math.inf}
)
"""Seconds after speech that a connection is kept ready, by the option's value."""

LIST_TIMEOUT = 2.0
"""Seconds that the check of an account waits for its list of voices."""


def create_client(hass: HomeAssistant, data: Mapping[str, Any]) -> CosyVoiceClient:
    """Return a client for an account, without opening a connection.

    Raises:
        ValueError: The base URL or the workspace id is invalid.
    """
    base_url, workspace_id = data.get(CONF_BASE_URL), data.get(CONF_WORKSPACE_ID)
    return CosyVoiceClient(
        async_get_clientsession(hass),
        data[CONF_API_KEY],
        Endpoint.create(data[CONF_REGION], base_url, workspace_id),
        workspace_id=workspace_id,
    )


async def async_check_account(
    hass: HomeAssistant, data: Mapping[str, Any]
) -> tuple[ClonedVoice, ...]:
    """Check an account's key free of charge and return its cloned voices.

    A list of voices that cannot be read in `LIST_TIMEOUT` counts as empty.

    Raises:
        CosyVoiceError: The service rejects the key or cannot be reached.
        ValueError: The base URL or the workspace id is invalid.
    """
    client = create_client(hass, data)
    try:
        await client.check_key()
        with suppress(CosyVoiceError, TimeoutError):
            async with asyncio.timeout(LIST_TIMEOUT):
                return await client.list_voices()
        return ()
    finally:
        await client.close()


async def async_region_of_rejected_key(
    hass: HomeAssistant, data: Mapping[str, Any]
) -> str | None:
    """Return the region in which a rejected key is valid, or None.

    A key belongs to one region; the others reject it like any wrong key. With a base
    URL the region makes no difference.
    """
    if data.get(CONF_BASE_URL):
        return None
    for region in CATALOGUE.regions:
        if region != data[CONF_REGION]:
            client = create_client(hass, {**data, CONF_REGION: region})
            try:
                await client.check_key()
            except CosyVoiceError:
                continue
            finally:
                await client.close()
            return region
    return None
