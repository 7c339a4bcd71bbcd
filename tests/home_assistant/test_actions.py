"""The actions: what was used, and speech into files with subtitles."""

import asyncio
from dataclasses import replace
import io
from pathlib import Path
import re
import tracemalloc
from typing import Any
import wave

from freezegun.api import FrozenDateTimeFactory
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

from .conftest import CLONE, SUBENTRY_ID
from .ledgers import FLASH, PLUS, VOICE, spoken
from .speaking import call_speak, change, decode, entity_id, speak

TEXT = "今天天气不错。We walk to the park at noon, then home! 晚上见。"
UNTIMED = next(
    voice.id
    for voice in CATALOGUE.voices_in("cn-beijing")
    if "word_timestamps" not in voice.features
)
OLD = "longxiaochun"
"""A voice whose only model has no Opus."""
TIME = re.compile(r"(\d+):(\d\d):(\d\d),(\d{3})")


@pytest.fixture
def media(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Home Assistant's media folder."""
    hass.config.media_dirs = {"local": str(tmp_path)}
    return tmp_path


async def call(hass: HomeAssistant, action: str, **data: Any) -> Any:
    return await hass.services.async_call(
        "cosyvoice", action, data, blocking=True, return_response=True
    )


async def synthesize(hass: HomeAssistant, message: str = TEXT, **data: Any) -> Any:
    engine = entity_id(hass, "tts", "speech")
    answers = await call(hass, "synthesize", entity_id=engine, message=message, **data)
    assert list(answers) == [engine]
    return answers[engine]


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


async def test_usage_by_model_and_voice(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    ledger = loaded.runtime_data.usage
    ledger.record(spoken(100), "living_room")
    ledger.record(spoken(50, model=PLUS, estimated=True), "living_room")
    ledger.record(spoken(0, voice="longanhuan", outcome="failed"), "living_room")
    usage = await call(hass, "get_usage")
    assert usage["config_entry_id"] == loaded.entry_id
    assert usage["characters"] == 150
    assert usage["estimated"] == 50
    assert usage["requests"] == 3
    assert usage["failures"] == 1
    assert usage["currency"] == "CNY"
    assert usage["cost"] == 0.02
    assert usage["by_model"][PLUS]["cost"] == 0.01
    assert usage["by_model"][FLASH]["requests"] == 2
    assert usage["by_voice"][VOICE]["characters"] == 150
    assert usage["by_voice"]["longanhuan"]["failures"] == 1


@pytest.mark.parametrize(
    ("data", "characters", "start", "end"),
    [
        ({"period": "day"}, 4, "2026-11-20", "2026-11-20"),
        ({}, 6, "2026-11-01", "2026-11-20"),
        ({"period": "total"}, 7, None, None),
        ({"start": "2026-10-01", "end": "2026-10-31"}, 1, "2026-10-01", "2026-10-31"),
        ({"start": "2026-11-19"}, 6, "2026-11-19", None),
        ({"end": "2026-11-19"}, 3, None, "2026-11-19"),
        ({"start": "2027-01-01"}, 0, "2027-01-01", None),
    ],
)
async def test_usage_of_a_period(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    data: dict[str, str],
    characters: int,
    start: str | None,
    end: str | None,
) -> None:
    for day, said in (("2026-10-05", 1), ("2026-11-19", 2), ("2026-11-20", 4)):
        freezer.move_to(f"{day} 20:00:00+00:00")
        loaded.runtime_data.usage.record(spoken(said), "living_room")
    usage = await call(hass, "get_usage", config_entry_id=loaded.entry_id, **data)
    assert usage["characters"] == characters
    assert (usage["start"], usage["end"]) == (start, end)


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(
    "data",
    [{"config_entry_id": "unknown"}, {"start": "2026-11-02", "end": "2026-11-01"}],
)
async def test_usage_refuses_what_makes_no_sense(
    hass: HomeAssistant, data: dict[str, str]
) -> None:
    with pytest.raises(ServiceValidationError):
        await call(hass, "get_usage", **data)


async def test_usage_needs_an_account_to_ask(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    await hass.config_entries.async_unload(loaded.entry_id)
    with pytest.raises(ServiceValidationError, match="There are 0 loaded"):
        await call(hass, "get_usage")
    with pytest.raises(ServiceValidationError):
        await call(hass, "get_usage", config_entry_id=loaded.entry_id)


async def test_speech_that_a_reload_ends_is_in_the_books(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, media: Path
) -> None:
    """It was billed, although the ledger it began with is gone."""
    emulator.script(Fault(FaultKind.HANG, Point.MID_SENTENCE))
    speech = hass.async_create_task(synthesize(hass))
    await emulator.until(lambda: bool(emulator.happened))
    await hass.config_entries.async_reload(loaded.entry_id)
    with pytest.raises(HomeAssistantError):
        await speech
    total = loaded.runtime_data.usage.figures.total
    assert (total.requests, total.failures) == (1, 1)
    assert total.characters > 0


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client start more tasks a second than the service allows."""
    models = {
        model.id: replace(model, starts_per_second=1000)
        for model in CATALOGUE.models.values()
    }
    monkeypatch.setattr(
        "custom_components.cosyvoice.client.client.CATALOGUE",
        replace(CATALOGUE, models=models),
    )


@pytest.mark.usefixtures("hurry", "media")
async def test_sensors_and_action_equal_the_bill(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    """200 utterances, mixed in language, model and in how the service reports."""
    texts = [
        "今天天气不错。",
        "The kettle is boiling.",
        "日本語でお知らせします。",
        "안녕하세요, 반갑습니다.",
        "混合 text，with 数字 123。",
    ]
    usages: tuple[Any, ...] = ("sentence", "finished", "both", "none", "old")
    # Home Assistant's tests note the stack of every callback: too slow for so many
    asyncio.get_running_loop().set_debug(False)
    emulator.config.chunk = 1.0
    for batch in range(20):
        emulator.config.usage = usages[batch % len(usages)]
        options = {"model": (FLASH, PLUS)[batch // 5 % 2]}
        await asyncio.gather(
            *(
                synthesize(hass, f"{texts[number % 5]} {batch}.", options=options)
                for number in range(10)
            )
        )
    usage = await call(hass, "get_usage", period="total")
    assert {
        model: figures["characters"] for model, figures in usage["by_model"].items()
    } == emulator.bill
    assert usage["cost"] == pytest.approx(
        (emulator.bill[FLASH] * 1 + emulator.bill[PLUS] * 2) / 10_000, abs=1e-12
    )
    assert usage["requests"] == 200
    state = hass.states.get(entity_id(hass, "sensor", "characters", loaded.entry_id))
    assert state and int(state.state) == sum(emulator.bill.values())
    by_count = loaded.runtime_data.usage.figures.total
    assert 0 < by_count.estimated < by_count.characters / 4


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
        ({"options": {"voice": UNTIMED}, "subtitles": True}, "not_supported"),
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
        await call(hass, "synthesize", entity_id=engine, message=TEXT)


async def list_voices(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    answer = await call(hass, "list_voices", **data)
    return {voice["voice_id"]: voice for voice in answer["voices"]}


DESIGNED = "cosyvoice-v3.5-flash-vd-calm-5a40"


@pytest.fixture
async def with_custom_voices(
    hass: HomeAssistant, entry: MockConfigEntry, emulator: Emulator
) -> MockConfigEntry:
    """An account with a cloned and a designed voice."""
    emulator.config.cloned_voices = {CLONE: "OK", DESIGNED: "DEPLOYING"}
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


@pytest.mark.usefixtures("with_custom_voices")
async def test_voices_are_listed(hass: HomeAssistant) -> None:
    voices = await list_voices(hass)
    in_region = {voice.id for voice in CATALOGUE.voices_in("cn-beijing")}
    assert set(voices) == in_region | {CLONE, DESIGNED}
    names = [voice["name"] for voice in voices.values()]
    assert len(set(names)) == len(names)
    built_in, clone = voices["longanhuan"], voices[CLONE]
    assert built_in["name"] == "Longanhuan \u9f99\u5b89\u6b22 (longanhuan)"
    assert built_in["languages"] == ["zh", "en"]
    assert built_in["models"] == [FLASH, PLUS]
    assert (built_in["kind"], built_in["gender"]) == ("system", "female")
    assert voices["longhouge_v3"]["kinds"] == ["men", "characters"]
    assert "happy" in built_in["styles"]
    assert (clone["kind"], clone["models"]) == ("cloned", [FLASH])
    assert "fr" in clone["languages"]
    assert voices[DESIGNED]["kind"] == "designed"
    assert voices[DESIGNED]["status"] == "DEPLOYING"


@pytest.mark.usefixtures("with_custom_voices")
@pytest.mark.parametrize(
    ("data", "found", "missing"),
    [
        ({"language": "ja"}, "loongriko_v3", "longanyang"),
        ({"language": "ja-JP"}, "loongriko_v3", "longanyang"),
        ({"kind": "cloned"}, CLONE, "longanyang"),
        ({"kind": "designed"}, DESIGNED, CLONE),
        ({"kind": "system"}, "longanyang", CLONE),
        ({"kind": "yours"}, DESIGNED, "longanyang"),
        ({"kind": "children"}, "longniuniu_v3", "longanyang"),
        ({"kind": "dialects", "language": "yue"}, "longjiaxin_v3", "longlaotie_v3"),
        ({"model": PLUS}, "longanyang", CLONE),
        ({"model": FLASH, "kind": "cloned", "language": "fr"}, CLONE, "longanyang"),
    ],
)
async def test_voices_can_be_filtered(
    hass: HomeAssistant, data: dict[str, str], found: str, missing: str
) -> None:
    voices = await list_voices(hass, **data)
    assert found in voices
    assert missing not in voices


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
