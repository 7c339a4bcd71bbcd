"""What the system health page shows."""

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    get_system_health_info,
)

from custom_components.cosyvoice.const import DOMAIN
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.emulator import Emulator


async def test_a_server_that_answers(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    """The address that is checked is the account's own."""
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    info = await get_system_health_info(hass, DOMAIN)
    assert info["regions"] == "cn-beijing"
    assert info["warm_connections"] == 0
    assert await info["can_reach_server"] == "ok"


async def test_a_server_that_is_gone(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    """It is said so."""
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    info = await get_system_health_info(hass, DOMAIN)
    await emulator.__aexit__()
    assert await info["can_reach_server"] == {
        "type": "failed",
        "error": "unreachable",
    }


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "ftp://nowhere"])
async def test_an_account_that_is_not_loaded_is_checked_as_well(
    hass: HomeAssistant, loaded: MockConfigEntry, address: str
) -> None:
    """Unless it is disabled."""
    other = MockConfigEntry(
        domain=DOMAIN,
        data={"api_key": "x", "region": "ap-southeast-1", "base_url": address},
    )
    other.add_to_hass(hass)
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    info = await get_system_health_info(hass, DOMAIN)
    assert info["regions"] == "ap-southeast-1, cn-beijing"
    assert await info["can_reach_server"] == {"type": "failed", "error": "unreachable"}
    await hass.config_entries.async_set_disabled_by(
        other.entry_id, ConfigEntryDisabler.USER
    )
    info = await get_system_health_info(hass, DOMAIN)
    assert info["regions"] == "cn-beijing"
    assert await info["can_reach_server"] == "ok"
