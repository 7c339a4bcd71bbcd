"""One thing said: a stream of text in, a stream of audio out.

An utterance is one task of the service as long as that works. It takes several when
a limit of the service or a pause of the text source demands it, and when a connection
is lost: what was not completely delivered is then spoken by another task.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import aclosing
import logging
import math

from ..audio import audio_writer
from ..audio.silence import NO_SILENCE, Silence
from ..counting import count_characters
from ..errors import (
    CosyVoiceError,
    CosyVoiceTimeoutError,
    EmptyTextError,
    NoAudioError,
    TextError,
)
from ..options import SynthesisOptions
from ..timing import Timing
from ..wire.connection import Connection
from ..wire.pool import Pool
from ..wire.protocol import Audio, Event, TaskFinished, TaskState, Usage
from ..wire.task import TaskSettings
from .progress import TaskProgress
from .report import UtteranceReport
from .source import TextSource

_LOGGER = logging.getLogger(__name__)

TASK_CHARACTERS = 190_000
"""Characters given to one task; the service allows 200,000 (Model Studio, CosyVoice
WebSocket API)."""

SILENCE_STEP = 0.1
"""Seconds of silence that are added to a pause at a time."""


class Utterance:
    """Iterate over it, once, to get the audio.

    The audio is complete if the iteration ends by itself. Else it raises a
    :class:`CosyVoiceError`, or what the source of the text raised. To stop early,
    call :meth:`aclose`.

    Attributes:
        report: The account of the utterance; final after the iteration.
    """

    def __init__(
        self,
        pool: Pool,
        task: TaskSettings,
        text: str | AsyncIterable[str],
        options: SynthesisOptions,
        timing: Timing,
        *,
        silence: Silence = NO_SILENCE,
        fill_pauses: bool = False,
    ) -> None:
        """Prepare; nothing is sent before the iteration begins.

        Args:
            pool: Where connections come from.
            task: What the utterance's tasks are started with.
            text: The text, or the pieces of a text that is still being written.
            options: Resolved options.
            timing: The limits to keep.
            silence: What to put before and after the speech.
            fill_pauses: Add silence between two sentences while the text pauses and
                the listener is about to run out of audio.
        """
        if (sample_rate := options.sample_rate) is None:
            msg = "The options are not resolved"
            raise ValueError(msg)
        self.report = UtteranceReport(voice=options.voice, model=options.model)
        self._pool = pool
        self._task = task
        self._ssml = options.ssml
        self._timing = timing
        self._around = silence
        self._fill_pauses = fill_pauses
        self._streamed = not isinstance(text, str)
        self._source = TextSource(text, whole=options.ssml)
        self._writer = audio_writer(options.format, sample_rate)
        self._progress = TaskProgress(0.0)
        self._flushed = False
        self._silence = 0.0
        self._synthesis = 0.0
        self._text_since: float | None = None
        self._begun = 0.0
        self._playing_since: float | None = None
        self._pausing = False  # The listener gets silence while the text pauses.
        self._stuck_since: float | None = None
        self._last_sign = 0.0
        self._generator = self._speak()

    @property
    def heard(self) -> bool:
        """True once there was speech, not silence alone."""
        return self._writer.seconds > self._silence

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return the audio as it comes."""
        return self._generator

    async def aclose(self) -> None:
        """Stop; what was not delivered is neither spoken nor billed any more."""
        await self._generator.aclose()

    async def _speak(self) -> AsyncGenerator[bytes]:
        report = self.report
        self._begun = asyncio.get_running_loop().time()
        try:
            if header := self._writer.header():
                yield header
            if self._streamed:
                self._pool.warm_up(self._task)
            while True:
                ready = asyncio.ensure_future(self._source.ready())
                async with aclosing(self._filling(ready)) as silences:
                    async for silence in silences:
                        yield silence
                if not ready.result():
                    break
                if self._text_since is None and (
                    lead_in := self._quiet(self._around.before())
                ):
                    yield lead_in
                async with aclosing(self._say()) as chunks:
                    async for chunk in chunks:
                        yield chunk
            self._check_complete()
            trailing = self._quiet(self._around.after(self._writer.seconds))
            if closing := trailing + self._writer.finish():
                yield closing
            report.outcome = "finished"
            self._pool.warm_up(self._task)
        except CosyVoiceError as err:
            report.outcome, report.error = "failed", err
            raise
        except Exception:
            report.outcome = "failed"
            raise
        finally:
            if report.outcome == "pending":
                report.outcome = "cancelled"
            report.audio_seconds = self._writer.seconds
            if (speech := report.audio_seconds - self._silence) > 0:
                report.real_time_factor = self._synthesis / speech
            await self._source.close()

    def _check_complete(self) -> None:
        if self._source.failure is not None:
            raise self._source.failure
        if self._text_since is None:
            raise EmptyTextError("The text holds nothing that can be spoken")
        if not self.heard:
            raise NoAudioError("The service gave no audio for the text")

    # From sentences to audio, come what may

    async def _say(self) -> AsyncGenerator[bytes]:
        """Speak what is ready by one task, and by further ones as long as they fail."""
        loop = asyncio.get_running_loop()
        self._text_since = self._text_since or loop.time()
        self._stuck_since = None
        failures = 0
        while self._source.waiting:
            try:
                async with aclosing(self._run_task()) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except CosyVoiceError as err:
                failures = 1 if self._progress.begun else failures + 1
                pause = self._timing.backoff * 2 ** (failures - 1)
                pause = min(pause, self._timing.backoff_limit)
                if not self._may_resume(err, loop.time() + pause):
                    raise
                _LOGGER.debug("A task was lost, another one goes on: %r", err)
            else:
                return
            self._source.put_back(self._progress.rest)
            waiting = asyncio.ensure_future(asyncio.sleep(pause))
            async with aclosing(self._filling(waiting)) as silences:
                async for silence in silences:
                    yield silence

    def _may_resume(self, err: CosyVoiceError, resume_at: float) -> bool:
        """Decide whether another task may go on where this one failed."""
        progress = self._progress
        if progress.begun or self._stuck_since is None:
            self._stuck_since = self._last_sign
        if self._flushed and isinstance(err, TextError):
            self._pool.flush_works = False
        elif not err.retryable:
            return False
        if progress.heard and (self._ssml or not progress.known):
            return False
        self._writer.abort_task()
        progress.in_sentence = False
        self._pausing = self._playing_since is not None
        self.report.resumed += progress.heard
        return resume_at <= self._stuck_since + self._timing.deadline

    async def _run_task(self) -> AsyncGenerator[bytes]:
        """Speak by one task what it can take."""
        self._progress = TaskProgress(self._writer.seconds, ssml=self._ssml)
        self._flushed = False
        self._sign_of_life()
        finished = False
        acquiring = asyncio.ensure_future(
            self._pool.acquire(self._task, self._sign_of_life)
        )
        try:
            async with aclosing(self._filling(acquiring)) as silences:
                async for silence in silences:
                    yield silence
            connection = acquiring.result()
            self.report.tasks += 1
            self.report.request_ids.append(connection.task_id)
            async with aclosing(self._exchange(connection)) as chunks:
                async for chunk in chunks:
                    yield chunk
            finished = True
        finally:
            if not acquiring.cancelled() and acquiring.exception() is None:
                put_away = self._pool.release if finished else self._pool.discard
                put_away(acquiring.result())
            self._settle()

    async def _exchange(self, connection: Connection) -> AsyncGenerator[bytes]:
        """Send text and receive audio until the task is finished."""
        loop = asyncio.get_running_loop()
        progress = self._progress
        sending = asyncio.create_task(self._send(connection))
        unheard: list[Event] = []

        def owes() -> bool:
            return progress.owed or connection.state is TaskState.FINISHING

        try:
            while True:
                waiting_since, owed = loop.time(), owes()
                receiving = asyncio.ensure_future(connection.receive())
                async with aclosing(self._filling(receiving, owes)) as silences:
                    async for silence in silences:
                        yield silence
                self._synthesis += (loop.time() - waiting_since) * owed
                self._sign_of_life()
                for event in receiving.result():
                    finished = isinstance(event, TaskFinished)
                    if isinstance(event, Audio):
                        chunk = self._audio(event.data)
                    else:
                        unheard.append(event)
                        chunk = b""
                        if finished:
                            self._writer.end_task()
                    if chunk:
                        yield chunk
                        self._sign_of_life()
                    if chunk or finished or not self._writer.lags:
                        self._note(unheard)
                    if finished:
                        return
        finally:
            for event in unheard:
                if isinstance(event, Usage):
                    progress.billed = event.characters
            sending.cancel()
            await asyncio.wait({sending})

    def _audio(self, data: bytes) -> bytes:
        now = asyncio.get_running_loop().time()
        if self.report.first_packet_latency is None and self._text_since is not None:
            self.report.first_packet_latency = now - self._text_since
        self._deliver()
        self._pausing = False
        self._progress.audio()
        self._flushed = False
        return self._writer.feed(data)

    def _note(self, events: list[Event]) -> None:
        """Take in what the service reported, and what the listener has heard by now."""
        for event in events:
            self._progress.note(event, self._writer.seconds)
        events.clear()

    def _settle(self) -> None:
        """Add what this task cost and said to the account."""
        progress = self._progress
        self.report.words.extend(progress.words)
        if progress.billed is not None:
            self.report.characters += progress.billed
        elif progress.heard:
            self.report.characters += progress.size
            self.report.estimated = True

    # The text of one task

    async def _send(self, connection: Connection) -> None:
        """Send sentences until the task has had enough; then finish it."""
        try:
            while await self._next_sentence(connection):
                sentence = self._source.pop()
                if not self._progress.owed:
                    self._sign_of_life()
                self._progress.add(sentence)
                await connection.send_text(sentence)
            await connection.finish()
        except CosyVoiceError as err:
            _LOGGER.debug("Nothing more can be sent: %r", err)

    async def _next_sentence(self, connection: Connection) -> bool:
        """Wait for a sentence; return False if this task shall be finished.

        While the text pauses, the task is flushed: the service holds back the last
        sentence until it knows that no other one follows.
        """
        timing, loop, progress = (
            self._timing,
            asyncio.get_running_loop(),
            self._progress,
        )
        quiet_since = loop.time()
        flush_after = timing.flush_after if progress.heard else timing.first_flush_after
        wait_until = quiet_since + (flush_after if progress.sent else timing.pause)
        flushed = not progress.sent
        while True:
            try:
                async with asyncio.timeout_at(wait_until):
                    if not await self._source.ready():
                        return False
            except TimeoutError:
                now = loop.time()
                ignored = progress.owed and (
                    now - max(quiet_since, self._last_sign) >= timing.flush_patience
                )
                if now - quiet_since >= timing.pause or (flushed and ignored):
                    return False
                if not flushed and self._pool.flush_works:
                    self._flushed = True
                    await connection.flush()
                flushed = True
                wait_until = min(
                    now + timing.flush_patience, quiet_since + timing.pause
                )
            else:
                size = progress.size + count_characters(self._source.peek())
                return not progress.sent or size <= TASK_CHARACTERS

    # Waiting, and silence meanwhile

    async def _filling[T](
        self, waiting: asyncio.Future[T], owes: Callable[[], bool] | None = None
    ) -> AsyncGenerator[bytes]:
        """Wait, and give silence to a listener who would run dry meanwhile.

        Args:
            waiting: What to wait for; it is cancelled when this is closed early.
            owes: Tells whether the service has to show signs of life.

        Raises:
            CosyVoiceTimeoutError: The service owed one for too long.
        """
        loop = asyncio.get_running_loop()
        try:
            while not waiting.done():
                now, dry_at, overdue_at = loop.time(), self._dry_at(), math.inf
                if owes is not None:
                    overdue_at = self._last_sign + self._timing.attempt
                    if not owes():
                        overdue_at = max(overdue_at, now + 1)
                    elif now >= overdue_at:
                        raise CosyVoiceTimeoutError("The service fell silent")
                if now >= dry_at:
                    self._pausing |= not (self._source.waiting or self._source.ended)
                    if self._pausing:
                        yield self._quiet(SILENCE_STEP)
                        continue
                    dry_at = math.inf
                until = min(dry_at, overdue_at)
                await asyncio.wait(
                    {waiting}, timeout=None if until == math.inf else until - now
                )
        finally:
            if not waiting.done():
                waiting.cancel()
                await asyncio.wait({waiting})

    def _sign_of_life(self) -> None:
        self._last_sign = asyncio.get_running_loop().time()

    def _dry_at(self) -> float:
        """Return when the listener needs silence; infinite if never or not now."""
        if not self._fill_pauses or self._progress.in_sentence:
            return math.inf
        if self._playing_since is None:
            return self._begun + self._timing.first_silence
        return self._playing_since + self._writer.seconds - self._timing.low_water

    def _deliver(self) -> None:
        """Note that audio comes: a listener who ran dry only now goes on playing."""
        since = asyncio.get_running_loop().time() - self._writer.seconds
        if self._playing_since is None or since > self._playing_since:
            self._playing_since = since

    def _quiet(self, seconds: float) -> bytes:
        if not seconds:
            return b""
        self._deliver()
        before = self._writer.seconds
        silence = self._writer.silence(seconds)
        self._silence += self._writer.seconds - before
        return silence
