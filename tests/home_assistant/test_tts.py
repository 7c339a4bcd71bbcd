"""The engine: options, formats, errors."""

from collections.abc import AsyncGenerator
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.cosyvoice.speech.request import (
    PREFERRED_FORMATS,
    SUPPORTED_OPTIONS,
)
from homeassistant.components import tts
from homeassistant.components.tts.const import DATA_COMPONENT
from homeassistant.components.tts.entity import TTSAudioRequest
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
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

TEXT = "你好，世界。今天天气很好。"
PLAIN = "longxian_v3"


def engine(hass: HomeAssistant) -> tts.TextToSpeechEntity:
    found = hass.data[DATA_COMPONENT].get_entity(entity_id(hass, "tts", "speech"))
    assert found is not None
    return found


async def test_engine_can_speak_and_says_what_it_takes(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    assert hass.states.get(entity_id(hass, "tts", "speech")).name == "Longanyang"
    speech = engine(hass)
    assert speech.async_supports_streaming_input()
    assert set(speech.supported_options or []) == {
        "voice",
        "model",
        "format",
        "sample_rate",
        "bit_rate",
        "volume",
        "speech_rate",
        "pitch_rate",
        "seed",
        "instruction",
        "language_hints",
        "preferred_format",
        "preferred_sample_rate",
        "preferred_sample_channels",
        "preferred_sample_bytes",
        "preferred_bitrate",
    }


@pytest.mark.parametrize(
    ("options", "wire", "container", "codec", "rate", "channels"),
    [
        ({}, ("mp3", 24000), "mp3", "mp3float", 24000, 1),
        ({"preferred_format": "mp3"}, ("mp3", 24000), "mp3", "mp3float", 24000, 1),
        ({"sample_rate": 16000}, ("mp3", 16000), "mp3", "mp3float", 16000, 1),
        ({"preferred_format": "wav"}, ("pcm", 24000), "wav", "pcm_s16le", 24000, 1),
        ({"preferred_format": "opus"}, ("opus", 24000), "ogg", "libopus", 48000, 1),
        # Home Assistant has promised MP3
        ({"format": "opus"}, ("opus", 24000), "mp3", "mp3float", 48000, 1),
        ({"format": "wav"}, ("pcm", 24000), "mp3", "mp3float", 24000, 1),
        ({"preferred_format": "flac"}, ("pcm", 48000), "flac", "flac", 48000, 1),
        (SATELLITE, ("pcm", 48000), "wav", "pcm_s16le", 16000, 1),
        (
            {**SATELLITE, "sample_rate": 16000},
            ("pcm", 16000),
            "wav",
            "pcm_s16le",
            16000,
            1,
        ),
        (
            {**SATELLITE, "preferred_sample_channels": 2},
            ("pcm", 48000),
            "wav",
            "pcm_s16le",
            16000,
            2,
        ),
        (
            {"preferred_format": "flac", "preferred_sample_rate": 48000},
            ("pcm", 48000),
            "flac",
            "flac",
            48000,
            1,
        ),
        (
            {"preferred_format": "mp3", "preferred_bitrate": 64},
            ("pcm", 48000),
            "mp3",
            "mp3float",
            48000,
            1,
        ),
    ],
)
async def test_every_listener_gets_what_it_asked_for(
    hass: HomeAssistant,
    ffmpeg: None,
    loaded: MockConfigEntry,
    emulator: Emulator,
    options: dict[str, Any],
    wire: tuple[str, int],
    container: str,
    codec: str,
    rate: int,
    channels: int,
) -> None:
    audio = decode(await speak(hass, TEXT, options))
    task = spoken(emulator)[-1]
    assert (task.parameters["format"], task.parameters["sample_rate"]) == wire
    assert (audio.container, audio.rate, audio.channels) == (container, rate, channels)
    assert audio.seconds == pytest.approx(task.audio_seconds, rel=0.03, abs=0.1)


@pytest.mark.parametrize(
    "preferred",
    [
        {},
        {"preferred_format": "mp3", "preferred_sample_rate": 16000},
        {"preferred_format": "wav"},
        {"preferred_format": "opus"},
        {"preferred_format": "flac"},
        SATELLITE,
    ],
)
async def test_silence_before_and_after_is_exact(
    hass: HomeAssistant,
    ffmpeg: None,
    entry: MockConfigEntry,
    emulator: Emulator,
    preferred: dict[str, Any],
) -> None:
    emulator.config.speech = "signal"
    change(hass, entry, lead_in=500, trailing=1250)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    audio = decode(await speak(hass, TEXT, preferred))
    (task,) = spoken(emulator)
    silence = 0.5 + 1.25
    # An MP3 ends with a whole frame, the nearest one: that is 24 or 36 ms long
    mp3 = preferred.get("preferred_format", "mp3") == "mp3"
    frame = (1152 if audio.rate > 24_000 else 576) / audio.rate
    slack = frame / 2 + 0.001 if mp3 else 0.01
    assert audio.seconds == pytest.approx(task.audio_seconds + silence, abs=slack)
    loud = [abs(sample) > 500 for sample in audio.samples]
    assert loud.index(True) / audio.rate == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({"voice": PLAIN}, {"voice": PLAIN}),
        ({"volume": "80"}, {"volume": 80}),
        ({"speech_rate": "1.2"}, {"rate": 1.2}),
        ({"pitch_rate": 0.5}, {"pitch": 0.5}),
        ({"seed": "42"}, {"seed": 42}),
        (
            {"instruction": "你说话的情感是sad。"},
            {"instruction": "你说话的情感是sad。"},
        ),
        ({"language_hints": ["zh"]}, {"language_hints": ["zh"]}),
        ({"language_hints": "en"}, {"language_hints": ["en"]}),
        ({"format": "opus", "bit_rate": 16}, {"format": "opus", "bit_rate": 16}),
        (
            {"format": "wav", "sample_rate": 8000},
            {"format": "pcm", "sample_rate": 8000},
        ),
        ({"model": "cosyvoice-v3-plus"}, {}),
    ],
)
async def test_option_of_a_call_reaches_the_service(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    hass_client: ClientSessionGenerator,
    options: dict[str, Any],
    parameters: dict[str, Any],
) -> None:
    (call,) = await call_speak(hass, TEXT, options=options)
    assert await played(hass, hass_client, call)
    (task,) = spoken(emulator)
    assert parameters.items() <= task.parameters.items()
    assert task.model == options.get("model", "cosyvoice-v3-flash")


@pytest.mark.parametrize(
    ("options", "option", "allowed"),
    [
        ({"speech_rate": 2.5}, "speech_rate", "2"),
        ({"speech_rate": "fast"}, "speech_rate", "0.5"),
        ({"speech_rate": "nan"}, "speech_rate", "0.5"),
        ({"speech_rate": True}, "speech_rate", "0.5"),
        ({"pitch_rate": 0.1}, "pitch_rate", "0.5"),
        ({"volume": 101}, "volume", "100"),
        ({"volume": 50.5}, "volume", "100"),
        ({"volume": [1]}, "volume", "100"),
        ({"seed": -1}, "seed", "65535"),
        ({"sample_rate": 12345}, "sample_rate", "16000"),
        ({"bit_rate": 32}, "bit_rate", "opus"),
        ({"format": "opus", "bit_rate": 5}, "bit_rate", "6"),
        ({"format": "flac"}, "format", "mp3"),
        ({"format": 5}, "format", ""),
        ({"voice": "nobody"}, "voice", "long"),
        ({"voice": 5}, "voice", ""),
        ({"model": "cosyvoice-v9"}, "model", "cosyvoice-v3-flash"),
        ({"voice": PLAIN, "model": "cosyvoice-v2"}, "model", "cosyvoice-v3-flash"),
        ({"instruction": "be nice"}, "instruction", "你说话的情感是happy。"),
        ({"voice": PLAIN, "instruction": "be nice"}, "instruction", "-"),
        ({"language_hints": ["xx"]}, "language_hints", "zh"),
        ({"language_hints": 7}, "language_hints", "zh"),
        ({"preferred_format": "../x"}, "preferred_format", "mp3"),
        ({"preferred_format": "xyz"}, "preferred_format", "mp3, wav, flac, ogg"),
        ({"preferred_format": "m4a"}, "preferred_format", "mp3"),
        ({"preferred_format": "mp4"}, "preferred_format", "mp3"),
        ({"preferred_format": "aac"}, "preferred_format", "adts"),
        ({"preferred_format": ["mp3"]}, "preferred_format", "mp3"),
        ({"preferred_sample_rate": "high"}, "preferred_sample_rate", "4000"),
        ({"preferred_sample_rate": 10**9}, "preferred_sample_rate", "192000"),
        ({"preferred_sample_rate": 96000}, "preferred_sample_rate", "48000"),
        (
            {"preferred_sample_rate": 44100, "preferred_format": "opus"},
            "preferred_sample_rate",
            "48000",
        ),
        ({"preferred_sample_channels": 0}, "preferred_sample_channels", "1"),
        ({"preferred_sample_channels": 99}, "preferred_sample_channels", "2"),
        (
            {"preferred_sample_rate": 44100, "preferred_format": "webm"},
            "preferred_sample_rate",
            "48000",
        ),
        ({"preferred_sample_bytes": 9}, "preferred_sample_bytes", "4"),
        (
            {"preferred_sample_bytes": 2, "preferred_format": "ogg"},
            "preferred_sample_bytes",
            "1, 3, 4",
        ),
        ({"preferred_bitrate": 10**9}, "preferred_bitrate", "1000"),
    ],
)
async def test_impossible_option_is_explained_and_nothing_is_sent(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    options: dict[str, Any],
    option: str,
    allowed: str,
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await call_speak(hass, TEXT, options=options)
    assert caught.value.translation_domain == "cosyvoice"
    placeholders = caught.value.translation_placeholders
    assert placeholders["option"] == option
    assert placeholders["value"].strip("[]'") == str(options[option]).strip("[]'")
    assert allowed in placeholders["allowed"]
    # Home Assistant reads the numbers of a listener's format before we do
    with pytest.raises((HomeAssistantError, ValueError)):
        await speak(hass, TEXT, options)
    assert not spoken(emulator)


@pytest.mark.parametrize("extension", PREFERRED_FORMATS)
@pytest.mark.parametrize(
    "details",
    [
        {},
        {"sample_rate": 16000},
        {"preferred_sample_rate": 8000, "preferred_sample_channels": 2},
    ],
)
async def test_every_accepted_format_can_be_made(
    hass: HomeAssistant,
    ffmpeg: None,
    loaded: MockConfigEntry,
    emulator: Emulator,
    extension: str,
    details: dict[str, Any],
) -> None:
    options = {"preferred_format": extension} | details
    (call,) = await call_speak(hass, TEXT, options=options)
    assert call.data["media_content_id"]
    audio = decode(await speak(hass, TEXT, options))
    (task,) = spoken(emulator)
    assert audio.seconds == pytest.approx(task.audio_seconds, abs=0.15)


@pytest.mark.parametrize(
    "options", [dict.fromkeys(SUPPORTED_OPTIONS), {"preferred_format": None}]
)
async def test_null_means_that_an_option_is_not_given(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    hass_client: ClientSessionGenerator,
    options: dict[str, Any],
) -> None:
    (call,) = await call_speak(hass, TEXT, options=options)
    assert decode(await played(hass, hass_client, call)).container == "mp3"
    (task,) = spoken(emulator)
    assert task.parameters["voice"] == "longanyang"


async def test_a_format_that_is_null_is_refused_before_it_is_billed(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await speak(hass, TEXT, {"preferred_format": None})
    assert caught.value.translation_key == "invalid_option"
    assert not spoken(emulator)


@pytest.mark.parametrize(
    "options", [{"speed": "1.5"}, {"speed": None}, {"settings": {}}, {"settings": None}]
)
async def test_unknown_option_is_named_as_unknown(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    options: dict[str, Any],
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await call_speak(hass, TEXT, options=options)
    assert caught.value.translation_key == "unknown_option"
    assert caught.value.translation_placeholders["option"] in options
    assert "speech_rate" in caught.value.translation_placeholders["allowed"]
    assert not spoken(emulator)


async def test_a_message_without_end_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    message = "今天天气不错。" * 150_000
    with pytest.raises(ServiceValidationError) as caught:
        await call_speak(hass, message)
    assert caught.value.translation_key == "text_too_long"
    with pytest.raises(HomeAssistantError):
        await speak(hass, message)
    assert not spoken(emulator)


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        (FaultKind.ARREARS, "arrears"),
        (FaultKind.VOICE_418, "voice_refused"),
        (FaultKind.CONTENT, "content_refused"),
        (FaultKind.INVALID_PARAMETER, "request_refused"),
    ],
)
async def test_refusal_of_the_service_is_translated_and_counted(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    kind: FaultKind,
    key: str,
) -> None:
    emulator.script(Fault(kind, Point.BEFORE_AUDIO, times=None))
    with pytest.raises(HomeAssistantError) as caught:
        await speak(hass, TEXT)
    assert caught.value.translation_key == key
    totals = loaded.runtime_data.usage.figures.total
    assert (totals.requests, totals.failures) == (1, 1)


async def test_usage_is_recorded_for_the_voice(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    await speak(hass, TEXT)
    usage = loaded.runtime_data.usage
    assert usage.characters_of(SUBENTRY_ID) == sum(emulator.bill.values()) > 0
    await speak(hass, TEXT)  # from Home Assistant's cache
    assert usage.figures.total.requests == 1


async def test_audio_is_handed_over_before_anything_is_sent(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    """Home Assistant starts its converter only then."""

    async def never() -> AsyncGenerator[str]:
        raise AssertionError("the text was read")
        yield ""

    speech = engine(hass)
    before = len(emulator.connections)
    options = {**(speech.default_options or {}), **SATELLITE}
    response = await speech.async_stream_tts_audio(
        TTSAudioRequest("zh-CN", options, never())
    )
    assert response.extension == "caf"
    assert len(emulator.connections) == before


async def test_listener_that_leaves_cancels_the_task(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    speech = engine(hass)
    emulator.config.real_time_factor = 1.0
    response = await speech.async_stream_tts_audio(
        TTSAudioRequest("zh-CN", dict(speech.default_options or {}), pieces(TEXT * 20))
    )
    await anext(response.data_gen)
    await response.data_gen.aclose()
    assert loaded.runtime_data.usage.recent[-1].outcome == "cancelled"


async def test_asking_for_the_engine_warms_it_up(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    with patch.object(loaded.runtime_data.client, "warm_up") as warm_up:
        tts.async_create_stream(hass, entity_id(hass, "tts", "speech"))
    assert warm_up.call_args.args[0].voice == "longanyang"


async def test_warm_up_goes_by_the_settings_of_now(
    hass: HomeAssistant, ffmpeg: None, loaded: MockConfigEntry
) -> None:
    await speak(hass, TEXT, SATELLITE)
    change(hass, loaded, voice=PLAIN, speech_rate=1.5)
    await hass.async_block_till_done()
    with patch.object(loaded.runtime_data.client, "warm_up") as warm_up:
        tts.async_create_stream(hass, entity_id(hass, "tts", "speech"))
    options = warm_up.call_args.args[0]
    assert (options.voice, options.speech_rate) == (PLAIN, 1.5)
    assert options.format == "caf"


@pytest.mark.parametrize("state", ["listening", "processing"])
async def test_listening_satellite_warms_up_the_voice_asked_for_last(
    hass: HomeAssistant, ffmpeg: None, loaded: MockConfigEntry, state: str
) -> None:
    async def become(state: str) -> None:
        hass.states.async_set("assist_satellite.kitchen", state)
        await hass.async_block_till_done()

    with patch.object(loaded.runtime_data.client, "warm_up") as warm_up:
        await become("idle")
        await become(state)
        assert not warm_up.called
        await speak(hass, TEXT, SATELLITE)
        warm_up.reset_mock()
        await become("idle")
        assert not warm_up.called
        await become(state)
        warm_up.assert_called_once()
        assert warm_up.call_args.args[0].format == "caf"
        assert await hass.config_entries.async_unload(loaded.entry_id)
        await become("idle")
        await become(state)
        warm_up.assert_called_once()


async def test_no_audio_at_all_is_an_error_and_not_kept(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    emulator.config.seconds_per_character = 0.0
    with pytest.raises(HomeAssistantError) as caught:
        await speak(hass, TEXT)
    assert caught.value.translation_key == "no_audio"
    emulator.config.seconds_per_character = 0.1
    await hass.async_block_till_done(wait_background_tasks=True)
    assert decode(await speak(hass, TEXT)).seconds > 1
