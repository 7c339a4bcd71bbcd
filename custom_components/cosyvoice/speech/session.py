"""One message, from the request to the last byte of audio."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from itertools import count

from homeassistant.components.tts.entity import TTSAudioRequest
from homeassistant.config_entries import ConfigEntryState

from ..client import (
    ClientClosedError,
    CosyVoiceConnectionError,
    CosyVoiceError,
    OptionError,
    ServiceError,
    TextError,
    Utterance,
    UtteranceReport,
    count_characters,
)
from ..const import LOGGER
from ..errors import translated_error
from ..issues import report_failure, report_success
from ..text.message import Message
from ..usage.ledger import OverBudgetError
from . import fallback
from .ha_cache import end_uncached
from .request import SpeechRequest
from .speaker import Speaker

_NUMBERS = count(1)


class Session:
    """Speaks one message.

    Attributes:
        message: The text of the message.
        request: The request to the service.
    """

    def __init__(
        self, speaker: Speaker, request: SpeechRequest, text: AsyncIterable[str]
    ) -> None:
        """Prepare to speak.

        Nothing is read or sent yet.
        """
        self.message = Message(
            text,
            clean=request.clean_text,
            pronunciations=request.pronunciations,
            tags=request.tags,
        )
        self.request = request
        self._speaker = speaker
        self._runtime = speaker.runtime
        self._name = f"{speaker.entity_id} message {next(_NUMBERS)}"
        self._reading: asyncio.Task[None] | None = None
        self._utterance: Utterance | None = None
        self._deadline: fallback.Deadline | None = None
        self._begun = False  # Speech, not silence alone

    async def audio(
        self, call: TTSAudioRequest, *, fill_pauses: bool
    ) -> AsyncGenerator[bytes]:
        """Yield the audio of the service, or that of the fallback engine.

        A failure after the first speech ends the audio without an error, because Home
        Assistant (2026.10) sends a satellite no end of audio after an error. Audio that
        is incomplete, patched or from another engine is not cached.

        Args:
            call: What Home Assistant asked for.
            fill_pauses: Whether to fill pauses with silence for a player.

        Raises:
            HomeAssistantError: The message cannot be spoken.
        """
        try:
            async with self.speaking(live=fill_pauses) as utterance:
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
        """Provide the utterance of the message, and record its usage and outcome.

        Read its audio by `next_chunk`, and call `close` afterwards.

        Args:
            live: Whether to fill pauses with silence for a player.

        Raises:
            CosyVoiceError: The message cannot be spoken.
            OverBudgetError: The account's budget is used up.
        """
        # Not the account's task: a fallback engine may need the text after a reload
        self._reading = self._speaker.hass.async_create_background_task(
            self.message.fetch(), f"{self._name}: text"
        )
        if await self.message.is_ssml():
            self.request = self.request.as_ssml(
                self.message.arrived, *self._speaker.region_and_cloned
            )
        utterance = self._runtime.client.speak(
            self.message.pieces(),
            self.request.synthesis,
            silence=self.request.silence,
            fill_pauses=live and self.request.extension in {"caf", "mp3", "wav"},
        )

        def counted() -> int:
            return max(utterance.report.sent, count_characters(self.message.arrived))

        error: CosyVoiceError | None = None
        # Nothing is awaited in between: of messages that begin together, each counts
        # those before it.
        self._runtime.usage.check_budget()
        with self._runtime.usage.in_flight(utterance.report.model, counted):
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
            CosyVoiceError: The service failed, or is too late and there is a fallback
                engine.
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
        """Record the usage of an utterance, and open or close the issues it concerns."""
        if error:
            # An utterance that was given up as too late has no error
            report.outcome, report.error = "failed", error
        self._runtime.usage.record(report, self._speaker.subentry_id)
        self._log_end(report)
        speaker = self._speaker
        if speaker.entry.state is not ConfigEntryState.LOADED:
            return
        if error:
            report_failure(speaker.hass, speaker.entry, error)
            if isinstance(error, CosyVoiceConnectionError | ServiceError):
                self._runtime.outage.began(error)
        elif report.outcome == "finished":
            report_success(speaker.hass, speaker.entry)
            self._runtime.outage.ended()

    async def _after_failure(
        self, error: CosyVoiceError | OverBudgetError, language: str
    ) -> AsyncGenerator[bytes]:
        """Yield the audio of the fallback engine for the text that was not delivered.

        Raises:
            HomeAssistantError: There is no audio at all, or the account was unloaded.
        """
        utterance = self._utterance
        engine = self._speaker.current_fallback(self.request)
        heard = utterance is not None and utterance.heard
        shown = error if isinstance(error, OverBudgetError) else translated_error(error)
        is_mistake = isinstance(error, OptionError | TextError) and not heard
        if engine is None or is_mistake:
            if not heard or isinstance(error, ClientClosedError):
                raise shown from None  # A listener may log the whole chain
            LOGGER.warning("%s: the audio is incomplete: %s", self._name, shown)
            return
        LOGGER.info("%s: %s speaks instead: %s", self._name, engine, shown)
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
            "%s ended: %s (%s), characters %d, tokens %d, audio %.3f s, tasks %d, resumed %d, ids %s",
            self._name,
            report.outcome,
            type(report.error).__name__ if report.error else "no error",
            report.characters,
            report.input_tokens + report.output_tokens,
            report.audio_seconds,
            report.tasks,
            report.resumed,
            ", ".join(report.request_ids),
        )
