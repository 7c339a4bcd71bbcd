"""Another engine speaks when the service cannot."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
import io
import logging
from typing import Any
import wave

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.cosyvoice.speech import fallback
from homeassistant.components.tts import TextToSpeechEntity
from homeassistant.components.tts.const import DATA_COMPONENT
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.emulator import Emulator, Fault, FaultKind, Point

from .conftest import SUBENTRY_ID
from .speaking import (
    SATELLITE,
    call_speak,
    change,
    decode,
    entity_id,
    pieces,
    played,
    speak,
    spoken,
)

TEXT = "你好，**世界**。"
SECONDS = 0.75


class OtherEngine(TextToSpeechEntity):
    """An engine that knows one language and one rate."""

    entity_id = "tts.other"
    _attr_name = "Other"
    _attr_supported_languages = ["zh", "en"]
    _attr_default_language = "en"

    def __init__(self) -> None:
        """Begin with nothing said."""
        self.said: list[tuple[str, str]] = []
        self.broken = False

    async def async_get_tts_audio(
        self, message: str, language: str, options: dict[str, Any]
    ) -> tuple[str, bytes]:
        """Return a tone."""
        if self.broken:
            raise HomeAssistantError("broken")
        self.said.append((message, language))
        file = io.BytesIO()
        with wave.open(file, "wb") as audio:
            audio.setnchannels(1)
            audio.setsampwidth(2)
            audio.setframerate(22050)
            audio.writeframes(b"\x00\x20" * int(22050 * SECONDS))
        return "wav", file.getvalue()


@pytest.fixture
async def other(
    hass: HomeAssistant, ffmpeg: None, entry: MockConfigEntry
) -> OtherEngine:
    """The account, set up with another engine for its voice to fall back on."""
    change(hass, entry, fallback_engine="tts.other")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    other = OtherEngine()
    await hass.data[DATA_COMPONENT].async_add_entities([other])
    return other


@pytest.fixture
def silent(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that gives no audio, and little patience with it."""
    monkeypatch.setattr(fallback, "DEADLINE", 0.1)
    emulator.script(Fault(FaultKind.HANG, Point.BEFORE_AUDIO, times=None))


def fallbacks(entry: MockConfigEntry) -> int:
    count: int = entry.runtime_data.usage.fallbacks
    return count


async def test_healthy_service_needs_no_other_engine(
    hass: HomeAssistant, entry: MockConfigEntry, other: OtherEngine
) -> None:
    assert await speak(hass, TEXT)
    assert not other.said
    assert fallbacks(entry) == 0


@pytest.mark.parametrize(
    ("options", "container", "rate"),
    [
        ({}, "mp3", None),
        ({"preferred_format": "wav"}, "wav", 24000),
        ({"preferred_format": "opus"}, "ogg", 48000),
        (SATELLITE, "wav", 16000),
        ({"preferred_format": "flac", "preferred_sample_rate": 48000}, "flac", 48000),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_other_engine_speaks_in_the_listener_s_format(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    emulator: Emulator,
    other: OtherEngine,
    caplog: pytest.LogCaptureFixture,
    options: dict[str, Any],
    container: str,
    rate: int | None,
    streamed: bool,
) -> None:
    caplog.set_level(logging.INFO, "custom_components.cosyvoice")
    emulator.script(Fault(FaultKind.ARREARS, Point.BEFORE_AUDIO, times=None))
    message = pieces(TEXT) if streamed else TEXT
    data = await speak(hass, message, options, "zh-CN")
    audio = decode(data)
    assert audio.container == container
    assert rate in {None, audio.rate}
    assert audio.seconds == pytest.approx(SECONDS, abs=0.08)
    assert other.said == [("你好，世界。", "zh")]
    assert fallbacks(entry) == 1
    (line,) = [
        record
        for record in caplog.records
        if record.levelno >= logging.INFO and "tts.other" in record.message
    ]
    assert "你好" not in line.message
    assert line.levelno == logging.INFO


async def test_silent_service_is_given_up_after_the_deadline(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    other: OtherEngine,
    silent: None,
) -> None:
    audio = decode(await speak(hass, TEXT, SATELLITE))
    assert audio.seconds == pytest.approx(SECONDS, abs=0.05)
    assert fallbacks(entry) == 1


async def test_deadline_waits_for_the_first_sentence(
    hass: HomeAssistant,
    emulator: Emulator,
    other: OtherEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A slow model is not a silent service."""
    monkeypatch.setattr(fallback, "DEADLINE", 0.1)

    async def slow() -> AsyncGenerator[str]:
        yield "你好，"
        await asyncio.sleep(0.3)
        yield "世界。"

    assert await speak(hass, slow())
    assert not other.said


@pytest.mark.parametrize(
    "options",
    [{}, {"preferred_format": "wav"}, {"preferred_format": "opus"}, SATELLITE],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_other_engine_continues_with_the_sentence_that_was_lost(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    emulator: Emulator,
    other: OtherEngine,
    options: dict[str, Any],
    streamed: bool,
) -> None:
    """Speech that began is not repeated; it is not kept either."""
    text = "第一句。第**二**句。第三句。"
    emulator.script(Fault(FaultKind.CONTENT, Point.BEFORE_AUDIO, after_sentences=1))
    data = await speak(hass, pieces(text) if streamed else text, options)
    (said,) = [message for message, _ in other.said]
    if options.get("preferred_format") == "opus":
        # The end of a sentence may be in a page that is not complete
        said = said.removeprefix("第一句。")
    assert said == "第二句。第三句。"
    (task,) = spoken(emulator)
    seconds = task.sentences[0].audio_seconds + SECONDS
    assert decode(data).seconds == pytest.approx(seconds, abs=0.15)
    assert fallbacks(entry) == 1
    total = entry.runtime_data.usage.figures.total
    assert (total.requests, total.failures) == (1, 1)
    await hass.async_block_till_done(wait_background_tasks=True)
    await speak(hass, text, options)
    assert spoken(emulator)[-1].text == "第一句。第二句。第三句。"


async def test_lost_speech_ends_where_the_other_engine_fails_as_well(
    hass: HomeAssistant, emulator: Emulator, other: OtherEngine
) -> None:
    other.broken = True
    emulator.script(Fault(FaultKind.CONTENT, Point.BEFORE_AUDIO, after_sentences=1))
    data = await speak(hass, "第一句。第二句。")
    (task,) = spoken(emulator)
    seconds = task.sentences[0].audio_seconds
    assert decode(data).seconds == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize("options", [{}, SATELLITE, {"preferred_format": "opus"}])
async def test_other_engine_speaks_when_the_budget_is_used_up(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    emulator: Emulator,
    other: OtherEngine,
    hass_client: ClientSessionGenerator,
    options: dict[str, Any],
) -> None:
    change(hass, entry, lead_in=200)
    await hass.async_block_till_done()
    await speak(hass, "今天天气不错。")
    hass.config_entries.async_update_entry(
        entry,
        options={**entry.options, "monthly_budget": 10, "refuse_over_budget": True},
    )
    await hass.async_block_till_done()
    bill = emulator.bill
    (call,) = await call_speak(hass, TEXT, options=options)
    audio = decode(await played(hass, hass_client, call))
    assert audio.seconds == pytest.approx(0.2 + SECONDS, abs=0.1)
    assert [message for message, _ in other.said] == ["你好，世界。"]
    assert emulator.bill == bill
    assert fallbacks(entry) == 1


async def test_fallback_is_not_kept_as_ours(
    hass: HomeAssistant, emulator: Emulator, other: OtherEngine
) -> None:
    emulator.script(Fault(FaultKind.ARREARS, Point.BEFORE_AUDIO))
    first = await speak(hass, TEXT)
    await hass.async_block_till_done(wait_background_tasks=True)
    again = await speak(hass, TEXT)
    assert len(other.said) == 1
    assert first != again
    assert spoken(emulator)[-1].outcome == "finished"


async def test_both_failing_is_the_service_s_error(
    hass: HomeAssistant, emulator: Emulator, other: OtherEngine
) -> None:
    other.broken = True
    emulator.script(Fault(FaultKind.ARREARS, Point.BEFORE_AUDIO, times=None))
    with pytest.raises(HomeAssistantError) as caught:
        await speak(hass, TEXT)
    assert caught.value.translation_key == "arrears"


async def test_engine_that_does_not_exist_is_the_service_s_error(
    hass: HomeAssistant, entry: MockConfigEntry, emulator: Emulator
) -> None:
    change(hass, entry, fallback_engine="tts.nobody")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    emulator.script(Fault(FaultKind.ARREARS, Point.BEFORE_AUDIO, times=None))
    with pytest.raises(HomeAssistantError) as caught:
        await speak(hass, TEXT)
    assert caught.value.translation_key == "arrears"


async def test_two_voices_that_name_each_other_do_not_go_round(
    hass: HomeAssistant, ffmpeg: None, entry: MockConfigEntry, emulator: Emulator
) -> None:
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    own = entity_id(hass, "tts", "speech")
    change(hass, entry, fallback_engine=own)
    await hass.async_block_till_done()
    emulator.script(Fault(FaultKind.ARREARS, Point.BEFORE_AUDIO, times=None))
    with pytest.raises(HomeAssistantError):
        await speak(hass, TEXT)
    assert fallbacks(entry) == 0


async def test_silence_of_a_voice_that_fails_as_well_is_no_speech(
    hass: HomeAssistant,
    ffmpeg: None,
    entry: MockConfigEntry,
    silent: None,
) -> None:
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    change(hass, entry, fallback_engine=entity_id(hass, "tts", "speech"))
    with pytest.raises(HomeAssistantError) as caught:
        await speak(hass, TEXT, SATELLITE)
    assert caught.value.translation_key == "timeout"
    assert fallbacks(entry) == 0


async def test_mistake_of_the_caller_is_not_spoken_by_another_engine(
    hass: HomeAssistant, other: OtherEngine
) -> None:
    with pytest.raises(HomeAssistantError):
        await speak(hass, TEXT, {"volume": 101})
    with pytest.raises(HomeAssistantError):
        await speak(hass, "🎉")
    assert not other.said


async def test_ssml_is_read_out_as_plain_text(
    hass: HomeAssistant, emulator: Emulator, other: OtherEngine
) -> None:
    emulator.script(Fault(FaultKind.ARREARS, Point.BEFORE_AUDIO, times=None))
    await speak(hass, '<speak>你好，<break time="1s"/>世界。</speak>')
    ((message, _),) = other.said
    assert message.split() == ["你好，", "世界。"]


async def test_samples_are_found_however_the_header_arrives() -> None:
    """An engine may cut its WAV anywhere, and may name itself before the samples."""
    file = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + bytes(16)
    file += b"LIST\x03\0\0\0abc\0" + b"data\xff\xff\xff\xff" + b"samples"

    async def one_by_one(data: bytes) -> AsyncGenerator[bytes]:
        for position in range(len(data)):
            yield data[position : position + 1]

    samples = fallback.without_wav_header(one_by_one(file))
    assert b"".join([chunk async for chunk in samples]) == b"samples"
    nothing = fallback.without_wav_header(one_by_one(file[:40]))
    assert b"".join([chunk async for chunk in nothing]) == b""


async def test_failures_and_other_engines_are_counted_apart(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    other: OtherEngine,
    silent: None,
) -> None:
    """Silence past the deadline is a failure; only who spoke is counted as speaking."""
    usage = entry.runtime_data.usage
    assert await speak(hass, TEXT)
    assert (usage.figures.total.failures, usage.fallbacks) == (1, 1)
    other.broken = True
    with pytest.raises(HomeAssistantError):
        await speak(hass, TEXT)
    assert (usage.figures.total.failures, usage.fallbacks) == (2, 1)


@pytest.mark.parametrize(
    "options",
    [{}, SATELLITE, {"preferred_format": "wav"}, {"preferred_format": "flac"}],
)
async def test_other_engine_has_the_same_silence_around_it(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    emulator: Emulator,
    other: OtherEngine,
    options: dict[str, Any],
) -> None:
    change(hass, entry, lead_in=300, trailing=400)
    await hass.async_block_till_done()
    emulator.script(Fault(FaultKind.ARREARS, Point.BEFORE_AUDIO, times=None))
    audio = decode(await speak(hass, TEXT, options))
    loud = [place for place, sample in enumerate(audio.samples) if abs(sample) > 500]
    slack = 0.014 if audio.container == "mp3" else 0.01
    assert loud[0] / audio.rate == pytest.approx(0.3, abs=0.01)
    assert audio.seconds == pytest.approx(0.7 + SECONDS, abs=slack + 0.01)


async def test_no_audio_at_all_is_spoken_by_another_engine(
    hass: HomeAssistant, emulator: Emulator, other: OtherEngine
) -> None:
    emulator.config.seconds_per_character = 0.0
    assert decode(await speak(hass, TEXT)).seconds == pytest.approx(SECONDS, abs=0.08)


async def test_wait_for_the_permitted_rate_is_no_failure(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    emulator: Emulator,
    other: OtherEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A healthy service speaks all of many messages."""
    monkeypatch.setattr(fallback, "DEADLINE", 0.8)
    emulator.config.starts_per_second = 3
    await asyncio.gather(*(speak(hass, f"第{number}句话。") for number in range(12)))
    assert not other.said
    assert entry.runtime_data.usage.figures.total.failures == 0


async def test_a_turn_that_takes_long_is_not_waited_for(
    hass: HomeAssistant,
    other: OtherEngine,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a service that runs one task at a time, for a text that is being written."""
    monkeypatch.setattr(fallback, "DEADLINE", 0.5)
    emulator.config.facts = replace(emulator.config.facts, most_tasks=1)
    written = asyncio.Event()

    async def slowly() -> AsyncGenerator[str]:
        yield "第一句话。"
        await written.wait()
        yield "第二句话。"

    first = asyncio.create_task(speak(hass, slowly()))
    await emulator.until(lambda: bool(spoken(emulator)))
    assert await speak(hass, "你好，世界。")
    assert [text for text, _ in other.said] == ["你好，世界。"]
    written.set()
    assert await first
    assert sum(task.characters for task in emulator.tasks) == 2 * 9


@pytest.mark.parametrize("change_to", ["renamed", "removed", "voice_removed"])
async def test_the_fallback_is_read_again_when_it_is_needed(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    other: OtherEngine,
    emulator: Emulator,
    change_to: str,
) -> None:
    """It was renamed, or given up, after the message began."""
    emulator.script(Fault(FaultKind.HANG, Point.BEFORE_AUDIO, times=None))
    speaking = asyncio.create_task(speak(hass, TEXT))
    await emulator.until(lambda: bool(spoken(emulator)))
    subentry = entry.subentries[SUBENTRY_ID]
    if change_to == "renamed":
        hass.data[DATA_COMPONENT]._entities["tts.renamed"] = other
        change(hass, entry, fallback_engine="tts.renamed")
        other.entity_id = "tts.renamed"
        del hass.data[DATA_COMPONENT]._entities["tts.other"]
    elif change_to == "removed":
        data = {k: v for k, v in subentry.data.items() if k != "fallback_engine"}
        hass.config_entries.async_update_subentry(entry, subentry, data=data)
    else:
        hass.config_entries.async_remove_subentry(entry, SUBENTRY_ID)
    if change_to == "removed":
        with pytest.raises(HomeAssistantError):
            await speaking
        assert not other.said
    else:
        assert await speaking
        assert [text for text, _ in other.said] == ["你好，世界。"]
