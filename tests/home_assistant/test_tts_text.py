"""The engine and the text it is given: empty, odd, streamed, marked up, SSML."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.cosyvoice.errors import async_text_of
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from tests.emulator import Emulator

from .speaking import (
    SATELLITE,
    call_speak,
    change,
    decode,
    pieces,
    played,
    speak,
    spoken,
    text_of,
)


@pytest.mark.parametrize("message", ["", " \n", "。", "🎉", "**", "\x00", "\ud800"])
async def test_nothing_to_say_is_an_error(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, message: str
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await call_speak(hass, message)
    assert caught.value.translation_key == "empty_text"
    with pytest.raises(HomeAssistantError):
        await speak(hass, pieces(message))
    assert not spoken(emulator)


@pytest.mark.parametrize("streamed", [False, True])
async def test_text_that_cannot_be_sent_is_left_out(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    hass_client: ClientSessionGenerator,
    streamed: bool,
) -> None:
    message = "你好\x00，\ud800世界\udfff。"
    if streamed:
        await speak(hass, pieces(message, 1))
    else:
        (call,) = await call_speak(hass, message)
        assert await played(hass, hass_client, call)
    assert text_of(emulator) == "你好，世界。"


@pytest.mark.parametrize("length", [1, 3, 8])
@pytest.mark.parametrize("preferred", [{}, SATELLITE])
async def test_streamed_text_is_spoken_completely(
    hass: HomeAssistant,
    ffmpeg: None,
    loaded: MockConfigEntry,
    emulator: Emulator,
    length: int,
    preferred: dict[str, Any],
) -> None:
    text = "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。" * 10
    audio = decode(await speak(hass, pieces(text, length), preferred))
    assert text_of(emulator) == text
    seconds = sum(task.audio_seconds for task in spoken(emulator))
    assert audio.seconds == pytest.approx(seconds, rel=0.03)


async def test_markdown_is_cleaned_unless_switched_off(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    await speak(hass, pieces("这是**重要**的。", 1))
    change(hass, loaded, clean_text=False)
    await hass.async_block_till_done()
    await speak(hass, pieces("这是**重要**的。", 1))
    texts = ["".join(piece.text for piece in task.pieces) for task in spoken(emulator)]
    assert texts == ["这是重要的。", "这是**重要**的。"]


async def test_own_pronunciations_are_applied_across_pieces(
    hass: HomeAssistant, entry: MockConfigEntry, emulator: Emulator
) -> None:
    change(hass, entry, pronunciations={"客厅": "大厅", "重庆": "chong2 qing4"})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await speak(hass, pieces("客厅在重庆，请客", 1))
    assert text_of(emulator) == "大厅在重庆，请客"
    (task,) = spoken(emulator)
    assert task.parameters["hot_fix"] == {"pronunciation": [{"重庆": "chong2 qing4"}]}


SSML = '<speak rate="1.2">你好，<break time="500ms"/>世界。</speak>'


@pytest.mark.parametrize("streamed", [False, True])
async def test_ssml_is_sent_whole(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, streamed: bool
) -> None:
    await speak(hass, pieces(SSML, 2) if streamed else SSML)
    (task,) = spoken(emulator)
    assert [piece.text for piece in task.pieces] == [SSML]
    assert task.parameters["enable_ssml"] is True


async def test_ssml_is_refused_where_the_voice_cannot_read_it(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await call_speak(hass, SSML, options={"voice": "longxiaochun"})
    assert caught.value.translation_key == "ssml_not_supported"
    with pytest.raises(HomeAssistantError):
        await speak(hass, SSML, {"voice": "longxiaochun"})
    assert not spoken(emulator)


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ("<speak>你好，\n<break>世界。</speak>", "line 2, column 13"),
        ("<speak>Tom & Jerry</speak>", "line 1, column 13"),
        ("<speak>你好。</speak>再见。", "line 1, column 19"),
        ("<speak>你好。", "line 1, column 1"),
    ],
)
async def test_place_of_a_mistake_in_ssml_is_named(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    document: str,
    place: str,
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await call_speak(hass, document)
    assert place in await async_text_of(hass, caught.value)
    with pytest.raises(ServiceValidationError):
        await speak(hass, pieces(document))
    assert not spoken(emulator)


@pytest.mark.parametrize("text", ["< 3 度。", "<speaker> 你好。"])
async def test_less_than_is_not_ssml(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, text: str
) -> None:
    await speak(hass, pieces(text, 1))
    assert "enable_ssml" not in spoken(emulator)[0].parameters


async def test_pinyin_of_a_word_stands_before_the_replacement_of_a_shorter_one(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    change(hass, loaded, pronunciations={"天气": "tian1 qi4", "天": "日"})
    await hass.async_block_till_done()
    assert await speak(hass, "今天天气好。")
    task = spoken(emulator)[-1]
    assert "".join(piece.text for piece in task.pieces) == "今日天气好。"
    assert task.parameters["hot_fix"] == {"pronunciation": [{"天气": "tian1 qi4"}]}
