"""One message from request to sound: what counts, what is kept, what is logged."""

import asyncio
from collections.abc import AsyncGenerator
import logging
import re
import traceback
from types import MappingProxyType
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.cosyvoice.const import SUBENTRY_VOICE
from custom_components.cosyvoice.settings import DEFAULT_SETTINGS
from homeassistant.components import media_source, tts
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from tests.emulator import Emulator, Fault, FaultKind, Point

from .conftest import API_KEY
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

TEXT = "第一句。第二句。第三句。"
OTHER = "longxian_v3"


async def audio_of(stream: tts.ResultStream) -> bytes:
    return b"".join([chunk async for chunk in stream.async_stream_result()])


@pytest.mark.parametrize("streamed", [False, True])
async def test_voice_chosen_while_a_pipeline_listens_answers(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, streamed: bool
) -> None:
    """And its audio is not taken for that of the voice before."""
    stream = tts.async_create_stream(hass, entity_id(hass, "tts", "speech"))
    change(hass, loaded, voice=OTHER, volume=10)
    await hass.async_block_till_done()
    if streamed:
        stream.async_set_message_stream(pieces(TEXT))
    else:
        stream.async_set_message(TEXT)
    assert await audio_of(stream)
    parameters = spoken(emulator)[-1].parameters
    assert (parameters["voice"], parameters["volume"]) == (OTHER, 10)
    change(hass, loaded, voice="longanyang", volume=50)
    await hass.async_block_till_done()
    await speak(hass, TEXT)
    assert spoken(emulator)[-1].parameters["voice"] == "longanyang"


async def test_change_right_after_the_message_does_not_spoil_the_cache(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    """The audio has the settings under which it is cached."""
    stream = tts.async_create_stream(hass, entity_id(hass, "tts", "speech"))
    stream.async_set_message(TEXT)
    change(hass, loaded, voice=OTHER)
    assert await audio_of(stream)
    assert spoken(emulator)[-1].parameters["voice"] == "longanyang"


@pytest.mark.parametrize(
    "options", [{}, {"preferred_format": "wav"}, {"preferred_format": "flac"}]
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_speech_that_is_cut_off_ends_and_is_no_success(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
    options: dict[str, Any],
    streamed: bool,
) -> None:
    """A satellite receives its end, and the next listener gets the whole message."""
    emulator.script(Fault(FaultKind.CONTENT, Point.BEFORE_AUDIO, after_sentences=1))
    audio = decode(await speak(hass, pieces(TEXT) if streamed else TEXT, options))
    (task,) = spoken(emulator)
    seconds = task.sentences[0].audio_seconds
    assert audio.seconds == pytest.approx(seconds, abs=0.1)
    total = loaded.runtime_data.usage.figures.total
    assert (total.requests, total.failures) == (1, 1)
    assert loaded.runtime_data.usage.recent[-1].outcome == "failed"
    await hass.async_block_till_done(wait_background_tasks=True)
    (warning,) = [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and "message" in record.getMessage()
    ]
    assert "the audio is incomplete" in warning
    again = decode(await speak(hass, TEXT, options))
    assert spoken(emulator)[-1].text == TEXT
    assert again.seconds > 2.5 * seconds


async def test_player_gets_the_end_of_speech_that_is_cut_off(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    hass_client: ClientSessionGenerator,
) -> None:
    emulator.script(Fault(FaultKind.CONTENT, Point.BEFORE_AUDIO, after_sentences=1))
    (call,) = await call_speak(hass, TEXT)
    assert decode(await played(hass, hass_client, call)).seconds > 0


async def test_patched_speech_is_heard_once_and_not_kept(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    """Its stutter is not repeated; whole speech is kept as ever."""
    emulator.script(Fault(FaultKind.RESET, Point.MID_SENTENCE, after_sentences=1))
    for requests in (1, 2, 2):
        assert await speak(hass, TEXT)
        await hass.async_block_till_done(wait_background_tasks=True)
        total = loaded.runtime_data.usage.figures.total
        assert (total.requests, total.failures) == (requests, 0)


async def test_resumed_speech_without_a_stutter_is_kept(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator
) -> None:
    emulator.script(Fault(FaultKind.RESET, Point.BETWEEN_SENTENCES, after_sentences=1))
    for _ in range(2):
        assert await speak(hass, TEXT)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert loaded.runtime_data.usage.figures.total.requests == 1


@pytest.mark.parametrize("streamed", [False, True])
async def test_three_debug_lines_tell_of_a_message(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
    streamed: bool,
) -> None:
    caplog.set_level(logging.DEBUG, "custom_components.cosyvoice")
    await speak(hass, pieces(TEXT) if streamed else TEXT, {"preferred_format": "wav"})
    await hass.async_block_till_done(wait_background_tasks=True)
    lines = [
        record.getMessage()
        for record in caplog.records
        if record.name == "custom_components.cosyvoice"
        and re.match(r"tts\.longanyang_speech message \d+ ", record.getMessage())
    ]
    begun, first, ended = (line.partition(" message ")[2][2:] for line in lines)
    (task,) = spoken(emulator)
    for word in ("begun", "longanyang", "cosyvoice-v3-flash", "wav"):
        assert word in begun
    assert re.search(r"first audio: after \d+\.\d{3} s", first)
    assert task.id in first
    for word in ("ended: finished", "tasks 1", "resumed 0", task.id):
        assert word in ended
    assert f"characters {sum(emulator.bill.values())}" in ended
    for record in caplog.records:
        if record.name.startswith("custom_components.cosyvoice"):
            assert "第" not in record.getMessage()
            assert API_KEY not in record.getMessage()


async def test_failure_is_in_the_debug_lines(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "custom_components.cosyvoice")
    emulator.script(Fault(FaultKind.ARREARS, Point.BEFORE_AUDIO, times=None))
    with pytest.raises(HomeAssistantError):
        await speak(hass, TEXT)
    assert "ended: failed (ArrearsError)" in caplog.text


async def test_outage_is_logged_once_and_its_end_once(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "custom_components.cosyvoice")
    emulator.script(Fault(FaultKind.INTERNAL_ERROR, Point.BEFORE_AUDIO, times=None))

    def lines() -> list[str]:
        return [
            record.levelname
            for record in caplog.records
            if "available" in record.getMessage()
        ]

    for number in range(2):
        with pytest.raises(HomeAssistantError):
            await speak(hass, f"{TEXT}{number}")
    assert lines() == ["WARNING"]
    emulator.clear_faults()
    for number in range(2):
        assert await speak(hass, f"{TEXT}{number}")
    assert lines() == ["WARNING", "INFO"]


async def test_voices_can_be_told_apart_in_the_media_browser(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    assert await async_setup_component(hass, "media_source", {})
    subentry = ConfigSubentry(
        data=MappingProxyType(DEFAULT_SETTINGS),
        subentry_type=SUBENTRY_VOICE,
        title="Kitchen",
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(loaded, subentry)
    await hass.async_block_till_done()
    found = await media_source.async_browse_media(hass, "media-source://tts")
    titles = [child.title for child in found.children or ()]
    assert titles == ["Kitchen", "Longanyang"]
    registry = er.async_get(hass)
    entity = registry.async_get(entity_id(hass, "tts", "speech", subentry.subentry_id))
    assert entity is not None
    assert entity.entity_id == "tts.kitchen_speech"
    assert entity.translation_key == "speech"
    hass.config_entries.async_update_subentry(loaded, subentry, title="Bathroom")
    await hass.async_block_till_done()
    found = await media_source.async_browse_media(hass, "media-source://tts")
    assert "Bathroom" in [child.title for child in found.children or ()]
    assert entity_id(hass, "tts", "speech", subentry.subentry_id) == entity.entity_id


@pytest.mark.parametrize("options", [{}, SATELLITE])
async def test_failed_message_leaves_one_line(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
    options: dict[str, Any],
) -> None:
    """Home Assistant's, which says what to do."""
    emulator.script(Fault(FaultKind.CONTENT, Point.BEFORE_AUDIO, times=None))
    with pytest.raises(HomeAssistantError) as caught:
        await speak(hass, TEXT, options)
    await hass.async_block_till_done(wait_background_tasks=True)
    # Wyoming's integration leaves the error to asyncio, which logs its whole chain
    logged = "".join(traceback.format_exception(caught.value))
    assert logged.count("Traceback (most recent call last)") == 1
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.name for record in errors] == ["homeassistant.components.tts"]
    assert "Rephrase it" in errors[0].getMessage()
    assert not any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("before", ["", "第一", "第一句。", "<speak>第一"])
async def test_a_reload_while_the_text_pauses_ends_the_message(
    hass: HomeAssistant, loaded: MockConfigEntry, before: str
) -> None:
    """With the error that the account was closed, as soon as there is a text."""
    go_on = asyncio.Event()

    async def text() -> AsyncGenerator[str]:
        yield before
        await go_on.wait()
        yield "</speak>" if before.startswith("<") else "第二句。"

    stream = tts.async_create_stream(hass, entity_id(hass, "tts", "speech"))
    stream.async_set_message_stream(text())
    reading = asyncio.create_task(audio_of(stream))
    await asyncio.sleep(0.3)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    if not before.startswith("第"):
        go_on.set()
    async with asyncio.timeout(5):
        with pytest.raises(HomeAssistantError) as caught:
            await reading
    assert caught.value.translation_key == "closed"
    assert await speak(hass, "又来了。")


@pytest.mark.parametrize("reload", [False, True])
async def test_a_text_that_arrives_after_an_unload_is_explained(
    hass: HomeAssistant, loaded: MockConfigEntry, emulator: Emulator, reload: bool
) -> None:
    """The options of a pipeline's run are read when its answer begins."""
    stream = tts.async_create_stream(hass, entity_id(hass, "tts", "speech"))
    if reload:
        assert await hass.config_entries.async_reload(loaded.entry_id)
        stream.async_set_message(TEXT)
        assert await audio_of(stream)
        return
    assert await hass.config_entries.async_unload(loaded.entry_id)
    with pytest.raises(HomeAssistantError, match="not found"):
        stream.async_set_message(TEXT)
    assert not spoken(emulator)
