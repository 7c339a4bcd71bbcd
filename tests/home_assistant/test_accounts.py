"""Two accounts beside each other."""

from dataclasses import replace

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice.const import DEFAULT_OPTIONS, DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.emulator import Emulator, EmulatorConfig

from .conftest import voice_subentry
from .speaking import entity_id, speak, spoken

TEXT = "今天天气不错。"


async def test_accounts_do_not_affect_each_other(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    """Each speaks with its own key and voice, and fails by itself."""
    config = replace(EmulatorConfig(), api_keys={"sk-other"}, speech="silence")
    async with Emulator(config) as other_service:
        other = MockConfigEntry(
            domain=DOMAIN,
            title="Other",
            data={
                "api_key": "sk-other",
                "region": "cn-beijing",
                "base_url": other_service.url,
            },
            options=DEFAULT_OPTIONS,
            subentries_data=[voice_subentry("kitchen", "Kitchen", voice="longanhuan")],
        )
        other.add_to_hass(hass)
        assert await hass.config_entries.async_setup(other.entry_id)
        await hass.async_block_till_done()
        kitchen = entity_id(hass, "tts", "speech", "kitchen")

        assert await speak(hass, TEXT)
        assert await speak(hass, TEXT, engine=kitchen)
        assert [task.parameters["voice"] for task in spoken(emulator)] == ["longanyang"]
        assert [task.parameters["voice"] for task in spoken(other_service)] == [
            "longanhuan"
        ]

        other_service.config.api_keys = frozenset()
        await hass.config_entries.async_reload(other.entry_id)
        await hass.async_block_till_done()
        with pytest.raises(HomeAssistantError):
            await speak(hass, "再见。", engine=kitchen)
        assert await speak(hass, "再见。")
        assert await hass.config_entries.async_unload(loaded.entry_id)
        other_service.config.api_keys = {"sk-other"}
        await hass.config_entries.async_reload(other.entry_id)
        await hass.async_block_till_done()
        assert await speak(hass, "晚安。", engine=kitchen)
        assert await hass.config_entries.async_unload(other.entry_id)
