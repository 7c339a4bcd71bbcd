"""One message, from the request to the last byte of audio."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

from homeassistant.components.tts.entity import TTSAudioRequest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from ..client import (
    ClientClosedError,
    ClonedVoice,
    CosyVoiceError,
    OptionError,
    TextError,
    Utterance,
    UtteranceReport,
    count_characters,
)
from ..const import LOGGER
from ..coordinator import CosyVoiceConfigEntry
from ..errors import translated_error
from ..issues import report_failure, report_success
from ..text.message import Message, check_message
from ..text.ssml import is_ssml
from ..usage.ledger import OverBudgetError
from . import fallback
from .ha_cache import end_uncached, is_cached
from .outage import Outage
from .request import SpeechRequest, create_request

_NUMBERS = count(1)


@dataclass(frozen=True)
class Speaker:
    """The engine that speaks.

    Attributes:
        hass: Home Assistant.
        entry: The account.
        subentry_id: The voice's subentry.
        entity_id: The engine's entity.
        outage: Whether the account's service is available.
    """

    hass: HomeAssistant
    entry: CosyVoiceConfigEntry
    subentry_id: str
    entity_id: str
    outage: Outage

    @property
    def region_and_cloned(self) -> tuple[str, tuple[ClonedVoice, ...]]:
        """The account's region and its cloned voices."""
        runtime = self.entry.runtime_data
        return runtime.client.region, tuple(runtime.voices.data.values())

    def request(self, options: Mapping[str, Any], language: str) -> SpeechRequest:
        """Return the request for the options of a message, settings included.

        Raises:
            OptionError: An option is not valid.
        """
        return create_request(options, language, *self.region_and_cloned)

    def warm_up(self, options: Mapping[str, Any], language: str) -> None:
        """Expect a message with these options soon; do nothing if they are not valid."""
        with suppress(OptionError):
            synthesis = self.request(options, language).synthesis
            self.entry.runtime_data.client.warm_up(synthesis)

    def check(self, request: SpeechRequest, message: str) -> None:
        """Check a whole message before any of it is spoken.

        Raises:
            OptionError: It is SSML, which the voice or the model does not support.
            TextError: It cannot be spoken.
        """
        if is_ssml(message):
            request.as_ssml(*self.region_and_cloned)
        check_message(message, clean=request.clean_text)

    def check_call(
        self, message: str, options: Mapping[str, Any], language: str, *, cached: bool
    ) -> None:
        """Check a call of tts.speak before anything is played.

        Args:
            message: The text, or an SSML document.
            options: The options of the call and the engine's defaults.
            language: Home Assistant's language tag.
            cached: Whether the call accepts audio from the disk.

        Raises:
            OptionError: An option is not valid.
            TextError: The message cannot be spoken.
            OverBudgetError: The budget is used up, and no other engine speaks.
        """
        request = self.request(options, language)
        self.check(request, message)
        if not request.fallback_engine and not is_cached(
            self.hass, message, language, options, self.entity_id, on_disk=cached
        ):
            self.entry.runtime_data.usage.check_budget()


class Session:
    """Speaks one message.

    Attributes:
        message: The text of the message.
        request: The request to the service.
    """

    def __init__(
        self, speaker: Speaker, request: SpeechRequest, text: AsyncIterable[str]
    ) -> None:
        """Prepare to speak; nothing is read or sent yet."""
        self.message = Message(
            text, clean=request.clean_text, pronunciations=request.pronunciations
        )
        self.request = request
        self._speaker = speaker
        self._runtime = speaker.entry.runtime_data
        self._name = f"{speaker.entity_id} message {next(_NUMBERS)}"
        self._reading: asyncio.Task[None] | None = None
        self._utterance: Utterance | None = None
        self._deadline: fallback.Deadline | None = None
        self._begun = False  # Speech, not silence alone

    async def audio(self, call: TTSAudioRequest) -> AsyncGenerator[bytes]:
        """Yield the audio of the service, or that of the fallback engine.

        Once something was heard, a failure ends the audio without an error, because
        Home Assistant (2026.10) tells a satellite of no end after an error. Audio that
        is incomplete, patched or of another voice is not cached.

        Args:
            call: What Home Assistant asked for.

        Raises:
            HomeAssistantError: The message cannot be spoken.
        """
        try:
            async with self.speaking(live=True) as utterance:
                while (chunk := await self.next_chunk()) is not None:
                    yield chunk
            if not utterance.report.patched:
                return
        except (CosyVoiceError, OverBudgetError) as err:
            async with aclosing(self._after_failure(err, call.language)) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            self.close()
        end_uncached(
            self._speaker.hass,
            self.message.arrived,
            call.language,
            call.options,
            self._speaker.entity_id,
        )

    @asynccontextmanager
    async def speaking(self, *, live: bool) -> AsyncIterator[Utterance]:
        """Have the service speak; record the utterance however it ends.

        Inside, `next_chunk` returns the audio. Call `close` afterwards.

        Args:
            live: Whether a player may run dry, which is given silence in pauses.

        Raises:
            CosyVoiceError: The message cannot be spoken.
            OverBudgetError: The account's budget is used up.
        """
        self._reading = self._speaker.entry.async_create_background_task(
            self._speaker.hass, self.message.fetch(), f"{self._name}: text"
        )
        if await self.message.is_ssml():
            self.request = self.request.as_ssml(*self._speaker.region_and_cloned)
        utterance = self._runtime.client.speak(
            self.message.pieces(),
            self.request.synthesis,
            silence=self.request.silence,
            fill_pauses=live and self.request.extension in {"caf", "wav"},
        )

        def counted() -> int:
            return max(utterance.report.sent, count_characters(self.message.arrived))

        error: CosyVoiceError | None = None
        # Nothing is awaited in between: of messages that begin together, each counts
        # those before it.
        self._runtime.usage.check_budget()
        with self._runtime.usage.in_flight(counted):
            self._utterance = utterance
            self._log_begin()
            if self.request.fallback_engine:
                self._deadline = fallback.Deadline(
                    self.message.first_sentence, lambda: utterance.waits_for_turn
                )
            try:
                yield utterance
            except CosyVoiceError as err:
                error = err
                raise
            finally:
                await utterance.aclose()
                self._record(utterance.report, error)

    async def next_chunk(self) -> bytes | None:
        """Return the next chunk of the service's audio, None at the end.

        Raises:
            CosyVoiceError: The service failed, or was too late for a message that the
                fallback engine can speak.
        """
        assert self._utterance is not None
        chunk = anext(aiter(self._utterance), None)
        if self._begun:
            return await chunk
        data = await (self._deadline.wait_for(chunk) if self._deadline else chunk)
        report = self._utterance.report
        self._begun = report.first_packet_latency is not None
        if self._begun:
            self._log_first_audio(report)
        return data

    def close(self) -> None:
        """Stop reading the text."""
        if self._reading:
            self._reading.cancel()
        if self._deadline:
            self._deadline.close()

    def _record(self, report: UtteranceReport, error: CosyVoiceError | None) -> None:
        """Record an utterance that has ended, and act on a failure or its end."""
        if error:
            # The utterance of a message that was too late has no error of its own
            report.outcome, report.error = "failed", error
        self._runtime.usage.record(report, self._speaker.subentry_id)
        self._log_end(report)
        if self._speaker.entry.state is not ConfigEntryState.LOADED:
            return
        hass, entry, outage = (
            self._speaker.hass,
            self._speaker.entry,
            self._speaker.outage,
        )
        if error:
            report_failure(hass, entry, error)
            outage.failed(error)
        elif report.outcome == "finished":
            report_success(hass, entry)
            outage.spoke()

    async def _after_failure(
        self, error: CosyVoiceError | OverBudgetError, language: str
    ) -> AsyncGenerator[bytes]:
        """Have the fallback engine speak what the service did not.

        Without one, nothing follows what was heard, unless the account was unloaded.

        Raises:
            HomeAssistantError: Nothing was heard and nothing can be.
        """
        utterance, engine = self._utterance, self.request.fallback_engine
        heard = utterance is not None and utterance.heard
        shown = error if isinstance(error, OverBudgetError) else translated_error(error)
        is_mistake = isinstance(error, OptionError | TextError) and not heard
        if engine is None or is_mistake:
            if not heard or isinstance(error, ClientClosedError):
                raise shown from None  # A listener may log the whole chain
            LOGGER.warning("%s: the audio is incomplete: %s", self._name, shown)
            return
        LOGGER.warning("%s: %s speaks instead: %s", self._name, engine, shown)
        audio = fallback.speak(
            self._speaker.hass,
            engine,
            self.message.plain(utterance.delivered if utterance and heard else 0),
            language,
            self.request,
            utterance.report.audio_seconds if utterance else None,
        )
        spoken = False
        try:
            async with aclosing(audio) as chunks:
                async for chunk in chunks:
                    if chunk and not spoken:
                        spoken = True
                        self._runtime.usage.record_fallback(
                            self._speaker.subentry_id, error
                        )
                    yield chunk
        except Exception as err:  # noqa: BLE001 - any engine may be the fallback
            LOGGER.warning("%s: %s failed as well: %s", self._name, engine, err)
            if not heard and not spoken:
                raise shown from None

    def _log_begin(self) -> None:
        synthesis = self.request.synthesis
        LOGGER.debug(
            "%s begun: voice %s, model %s, format %s",
            self._name,
            synthesis.voice,
            synthesis.model,
            synthesis.format,
        )

    def _log_first_audio(self, report: UtteranceReport) -> None:
        assert self._reading is not None
        LOGGER.debug(
            "%s first audio: after %.3f s, streamed %s, task %s",
            self._name,
            report.first_packet_latency,
            not self._reading.done(),
            report.request_ids[-1],
        )

    def _log_end(self, report: UtteranceReport) -> None:
        LOGGER.debug(
            "%s ended: %s (%s), characters %d, audio %.3f s, tasks %d, resumed %d, ids %s",
            self._name,
            report.outcome,
            type(report.error).__name__ if report.error else "no error",
            report.characters,
            report.audio_seconds,
            report.tasks,
            report.resumed,
            ", ".join(report.request_ids),
        )
