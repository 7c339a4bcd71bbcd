"""A Wyoming satellite in a home with an assistant whose language model pauses.

The satellite is a program at the other end of a socket, as a real one is, and plays
what it gets at real time. Home Assistant's converter is a program as well, so this
takes its real time.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import async_read_event, async_write_event
from wyoming.info import Attribution, Describe, Info, Satellite as SatelliteInfo
from wyoming.ping import Ping, Pong
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.satellite import RunSatellite
from wyoming.snd import Played

from homeassistant.components.assist_pipeline import (
    async_create_default_pipeline,
    async_update_pipeline,
)
from homeassistant.components.conversation import (
    AssistantContentDeltaDict,
    ChatLog,
    ConversationEntity,
    ConversationInput,
    ConversationResult,
    async_get_result_from_chat_log,
)
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.demo.custom_components.demo_home.hearing import adapt
from tests.emulator import Emulator
from tests.emulator.signals import signal
from tests.work import stalls

from .speaking import entity_id
from .test_pipeline import Ear

AGENT = "conversation.thinker"
RATE = 16_000
CHUNK = 1024
PAUSE = 8.0
# Home Assistant begins to stream an answer of more than 60 characters
BEFORE = (
    "Let me look up the weather of tomorrow for you. One moment please, it is coming."
)
AFTER = " It will be sunny all day long. Take your hat with you."
SENTENCES = [
    "Let me look up the weather of tomorrow for you.",
    "One moment please, it is coming.",
    "It will be sunny all day long.",
    "Take your hat with you.",
]


class Thinker(ConversationEntity):
    """An agent that calls a tool in the middle of its answer."""

    entity_id = AGENT
    _attr_name = "Thinker"
    _attr_supports_streaming = True
    supported_languages = "*"

    async def _async_handle_message(
        self, user_input: ConversationInput, chat_log: ChatLog
    ) -> ConversationResult:
        async def deltas() -> AsyncIterator[AssistantContentDeltaDict]:
            yield {"role": "assistant"}
            for text, pause in ((BEFORE, PAUSE), (AFTER, 0.0)):
                for start in range(0, len(text), 4):
                    yield {"content": text[start : start + 4]}
                    await asyncio.sleep(0.01)
                await asyncio.sleep(pause)

        async for _ in chat_log.async_add_delta_content_stream(
            self.entity_id, deltas()
        ):
            pass
        return async_get_result_from_chat_log(user_input, chat_log)


@dataclass
class Satellite:
    """What a satellite hears, and how long it has nothing to play.

    Attributes:
        audio: The samples it was sent.
        transcript: What Home Assistant understood.
        errors: What Home Assistant reports.
        gap: Seconds without anything to play after the first audio.
        may_ask: Set once somebody speaks to it.
        stopped: Set at the end of the answer.
    """

    audio: bytearray = field(default_factory=bytearray)
    transcript: str = ""
    errors: list[str] = field(default_factory=list)
    gap: float = 0.0
    may_ask: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    _dry_at: float | None = None

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Talk with Home Assistant until it leaves; ask once it is ready."""
        asking: asyncio.Task[None] | None = None
        while (event := await async_read_event(reader)) is not None:
            if Describe.is_type(event.type):
                await async_write_event(INFO.event(), writer)
            elif Ping.is_type(event.type):
                await async_write_event(Pong().event(), writer)
            elif RunSatellite.is_type(event.type):
                asking = asyncio.create_task(self._ask(writer), name="question")
            elif Transcript.is_type(event.type):
                self.transcript = Transcript.from_event(event).text
            elif Error.is_type(event.type):
                self.errors.append(Error.from_event(event).text)
                self.stopped.set()
            elif AudioStart.is_type(event.type):
                assert AudioStart.from_event(event).rate == 22_050
            elif AudioChunk.is_type(event.type):
                self._play(AudioChunk.from_event(event))
            elif AudioStop.is_type(event.type):
                await async_write_event(Played().event(), writer)
                self.stopped.set()
        if asking is not None:
            await asking
        writer.close()

    async def _ask(self, writer: asyncio.StreamWriter) -> None:
        """Speak for a second, then be silent for one."""
        await self.may_ask.wait()
        run = RunPipeline(start_stage=PipelineStage.ASR, end_stage=PipelineStage.TTS)
        await async_write_event(run.event(), writer)
        speech = signal("How will the weather be?", RATE)[:RATE]
        samples = np.concatenate([speech, np.zeros(RATE, np.int16)]).tobytes()
        for start in range(0, len(samples), CHUNK):
            chunk = AudioChunk(RATE, 2, 1, samples[start : start + CHUNK])
            await async_write_event(chunk.event(), writer)
        await async_write_event(AudioStop().event(), writer)

    def _play(self, chunk: AudioChunk) -> None:
        now = asyncio.get_running_loop().time()
        if self._dry_at is not None:
            self.gap = max(self.gap, now - self._dry_at)
        self._dry_at = max(now, self._dry_at or now) + chunk.seconds
        self.audio += chunk.audio


INFO = Info(
    satellite=SatelliteInfo(
        name="Kitchen",
        description="Kitchen",
        version="1",
        installed=True,
        attribution=Attribution(name="", url=""),
    )
)


@asynccontextmanager
async def living(satellite: Satellite) -> AsyncGenerator[int]:
    """Let a satellite listen at a port for the length of a block."""
    server = await asyncio.start_server(satellite.serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        # Home Assistant 2026.3 leaves the connection open when it unloads
        server.close_clients()


@pytest.fixture
async def assistant(hass: HomeAssistant, ffmpeg: None, entry: MockConfigEntry) -> None:
    """An assistant that answers with our engine."""
    adapt()
    for component in ("homeassistant", "conversation", "stt", "assist_pipeline"):
        assert await async_setup_component(hass, component, {})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await hass.data["conversation"].async_add_entities([Thinker()])
    await hass.data["stt"].async_add_entities([Ear()])
    pipeline = await async_create_default_pipeline(
        hass, Ear.entity_id, entity_id(hass, "tts", "speech"), "Kitchen"
    )
    assert pipeline is not None
    await async_update_pipeline(hass, pipeline, conversation_engine=AGENT)


@pytest.mark.timeout(120)
async def test_satellite_hears_the_whole_answer_without_a_gap(
    hass: HomeAssistant, assistant: None, emulator: Emulator
) -> None:
    """Though the language model pauses in the middle for eight seconds."""
    emulator.config.speech = "signal"
    satellite = Satellite()
    async with living(satellite) as port:
        wyoming = MockConfigEntry(
            domain="wyoming", data={"host": "127.0.0.1", "port": port}
        )
        wyoming.add_to_hass(hass)
        assert await async_setup_component(hass, "wyoming", {})
        await hass.async_block_till_done()
        await hass.services.async_call(
            "select",
            "select_option",
            {"entity_id": "select.kitchen_assistant", "option": "Kitchen"},
            blocking=True,
        )
        async with stalls() as held_up:
            satellite.may_ask.set()
            await satellite.stopped.wait()
        assert await hass.config_entries.async_unload(wyoming.entry_id)
    assert satellite.errors == []
    assert satellite.transcript == "天气怎么样"
    heard = emulator.heard(bytes(satellite.audio), "pcm", 22_050)
    assert [sentence.text.strip() for sentence in heard] == SENTENCES
    assert all(sentence.complete for sentence in heard)
    assert satellite.gap < 0.1 + held_up()
