"""Speech into files, with subtitles."""

import asyncio
import io
from pathlib import Path
import re
import tracemalloc
from typing import Any
import wave

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.cosyvoice.client import CATALOGUE
from homeassistant.components import media_source
from homeassistant.components.tts.const import DATA_TTS_MANAGER
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)
from homeassistant.setup import async_setup_component
from tests.emulator import Emulator, Fault, FaultKind, Point

from .conftest import SUBENTRY_ID
from .speaking import (
    TEXT,
    call_action,
    call_speak,
    change,
    decode,
    entity_id,
    speak,
    synthesize,
)

UNTIMED = next(
    voice.id
    for voice in CATALOGUE.voices_in("cn-beijing")
    if "word_timestamps" not in voice.features
)
OLD = "longxiaochun"
"""A voice whose only model has no Opus."""
TIME = re.compile(r"(\d+):(\d\d):(\d\d),(\d{3})")


def read(path: str) -> bytes:
    return Path(path).read_bytes()


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def cues(path: str) -> list[tuple[float, float, str]]:
    """Read an SRT file as a player does."""
    found = []
    blocks = Path(path).read_text("utf-8").strip().split("\n\n")
    for number, block in enumerate(blocks, start=1):
        index, times, text = block.split("\n")
        assert int(index) == number
        begin, end = (
            int(h) * 3600 + int(m) * 60 + int(s) + int(ms) / 1000
            for h, m, s, ms in TIME.findall(times)
        )
        found.append((begin, end, text))
    return found


@pytest.mark.parametrize(
    ("wanted", "codec", "content_type"),
    [
        ("mp3", "mp3float", "audio/mpeg"),
        ("wav", "pcm_s16le", "audio/wav"),
        ("opus", "opus", "audio/ogg"),
        ("auto", "mp3float", "audio/mpeg"),
    ],
)
async def test_file_plays_and_is_paid_for(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    media: Path,
    hass_client: ClientSessionGenerator,
    wanted: str,
    codec: str,
    content_type: str,
) -> None:
    assert await async_setup_component(hass, "media_source", {})
    result = await synthesize(hass, options={"format": wanted})
    audio = decode(read(result["file"]))
    assert audio.codec == codec
    assert audio.seconds == pytest.approx(result["duration"], abs=0.1)
    assert Path(result["file"]).parent == media / "cosyvoice"
    assert result["media_content_type"] == content_type
    assert result["characters"] == sum(emulator.bill.values())
    assert result["cost"] == result["characters"] / 10_000
    assert result["currency"] == "CNY"
    assert result["estimated"] is False
    assert len(result["request_ids"]) == 1
    assert "words" not in result and "subtitle_file" not in result

    found = await media_source.async_resolve_media(
        hass, result["media_content_id"], None
    )
    client = await hass_client()
    response = await client.get(found.url)
    assert await response.read() == read(result["file"])
    assert loaded.runtime_data.usage.characters_of(SUBENTRY_ID) == result["characters"]


async def test_recording_holds_no_silence_of_a_lost_connection(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, media: Path
) -> None:
    """Nobody listens who would run dry meanwhile."""
    message, options = "你好。世界，今天天气很好。", {"format": "wav"}
    whole = await synthesize(hass, message, options=options)
    emulator.config.real_time_factor = 1.0
    emulator.script(Fault(FaultKind.RESET, Point.BETWEEN_SENTENCES))
    again = await synthesize(hass, message, options=options)
    assert len(emulator.happened) == 1
    assert again["duration"] == pytest.approx(whole["duration"], abs=0.01)


async def test_wav_file_knows_its_length(
    hass: HomeAssistant, loaded: MockConfigEntry, media: Path
) -> None:
    change(hass, loaded, lead_in=500, trailing=250)
    await hass.async_block_till_done()
    result = await synthesize(hass, options={"format": "mp3"})
    data = read(result["file"])
    assert Path(result["file"]).suffix == ".wav"
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    with wave.open(io.BytesIO(data)) as file:
        seconds = file.getnframes() / file.getframerate()
    assert seconds == pytest.approx(result["duration"], abs=0.001)


@pytest.mark.parametrize("word_times", ["sentence", "task"])
@pytest.mark.parametrize("wanted", ["mp3", "wav"])
async def test_subtitles_and_words_match_the_audio(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    media: Path,
    word_times: Any,
    wanted: str,
) -> None:
    emulator.config.word_times = word_times
    result = await synthesize(
        hass, options={"format": wanted}, word_timestamps=True, subtitles=True
    )
    begin = 0.0
    (task,) = (task for task in emulator.tasks if task.pieces)
    sentences = task.sentences
    shown = cues(result["subtitle_file"])
    assert Path(result["subtitle_file"]) == Path(result["file"]).with_suffix(".srt")
    assert "".join(text for _, _, text in shown).replace(" ", "") == TEXT.replace(
        " ", ""
    )
    assert len(shown) == len(sentences) == 3
    for sentence, (first, last, text) in zip(sentences, shown, strict=True):
        end = begin + sentence.audio_seconds
        assert text == sentence.text.strip()
        assert first == pytest.approx(begin, abs=0.1)
        assert last <= end + 0.1
        words = [word for word in result["words"] if first <= word["begin"] < last]
        assert words[0]["begin"] == pytest.approx(first, abs=0.001)
        assert words[-1]["end"] == pytest.approx(last, abs=0.1)
        begin = end
    assert result["words"][-1]["end"] <= result["duration"] + 0.1


async def test_subtitles_of_ssml_show_its_text(
    hass: HomeAssistant, loaded: MockConfigEntry, media: Path
) -> None:
    document = '<speak>今天天气不错。<break time="500ms"/>晚上见。</speak>'
    result = await synthesize(hass, document, word_timestamps=True, subtitles=True)
    texts = [text for _, _, text in cues(result["subtitle_file"])]
    assert texts == ["今天天气不错。", "晚上见。"]


async def test_file_name_is_kept_and_replaced(
    hass: HomeAssistant, loaded: MockConfigEntry, media: Path
) -> None:
    for message in ("你好。", "你好，世界。"):
        result = await synthesize(hass, message, filename="早上好.mp3")
        assert Path(result["file"]) == media / "cosyvoice" / "早上好.mp3"
    assert names_in(media / "cosyvoice") == ["早上好.mp3"]
    assert decode(read(result["file"])).seconds == pytest.approx(
        result["duration"], abs=0.1
    )


@pytest.mark.parametrize(
    "name", ["a & b+c", "it's", "\u732b" * 60, " padded ", "a;b=c"]
)
async def test_usable_file_name_can_be_played(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    media: Path,
    hass_client: ClientSessionGenerator,
    name: str,
) -> None:
    assert await async_setup_component(hass, "media_source", {})
    result = await synthesize(hass, "\u4f60\u597d\u3002", filename=name)
    found = await media_source.async_resolve_media(
        hass, result["media_content_id"], None
    )
    response = await (await hass_client()).get(found.url)
    assert await response.read() == read(result["file"])


async def test_extension_of_another_format_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, media: Path
) -> None:
    """With silence around it, the audio is WAV."""
    change(hass, loaded, lead_in=500)
    await hass.async_block_till_done()
    with pytest.raises(ServiceValidationError) as error:
        await synthesize(hass, filename="evening.mp3", options={"format": "mp3"})
    assert error.value.translation_key == "other_format"
    assert emulator.bill == {}
    result = await synthesize(hass, filename="evening.wav")
    assert (result["format"], Path(result["file"]).name) == ("wav", "evening.wav")


async def test_audio_and_subtitles_of_one_name_belong_together(
    hass: HomeAssistant, loaded: MockConfigEntry, media: Path
) -> None:
    results = await asyncio.gather(
        *(
            synthesize(hass, message, filename="evening", subtitles=True)
            for message in (
                "\u4f60\u597d\u3002",
                "\u4f60\u597d\uff0c\u4e16\u754c\u3002" * 20,
            )
        )
    )
    audio = decode(read(str(media / "cosyvoice" / "evening.mp3")))
    shown = cues(str(media / "cosyvoice" / "evening.srt"))
    assert audio.seconds == pytest.approx(shown[-1][1], abs=0.3)
    assert {result["file"] for result in results} == {results[0]["file"]}
    assert sorted(names_in(media / "cosyvoice")) == ["evening.mp3", "evening.srt"]


async def test_long_recording_is_not_kept_in_memory(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, media: Path
) -> None:
    emulator.config.seconds_per_character = 1.0
    message = "\u4eca\u5929\u5929\u6c14\u4e0d\u9519\u3002" * 40
    await synthesize(hass, "\u4f60\u597d\u3002", options={"format": "wav"})
    tracemalloc.start()
    result = await synthesize(hass, message, options={"format": "wav"})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = result["duration"] * 48_000
    assert size > 10_000_000
    assert peak < size / 2


async def test_each_call_makes_a_new_file(
    hass: HomeAssistant, loaded: MockConfigEntry, media: Path
) -> None:
    files = {(await synthesize(hass, "你好。"))["file"] for _ in range(3)}
    assert len(files) == 3


@pytest.mark.parametrize(
    "name",
    [
        *("../evil", "a/b", "a\\b", "..", "", " ", ".hidden", "~root", "a\nb"),
        *("x" * 300, "\u732b" * 85, "x.", "a#b", "a?b", "a%20b", ".mp3"),
    ],
)
async def test_unusable_file_name_is_refused_before_it_is_paid_for(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    media: Path,
    name: str,
) -> None:
    with pytest.raises(ServiceValidationError, match="cannot be used as a file name"):
        await synthesize(hass, filename=name)
    assert emulator.bill == {}
    assert names_in(media) == []


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"options": {"speech_rate": 9}}, "invalid_option"),
        ({"options": {"speed": "1.5"}}, "unknown_option"),
        ({"options": {"settings": {}}}, "unknown_option"),
        ({"options": {"preferred_sample_rate": 16000}}, "not_supported"),
        ({"options": {"preferred_format": "flac"}}, "not_supported"),
        ({"options": {"voice": OLD, "format": "opus"}}, "not_supported"),
        ({"language": "xx"}, "invalid_option"),
        ({"language": "EN"}, "invalid_option"),
        ({"language": "en_US"}, "invalid_option"),
        ({"message": "\u3002"}, "empty_text"),
        ({"message": "<speak>"}, "ssml_not_closed"),
        (
            {"options": {"voice": UNTIMED}, "subtitles": True},
            "word_timestamps_not_supported",
        ),
    ],
)
async def test_impossible_call_is_explained_and_free(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    media: Path,
    data: dict[str, Any],
    key: str,
) -> None:
    with pytest.raises(ServiceValidationError) as error:
        await synthesize(hass, **data)
    assert error.value.translation_key == key
    assert emulator.bill == {}


async def test_recording_that_fails_half_way_is_an_error(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, media: Path
) -> None:
    """Of which no file stays behind."""
    emulator.script(Fault(FaultKind.CONTENT, Point.BEFORE_AUDIO, after_sentences=1))
    with pytest.raises(HomeAssistantError) as error:
        await synthesize(hass)
    assert error.value.translation_key == "content_refused"
    assert not (media / "cosyvoice").exists()


async def test_user_who_may_only_read_cannot_spend_money(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    media: Path,
    hass_read_only_user: MockUser,
) -> None:
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            "cosyvoice",
            "synthesize",
            {"entity_id": entity_id(hass, "tts", "speech"), "message": TEXT},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
    assert emulator.bill == {}
    assert names_in(media) == []


async def test_unloaded_account_cannot_be_asked_to_synthesize(
    hass: HomeAssistant, loaded: MockConfigEntry, media: Path
) -> None:
    engine = entity_id(hass, "tts", "speech")
    assert await hass.config_entries.async_unload(loaded.entry_id)
    with pytest.raises(HomeAssistantError, match="did not match any entities"):
        await call_action(hass, "synthesize", entity_id=engine, message=TEXT)


async def test_failure_of_the_service_leaves_no_file(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, media: Path
) -> None:
    emulator.script(Fault(FaultKind.INVALID_PARAMETER, Point.BEFORE_AUDIO))
    with pytest.raises(HomeAssistantError):
        await synthesize(hass)
    assert not (media / "cosyvoice").exists()
    assert loaded.runtime_data.usage.figures.total.failures == 1


async def test_folder_that_cannot_be_written_is_named_before_it_is_paid_for(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, media: Path
) -> None:
    (media / "cosyvoice").write_text("in the way")
    with pytest.raises(HomeAssistantError, match="could not be saved"):
        await synthesize(hass)
    assert emulator.bill == {}


async def test_file_that_cannot_be_replaced_leaves_no_other(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, media: Path
) -> None:
    (media / "cosyvoice" / "evening.mp3").mkdir(parents=True)
    with pytest.raises(HomeAssistantError, match="could not be saved"):
        await synthesize(hass, filename="evening")
    assert emulator.bill == {}
    assert names_in(media / "cosyvoice") == ["evening.mp3"]


async def test_needs_a_media_folder(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    hass.config.media_dirs = {}
    with pytest.raises(ServiceValidationError) as error:
        await synthesize(hass)
    assert error.value.translation_key == "no_media_folder"
    assert emulator.bill == {}


async def test_budget_that_is_used_up_stops_speech(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, media: Path
) -> None:
    await speak(hass, "今天天气不错。")
    hass.config_entries.async_update_entry(
        loaded,
        options={**loaded.options, "monthly_budget": 10, "refuse_over_budget": True},
    )
    await hass.async_block_till_done()
    bill = emulator.bill
    with pytest.raises(ServiceValidationError, match="monthly budget of 10"):
        await synthesize(hass)
    with pytest.raises(ServiceValidationError, match="monthly budget of 10"):
        await call_speak(hass, TEXT)
    # What Home Assistant has kept costs nothing
    assert await call_speak(hass, "今天天气不错。")
    assert emulator.bill == bill


@pytest.mark.parametrize(
    "data", [{"options": {"volume": 40}}, {"language": "zh-TW"}, {"cache": False}]
)
async def test_used_up_budget_stops_speech_that_is_cached_for_another_call(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, data: Any
) -> None:
    message = "今天天气不错。"
    await speak(hass, message, language="zh-CN")
    await hass.async_block_till_done(wait_background_tasks=True)
    # On disk only
    hass.data[DATA_TTS_MANAGER].mem_cache.clear()
    hass.config_entries.async_update_entry(
        loaded,
        options={**loaded.options, "monthly_budget": 10, "refuse_over_budget": True},
    )
    await hass.async_block_till_done()
    with pytest.raises(ServiceValidationError, match="monthly budget of 10"):
        await call_speak(hass, message, **{"language": "zh-CN", **data})
    assert await call_speak(hass, message, language="zh-CN")
