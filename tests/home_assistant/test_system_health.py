"""What the system health page shows."""

from unittest.mock import patch

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

WORKSPACE = "ws1.ap-southeast-1.maas.aliyuncs.com"
GENERAL = "dashscope-intl.aliyuncs.com"


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


@pytest.mark.parametrize(
    ("away", "asked", "expected"),
    [
        ((), [WORKSPACE], "ok"),
        ((WORKSPACE,), [WORKSPACE, GENERAL], "ok"),
        ((WORKSPACE, GENERAL), [WORKSPACE, GENERAL], "unreachable"),
    ],
)
@pytest.mark.usefixtures("international_key")
async def test_hosts_are_checked_in_the_order_of_their_use(
    hass: HomeAssistant, away: tuple[str, ...], asked: list[str], expected: str
) -> None:
    """A workspace's host comes first; the other one serves where it does not answer."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        data={"api_key": "x", "region": "ap-southeast-1", "workspace_id": "ws1"},
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done(wait_background_tasks=True)
    urls: list[str] = []

    async def check(_hass: HomeAssistant, url: str) -> str | dict[str, str]:
        urls.append(url)
        gone = any(host in url for host in away)
        return {"type": "failed", "error": "unreachable"} if gone else "ok"

    with patch(
        "custom_components.cosyvoice.system_health.system_health"
        ".async_check_can_reach_url",
        check,
    ):
        info = await get_system_health_info(hass, DOMAIN)
        answer = await info["can_reach_server"]
    assert urls == [f"https://{host}/api-ws/v1/inference" for host in asked]
    assert answer in (expected, {"type": "failed", "error": expected})
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_the_host_that_serves_is_checked_first(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    """The order is that of the client, which learns where it is served."""
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    used = f"{emulator.url.replace('http', 'ws')}/api-ws/v1/inference"
    client = type(loaded.runtime_data.client)
    with patch.object(client, "speech_urls", (used, "ws://127.0.0.1:1/never")):
        info = await get_system_health_info(hass, DOMAIN)
        assert await info["can_reach_server"] == "ok"
