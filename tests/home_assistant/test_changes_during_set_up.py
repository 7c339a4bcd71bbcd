"""Voices and options that change while their account is set up."""

from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice.settings import DEFAULT_SETTINGS
from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
from tests.emulator import Emulator

from .conftest import SUBENTRY_ID
from .speaking import entity_id, speak


async def test_voices_and_options_that_change_during_set_up_are_taken_over(
    hass: HomeAssistant, emulator: Emulator, entry: MockConfigEntry
) -> None:
    """Whichever platform was set up before them."""
    add = hass.config_entries.async_forward_entry_setups
    titles: list[str] = []

    async def change(*args: Any) -> None:
        for number in range(20):
            title = f"Voice {number}"
            titles.append(title)
            hass.config_entries.async_add_subentry(entry, another(title))
            hass.config_entries.async_update_entry(
                entry, options=entry.options | {"monthly_budget": float(number)}
            )
            voice = entry.subentries[SUBENTRY_ID]
            data = voice.data | {"volume": number}
            hass.config_entries.async_update_subentry(entry, voice, data=data)
        await add(*args)

    with patch.object(hass.config_entries, "async_forward_entry_setups", change):
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    engines = hass.states.async_all("tts")
    assert {state.name for state in engines} == {"Longanyang", *titles}
    assert hass.states.get(entity_id(hass, "number", "volume")).state == "19"
    budget = hass.states.get(
        entity_id(hass, "number", "monthly_budget", entry.entry_id)
    )
    assert budget.state == "19"
    assert await speak(hass, "你好。")
    (task,) = emulator.tasks
    assert task.parameters["volume"] == 19


def another(title: str) -> ConfigSubentry:
    """Return another voice."""
    return ConfigSubentry(
        data=MappingProxyType(DEFAULT_SETTINGS),
        subentry_type="voice",
        title=title,
        unique_id=None,
    )
