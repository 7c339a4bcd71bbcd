"""The engine inside an Assist pipeline."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.components.assist_pipeline import (
    AudioSettings,
    Pipeline,
    PipelineEvent,
    PipelineEventType,
    async_create_default_pipeline,
    async_get_pipelines,
    async_pipeline_from_audio_stream,
    async_update_pipeline,
)
from homeassistant.components.conversation import (
    AssistantContentDeltaDict,
    ChatLog,
    ConversationEntity,
    ConversationInput,
    ConversationResult,
)
from homeassistant.components.stt import (
    AudioBitRates,
    AudioChannels,
    AudioCodecs,
    AudioFormats,
    AudioSampleRates,
    SpeechMetadata,
    SpeechResult,
    SpeechResultState,
    SpeechToTextEntity,
)
from homeassistant.components.tts import async_get_stream
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import intent
from homeassistant.setup import async_setup_component
from tests.emulator import Emulator

from .speaking import SATELLITE, change, decode, entity_id, spoken

ANSWER = "今天多云，气温二十度。" * 12
AGENT = "conversation.teller"
EAR = "stt.ear"


class Teller(ConversationEntity):
    """An agent that answers as a language model does: piece by piece."""

    entity_id = AGENT
    _attr_name = "Teller"
    _attr_supports_streaming = True
    supported_languages = "*"

    async def _async_handle_message(
        self, user_input: ConversationInput, chat_log: ChatLog
    ) -> ConversationResult:
        async def deltas() -> AsyncIterator[AssistantContentDeltaDict]:
            yield {"role": "assistant"}
            for start in range(0, len(ANSWER), 4):
                yield {"content": ANSWER[start : start + 4]}

        async for _ in chat_log.async_add_delta_content_stream(
            self.entity_id, deltas()
        ):
            pass
        response = intent.IntentResponse(language=user_input.language)
        response.async_set_speech(ANSWER)
        return ConversationResult(response, chat_log.conversation_id)


class Ear(SpeechToTextEntity):
    """Hears the same question whatever is said."""

    entity_id = EAR
    _attr_name = "Ear"
    supported_languages = ["zh", "en"]
    supported_formats = list(AudioFormats)
    supported_codecs = list(AudioCodecs)
    supported_bit_rates = list(AudioBitRates)
    supported_sample_rates = list(AudioSampleRates)
    supported_channels = list(AudioChannels)

    async def async_process_audio_stream(
        self, metadata: SpeechMetadata, stream: AsyncIterable[bytes]
    ) -> SpeechResult:
        """Listen to the end."""
        async for _ in stream:
            pass
        return SpeechResult("天气怎么样", SpeechResultState.SUCCESS)


@pytest.fixture
async def home(
    hass: HomeAssistant, ffmpeg: None, entry: MockConfigEntry
) -> MockConfigEntry:
    """The account in a home with an assistant."""
    for component in ("homeassistant", "conversation", "stt", "assist_pipeline"):
        assert await async_setup_component(hass, component, {})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await hass.data["conversation"].async_add_entities([Teller()])
    await hass.data["stt"].async_add_entities([Ear()])
    return entry


async def new_pipeline(hass: HomeAssistant, **settings: Any) -> Pipeline:
    """Create a pipeline as the user interface does."""
    pipeline = await async_create_default_pipeline(
        hass, EAR, entity_id(hass, "tts", "speech"), "Test"
    )
    assert pipeline is not None
    await async_update_pipeline(hass, pipeline, conversation_engine=AGENT, **settings)
    return next(p for p in async_get_pipelines(hass) if p.id == pipeline.id)


async def answer(
    hass: HomeAssistant,
    pipeline: Pipeline,
    output: Any = None,
    while_listening: Callable[[], object] = lambda: None,
) -> bytes:
    """Have a satellite ask something; return the audio of the answer."""
    events: list[PipelineEvent] = []

    async def question() -> AsyncIterator[bytes]:
        while_listening()
        await asyncio.sleep(0)
        yield bytes(3200)

    await async_pipeline_from_audio_stream(
        hass,
        context=Context(),
        event_callback=events.append,
        stt_metadata=SpeechMetadata(
            "zh",
            AudioFormats.WAV,
            AudioCodecs.PCM,
            AudioBitRates.BITRATE_16,
            AudioSampleRates.SAMPLERATE_16000,
            AudioChannels.CHANNEL_MONO,
        ),
        stt_stream=question(),
        pipeline_id=pipeline.id,
        tts_audio_output=output,
        audio_settings=AudioSettings(is_vad_enabled=False),
    )
    assert not [e.data for e in events if e.type is PipelineEventType.ERROR]
    (start,) = [e for e in events if e.type is PipelineEventType.RUN_START]
    assert start.data is not None
    stream = async_get_stream(hass, start.data["tts_output"]["token"])
    assert stream is not None
    return b"".join([chunk async for chunk in stream.async_stream_result()])


async def test_new_pipeline_follows_the_voice_entity(
    hass: HomeAssistant, home: MockConfigEntry, emulator: Emulator
) -> None:
    pipeline = await new_pipeline(hass)
    assert pipeline.tts_voice == "follow"
    assert await answer(hass, pipeline)
    change(hass, home, voice="longxian_v3")
    await hass.async_block_till_done()
    assert await answer(hass, pipeline)
    said = [task.parameters["voice"] for task in spoken(emulator)]
    assert said == ["longanyang", "longxian_v3"]


async def test_voice_that_is_chosen_while_the_pipeline_listens_answers(
    hass: HomeAssistant, home: MockConfigEntry, emulator: Emulator
) -> None:
    pipeline = await new_pipeline(hass)

    def choose() -> None:
        change(hass, home, voice="longxian_v3", volume=10)

    assert await answer(hass, pipeline, SATELLITE, choose)
    parameters = spoken(emulator)[-1].parameters
    assert (parameters["voice"], parameters["volume"]) == ("longxian_v3", 10)


async def test_new_pipeline_a_voice_of_its_own_keeps_it(
    hass: HomeAssistant, home: MockConfigEntry, emulator: Emulator
) -> None:
    pipeline = await new_pipeline(hass, tts_voice="longanhuan")
    change(hass, home, voice="longxian_v3")
    await hass.async_block_till_done()
    assert await answer(hass, pipeline)
    assert spoken(emulator)[-1].parameters["voice"] == "longanhuan"


@pytest.mark.parametrize(
    ("output", "container", "rate"),
    [
        (None, "mp3", 24000),
        (SATELLITE, "wav", 16000),
        ({**SATELLITE, "preferred_sample_rate": 22050}, "wav", 22050),
        (
            {**SATELLITE, "preferred_format": "flac", "preferred_sample_rate": 48000},
            "flac",
            48000,
        ),
    ],
)
async def test_satellite_hears_the_whole_streamed_answer(
    hass: HomeAssistant,
    home: MockConfigEntry,
    emulator: Emulator,
    output: Any,
    container: str,
    rate: int,
) -> None:
    pipeline = await new_pipeline(hass)
    audio = decode(await answer(hass, pipeline, output))
    assert (audio.container, audio.rate) == (container, rate)
    assert "".join(task.text for task in spoken(emulator)) == ANSWER
    seconds = sum(task.audio_seconds for task in spoken(emulator))
    assert audio.seconds == pytest.approx(seconds, rel=0.03)
