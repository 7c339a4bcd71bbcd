"""One task: text comes in, sentences of audio go out."""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from . import tags
from .audio import Encoder
from .billing import input_tokens, output_tokens
from .catalogue import models
from .errors import ServiceError, invalid
from .faults import FaultKind, GoneError, Point
from .records import SentenceRecord, TaskRecord, TextPiece
from .rules import Speaker
from .script import Fault
from .speech import Word
from .text import (
    Passage,
    Segmenter,
    count_characters,
    drop_markup,
    is_speakable,
    is_ssml,
    parse_ssml,
)

if TYPE_CHECKING:
    from .connection import Connection


LONG = 0.1
"""Seconds beyond a round trip that tell what was done in advance from what was not."""


class _Flush:
    """Stands in the queue where a flush was asked for."""


_FLUSH = _Flush()


class Task:
    """Speaks the text of one task, sentence by sentence, at the service's pace.

    Attributes:
        record: What is remembered of it.
        waited: True if it was started long before its first text came.
    """

    def __init__(
        self, connection: Connection, record: TaskRecord, speaker: Speaker
    ) -> None:
        """Prepare a task; nothing is spoken before ``start``."""
        self.record = record
        self._connection = connection
        self._config = connection.emulator.config
        self._speaker = speaker
        self._loop = asyncio.get_running_loop()
        self._segmenter = Segmenter()
        # Sentences with the time at which they were complete; None at the end.
        self._queue: asyncio.Queue[tuple[float, Passage | _Flush | None]]
        self._queue = asyncio.Queue()
        self._encoder = Encoder(
            speaker.format, speaker.sample_rate, speaker.bit_rate, speaker.mp3_bit_rate
        )
        self._model = models()[record.model]
        self._characters = 0
        self._spoken_words = 0
        self._finishing = False
        self._speaking = False
        self.waited = False
        self._active = self._started = self._loop.time()
        # When the synthesis of all sentences so far ends, by the latency model.
        self._busy_until = 0.0
        self._work: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to speak, and to expect text."""
        self._active = self._started = self._loop.time()
        self._work = [
            asyncio.create_task(self._guarded()),
            asyncio.create_task(self._watch_text_gap()),
        ]

    def cancel(self) -> None:
        """Begin to fall silent."""
        for work in self._work:
            if work is not asyncio.current_task():
                work.cancel()

    async def stop(self) -> None:
        """Fall silent, and say nothing more after that."""
        self.cancel()
        if self._work:
            await asyncio.wait(self._work)

    def hear(self, values: dict[str, Any]) -> None:
        """Take the input of a continue-task message.

        Raises:
            ServiceError: If the service would refuse it.
        """
        if self._finishing:
            raise invalid("Parameter invalid: text after finish-task")
        self._active = self._loop.time()
        if values.get("flush") is True:
            self.record.flushes += 1
            if self._config.flush == "refused":
                raise invalid("Parameter invalid: text is null")
            self._queue.put_nowait((self._active, _FLUSH))
            if self._config.flush == "works":
                self._queue_sentences(self._segmenter.flush())
            return
        text = values.get("text")
        if not isinstance(text, str):
            raise invalid("Parameter invalid: text is null")
        self._check_text(text)
        if not self.record.pieces:
            waited = self._active - self._started - self._config.round_trip
            self.waited = waited > LONG
        self.record.pieces.append(TextPiece(self._active, text))
        self._connection.emulator.notify()
        if self._speaker.drops_markup:
            text = drop_markup(text)
        elif self._speaker.ssml and is_ssml(text):
            self._queue_ssml(text)
            return
        if self._speaker.tags:
            text = tags.mark(text)
        self._queue_sentences(self._segmenter.push(text))

    def finish(self) -> None:
        """Speak what was held back, then finish."""
        if not self._finishing:
            self._finishing = True
            self._queue_sentences(self._segmenter.flush())
            self._queue.put_nowait((0.0, None))

    @property
    def usage(self) -> dict[str, int]:
        """What was billed so far, as the service reports it."""
        record = self.record
        if self._model.unit == "characters":
            return {"characters": record.characters}
        return {
            "input_tokens": record.input_tokens,
            "output_tokens": record.output_tokens,
            "total_tokens": record.input_tokens + record.output_tokens,
        }

    def book(self) -> None:
        """Bill the tokens of all text that was begun and all audio that was sent."""
        if self._model.unit == "tokens":
            begun = "".join(sentence.text for sentence in self.record.sentences)
            self.record.input_tokens = input_tokens(begun)
            self.record.output_tokens = output_tokens(self.record.audio_seconds)

    @property
    def answers_cancel(self) -> bool:
        """True if a cancellation is answered, and not just overheard."""
        return self._config.region in self._model.cancel

    @property
    def finish_has_usage(self) -> bool:
        """True if task-finished says what was billed."""
        if self._config.usage == "sentence":
            return self._model.is_qwen
        return self._config.usage != "none"

    def _check_text(self, text: str) -> None:
        if self._speaker.ssml and self.record.pieces:
            raise invalid("Text request limit violated, expected 1.")
        characters = count_characters(text)
        if characters > self._config.message_limit:
            raise invalid(
                f"Text request length limit violated, expected {self._config.message_limit}."
            )
        self._characters += characters
        if self._characters > self._config.task_limit:
            raise invalid(
                f"Text length limit violated, expected {self._config.task_limit}."
            )

    def _queue_sentences(self, sentences: list[str]) -> None:
        for sentence in sentences:
            self._queue.put_nowait((self._loop.time(), Passage(sentence)))

    def _queue_ssml(self, text: str) -> None:
        if not self._speaker.knows_ssml:
            raise invalid("SSML text is not supported at the moment!")
        try:
            passages = parse_ssml(text)
        except ValueError as error:
            raise invalid(f"SSML text is invalid: {error}") from error
        for passage in passages:
            if is_speakable(passage.text):
                self._queue.put_nowait((self._loop.time(), passage))

    async def _watch_text_gap(self) -> None:
        while not self._finishing:
            now = self._loop.time()
            if self._speaking:
                self._active = now
            wait = self._active + self._config.text_gap - now
            if wait <= 0:
                await self._connection.fail(
                    self.record,
                    invalid(
                        f"request timeout after {self._config.text_gap:g} seconds."
                    ),
                )
                return
            await asyncio.sleep(wait)

    async def _guarded(self) -> None:
        # Sending fails when the client is gone.
        with contextlib.suppress(GoneError, ConnectionError):
            try:
                await self._speak_all()
            except ServiceError as error:
                await self._connection.fail(self.record, error)

    async def _speak_all(self) -> None:
        while True:
            arrived, passage = await self._queue.get()
            if passage is None:
                break
            if isinstance(passage, _Flush):
                await self._fault(Point.FLUSH)
                continue
            self._speaking = True
            await self._speak(arrived, passage)
            self._speaking = False
            self._active = self._loop.time()
        if not self.record.sentences:
            raise invalid("Please ensure input text is valid.")
        if tail := self._encoder.finish():
            await self._send_audio(self.record.sentences[-1], tail)
        fault = await self._fault(Point.BEFORE_FINISHED)
        bare = fault is not None and fault.kind is FaultKind.FINISH_WITHOUT_USAGE
        await self._connection.finish(self, "finished", with_usage=not bare)

    async def _speak(self, arrived: float, passage: Passage) -> None:
        sentence = await self._begin_sentence(passage)
        await self._fault(Point.BEFORE_AUDIO)
        # Nothing follows but the end, so the encoder may give away what it holds back.
        final = self._finishing and self._queue.qsize() == 1
        spoken = await self._connection.emulator.studio.speak(
            passage, self._speaker, self._encoder, final=final
        )
        chunk_time = self._config.chunk * self._config.real_time_factor
        if arrived > self._busy_until:
            ready = arrived + self._config.first_packet
        else:
            ready = self._busy_until + chunk_time
        chunks = spoken.chunks
        middle = max(1, len(chunks) // 2)
        for number, audio in enumerate(chunks):
            if number == middle:
                await self._fault(Point.MID_SENTENCE)
            await asyncio.sleep(ready + number * chunk_time - self._loop.time())
            if audio:
                await self._send_audio(sentence, audio)
            self.record.audio_seconds += spoken.durations[number]
        if len(chunks) <= middle:
            await self._fault(Point.MID_SENTENCE)
        self._busy_until = ready + max(0, len(chunks) - 1) * chunk_time
        sentence.audio_seconds = spoken.seconds
        await self._fault(Point.SENTENCE_END)
        await self._end_sentence(sentence, spoken.words)

    async def _begin_sentence(self, passage: Passage) -> SentenceRecord:
        sentences = self.record.sentences
        if sentences:
            await self._fault(Point.BETWEEN_SENTENCES)
        text = tags.written(passage.text)
        sentence = SentenceRecord(
            len(sentences),
            text,
            count_characters(text),
            spoken=tags.spoken(passage.text),
        )
        sentences.append(sentence)
        if self._model.unit == "characters":
            self.record.characters += sentence.characters
        if self._config.usage != "old":
            await self._result("sentence-begin", sentence, original_text=sentence.text)
        return sentence

    async def _end_sentence(self, sentence: SentenceRecord, words: list[Word]) -> None:
        sentence.complete = True
        self.book()
        usage = self._config.usage
        if usage == "old":
            return
        self._connection.emulator.notify()
        await self._result(
            "sentence-end",
            sentence,
            words=self._word_list(words) if self._speaker.word_timestamps else [],
            with_usage=usage in ("sentence", "both"),
            original_text=sentence.text,
        )
        self._spoken_words += len(words)

    async def _send_audio(self, sentence: SentenceRecord, audio: bytes) -> None:
        if self._config.usage == "old":
            payload = {
                "output": {"sentence": {"words": []}},
                "usage": self.usage,
            }
            await self._connection.send_event("result-generated", payload)
        else:
            await self._result("sentence-synthesis", sentence)
        await self._connection.send_audio(audio)
        self.record.audio_bytes += len(audio)

    async def _result(
        self,
        kind: str,
        sentence: SentenceRecord,
        words: list[dict[str, Any]] | None = None,
        *,
        with_usage: bool = False,
        **output: str,
    ) -> None:
        facts = {"index": sentence.index, "words": words or []}
        payload: dict[str, Any] = {
            "output": {"type": kind, "sentence": facts, **output}
        }
        if with_usage:
            payload["usage"] = self.usage
        await self._connection.send_event("result-generated", payload)

    def _word_list(self, words: list[Word]) -> list[dict[str, Any]]:
        by_task = self._config.word_times == "task"
        before = self.record.audio_seconds - self.record.sentences[-1].audio_seconds
        offset = before if by_task else 0.0
        return [
            {
                "text": word.text,
                "begin_index": self._spoken_words + number if by_task else word.index,
                "end_index": self._spoken_words + number + 1
                if by_task
                else word.index + len(word.text),
                "begin_time": round((offset + word.begin) * 1000),
                "end_time": round((offset + word.end) * 1000),
            }
            for number, word in enumerate(words)
        ]

    async def _fault(self, point: Point) -> Fault | None:
        complete = sum(sentence.complete for sentence in self.record.sentences)
        return await self._connection.fault(point, self.record, complete)
