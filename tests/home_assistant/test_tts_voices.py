"""The engine: which voice speaks, and in which language."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice.client import CATALOGUE
from homeassistant.components import tts
from homeassistant.components.tts.const import DATA_COMPONENT
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.translation import async_load_integrations
from tests.emulator import Emulator

from .conftest import CLONE
from .speaking import call_speak, change, entity_id, speak, spoken

TEXT = "你好，世界。今天天气很好。"
PLAIN = "longxian_v3"


def engine(hass: HomeAssistant) -> tts.TextToSpeechEntity:
    found = hass.data[DATA_COMPONENT].get_entity(entity_id(hass, "tts", "speech"))
    assert found is not None
    return found


async def test_first_voice_of_a_new_pipeline_follows_the_select(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    follow, *others = engine(hass).async_get_supported_voices("ja-JP") or []
    assert (follow.voice_id, follow.name) == ("follow", "Follow the voice entity")
    assert "longanyang" not in [voice.voice_id for voice in others]
    assert "loongriko_v3" in [voice.voice_id for voice in others]
    await speak(hass, TEXT, {"voice": "follow"})
    change(hass, loaded, voice=PLAIN)
    await hass.async_block_till_done()
    await speak(hass, TEXT, {"voice": "follow"})
    await speak(hass, TEXT, {"voice": "longanhuan"})
    said = [task.parameters["voice"] for task in spoken(emulator)]
    assert said == ["longanyang", PLAIN, "longanhuan"]


async def test_follow_is_named_in_chinese(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    await hass.config.async_update(language="zh-Hans")
    await async_load_integrations(hass, {"cosyvoice"})
    assert engine(hass).async_get_supported_voices("zh-CN")[0].name == "跟随“音色”实体"


async def test_own_voice_is_offered_and_speaks(
    hass: HomeAssistant, entry: MockConfigEntry, emulator: Emulator
) -> None:
    emulator.config.cloned_voices[CLONE] = "OK"
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    speech = engine(hass)
    assert "ru" in speech.supported_languages
    assert CLONE in [v.voice_id for v in speech.async_get_supported_voices("ru")]
    await speak(hass, "Привет.", language="ru")
    (task,) = spoken(emulator)
    assert task.parameters["voice"] == CLONE
    assert task.parameters["language_hints"] == ["ru"]


async def test_vanished_own_voice_is_replaced_by_the_default(
    hass: HomeAssistant, entry: MockConfigEntry, emulator: Emulator
) -> None:
    change(hass, entry, voice=CLONE)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await speak(hass, TEXT)
    assert spoken(emulator)[0].parameters["voice"] == "longanyang"


async def test_vanished_voice_of_a_language_gives_way_to_one_that_speaks_it(
    hass: HomeAssistant, entry: MockConfigEntry, emulator: Emulator
) -> None:
    change(hass, entry, language_voices={"ja": CLONE})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await speak(hass, "こんにちは。", language="ja-JP")
    voice = CATALOGUE.voices[spoken(emulator)[0].parameters["voice"]]
    assert "ja" in voice.languages


@pytest.mark.parametrize(
    ("language", "options", "voice"),
    [
        ("zh-CN", {}, "longanyang"),
        ("ja-JP", {}, "loongyuuma_v3"),
        ("ko-KR", {}, "loongjihun_v3"),
        ("ja-JP", {"voice": "longanhuan"}, "longanhuan"),
    ],
)
async def test_language_the_voice_does_not_speak(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    emulator: Emulator,
    language: str,
    options: dict[str, Any],
    voice: str,
) -> None:
    change(hass, entry, language_voices={"ja": "loongyuuma_v3"})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await speak(hass, "你好。", options, language)
    assert spoken(emulator)[0].parameters["voice"] == voice


async def test_settings_of_another_voice_are_left_out(
    hass: HomeAssistant, entry: MockConfigEntry, emulator: Emulator
) -> None:
    change(
        hass,
        entry,
        model="cosyvoice-v3-plus",
        style="happy",
        seed=7,
        sample_rate=16000,
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await speak(hass, "你好。")
    await speak(hass, "你好。", {"voice": PLAIN})
    await speak(hass, "你好。", {"voice": "longxiaochun"})
    own, other, old = spoken(emulator)
    assert {task.parameters["sample_rate"] for task in (own, other, old)} == {16000}
    assert (own.model, own.parameters["seed"]) == ("cosyvoice-v3-plus", 7)
    assert own.parameters["instruction"] == "你说话的情感是happy。"
    assert (other.model, other.parameters["seed"]) == ("cosyvoice-v3-flash", 7)
    assert "instruction" not in other.parameters
    assert old.model == "cosyvoice-v1"
    assert "seed" not in old.parameters


async def test_voices_and_languages_of_the_other_region(
    hass: HomeAssistant, entry: MockConfigEntry, emulator: Emulator
) -> None:
    emulator.config.region = "ap-southeast-1"
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "region": "ap-southeast-1"}
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    speech = engine(hass)
    assert "ja-JP" not in speech.supported_languages
    assert "zh-HK" in speech.supported_languages
    with pytest.raises(ServiceValidationError):
        await call_speak(hass, TEXT, options={"voice": "loongriko_v3"})
