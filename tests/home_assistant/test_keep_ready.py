"""The option that keeps a connection ready."""

import asyncio

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice.const import DEFAULT_OPTIONS
from homeassistant.core import HomeAssistant
from tests.emulator import Emulator

from .speaking import speak


def choose(hass: HomeAssistant, entry: MockConfigEntry, value: str) -> None:
    """Set the option."""
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, "keep_ready": value}
    )


async def test_it_acts_without_a_reload(
    hass: HomeAssistant, emulator: Emulator, loaded: MockConfigEntry
) -> None:
    client = loaded.runtime_data.client
    await emulator.until(lambda: emulator.open_connections == 0)
    choose(hass, loaded, "always")
    await emulator.until(lambda: emulator.open_connections == 1)
    assert await speak(hass, "你好。")
    assert loaded.runtime_data.client is client
    assert client.statistics.opened == 1
    choose(hass, loaded, "as_needed")
    await hass.async_block_till_done()
    assert loaded.runtime_data.client is client


async def test_always_begins_with_the_set_up_and_ends_with_the_unloading(
    hass: HomeAssistant, emulator: Emulator, entry: MockConfigEntry
) -> None:
    """The connection that checked the key is kept."""
    choose(hass, entry, "always")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert emulator.open_connections == len(emulator.connections) == 1
    assert await hass.config_entries.async_unload(entry.entry_id)
    await emulator.until(lambda: emulator.open_connections == 0)
    assert len(emulator.connections) == 1


@pytest.mark.parametrize("value", ["as_needed", "after_speech", "always"])
async def test_nothing_is_opened_for_a_refused_account(
    hass: HomeAssistant, emulator: Emulator, entry: MockConfigEntry, value: str
) -> None:
    emulator.config.api_keys = {"sk-other"}
    choose(hass, entry, value)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(emulator.connections) == 1
    choose(hass, entry, "always")
    await asyncio.sleep(0.1)
    assert len(emulator.connections) == 1


async def test_by_default_only_speech_leads_to_a_kept_connection(
    emulator: Emulator, loaded: MockConfigEntry
) -> None:
    assert DEFAULT_OPTIONS["keep_ready"] == "after_speech"
    await emulator.until(lambda: emulator.open_connections == 0)
    assert loaded.runtime_data.client.statistics.connections == 0
