"""Text goes to a task, is flushed where that is needed, and ends it."""

import asyncio
from typing import cast

from custom_components.cosyvoice.client import Timing, UtteranceReport
from custom_components.cosyvoice.client.audio import audio_writer
from custom_components.cosyvoice.client.audio.silence import NO_SILENCE
from custom_components.cosyvoice.client.utterance.flushing import Flushing
from custom_components.cosyvoice.client.utterance.playback import Playback, Position
from custom_components.cosyvoice.client.utterance.progress import TaskProgress
from custom_components.cosyvoice.client.utterance.sender import Sender
from custom_components.cosyvoice.client.utterance.source import TextSource
from custom_components.cosyvoice.client.utterance.watch import Watch
from custom_components.cosyvoice.client.wire.connection import Connection
from custom_components.cosyvoice.client.wire.protocol import SentenceEnd
from tests.clock import run

from .speaking import SENTENCES, listen, options, service, timed, whole

TIMING = Timing()
START = Position(0.0, 0.0)


class PromptService:
    """Speaks each sentence when it comes, without a flush."""

    name = "connection"
    task_id = "task"

    def __init__(self, progress: TaskProgress) -> None:
        """Note in the progress what is spoken."""
        self.log: list[tuple[float, str]] = []
        self._progress = progress

    async def send_text(self, text: str) -> None:
        """Speak."""
        self._note(text)
        self._progress.audio(given_out=True)
        self._progress.note(SentenceEnd(text, ()), START)

    async def flush(self) -> None:
        """Have the sent text spoken."""
        self._note("flush")

    async def finish(self) -> None:
        """End the text."""
        self._note("finish")

    def _note(self, what: str) -> None:
        self.log.append((round(asyncio.get_running_loop().time(), 1), what))


def sent(pause: float) -> list[tuple[float, str]]:
    """Return the sent text of two sentences with a pause, in seconds, between them."""

    async def scenario() -> list[tuple[float, str]]:
        playback = Playback(audio_writer("pcm", 24_000), NO_SILENCE, TIMING, fill=False)
        source = TextSource(timed(SENTENCES[0], pause, SENTENCES[2]), playback, TIMING)
        progress = TaskProgress(START)
        connection = PromptService(progress)
        sender = Sender(
            cast("Connection", connection),
            source,
            progress,
            Watch(TIMING.attempt),
            TIMING,
            Flushing(),
            UtteranceReport(voice="v", model="m"),
        )
        await sender.run()
        await source.close()
        return connection.log

    return run(scenario())


def test_what_was_spoken_needs_no_flush() -> None:
    first, second = SENTENCES[0], SENTENCES[2]
    assert sent(5.0) == [(0.0, first), (5.0, second), (5.0, "finish")]


def test_a_long_pause_ends_the_task() -> None:
    assert sent(15.0) == [(0.0, SENTENCES[0]), (TIMING.pause, "finish")]


def test_who_waits_for_the_permitted_rate_says_so() -> None:
    """Such a wait is no failure of the service."""

    async def scenario() -> None:
        async with service() as (_, client):
            utterances = [client.speak(whole("好。"), options()) for _ in range(9)]
            listening = [asyncio.create_task(listen(each)) for each in utterances]
            await asyncio.sleep(0.5)
            waiting = [utterance.waits_for_turn for utterance in utterances]
            assert waiting == [False] * 3 + [True] * 6
            await asyncio.gather(*listening)
            assert not any(utterance.waits_for_turn for utterance in utterances)

    run(scenario())
