"""The fallback engine, which speaks when the service fails."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from homeassistant.components.tts import (
    ATTR_PREFERRED_FORMAT,
    ATTR_PREFERRED_SAMPLE_BYTES,
    ATTR_PREFERRED_SAMPLE_CHANNELS,
    ATTR_PREFERRED_SAMPLE_RATE,
    async_create_stream,
)
from homeassistant.components.tts.helper import get_engine_instance
from homeassistant.const import Platform
from homeassistant.core import CoreState, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.start import async_at_started
from homeassistant.util import language as language_util

from ..client import CosyVoiceTimeoutError, audio_writer
from ..const import CONF_FALLBACK_ENGINE, DOMAIN, settings_signal
from ..coordinator import CosyVoiceConfigEntry
from ..issues import update_fallback_issues
from ..settings import complete
from .request import SpeechRequest

DEADLINE: Final = 4.0
"""Seconds from the first complete sentence to the first speech.

The wait for the permitted rate of task starts does not count.
"""
_STEP: Final = 0.25
"""Seconds between two looks at whether the wait counts."""

speaks_alone: ContextVar[bool] = ContextVar("speaks_alone", default=False)
"""True while an engine speaks without its fallback engine."""


@contextmanager
def without_fallback() -> Iterator[None]:
    """Let the engines that are called here speak without their fallback engines.

    A fallback has none itself, as two voices may name each other, and a sample is to
    be heard in its voice only.
    """
    token = speaks_alone.set(True)
    try:
        yield
    finally:
        speaks_alone.reset(token)


@callback
def follow_renamed_engines(hass: HomeAssistant) -> None:
    """Follow the entity ids of fallback engines, also of accounts that are not loaded."""

    @callback
    def renamed(event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        for entry in hass.config_entries.async_entries(DOMAIN):
            for subentry in tuple(entry.subentries.values()):
                engine = subentry.data.get(CONF_FALLBACK_ENGINE)
                if engine == event.data.get("old_entity_id"):
                    new = {CONF_FALLBACK_ENGINE: event.data["entity_id"]}
                    hass.config_entries.async_update_subentry(
                        entry, subentry, data={**subentry.data, **new}
                    )

    @callback
    def is_rename(data: er.EventEntityRegistryUpdatedData) -> bool:
        return "old_entity_id" in data

    hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, renamed, is_rename)


@callback
def report_missing_engines(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> None:
    """Open an issue per missing fallback engine until the account is unloaded.

    It opens once Home Assistant has started, as other integrations may add their
    entities until then.
    """

    @callback
    def check(*_args: object) -> None:
        if hass.state is CoreState.running:
            registry = er.async_get(hass)
            missing = {
                subentry_id: engine
                for subentry_id, subentry in entry.subentries.items()
                if (engine := complete(subentry.data).get(CONF_FALLBACK_ENGINE))
                and not get_engine_instance(hass, engine)
                and not registry.async_get(engine)
            }
            update_fallback_issues(hass, entry, missing)

    @callback
    def is_engine(data: er.EventEntityRegistryUpdatedData) -> bool:
        return data["entity_id"].startswith(f"{Platform.TTS}.")

    entry.async_on_unload(async_at_started(hass, check))
    entry.async_on_unload(
        async_dispatcher_connect(hass, settings_signal(entry.entry_id), check)
    )
    entry.async_on_unload(
        hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, check, is_engine)
    )


class Deadline:
    """The time by which speech has to begin where another engine can speak."""

    def __init__(self, due: asyncio.Event, paused: Callable[[], bool]) -> None:
        """Begin to wait in the background.

        Call `close` in the end.

        Args:
            due: Set when speech is due.
            paused: Returns whether the time that passes does not count.
        """
        self._late = asyncio.create_task(_late(due, paused), name="CosyVoice deadline")

    async def wait_for[T](self, awaitable: Awaitable[T]) -> T:
        """Return the result of an awaitable, or cancel it.

        Raises:
            CosyVoiceTimeoutError: `DEADLINE` seconds have passed.
        """
        waiting = asyncio.ensure_future(awaitable)
        try:
            await asyncio.wait(
                (waiting, self._late), return_when=asyncio.FIRST_COMPLETED
            )
            if not waiting.done():
                raise CosyVoiceTimeoutError(f"No audio within {DEADLINE:g} s")
            return waiting.result()
        finally:
            if waiting.cancel():
                await asyncio.wait((waiting,))

    def close(self) -> None:
        """Stop waiting."""
        self._late.cancel()


async def speak(
    hass: HomeAssistant,
    engine: str,
    text: AsyncGenerator[str],
    language: str,
    request: SpeechRequest,
    begun: float | None,
) -> AsyncGenerator[bytes]:
    """Yield the audio of the fallback engine as a continuation of the sent audio.

    Args:
        hass: Home Assistant.
        engine: The fallback engine.
        text: The text to speak.
        language: Home Assistant's language tag.
        request: The request that the service did not fulfil.
        begun: Seconds of audio that were sent before; None if not even a header was.

    Raises:
        HomeAssistantError: The engine does not exist or fails as well.
    """
    if (instance := get_engine_instance(hass, engine)) is None:
        raise HomeAssistantError(f"{engine} does not exist")
    languages = language_util.matches(language, instance.supported_languages)
    extension, rate = request.extension, request.synthesis.sample_rate
    assert rate is not None
    samples = extension in {"wav", "caf"}
    options: dict[str, Any] = {ATTR_PREFERRED_FORMAT: "wav" if samples else extension}
    rewritten = samples or (extension == "mp3" and begun is not None)
    if rewritten:
        options |= {
            ATTR_PREFERRED_SAMPLE_RATE: rate,
            ATTR_PREFERRED_SAMPLE_CHANNELS: 1,
            ATTR_PREFERRED_SAMPLE_BYTES: 2,
        }
    with without_fallback():
        stream = async_create_stream(hass, engine, next(iter(languages), None), options)
        stream.async_set_message_stream(text)
    chunks = stream.async_stream_result()
    if not rewritten:
        async for chunk in chunks:
            yield chunk
        return
    continued = samples and begun is not None
    writer = audio_writer("pcm" if continued else extension, rate)
    opening = writer.header()
    if begun is None:
        opening += writer.silence(request.silence.before())
    async for chunk in without_wav_header(chunks) if samples else chunks:
        yield opening + writer.feed(chunk)
        opening = b""
    if after := request.silence.after((begun or 0.0) + writer.seconds):
        yield writer.silence(after)


async def without_wav_header(
    chunks: AsyncGenerator[bytes],
) -> AsyncGenerator[bytes]:
    """Yield the samples of a WAV file that arrives in chunks."""
    header = b""
    async for chunk in chunks:
        header += chunk
        if (start := _samples_start(header)) is not None:
            yield header[start:]
            break
    async for chunk in chunks:
        yield chunk


async def _late(due: asyncio.Event, paused: Callable[[], bool]) -> None:
    await due.wait()
    remaining = DEADLINE
    while remaining > 0:
        step = min(remaining, _STEP)
        await asyncio.sleep(step)
        if not paused():
            remaining -= step


def _samples_start(wav: bytes) -> int | None:
    """Return where the samples begin.

    None if the header is not complete yet.
    """
    position = 12
    while len(wav) >= position + 8:
        size = int.from_bytes(wav[position + 4 : position + 8], "little")
        if wav[position : position + 4] == b"data":
            return position + 8
        position += 8 + size + size % 2
    return None
