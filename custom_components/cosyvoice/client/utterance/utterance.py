"""Speak one text: a stream of text in, a stream of audio out.

An utterance is one task of the service as long as that works. It takes several when
a limit of the service or a pause of the text source demands it, and when a connection
is lost: what was not completely delivered is then spoken by another task.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
import logging

from ..audio import audio_writer
from ..audio.silence import NO_SILENCE, Silence
from ..errors import (
    ClientClosedError,
    CosyVoiceError,
    EmptyTextError,
    NoAudioError,
    RequestError,
    TextError,
)
from ..options import SynthesisOptions
from ..timing import Timing
from ..wire.connection import Connection
from ..wire.pool import Pool
from ..wire.protocol import Audio, Event, TaskFinished, TaskState
from ..wire.task import TaskSettings
from .flushing import Flushing
from .playback import Playback
from .progress import TaskProgress
from .report import UtteranceReport
from .retries import Retries
from .sender import Sender
from .source import Piece, TextSource
from .watch import Watch

_LOGGER = logging.getLogger(__name__)

WAITING_CHUNKS = 32
"""Chunks that may wait for the player before the service is read no further."""
ENOUGH_AUDIO = 1.0
"""Seconds of audio with which the player can wait for frames to arrive together."""
WAITED = 0.001
"""Seconds from which on a frame was waited for."""
REST = 0.04
"""Time in which frames arrive together, as a share of the audio the player has left."""
LONGEST_REST = 0.25
"""Seconds; the end of the audio may come so much later."""


class Utterance:
    """Iterate over it, once, to get the audio.

    The audio is complete if the iteration ends by itself. Else it raises a
    :class:`CosyVoiceError`, or what the source of the text raised. To stop early,
    call :meth:`aclose`.

    Attributes:
        report: Usage and timing, final after the iteration.
    """

    def __init__(
        self,
        pool: Pool,
        flushing: Flushing,
        task: TaskSettings,
        text: str | AsyncIterable[Piece],
        options: SynthesisOptions,
        timing: Timing,
        *,
        silence: Silence = NO_SILENCE,
        fill_pauses: bool = False,
    ) -> None:
        """Prepare without sending anything.

        Args:
            pool: Connections of the account.
            flushing: Results of earlier flushes.
            task: Settings of the utterance's tasks.
            text: One sentence, or the pieces of a text that is still being written.
            options: Resolved options.
            timing: Time limits.
            silence: Silence before and after the speech.
            fill_pauses: Add silence before the player runs out of audio.
        """
        if (sample_rate := options.sample_rate) is None:
            msg = "The options are not resolved"
            raise ValueError(msg)
        self.report = UtteranceReport(voice=options.voice, model=options.model)
        self._pool = pool
        self._flushing = flushing
        self._task = task
        self._ssml = options.ssml
        self._timing = timing
        self._streamed = not isinstance(text, str)
        writer = audio_writer(options.format, sample_rate)
        self._playback = Playback(writer, silence, timing, fill=fill_pauses)
        self._source = TextSource(text, self._playback, timing, whole=options.ssml)
        self._progress = self._new_progress()
        self._may_flush = True
        self._blames_flush = False  # A flush may be why the last task failed.
        self._synthesis = 0.0
        self._text_since: float | None = None
        # On their way from the tasks to the player.
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue(WAITING_CHUNKS)
        self._generator = self._listen()

    @property
    def heard(self) -> bool:
        """True once there was speech, not silence alone."""
        return self._playback.speech_seconds > 0

    @property
    def delivered(self) -> int:
        """Code points of the text whose audio was completely delivered.

        Counted to the end of a sentence, where another engine can continue.
        """
        return self._source.taken - self._progress.undelivered

    @property
    def waits_for_turn(self) -> bool:
        """True while the permitted rate of task starts delays the first task."""
        return not self.report.tasks and self._pool.is_limited(self._task)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return the audio as it comes."""
        return self._generator

    async def aclose(self) -> None:
        """Stop speaking.

        Text that was not spoken yet costs nothing.
        """
        await self._generator.aclose()

    def end(self) -> None:
        """Fail with a ClientClosedError, even while the text pauses."""
        self._source.fail(ClientClosedError("The client is closed"))

    # The player's side

    async def _listen(self) -> AsyncGenerator[bytes]:
        report = self.report
        speaking: asyncio.Task[None] | None = None
        try:
            if header := self._playback.begin():
                yield header
            speaking = asyncio.create_task(self._speak(), name="CosyVoice utterance")
            while chunk := await self._next_chunk():
                yield chunk
            await speaking
            report.outcome = "finished"
            self._pool.warm_up(self._task)
        except CosyVoiceError as err:
            report.outcome, report.error = "failed", err
            raise
        except Exception:
            report.outcome = "failed"
            raise
        finally:
            if speaking is not None:
                speaking.cancel()
                # It may have failed meanwhile.
                await asyncio.gather(speaking, return_exceptions=True)
            await self._source.close()
            self._complete_report()

    async def _next_chunk(self) -> bytes:
        """Return the next audio or the silence that is due, or empty at the end."""
        while True:
            try:
                async with asyncio.timeout_at(self._playback.silence_due):
                    return await self._chunks.get() + self._waiting()
            except asyncio.QueueShutDown:
                return b""
            except TimeoutError:
                if silence := self._playback.fill():
                    self.report.patched |= self._progress.in_sentence
                    return silence

    def _waiting(self) -> bytes:
        """Return the chunks that have arrived."""
        return b"".join(self._chunks.get_nowait() for _ in range(self._chunks.qsize()))

    def _complete_report(self) -> None:
        report = self.report
        if report.outcome == "pending":
            report.outcome = "cancelled"
        report.audio_seconds = self._playback.seconds
        if (speech := self._playback.speech_seconds) > 0:
            report.real_time_factor = self._synthesis / speech

    # The service's side: tasks and retries

    async def _speak(self) -> None:
        """Speak the text by as many tasks as it takes."""
        try:
            if self._streamed:
                self._pool.warm_up(self._task)
            while await self._source.ready():
                if self._text_since is None:
                    self._text_since = asyncio.get_running_loop().time()
                    await self._give(self._playback.lead_in())
                await self._speak_ready_text()
            self._check_complete()
            await self._give(self._playback.finish())
        finally:
            self._chunks.shutdown()

    def _check_complete(self) -> None:
        if self._source.failure is not None:
            raise self._source.failure
        if self._text_since is None:
            raise EmptyTextError("The text has nothing that can be spoken")
        if not self.heard:
            raise NoAudioError("The service gave no audio for the text")

    async def _give(self, chunk: bytes, watch: Watch | None = None) -> None:
        """Pass a chunk to the player, and wait while too many wait already."""
        if not chunk:
            return
        if watch is not None and self._chunks.full():
            watch.suspend()
        await self._chunks.put(chunk)

    async def _speak_ready_text(self) -> None:
        """Speak the text that is ready by one task, or by several if they fail."""
        retries = Retries(self._timing)
        while self._source.waiting:
            watch = Watch(self._timing.attempt)
            try:
                await self._run_task(watch)
            except CosyVoiceError as err:
                if isinstance(self._source.failure, ClientClosedError):
                    raise self._source.failure from err
                pause = self._pause_before_retry(err, retries, watch.silent_for)
                if pause is None:
                    raise
                _LOGGER.debug("Another task in %.1f s after %r", pause, err)
            else:
                if not self._may_flush:
                    self._flushing.refused(self._task.model)
                return
            self._resume()
            await asyncio.sleep(pause)

    def _pause_before_retry(
        self, err: CosyVoiceError, retries: Retries, silent_for: float
    ) -> float | None:
        """Return the seconds until the next task, or None to give up."""
        progress = self._progress
        if not progress.known:
            return None
        if self._blames_flush and (err.retryable or _may_concern_flush(err)):
            retries.lost_flushes += 1
            # A connection may be lost by chance, a refusal has a reason
            self._may_flush &= err.retryable and retries.lost_flushes < 2
        elif err.retry_once and not progress.heard and not retries.repeated:
            retries.repeated = True
        elif not err.retryable:
            return None
        return retries.pause_after_failure(
            silent_for, begun=progress.begun, cut_short=progress.cut_short
        )

    def _resume(self) -> None:
        """Put back the undelivered text of the lost task."""
        progress = self._progress
        self.report.resumed += progress.heard
        self.report.patched |= progress.is_broken_off
        self._playback.end_task()
        self._source.put_back(progress.rest)
        self._progress = self._new_progress()

    def _new_progress(self) -> TaskProgress:
        playback = self._playback
        return TaskProgress(
            playback.position,
            ssml=self._ssml,
            lags=playback.lags,
            by_tokens=self._task.by_tokens,
            tags=self._task.tags,
        )

    async def _run_task(self, watch: Watch) -> None:
        """Speak text until one task is finished."""
        self._progress = self._new_progress()
        self._blames_flush = False
        connection = await self._pool.acquire(self._task, watch.restart)
        finished = False
        try:
            self.report.tasks += 1
            self.report.request_ids.append(connection.task_id)
            await self._exchange(connection, watch)
            finished = True
        except asyncio.CancelledError:
            if self._task.by_tokens and self._task.cancellable:
                finished = await self._cancel(connection)
            raise
        finally:
            put_away = self._pool.release if finished else self._pool.discard
            put_away(connection)
            self._count(connection, finished=finished)

    async def _cancel(self, connection: Connection) -> bool:
        """Cancel the task for the sake of its bill, which only its end reports.

        Returns:
            False if the service did not confirm it in time.
        """
        try:
            async with asyncio.timeout(self._timing.reuse):
                self._progress.note_cancelled(await connection.cancel())
        except (CosyVoiceError, TimeoutError) as err:
            _LOGGER.debug("%s: not cancelled: %r", connection.name, err)
            return False
        return True

    def _count(self, connection: Connection, *, finished: bool) -> None:
        """Add the cost and the words of a task to the report."""
        progress, report = self._progress, self.report
        cost = progress.cost(self._playback.position)
        _LOGGER.debug(
            "%s: task %s %s: %d characters sent, %d billed%s",
            connection.name,
            connection.task_id,
            "finished" if finished else "broken off",
            progress.size,
            cost.characters,
            " (estimated)" * cost.estimated,
        )
        report.characters += cost.characters
        report.input_tokens += cost.input_tokens
        report.output_tokens += cost.output_tokens
        report.estimated |= cost.estimated
        report.words.extend(progress.words)

    async def _exchange(self, connection: Connection, watch: Watch) -> None:
        """Send text and receive audio until the task is finished."""
        progress = self._progress

        def is_due() -> bool:
            return progress.is_pending or connection.state is TaskState.FINISHING

        sender = Sender(
            connection,
            self._source,
            progress,
            watch,
            self._timing,
            self._flushing if self._may_flush else None,
            self.report,
        )
        loop = asyncio.get_running_loop()
        try:
            async with watch.guard(is_due), asyncio.TaskGroup() as group:
                sending = group.create_task(sender.run(), name="CosyVoice sender")
                while connection.state is not TaskState.IDLE:
                    due, since = is_due(), loop.time()
                    events = await connection.receive()
                    if loop.time() > since + WAITED:
                        await self._rest()
                    self._synthesis += (loop.time() - since) * due
                    for event in events:
                        await self._take(event, sender, watch)
                    watch.restart()
                sending.cancel()
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            self._blames_flush = sender.flushed

    async def _rest(self) -> None:
        """Let frames arrive, to take them together, if the player has enough audio."""
        if (lead := self._playback.lead) > ENOUGH_AUDIO:
            await asyncio.sleep(min(lead * REST, LONGEST_REST))

    async def _take(self, event: Event, sender: Sender, watch: Watch) -> None:
        """Process an event of the service."""
        playback, report = self._playback, self.report
        if isinstance(event, Audio):
            if report.first_packet_latency is None and self._text_since is not None:
                now = asyncio.get_running_loop().time()
                report.first_packet_latency = now - self._text_since
            sender.flushed = False
            chunk = playback.speech(event.data)
            self._progress.audio(given_out=bool(chunk))
            await self._give(chunk, watch)
            return
        if isinstance(event, TaskFinished):
            playback.end_task()
        self._progress.note(event, playback.position)


def _may_concern_flush(error: CosyVoiceError) -> bool:
    """Return whether the service may have refused a flush by an error.

    Its words for that are not known.
    """
    return type(error) is RequestError or isinstance(error, TextError)
