"""A satellite that plays at real time while the text pauses for 40 seconds.

Home Assistant's converter is a program of its own, so this takes its real time.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.components import tts
from homeassistant.core import HomeAssistant
from tests.emulator import Emulator
from tests.work import stalls

from .speaking import SATELLITE, decode, entity_id, spoken

PAUSE = 40.0
PATIENCE = 5.0
"""Seconds without data after which a Voice PE gives up."""
BEFORE = "我先查一下天气。"
AFTER = "明天晴，最高二十一度。"
VOICE_PE = {**SATELLITE, "preferred_format": "flac", "preferred_sample_rate": 48000}


async def answer_with_a_tool_call() -> AsyncGenerator[str]:
    """Yield an answer that is interrupted in the middle."""
    yield BEFORE
    await asyncio.sleep(PAUSE)
    yield AFTER


async def listen(hass: HomeAssistant, options: dict[str, Any]) -> tuple[bytes, float]:
    """Return what a listener gets, and its longest wait for data."""
    loop = asyncio.get_running_loop()
    stream = tts.async_create_stream(
        hass, entity_id(hass, "tts", "speech"), options=options
    )
    stream.async_set_message_stream(answer_with_a_tool_call())
    audio = bytearray()
    longest, last = 0.0, None
    async for chunk in stream.async_stream_result():
        now = loop.time()
        longest = max(longest, now - (now if last is None else last))
        last = now
        audio += chunk
    return bytes(audio), longest


@pytest.mark.timeout(120)
async def test_satellites_play_on_while_the_text_pauses(
    hass: HomeAssistant,
    ffmpeg: None,
    loaded: MockConfigEntry,
    emulator: Emulator,
) -> None:
    """Data never stops for long, and the silence lies between the sentences."""
    emulator.config.speech = "signal"
    async with stalls() as held_up:
        results = await asyncio.gather(
            *(listen(hass, form) for form in (VOICE_PE, SATELLITE))
        )
    for audio, longest in results:
        assert longest < PATIENCE / 2 + held_up()
        heard = emulator.heard(audio)
        assert [sentence.text for sentence in heard] == [BEFORE, AFTER]
        assert all(sentence.complete for sentence in heard)
        played = decode(audio)
        # A listener who plays at real time was never without audio.
        assert PAUSE - held_up() < played.seconds < PAUSE + 5
    assert {task.text for task in spoken(emulator)} == {BEFORE, AFTER}
