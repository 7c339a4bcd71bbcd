"""Clients and checks for the data of an account entry."""

import asyncio
from collections.abc import Callable, Mapping
import math
from types import MappingProxyType
from typing import Any, Final

from homeassistant.const import CONF_API_KEY, CONF_REGION
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .client import (
    CATALOGUE,
    AuthenticationError,
    ClonedVoice,
    CosyVoiceClient,
    CosyVoiceError,
    Endpoint,
)
from .const import (
    BUDGET_UNITS,
    CONF_BASE_URL,
    CONF_BUDGET_UNIT,
    CONF_KEEP_READY,
    CONF_MONTHLY_BUDGET,
    CONF_REFUSE_OVER_BUDGET,
    CONF_TEMPORARY_KEYS,
    CONF_WORKSPACE_ID,
    DEFAULT_OPTIONS,
)

KEEP_READY: Final[Mapping[str, float]] = MappingProxyType(
    {"as_needed": 0.0, "after_speech": 600.0, "always": math.inf}
)
"""Seconds after speech that a connection is kept ready, by the option's value."""

INVALID_KEY: Final = "InvalidApiKey"
"""The service's code for a rejected key. A status alone may have other causes."""
LIST_TIMEOUT = 2.0
"""Seconds that the check of an account waits for its list of voices."""


_POSSIBLE: Final[Mapping[str, Callable[[Any], bool]]] = MappingProxyType(
    {
        CONF_KEEP_READY: lambda value: value in [*KEEP_READY],
        CONF_TEMPORARY_KEYS: lambda value: isinstance(value, bool),
        CONF_REFUSE_OVER_BUDGET: lambda value: isinstance(value, bool),
        CONF_MONTHLY_BUDGET: lambda value: (
            type(value) in {int, float} and 0 <= value < math.inf
        ),
        CONF_BUDGET_UNIT: lambda value: value in BUDGET_UNITS,
    }
)
"""Whether a value can be the stored one, by option."""


def usable_data(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the stored data of an account without those that cannot be right.

    They are damaged, or of a region that this release does not know.
    """
    texts = {name: value for name, value in data.items() if isinstance(value, str)}
    if texts.get(CONF_REGION) not in CATALOGUE.regions:
        texts.pop(CONF_REGION, None)
    return texts


def complete_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored options of an account with the defaults of missing ones.

    Damaged options count as missing.
    """
    damaged = {
        name
        for name, is_possible in _POSSIBLE.items()
        if name in options and not is_possible(options[name])
    }
    kept = {name: value for name, value in options.items() if name not in damaged}
    return DEFAULT_OPTIONS | kept


def create_client(hass: HomeAssistant, data: Mapping[str, Any]) -> CosyVoiceClient:
    """Return a client for an account, without opening a connection.

    Raises:
        ValueError: The region, the base URL or the workspace id is invalid.
    """
    usable = usable_data(data)
    if not {CONF_BASE_URL, CONF_WORKSPACE_ID} & data.keys() <= usable.keys():
        raise ValueError("The base URL or the workspace id is not a text")
    workspace_id = usable.get(CONF_WORKSPACE_ID)
    return CosyVoiceClient(
        async_get_clientsession(hass),
        usable.get(CONF_API_KEY, ""),
        Endpoint.create(
            usable.get(CONF_REGION, ""), usable.get(CONF_BASE_URL), workspace_id
        ),
        workspace_id=workspace_id,
    )


async def async_check_account(
    hass: HomeAssistant, data: Mapping[str, Any]
) -> tuple[ClonedVoice, ...]:
    """Check an account's key free of charge and return its cloned voices.

    A list of voices that cannot be read in `LIST_TIMEOUT` counts as empty.

    Raises:
        CosyVoiceError: The service rejects the key or cannot be reached.
        ValueError: The region, the base URL or the workspace id is invalid.
    """
    client = create_client(hass, data)
    try:
        await client.check_key()
        try:
            async with asyncio.timeout(LIST_TIMEOUT):
                return await client.list_voices()
        except AuthenticationError as err:
            # Some servers check the key of requests only
            if err.code == INVALID_KEY:
                raise
        except CosyVoiceError, TimeoutError:
            pass
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
