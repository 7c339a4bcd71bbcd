"""Speaking through Home Assistant's own code, and looking at what came out."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
import io
from typing import Any

import av
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.components import media_source, tts
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from tests.emulator import Emulator, TaskRecord

from .conftest import SUBENTRY_ID

TEXT = "今天天气不错。We walk to the park at noon, then home! 晚上见。"
"""What `synthesize` speaks, unless told otherwise."""
SATELLITE = {
    "preferred_format": "wav",
    "preferred_sample_rate": 16000,
    "preferred_sample_channels": 1,
    "preferred_sample_bytes": 2,
}


@dataclass(frozen=True)
class Audio:
    """What a player makes of some bytes."""

    container: str
    codec: str
    rate: int
    channels: int
    seconds: float
    samples: Sequence[int]


def entity_id(
    hass: HomeAssistant, platform: str, key: str, owner: str = SUBENTRY_ID
) -> str:
    """Return the entity of a voice, or of an account, by its translation key."""
    found = er.async_get(hass).async_get_entity_id(
        platform, "cosyvoice", f"{owner}_{key}"
    )
    assert found, f"no {platform} {key}"
    return found


async def speak(
    hass: HomeAssistant,
    message: str | AsyncGenerator[str],
    options: dict[str, Any] | None = None,
    language: str | None = None,
    engine: str | None = None,
) -> bytes:
    """Return the audio that Home Assistant delivers to a listener."""
    stream = tts.async_create_stream(
        hass, engine or entity_id(hass, "tts", "speech"), language, options
    )
    if isinstance(message, str):
        stream.async_set_message(message)
    else:
        stream.async_set_message_stream(message)
    return b"".join([chunk async for chunk in stream.async_stream_result()])


def decode(data: bytes) -> Audio:
    """Return what ffmpeg's libraries find in the bytes."""
    samples: list[int] = []
    with av.open(io.BytesIO(data)) as file:
        stream = file.streams.audio[0]
        resampler = av.AudioResampler(format="s16", layout="mono")
        for frame in file.decode(stream):
            for out in resampler.resample(frame):
                samples += out.to_ndarray()[0].tolist()
        return Audio(
            container=file.format.name,
            codec=stream.codec_context.name,
            rate=stream.codec_context.sample_rate,
            channels=stream.codec_context.channels,
            seconds=len(samples) / stream.codec_context.sample_rate,
            samples=samples,
        )


async def pieces(text: str, length: int = 3) -> AsyncGenerator[str]:
    """Yield a text as a language model writes it."""
    for start in range(0, len(text), length):
        yield text[start : start + length]


def spoken(emulator: Emulator) -> list[TaskRecord]:
    """Return the tasks that were given text: those that were not only a warm-up."""
    return [task for task in emulator.tasks if task.pieces]


async def call_speak(
    hass: HomeAssistant, message: str = TEXT, **data: Any
) -> list[ServiceCall]:
    """Call `tts.speak` and return the calls that the media player receives."""
    calls: list[ServiceCall] = async_mock_service(hass, "media_player", "play_media")
    await hass.services.async_call(
        "tts",
        "speak",
        {
            "entity_id": entity_id(hass, "tts", "speech"),
            "media_player_entity_id": "media_player.kitchen",
            "message": message,
            **data,
        },
        blocking=True,
    )
    return calls


async def played(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, call: ServiceCall
) -> bytes:
    """Return what the media player gets."""
    assert await async_setup_component(hass, "media_source", {})
    media = await media_source.async_resolve_media(
        hass, call.data["media_content_id"], None
    )
    response = await (await hass_client()).get(media.url)
    assert response.status == 200
    audio: bytes = await response.read()
    return audio


def text_of(emulator: Emulator) -> str:
    return "".join(piece.text for task in spoken(emulator) for piece in task.pieces)


def change(hass: HomeAssistant, entry: MockConfigEntry, **settings: Any) -> None:
    """Change the settings of the voice."""
    subentry = entry.subentries[SUBENTRY_ID]
    hass.config_entries.async_update_subentry(
        entry, subentry, data={**subentry.data, **settings}
    )


async def call_action(hass: HomeAssistant, action: str, **data: Any) -> Any:
    return await hass.services.async_call(
        "cosyvoice", action, data, blocking=True, return_response=True
    )


async def synthesize(hass: HomeAssistant, message: str = TEXT, **data: Any) -> Any:
    engine = entity_id(hass, "tts", "speech")
    answers = await call_action(
        hass, "synthesize", entity_id=engine, message=message, **data
    )
    assert list(answers) == [engine]
    return answers[engine]
