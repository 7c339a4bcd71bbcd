"""What the system health page shows."""

from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    get_system_health_info,
)

from custom_components.cosyvoice.const import DOMAIN
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
