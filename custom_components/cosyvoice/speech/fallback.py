"""Another engine that speaks when the service cannot."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from contextvars import ContextVar
from html import unescape
import re
from typing import Any, Final

from homeassistant.components import tts
from homeassistant.components.tts.helper import get_engine_instance
from homeassistant.const import Platform
from homeassistant.core import CoreState, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.start import async_at_started
from homeassistant.util import language as language_util

from ..client import (
    CosyVoiceConnectionError,
    CosyVoiceTimeoutError,
    Silence,
    SynthesisOptions,
    TextTooLongError,
    Utterance,
    audio_writer,
)
from ..const import CONF_FALLBACK_ENGINE, settings_signal
from ..coordinator import CosyVoiceConfigEntry
from ..issues import update_fallback_issues
from ..text.sentences import SentenceSplitter

DEADLINE: Final = 4.0
"""Seconds from the first complete sentence to the first audio."""

LONGEST_PIECE: Final = 2000
"""Characters that are worked on at a time, so that a whole book blocks nothing."""
LONGEST_MESSAGE: Final = 200_000
"""Characters of a message that are spoken: many hours of them, by mistake or not."""

speaking_as_fallback: ContextVar[bool] = ContextVar(
    "speaking_as_fallback", default=False
)
"""True in what runs on behalf of an engine whose own voice failed.

An engine that is asked in this context has no fallback of its own, so that two
engines that name each other cannot go round in circles.
"""


@callback
def follow_engines(hass: HomeAssistant, entry: CosyVoiceConfigEntry) -> None:
    """Follow the entities of the fallback engines until the account is unloaded.

    A renamed entity stays the fallback engine. A missing one opens an issue once Home
    Assistant has started, as other integrations may add their entities until then.
    """

    @callback
    def check(*_args: object) -> None:
        if hass.state is CoreState.running:
            registry = er.async_get(hass)
            missing = {
                subentry_id: engine
                for subentry_id, subentry in entry.subentries.items()
                if (engine := subentry.data.get(CONF_FALLBACK_ENGINE))
                and not get_engine_instance(hass, engine)
                and not registry.async_get(engine)
            }
            update_fallback_issues(hass, entry, missing)

    @callback
    def changed(event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        if event.data["action"] == "update":
            for subentry in tuple(entry.subentries.values()):
                old = subentry.data.get(CONF_FALLBACK_ENGINE)
                if old and old == event.data.get("old_entity_id"):
                    data = {
                        **subentry.data,
                        CONF_FALLBACK_ENGINE: event.data["entity_id"],
                    }
                    hass.config_entries.async_update_subentry(
                        entry, subentry, data=data
                    )
        check()

    @callback
    def is_engine(data: er.EventEntityRegistryUpdatedData) -> bool:
        return data["entity_id"].startswith(f"{Platform.TTS}.")

    entry.async_on_unload(async_at_started(hass, check))
    entry.async_on_unload(
        async_dispatcher_connect(hass, settings_signal(entry.entry_id), check)
    )
    entry.async_on_unload(
        hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, changed, is_engine)
    )


def check_length(length: int) -> None:
    """Refuse a message that would speak for hours, at the account's cost.

    Raises:
        TextTooLongError: It has more than `LONGEST_MESSAGE` characters.
    """
    if length > LONGEST_MESSAGE:
        raise TextTooLongError(f"The text has more than {LONGEST_MESSAGE:,} characters")


class RepeatableText:
    """A text that arrives in pieces and can be read from the start again.

    Attributes:
        sentence: Set when the first sentence is complete: audio is due from then on.
    """

    def __init__(self, source: AsyncIterator[str]) -> None:
        """Prepare to read; `fetch` does the reading."""
        self.sentence = asyncio.Event()
        self._source = source
        self._pieces: list[str] = []
        self._ended = False
        self._error: Exception | None = None
        self._more = asyncio.Event()

    async def fetch(self) -> None:
        """Read the source to its end; run it as a task."""
        splitter = SentenceSplitter()
        try:
            length = 0
            async for piece in self._source:
                length += len(piece)
                check_length(length)
                for start in range(0, len(piece), LONGEST_PIECE):
                    part = piece[start : start + LONGEST_PIECE]
                    self._pieces.append(part)
                    if not self.sentence.is_set() and splitter.push(part):
                        self.sentence.set()
                    self._more.set()
        except asyncio.CancelledError:
            self._error = CosyVoiceConnectionError("The text was cut off")
            raise
        except Exception as err:  # noqa: BLE001 - the reader's to handle
            self._error = err
        finally:
            self._ended = True
            self.sentence.set()
            self._more.set()

    @property
    def so_far(self) -> str:
        """What has arrived."""
        return "".join(self._pieces)

    async def begins_with(self, opening: str) -> bool:
        """Return whether the text begins so, white space apart, as soon as it is known."""
        text = ""
        async with aclosing(self.read()) as pieces:
            async for piece in pieces:
                text = (text + piece).lstrip()
                if not opening.startswith(text[: len(opening)]):
                    return False
                if len(text) >= len(opening):
                    return True
        return False

    async def read(self) -> AsyncGenerator[str]:
        """Return the pieces from the start, by one reader at a time.

        Raises:
            Exception: Whatever the source raised.
        """
        read = 0
        while True:
            while read < len(self._pieces):
                read += 1
                yield self._pieces[read - 1]
            if self._ended:
                break
            self._more.clear()
            await self._more.wait()
        if self._error:
            raise self._error


async def in_time(utterance: Utterance, due: asyncio.Event) -> AsyncGenerator[bytes]:
    """Yield an utterance's audio, if it begins in time.

    Raises:
        CosyVoiceTimeoutError: There was no audio `DEADLINE` seconds after it was due.
    """
    chunks = aiter(utterance)
    late = asyncio.create_task(_late(due))
    try:
        while utterance.report.first_packet_latency is None:
            chunk = asyncio.ensure_future(anext(chunks, None))
            try:
                await asyncio.wait((chunk, late), return_when=asyncio.FIRST_COMPLETED)
                if not chunk.done():
                    raise CosyVoiceTimeoutError(f"No audio within {DEADLINE:g} s")
            finally:
                if chunk.cancel():
                    await asyncio.wait((chunk,))
            if (data := chunk.result()) is None:
                return
            yield data
    finally:
        late.cancel()
    async for data in chunks:
        yield data


async def speak(
    hass: HomeAssistant,
    engine: str,
    text: AsyncGenerator[str],
    language: str,
    synthesis: SynthesisOptions,
    silence: Silence,
    begun: float,
) -> AsyncGenerator[bytes]:
    """Have another engine speak; return what continues our own audio.

    Samples come without a header of their own, as ours has already been sent.

    Args:
        hass: Home Assistant.
        engine: The other engine.
        text: What it is to say.
        language: Home Assistant's language tag.
        synthesis: The form of our own audio.
        silence: What is wanted around the speech.
        begun: Seconds of our own audio that the listener already got.

    Raises:
        HomeAssistantError: The engine does not exist or fails as well.
    """
    if (instance := get_engine_instance(hass, engine)) is None:
        raise HomeAssistantError(f"{engine} does not exist")
    languages = language_util.matches(language, instance.supported_languages)
    samples = synthesis.format in {"wav", "caf"}
    options: dict[str, Any] = {
        tts.ATTR_PREFERRED_FORMAT: "wav" if samples else synthesis.format
    }
    if samples:
        options |= {
            tts.ATTR_PREFERRED_SAMPLE_RATE: synthesis.sample_rate,
            tts.ATTR_PREFERRED_SAMPLE_CHANNELS: 1,
            tts.ATTR_PREFERRED_SAMPLE_BYTES: 2,
        }
    token = speaking_as_fallback.set(True)
    try:
        stream = tts.async_create_stream(
            hass, engine, next(iter(languages), None), options
        )
        stream.async_set_message_stream(text)
    finally:
        speaking_as_fallback.reset(token)
    chunks = stream.async_stream_result()
    if not samples:
        async for chunk in chunks:
            yield chunk
        return
    writer = audio_writer("pcm", options[tts.ATTR_PREFERRED_SAMPLE_RATE])
    async for chunk in without_wav_header(chunks):
        yield writer.feed(chunk)
    if after := silence.after(begun + writer.seconds):
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


async def without_markup(pieces: AsyncIterator[str]) -> AsyncGenerator[str]:
    """Yield the text of an SSML document, for an engine that may not read SSML."""
    document = "".join([piece async for piece in pieces])
    yield unescape(_TAG.sub(" ", document))


async def _late(due: asyncio.Event) -> None:
    await due.wait()
    await asyncio.sleep(DEADLINE)


def _samples_start(wav: bytes) -> int | None:
    """Return where the samples begin; None if the header is not complete yet."""
    position = 12
    while len(wav) >= position + 8:
        size = int.from_bytes(wav[position + 4 : position + 8], "little")
        if wav[position : position + 4] == b"data":
            return position + 8
        position += 8 + size + size % 2
    return None


_TAG: Final = re.compile(r"<[^>]*>")
