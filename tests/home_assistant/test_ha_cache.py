"""What is known of Home Assistant's cache holds on this Home Assistant."""

from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.cosyvoice.speech.ha_cache import is_cached
from homeassistant.components import tts
from homeassistant.components.tts.const import DATA_TTS_MANAGER
from homeassistant.components.tts.helper import get_engine_instance
from homeassistant.core import HomeAssistant

from .speaking import change, entity_id, speak

TEXT = "你好，世界。"


def cached(
    hass: HomeAssistant,
    message: str = TEXT,
    options: dict[str, Any] | None = None,
    language: str = "zh-CN",
    *,
    on_disk: bool = True,
) -> bool:
    engine = get_engine_instance(hass, entity_id(hass, "tts", "speech"))
    assert isinstance(engine, tts.TextToSpeechEntity)
    return is_cached(
        hass,
        message,
        language,
        {**(engine.default_options or {}), **(options or {})},
        engine.entity_id,
        on_disk=on_disk,
    )


async def test_what_was_spoken_is_found(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """In memory at first, then on disk."""
    options = {"voice": "longanhuan", "volume": 40}
    assert not cached(hass, options=options)
    await speak(hass, TEXT, options, "zh-CN")
    assert cached(hass, options=options, on_disk=False)
    await hass.async_block_till_done(wait_background_tasks=True)
    hass.data[DATA_TTS_MANAGER].mem_cache.clear()
    assert cached(hass, options=options)
    assert not cached(hass, options=options, on_disk=False)


async def test_other_speech_is_not_taken_for_it(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Another message, language, option, or setting of the voice."""
    await speak(hass, TEXT, {}, "zh-CN")
    assert cached(hass)
    assert not cached(hass, "你好。")
    assert not cached(hass, language="zh-TW")
    assert not cached(hass, options={"volume": 40})
    change(hass, loaded, volume=60)
    await hass.async_block_till_done()
    assert not cached(hass)
