"""Nothing that automations, scripts and pipelines name depends on a language."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice.const import DOMAIN
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.translation import async_load_integrations
from tests.emulator import Emulator
from tests.texts import LANGUAGES

from .conftest import API_KEY
from .speaking import speak, spoken

ENGINE = "tts.longanyang_speech"


async def add_account(
    hass: HomeAssistant, emulator: Emulator, language: str
) -> MockConfigEntry:
    """Add an account with its first voice, as a person with this language does."""
    await hass.config.async_update(language=language)
    await async_load_integrations(hass, {DOMAIN})
    flow = hass.config_entries.flow
    result: Any = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    account = {
        "api_key": API_KEY,
        "region": "cn-beijing",
        "advanced": {"base_url": emulator.url},
    }
    result = await flow.async_configure(result["flow_id"], account)
    result = await flow.async_configure(
        result["flow_id"], {"voice": "longanyang", "model": "auto"}
    )
    result = await flow.async_configure(result["flow_id"], {"next_step_id": "use"})
    await hass.async_block_till_done(wait_background_tasks=True)
    entry: MockConfigEntry = result["result"]
    return entry


async def named(hass: HomeAssistant, emulator: Emulator, language: str) -> Any:
    """Return all that an automation may name, for an account in a language."""
    entry = await add_account(hass, emulator, language)
    registry = er.async_get(hass)
    entities = er.async_entries_for_config_entry(registry, entry.entry_id)
    options = {
        state.entity_id: state.attributes["options"]
        for state in hass.states.async_all("select")
    }
    engine = hass.data["entity_components"]["tts"].get_entity(ENGINE)
    voices = {
        tag: [voice.voice_id for voice in engine.async_get_supported_voices(tag)]
        for tag in engine.supported_languages
    }
    return (
        sorted(entity.entity_id for entity in entities),
        options,
        voices,
        engine.supported_options,
        sorted(hass.services.async_services()[DOMAIN]),
    )


@pytest.mark.parametrize("language", LANGUAGES)
async def test_ids_options_and_actions_are_the_same(
    hass: HomeAssistant, emulator: Emulator, language: str
) -> None:
    found = await named(hass, emulator, language)
    entities, options, voices, *_ = found
    assert {ENGINE, "sensor.cosyvoice_characters"} <= set(entities)
    assert options["select.longanyang_voice"][:2] == [
        "Longanyang 龙安洋 (longanyang)",
        "Longanhuan 龙安欢 (longanhuan)",
    ]
    assert options["select.longanyang_style"][:3] == ["none", "neutral", "happy"]
    assert voices["ja-JP"][0] == "follow"
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert await named(hass, emulator, "en") == found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("stored", "voice"), [("follow", "longanyang"), ("longxian_v3", "longxian_v3")]
)
async def test_a_pipeline_speaks_after_the_language_changed(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    language: str,
    stored: str,
    voice: str,
) -> None:
    await hass.config.async_update(language=language)
    await async_load_integrations(hass, {DOMAIN})
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await speak(hass, "你好。", {"voice": stored}, "zh-CN", ENGINE)
    assert [task.parameters["voice"] for task in spoken(emulator)] == [voice]


async def test_entities_of_before_keep_their_ids(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    registry = er.async_get(hass)
    old = registry.async_get_or_create(
        "select",
        DOMAIN,
        "living_room_voice",
        suggested_object_id="long_an_yang_voice",
        config_entry=entry,
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get(old.entity_id)
    assert not hass.states.get("select.longanyang_voice")
