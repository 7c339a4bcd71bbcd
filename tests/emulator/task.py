"""One task: text comes in, sentences of audio go out."""

import asyncio
import contextlib
from dataclasses import replace
import math
from typing import TYPE_CHECKING, Any

from . import tags
from .audio import Encoder
from .billing import input_tokens, output_tokens
from .catalogue import Model
from .errors import ServiceError, invalid
from .faults import FaultKind, GoneError, Point
from .records import SentenceRecord, TaskRecord, TextPiece
from .rules import Speaker
from .script import Fault
from .speech import Word
from .text import Passage, Segmenter, drop_markup, is_speakable, is_ssml, parse_ssml

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
        started: When it started, by the event loop's clock.
        waited: True if it was started long before its first text came.
    """

    def __init__(
        self,
        connection: Connection,
        record: TaskRecord,
        speaker: Speaker,
        model: Model,
    ) -> None:
        """Prepare a task; nothing is spoken before ``start``."""
        self.record = record
        self._connection = connection
        self._config = connection.emulator.config
        self._speaker = speaker
        self._loop = asyncio.get_running_loop()
        self._facts = self._config.facts
        self._segmenter = Segmenter(
            self._facts.sentence_end, holds_last=self._facts.holds_last
        )
        # Sentences with the time at which they were complete; None at the end.
        self._queue: asyncio.Queue[tuple[float, Passage | _Flush | None]]
        self._queue = asyncio.Queue()
        self._model = model
        self._encoder = self._new_encoder()
        self._characters = 0
        self._spoken_words = 0
        self._words: list[Word] = []
        self._finishing = False
        self._speaking = False
        self._sentence_over = asyncio.Event()
        self._reported: dict[str, int] = {}
        self._early: list[Passage | _Flush] = []
        self.waited = False
        self._active = self.started = self._loop.time()
        # When the synthesis of all sentences so far ends, by the latency model.
        self._busy_until = -math.inf
        self._work: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to speak, and to expect text."""
        self._active = self.started = self._loop.time()
        self._work = [
            asyncio.create_task(self._guarded()),
            asyncio.create_task(self._watch_text_gap()),
        ]

    def cancel(self) -> None:
        """Begin to fall silent."""
        for work in self._work:
            if work is not asyncio.current_task():
                work.cancel()

    def _new_encoder(self) -> Encoder:
        speaker = self._speaker
        return Encoder(
            speaker.format,
            speaker.sample_rate,
            speaker.bit_rate,
            speaker.mp3_bit_rate,
            self._facts.shape or self._model.shape,
        )

    async def stop(self, *, delivering: bool = False) -> None:
        """Fall silent, and send nothing more after that.

        Args:
            delivering: True to end the sentence that is being spoken first.
        """
        if delivering and self._speaking:
            while not self._queue.empty():
                self._queue.get_nowait()
            await self._sentence_over.wait()
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
            if self._config.flush == "unknown":
                raise invalid("Missing required parameter 'payload.input.text'!")
            self._put(_FLUSH)
            if self._config.flush == "works":
                self._queue_sentences(self._segmenter.flush())
            return
        text = values.get("text")
        if not isinstance(text, str):
            raise invalid("Parameter invalid: text is null")
        self._check_text(text)
        if not self.record.pieces:
            waited = self._active - self.started - self._config.round_trip
            self.waited = waited > LONG
        self.record.pieces.append(TextPiece(self._active, text))
        self._connection.emulator.notify()
        if self._speaker.markup == "dropped" and not self._speaker.knows_ssml:
            text = drop_markup(text)
        elif self._speaker.ssml and self._takes_markup(text):
            self._queue_ssml(text)
            return
        if self._speaker.tags:
            text = tags.mark(text)
        self._queue_sentences(self._segmenter.push(text))
        if not self._facts.joins_pieces:
            self._queue_sentences(self._segmenter.flush())

    def finish(self) -> None:
        """Speak what was held back, then finish."""
        if not self._finishing:
            self._finishing = True
            self._queue_sentences(self._segmenter.flush())
            for passage in self._early:
                self._queue.put_nowait((self._loop.time(), passage))
            self._queue.put_nowait((0.0, None))

    def report_usage(self) -> dict[str, int]:
        """Return the bill so far, as the service reports it."""
        usage = self.record.usage(self._model.unit)
        if self._facts.usage_cumulative:
            return usage
        previous, self._reported = self._reported, usage
        return {name: value - previous.get(name, 0) for name, value in usage.items()}

    def book(self) -> None:
        """Bill the tokens of all text that was begun and all audio that was sent."""
        if self._model.unit == "tokens":
            begun = "".join(sentence.text for sentence in self.record.sentences)
            units = input_tokens(begun)
            self.record.input_tokens = units * self._facts.tokens_per_unit
            self.record.output_tokens = output_tokens(
                self.record.audio_seconds, self._facts.tokens_per_second
            )

    @property
    def answers_cancel(self) -> bool:
        """True if a cancellation is answered, and not just overheard."""
        if self._facts.cancel == "by_model":
            return self._config.region in self._model.cancel
        return self._facts.cancel == "always"

    @property
    def finish_has_usage(self) -> bool:
        """True if task-finished has the usage."""
        if self._config.usage == "sentence":
            return self._model.is_qwen and self._facts.qwen_finish_usage
        return self._config.usage != "none"

    def _takes_markup(self, text: str) -> bool:
        if is_ssml(text):
            return self._speaker.markup != "spoken"
        if not self._facts.ssml_plain:
            raise invalid("SSML text is invalid: no speak element")
        return False

    def _check_text(self, text: str) -> None:
        limit = self._facts.ssml_texts
        if self._speaker.ssml and limit and len(self.record.pieces) >= limit:
            raise invalid(f"Text request limit violated, expected {limit}.")
        characters = self._facts.count(text)
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
            self._put(Passage(sentence))

    def _queue_ssml(self, text: str) -> None:
        if not self._speaker.knows_ssml:
            raise invalid("SSML text is not supported at the moment!")
        try:
            passages = parse_ssml(
                text, siblings=self._facts.ssml_siblings, aliases=self._facts.ssml_sub
            )
        except ValueError as error:
            raise invalid(f"SSML text is invalid: {error}") from error
        if self._facts.counts_markup:
            markup = self._facts.count(text) - sum(
                self._facts.count(passage.text) for passage in passages
            )
            self.record.characters += markup
        for passage in passages:
            if is_speakable(passage.text):
                pause = passage.pause if self._facts.ssml_breaks else 0.0
                self._put(replace(passage, pause=pause))

    def _put(self, passage: Passage | _Flush) -> None:
        if self._facts.speaks_early:
            self._queue.put_nowait((self._loop.time(), passage))
        else:
            self._early.append(passage)

    async def _watch_text_gap(self) -> None:
        while not self._finishing:
            now = self._loop.time()
            if self._speaking and not self._facts.gap_counts_audio:
                self._active = now
            gap = self._config.text_gap * self._facts.gap_factor
            wait = self._active + gap - now
            if wait <= 0:
                message = f"request timeout after {self._config.text_gap:g} seconds."
                error = ServiceError(self._facts.gap_code, message)
                await self._connection.fail(self.record, error)
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
            self._sentence_over.clear()
            await self._speak(arrived, passage)
            self._speaking = False
            self._sentence_over.set()
            if not self._facts.gap_counts_audio:
                self._active = self._loop.time()
        if not self.record.sentences and self._facts.empty_fails:
            raise invalid("Please ensure input text is valid.")
        if tail := self._encoder.finish():
            await self._send_audio(self.record.sentences[-1], tail)
        fault = await self._fault(Point.BEFORE_FINISHED)
        bare = fault is not None and fault.kind is FaultKind.FINISH_WITHOUT_USAGE
        await self._connection.finish(self, "finished", with_usage=not bare)

    async def _speak(self, arrived: float, passage: Passage) -> None:
        sentence = await self._begin_sentence(passage)
        await self._fault(Point.BEFORE_AUDIO)
        if self._facts.header_per_sentence and sentence.index:
            self._encoder = self._new_encoder()
        # Nothing follows but the end, so the encoder may give away what it holds back.
        final = self._finishing and self._queue.qsize() == 1
        final = final or self._facts.header_per_sentence
        spoken = await self._connection.emulator.studio.speak(
            passage, self._speaker, self._encoder, final=final
        )
        chunk_time = self._config.chunk * self._config.real_time_factor
        if arrived > self._busy_until:
            ready = arrived + self._config.first_packet
        else:
            ready = self._busy_until + chunk_time
        self._words = spoken.words
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
        await self._end_sentence(sentence)

    async def _begin_sentence(self, passage: Passage) -> SentenceRecord:
        sentences = self.record.sentences
        if sentences:
            await self._fault(Point.BETWEEN_SENTENCES)
        text = tags.written(passage.text)
        sentence = SentenceRecord(
            len(sentences),
            text,
            self._facts.count(text),
            spoken=tags.spoken(passage.text),
        )
        sentences.append(sentence)
        if not self._facts.counts_tags:
            sentence.characters = self._facts.count(sentence.spoken)
        if self._facts.counts_instruction:
            sentence.characters += self._facts.count(self._speaker.instruction)
        if self._model.unit == "characters":
            self.record.characters += sentence.characters
        if self._config.usage != "old":
            await self._result("sentence-begin", sentence)
        return sentence

    async def _end_sentence(self, sentence: SentenceRecord) -> None:
        sentence.complete = True
        self.book()
        usage = self._config.usage
        if usage == "old":
            return
        self._connection.emulator.notify()
        await self._result(
            "sentence-end",
            sentence,
            with_usage=usage in ("sentence", "both"),
        )
        self._spoken_words += len(self._words)

    async def _send_audio(self, sentence: SentenceRecord, audio: bytes) -> None:
        if self._config.usage == "old":
            payload = {
                "output": {"sentence": {"words": []}},
                "usage": self.report_usage(),
            }
            await self._connection.send_event("result-generated", payload)
        else:
            await self._result("sentence-synthesis", sentence)
        frames = self._facts.frames_per_event
        step = -(-len(audio) // frames)
        for start in range(0, len(audio), step):
            await self._connection.send_audio(audio[start : start + step])
        self.record.audio_bytes += len(audio)

    async def _result(
        self,
        kind: str,
        sentence: SentenceRecord,
        *,
        with_usage: bool = False,
    ) -> None:
        if kind not in self._facts.sentence_events:
            return
        timed = self._speaker.word_timestamps and kind == self._facts.words_at
        facts = {
            "index": sentence.index + self._facts.first_index,
            "words": self._word_list(self._words) if timed else [],
        }
        payload: dict[str, Any] = {"output": {"type": kind, "sentence": facts}}
        if kind in self._facts.text_at:
            payload["output"]["original_text"] = sentence.text
        if with_usage:
            payload["usage"] = self.report_usage()
        await self._connection.send_event("result-generated", payload)

    def _word_list(self, words: list[Word]) -> list[dict[str, Any]]:
        by_task = self._config.word_times == "task"
        before = sum(s.audio_seconds for s in self.record.sentences[:-1])
        offset = before if by_task else 0.0
        unit = self._facts.words_per_second
        return [
            {
                "text": word.text,
                "begin_index": self._spoken_words + number if by_task else word.index,
                "end_index": self._spoken_words + number + 1
                if by_task
                else word.index + len(word.text),
                "begin_time": round((offset + word.begin) * unit),
                "end_time": round((offset + word.end) * unit),
            }
            for number, word in enumerate(words)
        ]

    async def _fault(self, point: Point) -> Fault | None:
        complete = sum(sentence.complete for sentence in self.record.sentences)
        return await self._connection.fault(point, self.record, complete)
